"""Mechanics about what a member does, gets, or is promised beside purchases."""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.document import Count, Days, Document, Flag, MechanicRef, Months, PartyRef, PositiveCount, Sum, Word
from schemas.ids import PartyId
from schemas.mechanics.base import MechanicBase, MechanicCore
from schemas.mechanics.conditions import Money


class Offer(MechanicBase):
    """Another mechanic, for those who activate it or show a coupon."""

    kind: Literal["offer"] = Field(description="A personal offer.")
    offer: MechanicRef = Field(description="The mechanic of this file that it gives.")
    coupon: Word | None = Field(None, description="Code that is shown at the till.")
    uses: PositiveCount | None = Field(None, description="How often a member may use it.")
    activation: Flag = Field(False, description="The member has to activate it first.")


class PassPartner(Document):
    """A partner whose visits a pass pays for."""

    party: PartyRef = Field(description="The partner.")
    per_visit: Sum = Field(description="What it gets for a visit, decimal text.")


class Pass(MechanicCore):
    """Visits that are paid for beforehand."""

    kind: Literal["pass"] = Field(description="A pass for visits.")
    visits: PositiveCount = Field(description="How many visits it holds.")
    price: Money = Field(description="What the member pays for it.")
    visited: tuple[PassPartner, ...] = Field(alias="partners", min_length=1, description="Partners that take it.")
    months: Months = Field(description="How long it lasts; what is unused then stays with the seller.")

    @model_validator(mode="after")
    def _partners_once(self) -> Self:
        if len(set(self.partners)) < len(self.visited):
            raise ValueError("a partner of a pass is named twice")
        return self

    @property
    def partners(self) -> tuple[PartyId, ...]:
        """The partners that take the pass, in the form that other mechanics have."""
        return tuple(partner.party for partner in self.visited)


class TradeIn(MechanicBase):
    """Credit for what is handed in."""

    kind: Literal["trade_in"] = Field(description="Credit for what is handed in.")
    per: dict[Word, Sum] = Field(min_length=1, description="Credit by category, decimal text.")


class Activity(MechanicBase):
    """Points for what a member did."""

    kind: Literal["activity"] = Field(description="Points for an activity.")
    activity: Word = Field(description="The activity, such as review.")
    points: Count = Field(description="Points for each unit of its quantity.")
    referee_points: Count = Field(0, description="Points for the friend whose card is the event's reference.")


class PrivilegeService(Document):
    """A service and what it costs."""

    id: Word = Field(description="Name of the service.")
    provider: PartyRef = Field(description="The party that renders it.")
    cost: Sum = Field(description="What the provider is owed for it, decimal text.")


class Privilege(MechanicBase):
    """Services without a price for the member."""

    kind: Literal["privilege"] = Field(description="Services for members.")
    services: tuple[PrivilegeService, ...] = Field(min_length=1, description="The services.")

    @model_validator(mode="after")
    def _services_once(self) -> Self:
        if len({service.id for service in self.services}) < len(self.services):
            raise ValueError("a service is named twice")
        return self

    def service(self, name: str) -> PrivilegeService | None:
        """The service of that name."""
        return next((service for service in self.services if service.id == name), None)


class Occasion(MechanicBase):
    """A gift on a day of the member's, once."""

    kind: Literal["occasion"] = Field(description="A gift on an occasion.")
    occasion: Literal["welcome", "birthday", "anniversary", "win_back"] = Field(description="The occasion.")
    idle_months: Months | None = Field(None, description="For win_back: months without a purchase.")
    points: PositiveCount | None = Field(None, description="Points that it brings.")
    gift: Word | None = Field(None, description="The gift, instead of points.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.points is None) == (self.gift is None):
            raise ValueError("an occasion brings either points or a gift")
        if (self.occasion == "win_back") != (self.idle_months is not None):
            raise ValueError("idle_months belongs to win_back, and win_back needs it")
        return self


class PricePromise(MechanicBase):
    """The difference back when the price falls; return without a reason."""

    kind: Literal["price_promise"] = Field(description="A promise after the sale.")
    days: Days = Field(description="Days in which a lower price is made good.")
    return_days: Days | None = Field(None, description="Days in which goods come back without a reason.")
