"""Scenario files: read with their programme and their events, or refused with file, line and field."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from schemas.scenario import Scenario
from services.documents.findings import FileError, UnusableFileError
from services.programme.read import ProgrammeError
from services.scenario.expand import expand
from services.scenario.read import ScenarioError, read_scenario
from tests.unit.programme.harvest import TEXT, line_of
from tests.unit.schemas.golden import FILES

SCENARIO = """scenario: basics
programme: harvest.yaml
members:
  - {id: m1, cards: [c1, c2], enrolled: 2026-01-02, attributes: {birthday: 1990-05-01}}
days:
  - day: 2026-03-02
    events:
      - {type: purchase, id: e1, partner: grocer, card: c2, time: "2026-03-02T10:00:00+01:00", total: "54.30", category: dairy}
      - {type: redemption, id: e2, partner: fuelco, card: c1, time: 2026-03-02T18:00:00+01:00, points: 50}
  - day: 2026-03-03
    events_file: march-3.jsonl
expect:
  balances: {m1: {available: 4, pending: 0}}
  rejected: {}
"""
PURCHASE = {
    "specversion": "1.0",
    "id": "f1",
    "source": "/partners/grocer",
    "type": "purchase.v1",
    "time": "2026-03-03T10:00:00+01:00",
    "subject": "c7",
    "data": {},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario with its programme and its events beside it."""
    (tmp_path / "basics.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "harvest.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "march-3.jsonl").write_text(json.dumps(PURCHASE) + "\n", encoding="utf-8")
    return tmp_path


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    """The scenario with some changes."""
    text = SCENARIO
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "basics.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def subjects(scenario: Scenario) -> dict[str, str | None]:
    return {event.id: event.subject for day in scenario.days for event in day.events}


def test_a_scenario_is_read_with_its_programme_and_the_paths_of_its_events(folder: Path) -> None:
    scenario, programme = read_scenario(folder / "basics.yaml")

    assert scenario.scenario == "basics"
    assert programme.programme.id == "harvest"
    assert [day.events_file for day in scenario.days] == [None, str(folder / "march-3.jsonl")]
    assert [event.id for event in scenario.days[0].events] == ["e1", "e2"]
    assert scenario.expect is not None
    assert scenario.expect.named() == {"balances": {"m1": {"available": 4, "pending": 0}}, "rejected": {}}


