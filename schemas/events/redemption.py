"""Spending points: at once, or held at the till and then captured or released."""

from typing import Literal

from pydantic import Field

from schemas.events.envelope import Envelope
from schemas.events.fields import AmountMinor, Card, Currency, Data, Id, Name, PointCount, Problem, Timestamp, value_without_currency


class Redemption(Data):
    """Points that are spent."""

    card: Card = Field(description="The member's card.")
    store: Name = Field(description="Store.")
    receipt: Name = Field(description="Receipt.")
    points: PointCount = Field(description="Points to spend.")
    reward: Name | None = Field(None, description="What the member gets for them.")
    value_minor: AmountMinor | None = Field(None, description="What they were worth at the till, in minor units.")
    currency: Currency | None = Field(None, description="Currency of value_minor.")

    def problem(self) -> Problem | None:
        return None if (self.value_minor is None) == (self.currency is None) else value_without_currency(self.currency)


class RedemptionEvent(Envelope):
    """A redemption in its envelope."""

    type: Literal["redemption.v1"] = Field(description="Points are spent.")
    data: Redemption = Field(description="What is spent.")


class RedemptionReversal(Data):
    """Points that go back to where they came from."""

    original_id: Id = Field(description="Id of the redemption.")
    points: PointCount = Field(description="Points that go back.")


class RedemptionReversalEvent(Envelope):
    """A reversal in its envelope."""

    type: Literal["redemption-reversal.v1"] = Field(description="A redemption is taken back.")
    data: RedemptionReversal = Field(description="What is taken back.")


class RedemptionHold(Redemption):
    """Points that are set aside at the till."""

    expires_at: Timestamp = Field(description="Until when they are held, RFC 3339 with offset.")


class RedemptionHoldEvent(Envelope):
    """A hold in its envelope."""

    type: Literal["redemption-hold.v1"] = Field(description="Points are held.")
    data: RedemptionHold = Field(description="What is held.")


class RedemptionCapture(Data):
    """Held points that are spent; the rest is freed."""

    original_id: Id = Field(description="Id of the hold.")
    points: PointCount = Field(description="Points to spend, at most what is held.")


class RedemptionCaptureEvent(Envelope):
    """A capture in its envelope."""

    type: Literal["redemption-capture.v1"] = Field(description="Held points are spent.")
    data: RedemptionCapture = Field(description="What is spent.")


class RedemptionRelease(Data):
    """Held points that are freed."""

    original_id: Id = Field(description="Id of the hold.")


class RedemptionReleaseEvent(Envelope):
    """A release in its envelope."""

    type: Literal["redemption-release.v1"] = Field(description="Held points are freed.")
    data: RedemptionRelease = Field(description="Which hold.")
