"""The fields that every mechanic has (programme.md, "Mechanics")."""

from typing import Self

from pydantic import Field, model_validator

from schemas.document import Day, Days, Document, MechanicRef, PartyRef, Word
from schemas.expiry import Expiry
from schemas.mechanics.conditions import Audience, Budget, FundingShare, Limits, When


class MechanicCore(Document):
    """All common fields but ``partners``, which ``pass`` writes in a form of its own."""

    id: MechanicRef = Field(description="Id of the mechanic.")
    valid_from: Day = Field(alias="from", description="First event date on which it applies.")
    valid_to: Day | None = Field(None, alias="to", description="Last event date; left out while it goes on.")
    banks: tuple[PartyRef, ...] = Field((), description="Banks whose card transactions count; none named: all.")
    when: When = Field(When(), description="Conditions on the event.")
    audience: Audience = Field(Audience(), alias="for", description="The members it is for.")
    funding: tuple[FundingShare, ...] | None = Field(
        None,
        min_length=1,
        description="Who pays for it; left out: the sender of the purchase, for cards the card's bank.",
    )
    group: Word | None = Field(None, description="Of one group, only the mechanic applies that gives most.")
    limit: Limits = Field((), description="What is over a limit is cut off; one limit or a list of them.")
    budget: Budget | None = Field(None, description="What it may give in all.")
    pending_days: Days | None = Field(None, description="Where it differs from the programme's pending_days.")
    expiry: Expiry | None = Field(None, description="Where it differs from the programme's expiry.")

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("the last day (to) lies before the first (from)")
        return self


class MechanicBase(MechanicCore):
    """The common fields of a mechanic."""

    partners: tuple[PartyRef, ...] = Field((), description="Senders whose events count; none named: all.")

    @model_validator(mode="after")
    def _partners_or_banks(self) -> Self:
        if self.partners and self.banks:
            raise ValueError("a mechanic names partners or banks, not both")
        return self
