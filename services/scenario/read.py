"""Reading a scenario file: its programme and its files of events with it, and everything that makes it unusable found before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from schemas.programme import ProgrammeFile
from schemas.scenario import Scenario, ScenarioDay
from services.documents.explain import explain, in_file_order
from services.documents.findings import FileError, Finding, Severity
from services.documents.load import parse_mapping, read_text, unusable
from services.documents.places import Part, field_path, locate
from services.documents.yaml_text import read_yaml_with_marks
from services.programme.advice.clashes import kinds_are_booked
from services.programme.lint import placed
from services.programme.read import read_programme
from services.scenario.expand import RECORD_BYTES_MAX, events_file, expand, pass_through
from services.scenario.short import ShortEventError
from services.scenario.subjects import with_subjects

TOO_LARGE = f"has more than {RECORD_BYTES_MAX:,} bytes, which no record can have"


@dataclass(frozen=True, slots=True)
class _Problem:
    location: tuple[Part, ...]
    code: str
    reason: str
    way_out: str


class ScenarioError(FileError):
    """A scenario file that can be read, but not run."""


def read_scenario(path: Path) -> tuple[Scenario, ProgrammeFile]:
    """The scenario of a file, and its programme.

    Each `events_file` is an absolute path to a file that can be read, and each event has its subject, also where only its original names one.
    Raises UnusableFileError, ProgrammeError (in the file of its programme) or ScenarioError, each with findings: file, line, field, reason.
    """
    text = read_text(path)
    data = parse_mapping(text, str(path))
    if "scenario" not in data and "parties" in data:
        raise unusable(str(path), "programme-file", "this is a programme, not a scenario", "check it with `clh programme lint`")
    try:
        scenario = Scenario.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ScenarioError(explain(error, text, str(path), Scenario)) from None
    file = _programme(scenario, path)
    scenario = scenario.model_copy(update={"days": tuple(_with_path(day, path) for day in scenario.days)})
    problems = list(_problems(scenario, file))
    if problems:
        raise ScenarioError(_placed(problems, text, str(path)))
    return with_subjects(scenario), file


def name_of(path: Path) -> str:
    """The name that a scenario file gives itself, or, where that cannot be read, the name of the file."""
    try:
        named = parse_mapping(read_text(path), str(path)).get("scenario")
    except FileError:
        named = None
    return named if isinstance(named, str) and named else path.stem


def _programme(scenario: Scenario, path: Path) -> ProgrammeFile:
    """The programme in the scenario, or that of the file beside it. One with mechanics that are not booked yet cannot be run."""
    if isinstance(scenario.programme, ProgrammeFile):
        return scenario.programme
    beside = _beside(path, scenario.programme)
    file = read_programme(beside)
    refused = placed(kinds_are_booked(file), read_text(beside), str(beside), Severity.ERROR)
    if refused:
        raise ScenarioError(refused)
    return file


def _beside(path: Path, named: str) -> Path:
    return (path.parent / named).absolute()


def _with_path(day: ScenarioDay, path: Path) -> ScenarioDay:
    if day.events_file is None:
        return day
    return day.model_copy(update={"events_file": str(_beside(path, day.events_file))})


def _problems(scenario: Scenario, file: ProgrammeFile) -> Iterator[_Problem]:
    """What shape alone does not show: mechanics that are not booked yet, files that are missing, events that cannot be written in full."""
    for advice in kinds_are_booked(file):
        yield _Problem(("programme", *advice.place), advice.code, advice.reason, advice.way_out)
    for at, day in enumerate(scenario.days):
        if day.events_file is not None:
            yield from _problems_of_file(Path(day.events_file), ("days", at, "events_file"))
        for number, event in enumerate(day.events):
            place: tuple[Part, ...] = ("days", at, "events", number)
            try:
                record = next(expand((event,), file))
            except ShortEventError as error:
                yield _Problem((*place, *error.field), "wrong-value", error.reason, "correct it, or send the event as it is in an events_file")
            else:
                if record.size > RECORD_BYTES_MAX:
                    yield _Problem(place, "too-large", f"the event {TOO_LARGE}", "shorten its texts, or spread it over several events")


def _problems_of_file(path: Path, place: tuple[Part, ...]) -> Iterator[_Problem]:
    """A file of events that cannot be read, or the first of its lines that no broker takes. What else its lines are, the house judges."""
    try:
        data = events_file(path)
    except FileError as error:
        (finding,) = error.findings
        yield _Problem(place, finding.code, f"{finding.file} {finding.reason}", finding.way_out)
        return
    if len(data) * 2 > RECORD_BYTES_MAX:  # smaller ones have no such line, its key counted
        for number, line in enumerate(data.split(b"\n"), 1):
            if len(line) * 2 > RECORD_BYTES_MAX and pass_through(line).size > RECORD_BYTES_MAX:
                yield _Problem(place, "too-large", f"line {number} of {path} {TOO_LARGE}", "take the line out, or spread it over several events")
                return


def _placed(problems: Sequence[_Problem], text: str, file: str) -> list[Finding]:
    data, marks = read_yaml_with_marks(text)
    findings = []
    for problem in problems:
        place = locate(data, marks, problem.location)
        findings.append(Finding(file, place.line, place.column, field_path(place.path), problem.code, problem.reason, problem.way_out))
    return in_file_order(findings)
