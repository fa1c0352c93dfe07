"""What the house answers: ``accrual.v1`` for what was accepted or held, ``rejection.v1`` for what was refused."""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.ids import EventId, MechanicId, MemberId, PartyId


class RejectionCode(StrEnum):
    """Why an event was refused (events.md, "Answers")."""

    MALFORMED = "malformed"
    """Not JSON, not the envelope, not the schema; the pointer is a JSON pointer."""
    UNKNOWN_TYPE = "unknown-type"
    """A type or version that is not in the catalogue."""
    WRONG_SOURCE = "wrong-source"
    """The sender speaks for somebody else, or its signature is missing or wrong; claims no id."""
    UNKNOWN_PARTNER = "unknown-partner"
    """On the transaction's date."""
    INACTIVE_PARTNER = "inactive-partner"
    """On the transaction's date."""
    NO_CONTRACT = "no-contract"
    """On the transaction's date."""
    TOTALS_MISMATCH = "totals-mismatch"
    """Lines or tenders do not add up to the total."""
    CURRENCY_NOT_ACCEPTED = "currency-not-accepted"
    """The programme does not have it."""
    TIME_IN_FUTURE = "time-in-future"
    """More than 5 minutes ahead of the broker's time of receipt."""
    TOO_OLD = "too-old"
    """Older than the programme accepts."""
    ID_REUSED = "id-reused"
    """Same id, other content."""
    UNKNOWN_ORIGINAL = "unknown-original"
    """What it refers to did not come by the end of the window."""
    RETURNED_TOO_MUCH = "returned-too-much"
    """More comes back than was bought or spent."""
    ORIGINAL_OF_OTHER_CARD = "original-of-other-card"
    """What it refers to belongs to another member."""
    INSUFFICIENT_POINTS = "insufficient-points"
    """More than is available."""
    BELOW_MINIMUM_REDEMPTION = "below-minimum-redemption"
    """Fewer points than can be spent at once."""
    UNKNOWN_CARD = "unknown-card"
    """A redemption with a card that is nobody's."""
    CARD_BLOCKED = "card-blocked"
    """The card is not to be used any more."""
    MEMBER_CLOSED = "member-closed"
    """The member left."""
    CLAIM_EXPIRED = "claim-expired"
    """A held event whose card nobody enrolled in time."""
    CARD_NUMBER_IN_CLEAR = "card-number-in-clear"
    """A field holds what passes for a payment card number; the answer holds no part of it."""

    @property
    def retryable(self) -> bool:
        """Whether the cause lies with the house, so that the same event can be tried again."""
        return self in _RETRYABLE


_RETRYABLE = frozenset({RejectionCode.UNKNOWN_PARTNER, RejectionCode.INACTIVE_PARTNER, RejectionCode.NO_CONTRACT})

EffectKind = Literal[
    "points", "discount", "cash_back", "round_up", "round_up_match", "stamp", "draw_entry", "gift", "privilege", "tier", "coupon", "pass_visit"
]


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EventRef(Answer):
    """Which event is answered."""

    source: str = Field(description="Source of the event.")
    id: EventId = Field(description="The sender's id of the event.")


class AnswerEffect(Answer):
    """What one mechanic brought, for one sponsor."""

    mechanic: MechanicId | None = Field(description="Id of the mechanic; null for redemptions and repayments.")
    kind: EffectKind = Field(description="What it brought.")
    points: int | None = Field(None, description="Points, negative when taken.")
    amount_minor: int | None = Field(None, description="Amount in minor units, negative when taken back.")
    currency: str | None = Field(None, description="Currency of the amount.")
    count: int | None = Field(None, description="Stamps, entries, gifts.")
    tier: str | None = Field(None, description="The tier that was reached.")
    gift: str | None = Field(None, description="The gift.")
    sponsor: PartyId | None = Field(description="Who pays for it; null where nothing is owed.")
    reason: str = Field(description="Why, in a word.")


class Balance(Answer):
    """The member's points after the event."""

    available: int = Field(description="Points that can be spent, less what is owed.")
    pending: int = Field(description="Points that cannot be spent yet.")
    unfunded: int | None = Field(None, description="Points over their sponsor's limit, which wait to be funded; left out where there are none.")


class Accrual(Answer):
    """What an accepted or held event brought about."""

    event: EventRef = Field(description="The event.")
    outcome: Literal["accepted", "held"] = Field(description="held: its card is nobody's yet.")
    member: MemberId | None = Field(description="Whose it is; null while it is held.")
    window: dt.date | None = Field(description="Business day in which it took effect; null while it is held.")
    effects: tuple[AnswerEffect, ...] = Field(description="What it brought.")
    balance: Balance | None = Field(description="The member's points after it; null while it is held.")


class RecordRef(Answer):
    """Where a record lies in Kafka."""

    topic: str = Field(description="Topic.")
    partition: int = Field(ge=0, description="Partition.")
    offset: int = Field(ge=0, description="Offset.")


class Rejection(Answer):
    """What was refused, why, and the event itself."""

    event: EventRef | None = Field(description="The event; null where it could not be read.")
    code: RejectionCode = Field(description="Why it was refused.")
    detail: str = Field(description="Why, in a sentence that holds no part of the event's values.")
    pointer: str = Field(pattern=r"^(?:/(?:[^~/]|~[01])*)*$", description="JSON pointer (RFC 6901) to what is wrong; empty: the whole event.")
    type: str | None = Field(description="Type of the event; null where it could not be read.")
    retryable: bool = Field(description="Whether the cause lies with the house, so that the event can be tried again.")
    record: RecordRef = Field(description="Where the event lies.")
    original: Any = Field(description="The event; text where it is not JSON; null for card-number-in-clear.")


class AnswerEnvelope(Answer):
    """CloudEvents envelope of what the house says."""

    specversion: Literal["1.0"] = Field("1.0", description="Version of CloudEvents.")
    id: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Id of the answer, the same whenever it is sent.")
    source: str = Field(description="The house.")
    time: dt.datetime = Field(description="When the answered event was received.")
    subject: str = Field(description="The record's key.")
    datacontenttype: Literal["application/json"] | None = Field(None, description="May be left out.")


class AccrualEvent(AnswerEnvelope):
    """``accrual.v1`` in its envelope."""

    type: Literal["accrual.v1"] = Field("accrual.v1", description="An event was accepted or held.")
    data: Accrual = Field(description="What it brought about.")


class RejectionEvent(AnswerEnvelope):
    """``rejection.v1`` in its envelope."""

    type: Literal["rejection.v1"] = Field("rejection.v1", description="An event was refused.")
    data: Rejection = Field(description="Why, and the event itself.")
