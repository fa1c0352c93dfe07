"""What members get beside goods: services of a ``privilege``, a ``pass`` that is sold, visits on it; and each of them taken back.

Each of these events names its mechanic. ``kind: cancelled`` takes an earlier event of the same type back and names it instead.
"""

from typing import Literal

from pydantic import Field

from schemas.events.envelope import Envelope
from schemas.events.fields import Card, Data, Id, MechanicName, Name, Problem

CANCELLED = "cancelled"


class OfPass(Data):
    """What a pass that is sold and a visit on it have in common."""

    card: Card = Field(description="The member's card.")
    mechanic: MechanicName | None = Field(None, description="Id of the pass; of a cancellation left out.")
    original_id: Id | None = Field(None, description="Id of the event that is cancelled.")
    store: Name | None = Field(None, description="Store.")
    receipt: Name | None = Field(None, description="Receipt.")


class PassSold(OfPass):
    """A pass that a member has paid for at the sender, or one that is taken back with the visits that are left on it."""

    kind: Literal["sold", "cancelled"] = Field("sold", description="cancelled: a pass comes back, and with it the visits left on it.")

    def problem(self) -> Problem | None:
        return _named_or_cancelled(self, "mechanic")


class PassSoldEvent(Envelope):
    """A pass sold, in its envelope."""

    type: Literal["pass-sold.v1"] = Field(description="A pass is sold, or comes back.")
    data: PassSold = Field(description="Which pass, to whom.")


class PassVisit(OfPass):
    """A visit at the sender that a pass pays for, or one that is taken back."""

    kind: Literal["visited", "cancelled"] = Field("visited", description="cancelled: a visit is taken back; it is on its pass again.")
    channel: Name | None = Field(None, description="Channel.")

    def problem(self) -> Problem | None:
        return _named_or_cancelled(self, "mechanic")


class PassVisitEvent(Envelope):
    """A visit in its envelope."""

    type: Literal["pass-visit.v1"] = Field(description="A visit on a pass, or one taken back.")
    data: PassVisit = Field(description="On which pass, and whose.")


class PrivilegeRendered(Data):
    """A service that the sender has rendered to a member, whose agreed cost it claims, or a claim that is taken back."""

    card: Card = Field(description="The member's card.")
    kind: Literal["rendered", "cancelled"] = Field("rendered", description="cancelled: what was claimed for a service is taken back.")
    mechanic: MechanicName | None = Field(None, description="Id of the privilege; of a cancellation left out.")
    service: Name | None = Field(None, description="Id of the service among the privilege's; of a cancellation left out.")
    original_id: Id | None = Field(None, description="Id of the event that is cancelled.")
    store: Name | None = Field(None, description="Store.")
    channel: Name | None = Field(None, description="Channel.")
    receipt: Name | None = Field(None, description="Receipt.")

    def problem(self) -> Problem | None:
        return _named_or_cancelled(self, "mechanic", "service")


class PrivilegeRenderedEvent(Envelope):
    """A service rendered, in its envelope."""

    type: Literal["privilege-rendered.v1"] = Field(description="A service is rendered, or its claim taken back.")
    data: PrivilegeRendered = Field(description="Which service, to whom.")


def _named_or_cancelled(data: PassSold | PassVisit | PrivilegeRendered, *names: str) -> Problem | None:
    """A cancellation names the event that it is of, everything else what it is."""
    cancelled = data.kind == CANCELLED
    for name in ("original_id", *names):
        needed = cancelled is (name == "original_id")
        if (getattr(data, name) is not None) is not needed:
            return (name,), "A cancellation names its original and no mechanic; other events name their mechanic and no original."
    return None
