"""``activity.v1``: what a member did beside buying."""

from typing import Literal

from pydantic import Field

from schemas.events.envelope import Envelope
from schemas.events.fields import AmountMinor, Card, Currency, Data, Name, Problem, Quantity, value_without_currency
from schemas.events.purchase import ONE


class Activity(Data):
    """Something that a member did: review, referral, trade-in, visit, upload, and what a programme names."""

    card: Card = Field(description="The member's card.")
    activity: Name = Field(description="What was done.")
    quantity: Quantity = Field(ONE, description="How much of it, as decimal text above zero.")
    value_minor: AmountMinor | None = Field(None, description="What it is worth, in minor units.")
    currency: Currency | None = Field(None, description="Currency of value_minor.")
    reference: Name | None = Field(None, description="What it refers to: for a referral the friend's card.")

    def problem(self) -> Problem | None:
        return None if (self.value_minor is None) == (self.currency is None) else value_without_currency(self.currency)


class ActivityEvent(Envelope):
    """An activity in its envelope."""

    type: Literal["activity.v1"] = Field(description="A member did something.")
    data: Activity = Field(description="What was done.")
