"""Subjects that a scenario leaves out: a return without a card shows that of its purchase."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas import scenario_events as short
from schemas.ids import CardId
from schemas.scenario import Scenario, ScenarioDay
from services.scenario.expand import events_file, outgoing_lines, subject_of


def with_subjects(scenario: Scenario) -> Scenario:
    """The scenario with a subject on every event that names neither subject, card nor member: that of its original, if the scenario has it.

    A blocked card is put under its owner's name, since events about members are kept in order by member.
    """
    incomplete = any(subject_of(event) is None or isinstance(event, short.ShortCardBlocked) for event in _events(scenario))
    if not incomplete:
        return scenario
    shown, owners = _shown(scenario), _owners(scenario)
    return scenario.model_copy(update={"days": tuple(_completed(day, shown, owners) for day in scenario.days)})


def _completed(day: ScenarioDay, shown: dict[str, str], owners: dict[str, str]) -> ScenarioDay:
    return day.model_copy(update={"events": tuple(_with_subject(event, shown, owners) for event in day.events)})


def _with_subject(event: short.AnyShortEvent, shown: dict[str, str], owners: dict[str, str]) -> short.AnyShortEvent:
    if event.subject is not None:
        return event
    subject: str | None = None
    if isinstance(event, short.ShortCardBlocked):
        subject = owners.get(event.card)
    elif subject_of(event) is None:
        original: str = getattr(event, "original_id", event.id)
        subject = shown.get(original, original)
    return event if subject is None else event.model_copy(update={"subject": CardId(subject)})


def _events(scenario: Scenario) -> Iterator[short.AnyShortEvent]:
    for day in scenario.days:
        yield from day.events


def _shown(scenario: Scenario) -> dict[str, str]:
    """The subject of every event that names one itself, by id; the first counts."""
    found: dict[str, str] = {}
    for event in _events(scenario):
        subject = subject_of(event)
        if subject is not None:
            found.setdefault(event.id, subject)
    for day in scenario.days:
        if day.events_file is not None:
            for line in outgoing_lines(events_file(Path(day.events_file))):
                if line.event_id is not None:
                    found.setdefault(line.event_id, line.key.decode("utf-8", "replace"))
    return found


def _owners(scenario: Scenario) -> dict[str, str]:
    """Whose each card is that the scenario speaks of; the last to get it."""
    owners: dict[str, str] = {card: member.id for member in scenario.members for card in member.cards}
    for event in _events(scenario):
        if isinstance(event, short.ShortMemberEnrolled):
            owners.update(dict.fromkeys(event.cards, event.member))
        elif isinstance(event, short.ShortCardLinked):
            owners[event.card] = event.member
    return owners
