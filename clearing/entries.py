"""What the journal's rows mean, what the night adds up from them, and the kinds of lines that come out.

Booking writes quantities only (points, purchases, amounts per event). At night their totals are priced (`obligations.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum, unique
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.ids import PartyId


@unique
class Code(IntEnum):
    """What one journal row is. Stored as its number: numbers are never given to another meaning.

    Each row debits one account and credits another by an amount above zero; value moves from the debited to the credited.
    """

    ACCRUAL = 1
    """Points given by an event. Debit: what the sponsor has issued. Credit: the member's lot, pending or available. Owed for at once (rules 7, 9, 16)."""
    RELEASE = 2
    """Pending points become available. Debit: the lot's pending points. Credit: the same lot's available ones. Nothing is owed (rule 9)."""
    REDEMPTION = 3
    """Points spent. Debit: the member's lot. Credit: the redeeming partner, the counterparty (rules 10, 17, 18)."""
    REPAYMENT = 4
    """Points that repay what the member owes. Debit: the member's lot. Credit: the member's debt, for its bearer, the counterparty (rules 7, 15, 18)."""
    RETURN_UNSPENT = 5
    """Points taken back that were still there. Debit: the member's lot. Credit: what the sponsor has issued (rules 14, 19)."""
    RETURN_SPENT = 6
    """Points taken back that were spent. Debit: their bearer, the counterparty; with `negative_balance` the member's debt, for it.

    Credit: what the sponsor has issued (rules 14, 19).
    """
    REDEMPTION_REVERSAL = 7
    """Spent points put back. Debit: the partner that had redeemed them, the counterparty. Credit: the lot that they came from (rules 12, 19)."""
    EXPIRY = 8
    """Points whose day has come. Debit: the member's lot. Credit: what the sponsor has issued, as unused (rules 8, 20)."""
    HOLD = 9
    """Points earmarked at the till. Debit: the lot's available points. Credit: the same lot's held ones. Nothing is owed."""
    HOLD_RELEASE = 10
    """Held points freed, or about to be captured. Debit: the lot's held points. Credit: the same lot's available ones. Nothing is owed."""
    RETURN_SPENT_REVERSAL = 11
    """What a bearer other than the member paid for spent points (RETURN_SPENT) comes back to it: a chargeback was reversed.

    Debit: what the sponsor has issued. Credit: the bearer, the counterparty. RETURN_SPENT backwards.
    """

    UNFUNDED = 12
    """Points that an event gives and whose sponsor has no room under its limit. Debit: what the sponsor has issued. Credit: the member's pending points, in a
    lot that is marked as unfunded. Owed by nobody until they are funded.
    """
    UNFUNDED_REVERSAL = 13
    """Unfunded points that are funded (and given by an ACCRUAL beside it), taken back or expired. UNFUNDED backwards; owed by nobody."""

    DISCOUNT = 21
    """A discount that somebody else funds. Debit: its funder, the sponsor. Credit: the seller, the counterparty (rule 23)."""
    DISCOUNT_REVERSAL = 22
    """A discount taken back. Debit: the seller, the counterparty. Credit: its funder, the sponsor (rules 13, 23)."""
    REWARD = 23
    """A gift, prize, rebate, trade-in or certificate. Debit: its funder, the sponsor. Credit: the partner that hands it out, the counterparty (rule 23)."""
    REWARD_REVERSAL = 24
    """A reward taken back. Debit: the partner that handed it out, the counterparty. Credit: its funder, the sponsor (rule 23)."""
    CASH_BACK = 25
    """Cash-back earned. Debit: its funder, the sponsor. Credit: the payer, the counterparty (rule 23)."""
    CASH_BACK_REVERSAL = 26
    """Cash-back taken back by a refund or chargeback. Debit: the payer, the counterparty. Credit: its funder, the sponsor (rule 23)."""
    ROUND_UP_MATCH = 27
    """What is added to a round-up. Debit: the matching party, the sponsor. Credit: the account's bank, the counterparty (rule 23)."""
    ROUND_UP_MATCH_REVERSAL = 28
    """A match taken back. Debit: the account's bank, the counterparty. Credit: the matching party, the sponsor (rule 23)."""
    PRIVILEGE = 29
    """A service's agreed cost. Debit: its funder, the sponsor. Credit: the provider, the counterparty (rule 23)."""
    PRIVILEGE_REVERSAL = 30
    """A service's cost taken back. Debit: the provider, the counterparty. Credit: its funder, the sponsor (rule 23)."""
    PASS = 31
    """A visit on a pass. Debit: the pass's seller, the sponsor. Credit: the partner visited, the counterparty (rule 23)."""
    PASS_REVERSAL = 32
    """A visit on a pass taken back. Debit: the partner visited, the counterparty. Credit: the pass's seller, the sponsor (rule 23)."""

    ADJUSTMENT = 33
    """What is put right between two parties, by decision. Debit: who owes it, the sponsor. Credit: who gets it, the counterparty."""
    DISPUTE = 34
    """What a dispute withholds, gives back or moves. Debit: who owes it, the sponsor. Credit: who gets it, the counterparty."""
    DEFAULT_LOSS = 35
    """A share in what a defaulter has not paid. Debit: who bears it, the sponsor. Credit: who is owed it, the counterparty."""

    PURCHASE = 41
    """An accepted purchase, counted for its sender (the sponsor) under the sender's contract of the event date; the `per_transaction` fee (rule 21)."""

    STAMP = 51
    """Stamps given. Debit: the stamps of the mechanic. Credit: the member's card. Nothing is owed for them."""
    STAMP_REVERSAL = 52
    """Stamps taken back by a return. Debit: the member's card. Credit: the stamps of the mechanic."""
    ROUND_UP = 53
    """Saved by rounding a card transaction up. Debit: the card's bank, the sponsor. Credit: the member's savings there. Nothing is owed between parties."""


