"""Card reward detail: the CSV file that banks and the house exchange, one line for each card transaction and reward, and its manifest.

Amounts are whole minor units, points whole points. No field holds a payment card number: a card is a payment account reference or a token.
"""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from schemas.money import MINOR_MAX, is_currency

SCHEMA_VERSION: Final = "1"


class EventType(StrEnum):
    """What a line is about."""

    EARN = "EARN"
    REFUND = "REFUND"
    CHARGEBACK = "CHARGEBACK"
    CHARGEBACK_REVERSAL = "CHARGEBACK_REVERSAL"
    BONUS = "BONUS"
    ROUNDUP = "ROUNDUP"
    MATCH = "MATCH"
    PAYOUT = "PAYOUT"
    ADJUST = "ADJUST"


KIND_OF: Final = {
    EventType.EARN: "clearing",
    EventType.REFUND: "refund",
    EventType.CHARGEBACK: "chargeback",
    EventType.CHARGEBACK_REVERSAL: "chargeback-reversal",
}
"""The lines that are card transactions, and what each is as an event; the others only tell what was given."""
EVENT_TYPE_OF: Final = {kind: event_type for event_type, kind in KIND_OF.items()}
REVERSALS: Final = (EventType.REFUND, EventType.CHARGEBACK, EventType.CHARGEBACK_REVERSAL)


class RewardKind(StrEnum):
    """What was given."""

    POINTS = "POINTS"
    CASHBACK = "CASHBACK"
    ROUNDUP = "ROUNDUP"


_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,15})", re.ASCII)
_TIME = (
    r"^(?:19[7-9]|2[0-9]{2})[0-9]-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
)


def _whole(text: object) -> int:
    if isinstance(text, int):
        return text
    if not isinstance(text, str) or _WHOLE.fullmatch(text) is None:
        raise ValueError("must be a whole number of minor units or points, such as 1250")
    return int(text)


def _moment(text: str) -> str:
    dt.datetime.fromisoformat(text)
    return text


def _currency(code: str) -> str:
    if not is_currency(code):
        raise ValueError("must be an ISO 4217 currency code in use")
    return code


Units = Annotated[int, BeforeValidator(_whole), Field(ge=-MINOR_MAX, le=MINOR_MAX)]
AmountMinor = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=MINOR_MAX)]
Number = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=10**9)]
Ref = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
EVENT_ID_MAX: Final = 64


def event_id_of(transaction: str, event_type: EventType) -> str:
    """Id of the event that a line of a bank's file becomes, always the same: the transaction's id with the event type behind it, or, where that would be
    longer than the id of an event may be, the transaction's id alone."""
    whole = f"{transaction}:{event_type}"
    return whole if len(whole) <= EVENT_ID_MAX else transaction


def transaction_of(event_id: str, event_type: EventType) -> str:
    """The bank's id of a transaction, from that of its event: without its event type behind it, where that is there."""
    return event_id.removesuffix(f":{event_type}") or event_id


def _told_apart(transaction: str | None, event_type: EventType) -> None:
    if transaction is not None and transaction_of(event_id_of(transaction, event_type), event_type) != transaction:
        raise ValueError(f"an id as long as that of an event must not end as one, with :{event_type}")


TxnId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
"""Whatever the id of an event may be. One that a spreadsheet would run, as `-1`, stands in a file behind an apostrophe."""
Words = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,127}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)]
Unit = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,8}$")]
"""A currency, or the code of a programme's points."""
DayText = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_moment)]


