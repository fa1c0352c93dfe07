"""Events as a scenario writes them: short, with money as decimal text, and what is not told filled in.

``type`` stands without its version, ``partner`` or ``bank`` instead of ``source``. Every other field of the full
event can be given. What an event means is judged when it is processed; here only its form is.
"""

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from schemas.document import Count, Currency, Day, Document, Flag, PartyRef, Sum, Word
from schemas.events.fields import AmountMinor, Timestamp
from schemas.ids import CardId, EventId, MechanicId, MemberId

_TIMESTAMP: TypeAdapter[dt.datetime] = TypeAdapter(Timestamp)


def _time_text(value: Any) -> Any:
    text = value.isoformat() if isinstance(value, dt.datetime) else value
    if not isinstance(text, str):
        raise ValueError('must be a time with offset such as "2026-03-02T10:00:00+01:00"')  # noqa: TRY004 - pydantic reports ValueError
    try:
        _TIMESTAMP.validate_json(f'"{text}"')
    except ValidationError:
        raise ValueError('must be a time with offset such as "2026-03-02T10:00:00+01:00"') from None
    return text


def _word_of_scalar(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


TimeText = Annotated[str, BeforeValidator(_time_text)]
"""RFC 3339 with offset, as it stands in the event."""
Number = Annotated[str, Field(pattern=r"^[0-9]{1,9}(?:\.[0-9]{1,6})?$")]
"""A quantity as decimal text."""
Scalar = Annotated[str | Flag | Annotated[int, Field(strict=True)] | tuple[Word, ...], BeforeValidator(_word_of_scalar)]
"""Value of an attribute; a day becomes its text."""
Card = Annotated[CardId, Field(min_length=1)]
Member = Annotated[MemberId, Field(min_length=1)]
Id = Annotated[EventId, Field(min_length=1)]
Named = Annotated[MechanicId, Field(min_length=1)]
Repeats = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
"""How many times an event is sent; more would take hours."""


def _one_sum(part: Any) -> Any:
    if part.amount is None and part.amount_minor is None:
        raise ValueError("the amount is missing: amount as decimal text, or amount_minor in minor units")
    return part


MINOR = "The same in minor units, beside it or instead of it."


class ShortEvent(Document):
    """What every event of a scenario has."""

    id: Id = Field(description="Id of the event, unique in the scenario.")
    time: TimeText = Field(description="When it happened, with offset.")
    partner: PartyRef | None = Field(None, description="The partner that sends it.")
    bank: PartyRef | None = Field(None, description="The bank that sends it.")
    source: str | None = Field(None, description="The source in full, instead of partner or bank; left out: the operator.")
    subject: Card | None = Field(None, description="The subject, where it is not the card or member.")
    specversion: Literal["1.0"] = Field("1.0", description="Version of CloudEvents.")
    datacontenttype: Literal["application/json"] | None = Field(None, description="May be left out.")
    repeat: Repeats = Field(1, description="How many times the same event is sent.")

    @model_validator(mode="after")
    def _one_sender(self) -> Self:
        if [self.partner, self.bank, self.source].count(None) < 2:
            raise ValueError("an event has one of partner, bank, source")
        return self


class ShortDiscount(Document):
    """A discount that the seller named."""

    mechanic: Named = Field(description="Id of the mechanic.")
    amount: Sum | None = Field(None, description="What was taken off, decimal text.")
    amount_minor: AmountMinor | None = Field(None, description=MINOR)

    _amount = model_validator(mode="after")(_one_sum)


class ShortLine(Document):
    """One line of a purchase."""

    line: Count = Field(description="Number of the line.")
    sku: Word | None = Field(None, description="Article.")
    category: Word | None = Field(None, description="Category.")
    quantity: Number = Field("1", description="Units, decimal text.")
    amount: Sum | None = Field(None, description="What was paid for it, decimal text.")
    amount_minor: AmountMinor | None = Field(None, description=MINOR)
    discounts: tuple[ShortDiscount, ...] = Field((), description="Discounts at the till.")

    _amount = model_validator(mode="after")(_one_sum)


class ShortTender(Document):
    """A part of the payment."""

    kind: Word = Field(description="How it was paid.")
    amount: Sum | None = Field(None, description="What was paid this way, decimal text.")
    amount_minor: AmountMinor | None = Field(None, description=MINOR)
    card_token: Card | None = Field(None, description="Token of the payment card.")

    _amount = model_validator(mode="after")(_one_sum)


class ShortPurchase(ShortEvent):
    """A purchase; with only a total it has one line, number 1."""

    type: Literal["purchase"] = Field(description="What happened, without the version.")
    card: Card = Field(description="The member's card.")
    currency: Currency | None = Field(None, description="Left out: the programme's first.")
    total: Sum | None = Field(None, description="What was paid, decimal text; left out: the sum of the lines.")
    total_minor: AmountMinor | None = Field(None, description=MINOR)
    category: Word | None = Field(None, description="Category of the one line.")
    sku: Word | None = Field(None, description="Article of the one line.")
    quantity: Number | None = Field(None, description="Units of the one line.")
    discounts: tuple[ShortDiscount, ...] | None = Field(None, description="Discounts of the one line.")
    lines: tuple[ShortLine, ...] | None = Field(None, min_length=1, description="The lines, instead of the fields of one.")
    tenders: tuple[ShortTender, ...] | None = Field(None, description="How it was paid.")
    store: Word = Field("1", description="Store.")
    terminal: Word | None = Field(None, description="Till.")
    receipt: Word | None = Field(None, description="Receipt; left out: the id.")
    channel: Word | None = Field(None, description="Channel.")

    @model_validator(mode="after")
    def _lines_or_one(self) -> Self:
        of_one = (self.category, self.sku, self.quantity, self.discounts)
        if self.lines is not None and of_one.count(None) < len(of_one):
            raise ValueError("category, sku, quantity and discounts stand in the lines where there are lines")
        if self.lines is None and self.total is None and self.total_minor is None:
            raise ValueError("a purchase has a total or lines")
        return self


class ShortReturnLine(Document):
    """What comes back of a line."""

    line: Count = Field(description="Number of the line in the purchase.")
    quantity: Number | None = Field(None, description="Units that come back; left out: only amounts are compared.")
    amount: Sum | None = Field(None, description="What is paid back, decimal text.")
    amount_minor: AmountMinor | None = Field(None, description=MINOR)

    _amount = model_validator(mode="after")(_one_sum)


class ShortReturn(ShortEvent):
    """A return; ``card`` is the subject. With only a total, line 1 comes back."""

    type: Literal["return"] = Field(description="What happened, without the version.")
    card: Card | None = Field(None, description="Card that is shown; left out: the purchase's.")
    original_id: Id = Field(description="Id of the purchase.")
    original_source: str | None = Field(None, description="Source of the purchase, where it is another.")
    currency: Currency | None = Field(None, description="Left out: the programme's first.")
    total: Sum | None = Field(None, description="What is paid back, decimal text; left out: the sum of the lines.")
    total_minor: AmountMinor | None = Field(None, description=MINOR)
    lines: tuple[ShortReturnLine, ...] | None = Field(None, min_length=1, description="Lines that come back.")
    store: Word = Field("1", description="Store.")
    receipt: Word | None = Field(None, description="Receipt; left out: the id.")

    @model_validator(mode="after")
    def _has_an_amount(self) -> Self:
        if self.lines is None and self.total is None and self.total_minor is None:
            raise ValueError("a return has a total or lines")
        return self


class ShortAdjustedLine(Document):
    """Money paid back on a line."""

    line: Count = Field(description="Number of the line in the purchase.")
    amount: Sum | None = Field(None, description="What is paid back, decimal text.")
    amount_minor: AmountMinor | None = Field(None, description=MINOR)

    _amount = model_validator(mode="after")(_one_sum)


class ShortPriceAdjustment(ShortEvent):
    """Money paid back, the goods kept."""

    type: Literal["price-adjustment"] = Field(description="What happened, without the version.")
    card: Card | None = Field(None, description="Card that is shown; left out: the purchase's.")
    original_id: Id = Field(description="Id of the purchase.")
    currency: Currency | None = Field(None, description="Left out: the programme's first.")
    lines: tuple[ShortAdjustedLine, ...] = Field(min_length=1, description="Lines on which money is paid back.")


class ShortRedemption(ShortEvent):
    """Points that are spent."""

    type: Literal["redemption"] = Field(description="What happened, without the version.")
    card: Card = Field(description="The member's card.")
    points: Count = Field(description="Points to spend.")
    reward: Word | None = Field(None, description="What the member gets for them.")
    value: Sum | None = Field(None, description="What they were worth at the till, decimal text.")
    value_minor: AmountMinor | None = Field(None, description=MINOR)
    currency: Currency | None = Field(None, description="Left out: the programme's first.")
    store: Word = Field("1", description="Store.")
    receipt: Word | None = Field(None, description="Receipt; left out: the id.")


class ShortRedemptionHold(ShortRedemption):
    """Points that are set aside at the till."""

    type: Literal["redemption-hold"] = Field(description="What happened, without the version.")  # type: ignore[assignment]  # the same fields under another type
    expires_at: TimeText = Field(description="Until when they are held.")


class ShortOnOriginal(ShortEvent):
    """An event about an earlier one."""

    card: Card | None = Field(None, description="Card that is shown; left out: the original's.")
    original_id: Id = Field(description="Id of the event that it is about.")


class ShortRedemptionReversal(ShortOnOriginal):
    """A redemption is taken back."""

    type: Literal["redemption-reversal"] = Field(description="What happened, without the version.")
    points: Count = Field(description="Points that go back.")


class ShortRedemptionCapture(ShortOnOriginal):
    """Held points are spent."""

    type: Literal["redemption-capture"] = Field(description="What happened, without the version.")
    points: Count = Field(description="Points to spend.")


class ShortRedemptionRelease(ShortOnOriginal):
    """Held points are freed."""

    type: Literal["redemption-release"] = Field(description="What happened, without the version.")


class ShortActivity(ShortEvent):
    """What a member did."""

    type: Literal["activity"] = Field(description="What happened, without the version.")
    card: Card = Field(description="The member's card.")
    activity: Word = Field(description="What was done.")
    quantity: Number = Field("1", description="How much of it, decimal text.")
    value: Sum | None = Field(None, description="What it is worth, decimal text.")
    value_minor: AmountMinor | None = Field(None, description=MINOR)
    currency: Currency | None = Field(None, description="Left out: the programme's first.")
    reference: Word | None = Field(None, description="What it refers to.")


class ShortStampChoice(ShortEvent):
    """Taking the gift of a stamp card, or saving on."""

    type: Literal["stamp-choice"] = Field(description="What happened, without the version.")
    card: Card = Field(description="The member's card.")
    mechanic: Named = Field(description="Id of the stamp card.")
    choice: Literal["gift", "save"] = Field(description="The gift now, or that of a later row.")


class ShortOfPass(ShortEvent):
    """What a pass sold and a visit on it have in common."""

    card: Card = Field(description="The member's card.")
    mechanic: Named | None = Field(None, description="Id of the pass; of a cancellation left out.")
    original_id: Id | None = Field(None, description="Id of the event that is cancelled.")
    store: Word = Field("1", description="Store.")
    receipt: Word | None = Field(None, description="Receipt; left out: the id.")


class ShortPassSold(ShortOfPass):
    """A pass is sold, or comes back."""

    type: Literal["pass-sold"] = Field(description="What happened, without the version.")
    kind: Word = Field("sold", description="sold or cancelled.")


class ShortPassVisit(ShortOfPass):
    """A visit on a pass, or one taken back."""

    type: Literal["pass-visit"] = Field(description="What happened, without the version.")
    kind: Word = Field("visited", description="visited or cancelled.")
    channel: Word | None = Field(None, description="Channel.")


class ShortPrivilegeRendered(ShortEvent):
    """A service is rendered, or its claim taken back."""

    type: Literal["privilege-rendered"] = Field(description="What happened, without the version.")
    card: Card = Field(description="The member's card.")
    kind: Word = Field("rendered", description="rendered or cancelled.")
    mechanic: Named | None = Field(None, description="Id of the privilege; of a cancellation left out.")
    service: Word | None = Field(None, description="Id of the service; of a cancellation left out.")
    original_id: Id | None = Field(None, description="Id of the event that is cancelled.")
    store: Word = Field("1", description="Store.")
    channel: Word | None = Field(None, description="Channel.")
    receipt: Word | None = Field(None, description="Receipt; left out: the id.")


class ShortCardTransaction(ShortEvent):
    """A transaction of a payment card; ``card`` is its token."""

    type: Literal["card-transaction"] = Field(description="What happened, without the version.")
    card: Card = Field(description="Token of the card.")
    kind: Word = Field("clearing", description="What happened.")
    original_id: Id | None = Field(None, description="Id of the clearing transaction.")
    amount: Sum | None = Field(None, description="Amount, decimal text.")
    amount_minor: AmountMinor | None = Field(None, description=MINOR)
    currency: Currency | None = Field(None, description="Left out: the programme's first.")
    mcc: Word = Field(description="Merchant category code.")
    acceptor: Word | None = Field(None, description="Id of the shop.")
    rrn: Word | None = Field(None, description="Retrieval reference number.")
    auth_code: Word | None = Field(None, description="Authorisation code.")
    arn: Word | None = Field(None, description="Acquirer reference number.")
    transacted_at: TimeText | None = Field(None, description="Left out: the time of the event.")
    posted_on: Day | None = Field(None, description="Left out: the day of the event.")

    _amount = model_validator(mode="after")(_one_sum)


class ShortMemberEnrolled(ShortEvent):
    """Somebody becomes a member."""

    type: Literal["member-enrolled"] = Field(description="What happened, without the version.")
    member: Member = Field(description="The new member.")
    cards: tuple[Card, ...] = Field(description="The member's cards.")
    kind: Word = Field("consumer", description="Kind of member.")
    enrolled_on: Day | None = Field(None, description="Left out: the day of the event.")
    attributes: dict[Word, Scalar] | None = Field(None, description="What is known of the member.")
    consents: dict[Word, Flag] | tuple[Word, ...] | None = Field(None, description="Consents.")
    household: Word | None = Field(None, description="Household.")


class ShortCardLinked(ShortEvent):
    """A card is given to a member."""

    type: Literal["card-linked"] = Field(description="What happened, without the version.")
    member: Member = Field(description="The member.")
    card: Card = Field(description="The new card.")
    replaces: Card | None = Field(None, description="The card that it replaces.")


class ShortCardBlocked(ShortEvent):
    """A card is not to be used any more."""

    type: Literal["card-blocked"] = Field(description="What happened, without the version.")
    card: Card = Field(description="The card.")
    reason: str = Field("", description="Why.")


class ShortMemberAttributes(ShortEvent):
    """Attributes are new or changed."""

    type: Literal["member-attributes"] = Field(description="What happened, without the version.")
    member: Member = Field(description="The member.")
    attributes: dict[Word, Scalar] = Field(description="New or changed attributes.")


class ShortConsentChanged(ShortEvent):
    """A consent is given or taken back."""

    type: Literal["consent-changed"] = Field(description="What happened, without the version.")
    member: Member = Field(description="The member.")
    consent: Word = Field(description="Name of the consent.")
    given: Flag = Field(description="Whether it is given.")


class ShortMemberClosed(ShortEvent):
    """A member leaves."""

    type: Literal["member-closed"] = Field(description="What happened, without the version.")
    member: Member = Field(description="The member.")
    reason: str = Field("", description="Why.")
    erase: Flag = Field(False, description="Whether personal data are to be erased.")


class ShortMembersMerged(ShortEvent):
    """Two members become one."""

    type: Literal["members-merged"] = Field(description="What happened, without the version.")
    member: Member = Field(description="The member who goes up in the other.")
    into: Member = Field(description="The member who stays.")


class ShortMembersUnmerged(ShortOnOriginal):
    """A merger is undone."""

    type: Literal["members-unmerged"] = Field(description="What happened, without the version.")


AnyShortEvent = Annotated[
    ShortPurchase
    | ShortReturn
    | ShortPriceAdjustment
    | ShortRedemption
    | ShortRedemptionReversal
    | ShortRedemptionHold
    | ShortRedemptionCapture
    | ShortRedemptionRelease
    | ShortActivity
    | ShortStampChoice
    | ShortPassSold
    | ShortPassVisit
    | ShortPrivilegeRendered
    | ShortCardTransaction
    | ShortMemberEnrolled
    | ShortCardLinked
    | ShortCardBlocked
    | ShortMemberAttributes
    | ShortConsentChanged
    | ShortMemberClosed
    | ShortMembersMerged
    | ShortMembersUnmerged,
    Field(discriminator="type"),
]