def test_paths_count_from_the_folder_of_the_scenario(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    inner = folder / "events"
    inner.mkdir()
    (inner / "day.gz").write_bytes(gzip.compress(b"{}\n"))
    changed(folder, ("march-3.jsonl", "events/day.gz"))

    scenario, _ = read_scenario(Path(folder.name) / "basics.yaml")

    assert scenario.days[1].events_file == str(inner / "day.gz")


def test_a_programme_may_be_written_into_the_scenario(folder: Path) -> None:
    inside = "programme:\n" + "".join(f"  {line}\n" for line in TEXT.splitlines())

    _, programme = read_scenario(changed(folder, ("programme: harvest.yaml\n", inside)))

    assert programme.programme.id == "harvest"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_golden_scenarios_are_read_and_written_in_full(path: Path) -> None:
    scenario, programme = read_scenario(path)

    records = [record for day in scenario.days for record in expand(day.events, programme)]

    assert len(records) == sum(event.repeat for day in scenario.days for event in day.events)


def test_mechanics_that_are_not_booked_yet_are_named_in_the_programmes_own_file(folder: Path) -> None:
    text = TEXT + "  - {id: extra, kind: gift, from: 2026-01-01, gift: bag}\n"
    (folder / "harvest.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ScenarioError) as refused:
        read_scenario(folder / "basics.yaml")

    (finding,) = refused.value.findings
    assert (finding.file, finding.line, finding.code) == (str(folder / "harvest.yaml"), line_of(text, "kind: gift"), "not-booked-yet")


MISTAKES: dict[str, tuple[tuple[str, str], str, str, str]] = {
    "a field of an event misspelt": (("category: dairy", "categry: dairy"), "categry", "days[0].events[0].categry", "unknown-field"),
    "a type that there is not": (("type: redemption,", "type: redemtion,"), "type: redemtion", "days[0].events[1].type", "unknown-word"),
    "a type with its version": (("type: purchase,", "type: purchase.v1,"), "type: purchase", "days[0].events[0].type", "unknown-word"),
    "a sum without quotes": (('total: "54.30"', "total: 54.30"), "total: 54.30", "days[0].events[0].total", "bare-number"),
    "a sum with too many places": (('total: "54.30"', 'total: "54.305"'), "54.305", "days[0].events[0].total", "wrong-value"),
    "a time without an offset": (("18:00:00+01:00", "18:00:00"), "18:00:00,", "days[0].events[1].time", "wrong-value"),
    "no sender": (("partner: grocer, ", ""), "id: e1", "days[0].events[0]", "wrong-value"),
    "two senders": (("partner: grocer, ", "partner: grocer, bank: bank1, "), "bank: bank1", "days[0].events[0]", "inconsistent"),
    "no id": (("id: e2, ", ""), "type: redemption", "days[0].events[1].id", "missing-field"),
    "points in quotes": (("points: 50", 'points: "50"'), 'points: "50"', "days[0].events[1].points", "wrong-type"),
    "a file of events that is not there": (("march-3.jsonl", "march-4.jsonl"), "march-4.jsonl", "days[1].events_file", "unreadable"),
    "events and a file of events": (("    events_file", "    events: [{type: x}]\n    events_file"), "type: x", "days[1].events[0].type", "unknown-word"),
    "days out of order": (("day: 2026-03-03", "day: 2026-03-01"), "scenario: basics", "", "inconsistent"),
    "a member twice": (("members:\n", "members:\n  - {id: m1, cards: [], enrolled: 2026-01-02}\n"), "scenario: basics", "", "inconsistent"),
    "a part of the report misspelt": (("rejected: {}", "rejectd: {}"), "rejectd", "expect.rejectd", "unknown-field"),
    "Python's name of a field": (("rejected: {}", "payments: [{payer: grocer}]"), "payer", "expect.payments[0].payer", "unknown-field"),
    "no days": (("days:\n", "daze:\n"), "scenario: basics", "days", "missing-field"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_scenario_that_cannot_be_run_is_refused_with_line_and_field(name: str, folder: Path) -> None:
    change, marker, field, code = MISTAKES[name]
    path = changed(folder, change)

    with pytest.raises(ScenarioError) as refused:
        read_scenario(path)

    found = {(finding.file, finding.line, finding.field, finding.code) for finding in refused.value.findings}
    assert (str(path), line_of(path.read_text(encoding="utf-8"), marker), field, code) in found, refused.value


def test_a_programme_with_errors_is_refused_in_its_own_file(folder: Path) -> None:
    (folder / "harvest.yaml").write_text(TEXT.replace("netting: multilateral", "netting: both"), encoding="utf-8")

    with pytest.raises(ProgrammeError) as refused:
        read_scenario(folder / "basics.yaml")

    (finding,) = refused.value.findings
    assert (finding.file, finding.line) == (str(folder / "harvest.yaml"), line_of(TEXT, "netting"))


def test_errors_of_a_programme_inside_a_scenario_are_named_there(folder: Path) -> None:
    inside = "programme:\n" + "".join(f"  {line}\n" for line in TEXT.replace("netting: multilateral", "netting: both").splitlines())
    path = changed(folder, ("programme: harvest.yaml\n", inside))

    with pytest.raises(ScenarioError) as refused:
        read_scenario(path)

    (finding,) = refused.value.findings
    assert (finding.line, finding.field) == (line_of(path.read_text(encoding="utf-8"), "netting: both"), "programme.programme.netting")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("programme: harvest.yaml", "programme: wheat.yaml"), "unreadable"),
        (("scenario: basics", "scenario: [basics"), "not-yaml"),
        (("days:", "members:"), "duplicate-key"),
    ],
)
def test_a_scenario_that_cannot_be_read_is_refused(change: tuple[str, str], code: str, folder: Path) -> None:
    with pytest.raises(UnusableFileError) as refused:
        read_scenario(changed(folder, change))

    assert [finding.code for finding in refused.value.findings] == [code]


def test_a_programme_is_no_scenario(folder: Path) -> None:
    with pytest.raises(FileError) as refused:
        read_scenario(folder / "harvest.yaml")

    assert [finding.code for finding in refused.value.findings] == ["programme-file"]


@pytest.mark.parametrize(
    ("written", "figure"),
    [('"0.0100"', "0.0100"), ("0.0100", "0.01"), ("1", "1"), ("-0.54", "-0.54"), ("1e-3", "0.001"), ('"-0.54"', "-0.54")],
)
def test_figures_that_are_expected_may_be_written_as_numbers(written: str, figure: str, folder: Path) -> None:
    expected = f"obligations: [{{unit_price: {written}, quantity: 54}}]\n  positions: {{2026-03-02: {{EUR: {{opco: {written}}}}}}}\n  rejected: {{}}"

    scenario, _ = read_scenario(changed(folder, ("rejected: {}", expected)))

    assert scenario.expect is not None
    named: dict[str, Any] = scenario.expect.named()
    assert Decimal(named["obligations"][0]["unit_price"]) == Decimal(figure)
    assert named["obligations"][0]["quantity"] == 54
    assert Decimal(named["positions"]["2026-03-02"]["EUR"]["opco"]) == Decimal(figure)


def test_a_fraction_of_a_point_cannot_be_expected(folder: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        read_scenario(changed(folder, ("available: 4,", "available: 4.5,")))

    assert [finding.field for finding in refused.value.findings] == ["expect.balances.m1.available"]


def test_events_that_name_only_their_original_show_what_it_showed(folder: Path) -> None:
    events = """
      - {type: return, id: r1, partner: grocer, original_id: e1, time: "2026-03-02T19:00:00+01:00", total: "1.00"}
      - {type: return, id: r2, partner: grocer, original_id: f1, time: "2026-03-02T19:00:00+01:00", total: "1.00"}
      - {type: return, id: r3, partner: grocer, original_id: nowhere, time: "2026-03-02T19:00:00+01:00", total: "1.00"}
      - {type: return, id: r4, partner: grocer, card: c9, original_id: e1, time: "2026-03-02T19:00:00+01:00", total: "1.00"}
      - {type: members-merged, id: g1, member: m1, into: m2, time: "2026-03-02T19:00:00+01:00"}
      - {type: members-unmerged, id: g2, original_id: g1, time: "2026-03-02T19:00:00+01:00"}
      - {type: card-linked, id: l1, member: m2, card: c8, time: "2026-03-02T19:00:00+01:00"}
      - {type: card-blocked, id: b1, card: c8, time: "2026-03-02T19:00:00+01:00"}
      - {type: card-blocked, id: b2, card: c2, time: "2026-03-02T19:00:00+01:00"}
      - {type: card-blocked, id: b3, card: c99, time: "2026-03-02T19:00:00+01:00"}
"""

    scenario, programme = read_scenario(changed(folder, ("points: 50}\n", "points: 50}" + events)))

    named = {event: subject for event, subject in subjects(scenario).items() if subject is not None}
    assert named == {"r1": "c2", "r2": "c7", "r3": "nowhere", "g2": "m1", "b1": "m2", "b2": "m1"}
    keys = {str(record.event_id): record.key.decode() for record in expand(scenario.days[0].events, programme)}
    assert (keys["r4"], keys["b3"], keys["l1"], keys["e1"]) == ("c9", "c99", "m2", "c2")