AMOUNTS: Final = MappingProxyType(
    {
        "discount": (Code.DISCOUNT, Code.DISCOUNT_REVERSAL),
        "privilege": (Code.PRIVILEGE, Code.PRIVILEGE_REVERSAL),
        "pass_visit": (Code.PASS, Code.PASS_REVERSAL),
    }
)
"""Effects of mechanics that are sums, which the funders owe to the sender of the event: the codes of what is given and of what is taken back."""

POINTS: Final = "points"
"""Unit of the codes 1 to 13; those of 21 to 35, and 53, have a currency, in minor units."""

STAMPS: Final = "stamps"
"""Unit of the codes 51 and 52, which no obligation follows from."""

PURCHASES: Final = "purchases"
"""Unit of PURCHASE."""


@unique
class LineKind(StrEnum):
    """Kinds of obligation lines, as reports name them. The debtor owes the creditor."""

    ISSUE = "issue"
    ISSUE_REVERSAL = "issue_reversal"
    REDEMPTION = "redemption"
    REDEMPTION_REVERSAL = "redemption_reversal"
    FEE = "fee"
    VAT = "vat"
    UNUSED_POINTS = "unused_points"
    DISCOUNT_FUNDING = "discount_funding"
    DISCOUNT_FUNDING_REVERSAL = "discount_funding_reversal"
    CASH_BACK = "cash_back"
    CASH_BACK_REVERSAL = "cash_back_reversal"
    ROUND_UP_MATCH = "round_up_match"
    ROUND_UP_MATCH_REVERSAL = "round_up_match_reversal"
    REWARD = "reward"
    REWARD_REVERSAL = "reward_reversal"
    PRIVILEGE = "privilege"
    PRIVILEGE_REVERSAL = "privilege_reversal"
    PASS = "pass"  # noqa: S105  # a subscription pass, no password
    PASS_REVERSAL = "pass_reversal"  # noqa: S105  # as above
    ALLIANCE = "alliance"
    ADJUSTMENT = "adjustment"
    DISPUTE = "dispute"
    DEFAULT_LOSS = "default_loss"


class TotalKey(NamedTuple):
    """What makes two rows add up into one total."""

    code: Code
    sponsor: PartyId | None
    contract: date | None
    counterparty: PartyId | None
    counter_contract: date | None
    unit: str


@dataclass(frozen=True, slots=True)
class Total:
    """A sum of a window's journal rows that agree in everything but their quantity.

    `contract` is the `from` day of the sponsor's contract version (that of the lot, for points), `counter_contract` that of the
    counterparty on the event date. `quantity` is in `unit`: points, purchases, or the minor units of a currency; never negative.
    `events` is the number of distinct events in it.
    """

    code: Code
    sponsor: PartyId | None
    contract: date | None
    counterparty: PartyId | None
    counter_contract: date | None
    unit: str
    quantity: int
    events: int

    @property
    def key(self) -> TotalKey:
        """Everything but quantity and number of events."""
        return TotalKey(self.code, self.sponsor, self.contract, self.counterparty, self.counter_contract, self.unit)


def add_up(totals: Iterable[Total]) -> tuple[Total, ...]:
    """One total for each key, in a fixed order. An event lies in one batch, so the numbers of events of batches add up too."""
    sums: dict[TotalKey, tuple[int, int]] = {}
    for total in totals:
        quantity, events = sums.get(total.key, (0, 0))
        sums[total.key] = (quantity + total.quantity, events + total.events)
    return tuple(Total(*key, quantity, events) for key, (quantity, events) in sorted(sums.items(), key=lambda item: tuple(str(part) for part in item[0])))
