"""Why a scenario that could be read was not run to its end, in the words of its author."""

from __future__ import annotations

from pathlib import Path

import psycopg
from confluent_kafka import KafkaException

from schemas.scenario import Scenario
from services.documents.findings import FileError, Finding
from services.documents.load import read_text
from services.documents.places import Part, field_path, locate
from services.documents.yaml_text import read_yaml_with_marks

FIGURE_MAX = 2**63 - 1
"""The books hold figures up to it."""


class StoppedError(Exception):
    """A run ended on one of its days, by the error that it is raised from."""

    def __init__(self, day: int) -> None:
        super().__init__(f"the run ended on day {day + 1} of the scenario")
        self.day = day


def findings_of(error: Exception, path: Path, scenario: Scenario) -> tuple[Finding, ...]:
    """What kept a file from being run to its end; where one of its days did, with the line of that day."""
    if isinstance(error, FileError):
        return error.findings
    cause = error.__cause__ if isinstance(error, StoppedError) and error.__cause__ is not None else error
    location: tuple[Part, ...] = ("days", error.day) if isinstance(error, StoppedError) else ()
    line, column, field = _place(path, location)
    return (Finding(str(path), line, column, field, *_words(cause, scenario, error.day if isinstance(error, StoppedError) else None)),)


def _words(cause: BaseException, scenario: Scenario, day: int | None) -> tuple[str, str, str]:
    """Code, reason and way out."""
    when = "" if day is None else f" on {scenario.days[day].day}"
    if isinstance(cause, psycopg.errors.NumericValueOutOfRange | OverflowError):
        reason = f"a figure{when} passes what the books hold: {FIGURE_MAX:,} points, minor units or pieces"
        return "out-of-range", reason, "write smaller prices, points or sums"
    named = f"{type(cause).__name__}: {_first_line(cause)}"
    if isinstance(cause, psycopg.OperationalError | KafkaException):
        return "not-run", f"Kafka or PostgreSQL failed{when}: {named}", "run it again; `clh dev doctor` says whether both answer"
    return "not-run", f"the run ended{when} by an error that is not the file's: {named}", "report it, with the file; CLH_LOG_LEVEL=DEBUG shows where"


def _first_line(cause: BaseException) -> str:
    return next(iter(str(cause).splitlines()), "no reason given")


def _place(path: Path, location: tuple[Part, ...]) -> tuple[int | None, int | None, str]:
    """Line, column and field; none where the file as a whole is meant, or is not there any more."""
    if not location:
        return None, None, ""
    try:
        data, marks = read_yaml_with_marks(read_text(path))
    except FileError:
        return None, None, field_path(location)
    place = locate(data, marks, location)
    return place.line, place.column, field_path(place.path)
