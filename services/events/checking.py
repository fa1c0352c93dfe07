"""What a sender can know is wrong with an event before sending it: the house would refuse it for the same reason, under the same code."""

from __future__ import annotations

from dataclasses import dataclass

from clearing.booking import HAS_TOTAL
from schemas.card_fields import card_number_pointer
from schemas.events import Event
from schemas.events.answers import RejectionCode
from schemas.events.decode import Malformed, UnknownType, decode
from schemas.events.totals import totals_match
from services.events.files import Line


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that the house would refuse: where in it (a JSON pointer), under which code, and why."""

    line: int
    id: str | None
    pointer: str
    code: RejectionCode
    reason: str


def check(line: Line, *, speaks_for: str | None = None) -> BadLine | None:
    """What is wrong with a line, or None. `speaks_for`: the party whose key signs it."""
    try:
        event = decode(line.value)
    except Malformed as error:
        return BadLine(line.no, None, error.pointer, RejectionCode.MALFORMED, error.detail)
    except UnknownType as error:
        return BadLine(line.no, error.envelope.id, error.pointer, RejectionCode.UNKNOWN_TYPE, error.detail)
    problem = _problem(event, speaks_for)
    return BadLine(line.no, event.id, *problem) if problem is not None else None


def _problem(event: Event, speaks_for: str | None) -> tuple[str, RejectionCode, str] | None:
    pointer = card_number_pointer(event)
    if pointer is not None:
        return pointer, RejectionCode.CARD_NUMBER_IN_CLEAR, "The field holds what passes for a payment card number."
    if event.type in HAS_TOTAL and not totals_match(event.data):  # type: ignore[arg-type]  # the types that have one
        return "/data/total_minor", RejectionCode.TOTALS_MISMATCH, "The lines, or the tenders, do not add up to the total."
    if speaks_for is not None and event.source.split("/", 2)[2] != speaks_for:
        return "/source", RejectionCode.WRONG_SOURCE, f"The key belongs to {speaks_for}, who may not speak for this source."
    return None
