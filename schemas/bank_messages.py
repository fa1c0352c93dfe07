"""What messages of the settlement bank say, whatever their XML: sums are whole minor units, never negative; which way they go is said apart.

A text that a message leaves out is the empty string; a date that it leaves out is None. Moments have an offset: where the bank gives none, UTC is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum, unique


@unique
class PaymentStatus(StrEnum):
    """What the bank says of a payment or of a whole file (ISO 20022 external code set; only those that decide something have a name)."""

    RECEIVED = "RCVD"
    TECHNICALLY_ACCEPTED = "ACTC"
    PROFILE_ACCEPTED = "ACCP"
    FUNDS_ACCEPTED = "ACFC"
    CHANGED = "ACWC"
    IN_PROCESS = "ACSP"
    SETTLED = "ACSC"
    PAID = "ACCC"
    PENDING = "PDNG"
    PARTLY = "PART"
    CANCELLED = "CANC"
    REJECTED = "RJCT"


@dataclass(frozen=True, slots=True)
class StatusLine:
    """What becomes of one payment of a file. `reason_code` is that of the standard (AC04, RC01, …), or the bank's own."""

    end_to_end_id: str
    status: PaymentStatus
    reason_code: str
    reason_text: str


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """What becomes of one payment information block. It is the status of every payment of the block that has no line of its own."""

    payment_information_id: str
    status: PaymentStatus
    reason_code: str
    reason_text: str


@dataclass(frozen=True, slots=True)
class StatusReport:
    """pain.002: what becomes of a payment file. Acceptance is not settlement.

    A payment's line says more than its block's status, and that more than the group's. `group_reason` is a code; of a file that the bank had before, DUPL.
    """

    message_id: str
    created_at: datetime
    original_message_id: str
    group_status: PaymentStatus | None
    group_reason: str
    lines: tuple[StatusLine, ...]
    batches: tuple[BatchStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement on our account. A batch that the bank booked as one sum is as many of them as it names transactions.

    `reference` is the bank's own, the same whenever the same movement is shown; where a batch shares one, `/1`, `/2` and so on stand behind it.
    `credit` is true for money that comes in. `reversal` is true where the bank takes an entry of its own back, and `credit` says which way that goes.
    `return_reason` is the code why a payment came back; empty where nothing came back. `counterparty` is who is on the other side.
    `creditor_reference` is the ISO 11649 or other structured reference that came along, `remittance` the free text.
    """

    reference: str
    amount_minor: int
    currency: str
    credit: bool
    booked: bool
    reversal: bool
    booking_date: date | None
    value_date: date | None
    end_to_end_id: str
    uetr: str
    creditor_reference: str
    remittance: str
    counterparty: str
    counterparty_iban: str
    return_reason: str

    @property
    def signed_minor(self) -> int:
        """What the entry adds to the account's balance."""
        return self.amount_minor if self.credit else -self.amount_minor


@dataclass(frozen=True, slots=True)
class Notification:
    """camt.054: entries as they are booked. Provisional: the statement is the book of record."""

    message_id: str
    id: str
    created_at: datetime
    account_iban: str
    currency: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """camt.053: the book of record of an account. Opening balance plus booked entries is the closing balance, exactly; both are signed.

    `sequence` is the bank's number of the statement (electronic, or legal where there is no other); None where it gives none.
    """

    message_id: str
    id: str
    sequence: int | None
    created_at: datetime
    account_iban: str
    currency: str
    from_date: date
    to_date: date
    opening_minor: int
    closing_minor: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Return:
    """One transaction of a pacs.004: a payment that had settled and comes back. The statement's credit entry is what books it."""

    message_id: str
    id: str
    created_at: datetime
    original_message_id: str
    end_to_end_id: str
    uetr: str
    amount_minor: int
    currency: str
    settlement_date: date | None
    reason_code: str
    reason_text: str


@dataclass(frozen=True, slots=True)
class Recall:
    """What a camt.055 asks: cancel, or bring back, one payment of a file. `reason_code` is DUPL, TECH, FRAD, CUST, AC03, AM09 or another of the standard."""

    message_id: str
    case_id: str
    created_at: datetime
    original_message_id: str
    payment_information_id: str
    end_to_end_id: str
    uetr: str
    amount_minor: int
    currency: str
    value_date: date
    reason_code: str


@unique
class RecallStatus(StrEnum):
    """What the bank answers to a recall (camt.029)."""

    ACCEPTED = "ACCR"
    REJECTED = "RJCR"
    PENDING = "PDCR"


@dataclass(frozen=True, slots=True)
class RecallAnswer:
    """One transaction of a camt.029. An accepted recall is not money: that comes as a return."""

    message_id: str
    case_id: str
    created_at: datetime
    original_message_id: str
    end_to_end_id: str
    status: RecallStatus
    reason_code: str
    reason_text: str

    @property
    def accepted(self) -> bool:
        """Whether the bank gives the payment back. False while it is pending."""
        return self.status is RecallStatus.ACCEPTED


BankMessage = StatusReport | tuple[Notification, ...] | tuple[Statement, ...] | tuple[Return, ...] | tuple[RecallAnswer, ...]
"""What one file of the bank says: a status report, or a tuple whose members are all of one kind, never empty."""