class CardRow(BaseModel):
    """One line, in the order of its columns. An empty cell is None."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line_no: Number
    bank_txn_id: TxnId
    event_type: EventType
    original_bank_txn_id: TxnId | None = None
    card_ref_type: Literal["PAR", "TOKEN"]
    card_ref: Ref
    rrn: Ref | None = None
    auth_code: Ref | None = None
    arn: Ref | None = None
    mcc: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    acceptor_id: Ref | None = None
    transacted_at: Annotated[str, Field(pattern=_TIME), AfterValidator(_moment)]
    posting_date: DayText
    txn_minor: AmountMinor | None = None
    txn_ccy: Currency | None = None
    billing_minor: AmountMinor
    billing_ccy: Currency
    fx_rate: Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?$")] | None = None
    eligible_minor: AmountMinor | None = None
    exclusion_code: Ref | None = None
    rule_id: Ref | None = None
    rule_version: DayText | None = None
    cap_bucket: Words | None = None
    cap_cut_units: AmountMinor | None = None
    reward_kind: RewardKind | None = None
    reward_units: Units
    reward_ccy: Unit | None = None
    bank_funded: Units | None = None
    merchant_funded: Units | None = None
    network_funded: Units | None = None
    settlement_ref: Ref | None = None

    @field_validator("event_type")
    @classmethod
    def _told_apart(cls, value: EventType, info: ValidationInfo) -> EventType:
        _told_apart(info.data.get("bank_txn_id"), value)
        return value

    @field_validator("original_bank_txn_id")
    @classmethod
    def _names_its_original(cls, value: str | None, info: ValidationInfo) -> str | None:
        _told_apart(value, EventType.EARN)
        if value is None and info.data.get("event_type") in REVERSALS:
            raise ValueError("a refund, a chargeback and its reversal name the transaction that they are of")
        return value

    @field_validator("txn_ccy")
    @classmethod
    def _amount_with_currency(cls, value: str | None, info: ValidationInfo) -> str | None:
        if (value is None) is not (info.data.get("txn_minor") is None):
            raise ValueError("an amount and its currency stand beside each other or not at all")
        return value

    @field_validator("reward_units")
    @classmethod
    def _kind_of_reward(cls, value: int, info: ValidationInfo) -> int:
        if value and info.data.get("reward_kind") is None:
            raise ValueError("a reward has its kind beside it")
        return value

    @property
    def card_token(self) -> str:
        """The card as events show it: a payment account reference is marked as one."""
        return f"par:{self.card_ref}" if self.card_ref_type == "PAR" else self.card_ref

    @property
    def event_id(self) -> str:
        """Id of the event that the line becomes: the same line always becomes the same event."""
        return event_id_of(self.bank_txn_id, self.event_type)


COLUMNS: Final = tuple(CardRow.model_fields)
REQUIRED: Final = tuple(name for name, field in CardRow.model_fields.items() if field.is_required())
CARD_NUMBER_COLUMNS: Final = (
    "card_ref", "rrn", "auth_code", "arn", "exclusion_code", "rule_id", "cap_bucket", "settlement_ref",
)  # fmt: skip
"""Cells that could hold a payment card number; ids and shops are not looked at: one in ten long ones would pass by chance."""


class Total(BaseModel):
    """Lines of one event type, kind of reward and currency: how many, and their units together."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    event_type: str = Field(max_length=32)
    reward_kind: str = Field(max_length=32)
    reward_ccy: str = Field(max_length=8)
    count: int = Field(ge=0)
    units: int

    @property
    def key(self) -> TotalKey:
        """What it is the total of; empty text stands for an empty cell."""
        return self.event_type, self.reward_kind, self.reward_ccy


TotalKey = tuple[str, str, str]
FileId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
PartyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Manifest(BaseModel):
    """What stands in the file beside the CSV: whose it is, what it follows, and its control totals."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal["1"]
    file_id: FileId
    bank: PartyName
    programme: PartyName
    day: DayText
    sequence: int = Field(ge=1, le=999_999)
    time_zone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")]
    cut_off: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    record_count: int = Field(ge=0)
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    previous_file: FileId | None
    totals: list[Total] = Field(max_length=1000)

    @property
    def file_name(self) -> str:
        """Name that the CSV has to have."""
        return f"CRD_{self.bank}_{self.programme}_{self.day}_{self.sequence}.csv"

    @model_validator(mode="after")
    def _each_total_once(self) -> Self:
        if len({total.key for total in self.totals}) != len(self.totals):
            raise ValueError("a total stands twice")
        return self


def event_of(row: dict[str, Any], source: str) -> dict[str, Any]:
    """The card transaction of a good line as a CloudEvent of events.md; the amount is what the card was billed for.

    `row` holds the columns of a `CardRow`, its `event_type` one of `KIND_OF`; a reversal names the clearing that it is of.
    """
    event_type = EventType(row["event_type"])
    token = f"par:{row['card_ref']}" if row["card_ref_type"] == "PAR" else row["card_ref"]
    original = row["original_bank_txn_id"]
    data: dict[str, Any] = {
        "card_token": token,
        "kind": KIND_OF[event_type],
        "amount_minor": row["billing_minor"],
        "currency": row["billing_ccy"],
        "mcc": row["mcc"],
        "transacted_at": row["transacted_at"],
        "posted_on": row["posting_date"],
    }
    optional = {"acceptor": row["acceptor_id"], "rrn": row["rrn"], "auth_code": row["auth_code"], "arn": row["arn"]}
    data |= {name: value for name, value in optional.items() if value is not None}
    if original is not None and event_type is not EventType.EARN:
        data["original_id"] = event_id_of(original, EventType.EARN)
    head = {"specversion": "1.0", "id": event_id_of(row["bank_txn_id"], event_type), "source": source, "type": "card-transaction.v1"}
    return head | {"time": row["transacted_at"], "subject": token, "data": data}
