"""What is derived from answers, beside the books: live figures of a partner, and signals about cards. Nothing is booked from them."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from schemas.events.answers import Answer, EventRef, RejectionCode
from schemas.events.fields import Currency
from schemas.ids import CardId, PartyId


class Turnover(Answer):
    """An amount in one currency."""

    amount_minor: int = Field(description="Amount in minor units.")
    currency: Currency = Field(description="ISO 4217 code.")


class HourFigures(Answer):
    """What a partner's events of one hour brought about, as far as it was answered."""

    hour: dt.datetime = Field(description="Start of the hour, UTC, by the events' own time; of rejections by their receipt where that cannot be trusted.")
    purchases: int = Field(description="Accepted purchases.")
    turnover: tuple[Turnover, ...] = Field(description="What was paid for them, by currency.")
    returns: int = Field(description="Accepted returns and price adjustments.")
    returned: tuple[Turnover, ...] = Field(description="What was paid back, by currency.")
    points: int = Field(description="Points given, less those taken back.")
    redemptions: int = Field(description="Accepted redemptions and captures.")
    points_redeemed: int = Field(description="Points spent, less those of reversals.")
    held: int = Field(description="Events held now, because their card is nobody's yet.")
    rejections: dict[RejectionCode, int] = Field(description="Refused events by code.")


class PartnerFigures(Answer):
    """All figures of one partner, hour by hour; hours without events are left out."""

    party: PartyId = Field(description="The partner.")
    since: dt.datetime = Field(description="Events that the house received from this moment on are counted.")
    hours: tuple[HourFigures, ...] = Field(description="The latest hours, the earliest first.")


class Signal(Answer):
    """A card was used more often than it can be."""

    signal: Literal["burst", "two-stores"] = Field(
        description="burst: too many purchases within the time; two-stores: two stores of one partner within the time."
    )
    card: CardId = Field(description="The card.")
    event: EventRef = Field(description="The purchase by which it was noticed.")
    at: dt.datetime = Field(description="Time of the latest of these purchases.")
    purchases: int = Field(ge=2, description="Accepted purchases with the card within the time, this one included.")
    within_seconds: int = Field(description="The time: these purchases lie no further apart, in seconds.")
    stores: tuple[str, ...] = Field(description="Where they were made: partner/store.")


class FindingEnvelope(Answer):
    """CloudEvents envelope of what the house derives."""

    specversion: Literal["1.0"] = Field("1.0", description="Version of CloudEvents.")
    id: Annotated[str, Field(min_length=1, max_length=300)] = Field(description="Id of the finding; a signal's is the same whenever it is found.")
    source: str = Field(description="The house.")
    time: dt.datetime = Field(description="When it was found.")
    subject: str = Field(description="The record's key.")
    datacontenttype: Literal["application/json"] | None = Field(None, description="May be left out.")


class PartnerFiguresEvent(FindingEnvelope):
    """``partner-figures.v1`` in its envelope; replaces the one before of the same partner."""

    type: Literal["partner-figures.v1"] = Field("partner-figures.v1", description="Live figures of a partner.")
    data: PartnerFigures = Field(description="The figures.")


class SignalEvent(FindingEnvelope):
    """``signal.v1`` in its envelope."""

    type: Literal["signal.v1"] = Field("signal.v1", description="A card was used more often than it can be.")
    data: Signal = Field(description="Which, and how.")
