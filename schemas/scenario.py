"""The scenario file: a programme, its members, a stretch of events, and what should come out."""

from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, model_validator

from schemas.document import Day, Document, Word
from schemas.expectation import Expectation
from schemas.programme import ProgrammeFile
from schemas.scenario_events import AnyShortEvent, Card, Member, Scalar

__all__ = ["Expectation", "Scenario", "ScenarioDay", "ScenarioMember"]


_PATH, _WRITTEN_HERE = "a path", "written here"
"""Tags of the two forms, which stand in the location of an error: no key of a file can be taken for them."""


def _path_or_file(value: Any) -> str:
    return _PATH if isinstance(value, str) else _WRITTEN_HERE


ProgrammeOrPath = Annotated[
    Annotated[str, Field(min_length=1), Tag(_PATH)] | Annotated[ProgrammeFile, Tag(_WRITTEN_HERE)],
    Discriminator(_path_or_file),
]
"""Told apart by what is written, so that errors are those of the one that was meant."""


class ScenarioMember(Document):
    """A member who is there from the start."""

    id: Member = Field(description="Id of the member.")
    cards: tuple[Card, ...] = Field(description="The member's cards.")
    enrolled: Day = Field(description="Day of enrolment.")
    kind: Word = Field("consumer", description="Kind of member.")
    attributes: dict[Word, Scalar] = Field({}, description="What is known of the member.")


class ScenarioDay(Document):
    """A business day, which is a window."""

    day: Day = Field(description="The day, in the programme's time zone.")
    events: tuple[AnyShortEvent, ...] = Field((), description="Events, in order.")
    events_file: str | None = Field(None, min_length=1, description="Path beside this file, of full events, one a line; .gz as well.")

    @model_validator(mode="after")
    def _events_or_a_file(self) -> Self:
        if self.events and self.events_file is not None:
            raise ValueError("a day has events or an events_file, not both")
        return self


class Scenario(Document):
    """A whole scenario."""

    scenario: Word = Field(description="Name of the scenario.")
    programme: ProgrammeOrPath = Field(description="Path beside this file, or the programme itself, whole.")
    members: tuple[ScenarioMember, ...] = Field((), description="Members who are there from the start.")
    days: tuple[ScenarioDay, ...] = Field(min_length=1, description="Business days in order; each is published, drained, cleared.")
    expect: Expectation | None = Field(None, description="What should come out; left out: the scenario only reports.")

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        days = [day.day for day in self.days]
        if days != sorted(set(days)):
            raise ValueError("the days stand in order, each once")
        members = [member.id for member in self.members]
        if len(set(members)) < len(members):
            raise ValueError("a member stands twice")
        cards = [card for member in self.members for card in member.cards]
        if len(set(cards)) < len(cards):
            raise ValueError("a card stands twice among the members")
        return self
