"""Several files of one call: each is told in its place, whatever fails in another. What plays a scenario is replaced; tests/acceptance plays it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.programme import ProgrammeFile
from schemas.scenario import Scenario
from services.runtime.errors import NotRunningError
from services.scenario import run as module
from services.scenario.failures import StoppedError
from services.scenario.run import ScenarioResult, UnusableScenario, run_files
from tests.unit.programme.harvest import TEXT

WRITTEN = """scenario: {name}
programme: harvest.yaml
days:
  - day: 2026-03-02
  - {{day: 2026-03-03, events: []}}
"""
Failures = dict[str, Exception]


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> Failures:
    """By the name of a scenario, what its run raises; the others come out as they should."""
    failing: Failures = {}
    opened: list[Any] = []

    def played(scenario: Scenario, _file: ProgrammeFile, _folder: Path, _lines: object) -> ScenarioResult:
        if scenario.scenario in failing:
            raise failing[scenario.scenario]
        return ScenarioResult(scenario.scenario, {}, [])

    def connected() -> Any:
        opened.append(SimpleNamespace(consumer=SimpleNamespace(close=lambda: None)))
        return opened[-1]

    monkeypatch.setattr(module, "run_scenario", played)
    monkeypatch.setattr(module, "_connected", connected)
    return failing


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three files that can be used, and one between them that cannot."""
    (tmp_path / "harvest.yaml").write_text(TEXT, encoding="utf-8")
    paths = [tmp_path / f"{number}.yaml" for number in range(4)]
    for path, name in zip(paths, ("one", "two", "three", "four"), strict=True):
        path.write_text(WRITTEN.format(name=name), encoding="utf-8")
    paths[1].write_text(WRITTEN.format(name="two").replace("days", "daze"), encoding="utf-8")
    return paths


def stopped(cause: Exception) -> StoppedError:
    """A run that ended on its second day."""
    error = StoppedError(1)
    error.__cause__ = cause
    return error


def test_results_come_in_the_order_of_the_files_by_the_names_that_they_say(failures: Failures, files: list[Path]) -> None:
    results = list(run_files(files))

    assert [result.name for result in results] == ["one", "two", "three", "four"]
    assert [type(result) for result in results] == [ScenarioResult, UnusableScenario, ScenarioResult, ScenarioResult]


def test_what_cannot_be_read_so_far_goes_by_the_name_of_its_file(failures: Failures, tmp_path: Path) -> None:
    texts = ["scenario: [", "scenario: 5\n", "- a\n", '{"scenario": ""}']
    paths = [tmp_path / f"file{number}.yaml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")

    assert [result.name for result in run_files([*paths, tmp_path / "none.yaml"])] == ["file0", "file1", "file2", "file3", "none"]


@pytest.mark.parametrize(
    ("error", "code", "line", "field", "reason"),
    [
        (stopped(psycopg.errors.NumericValueOutOfRange("bigint out of range")), "out-of-range", 5, "days[1]", "on 2026-03-03 passes what the books hold"),
        (stopped(OverflowError("too large")), "out-of-range", 5, "days[1]", "9,223,372,036,854,775,807"),
        (stopped(KafkaException(KafkaError(KafkaError._TIMED_OUT))), "not-run", 5, "days[1]", "Kafka or PostgreSQL failed on 2026-03-03"),
        (psycopg.OperationalError("no\nanswer"), "not-run", None, "", "Kafka or PostgreSQL failed: OperationalError: no"),
        (RecursionError(), "not-run", None, "", "the run ended by an error that is not the file's: RecursionError: no reason given"),
    ],
    ids=lambda value: type(value.__cause__ or value).__name__ if isinstance(value, Exception) else "",
)
def test_what_fails_in_one_file_is_told_of_it_and_the_others_run(
    error: Exception, code: str, line: int | None, field: str, reason: str, failures: Failures, files: list[Path]
) -> None:
    failures["three"] = error

    results = list(run_files(files))

    assert [isinstance(result, ScenarioResult) for result in results] == [True, False, False, True]
    failed = results[2]
    assert isinstance(failed, UnusableScenario)
    (finding,) = failed.findings
    assert (failed.name, finding.file, finding.line, finding.field, finding.code) == ("three", str(files[2]), line, field, code)
    assert reason in finding.reason
    assert "\n" not in finding.reason


def test_a_file_that_is_gone_when_its_run_fails_is_named_without_a_line(failures: Failures, files: list[Path]) -> None:
    failures["one"] = stopped(OverflowError())

    results = run_files(files[:1], lambda _step: files[0].unlink(missing_ok=True))

    (failed,) = results
    assert isinstance(failed, UnusableScenario)
    assert [(finding.line, finding.field) for finding in failed.findings] == [(None, "days[1]")]


def test_without_servers_the_unusable_ones_are_told_all_the_same(failures: Failures, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def connected() -> None:
        raise NotRunningError(files[0])

    monkeypatch.setattr(module, "_connected", connected)
    results = run_files(files)

    assert next(results).name == "two"
    with pytest.raises(NotRunningError):
        next(results)


def test_a_line_that_no_record_can_hold_is_named(failures: Failures, files: list[Path], tmp_path: Path) -> None:
    line = json.dumps({"specversion": "1.0", "id": "e1", "note": "x" * 4_000_000})
    (tmp_path / "march.jsonl").write_text(f"{{}}\n{line}\n", encoding="utf-8")
    files[0].write_text(WRITTEN.format(name="one").replace("events: []", "events_file: march.jsonl"), encoding="utf-8")

    (result,) = run_files(files[:1])

    assert isinstance(result, UnusableScenario)
    (finding,) = result.findings
    assert (finding.line, finding.field, finding.code) == (5, "days[1].events_file", "too-large")
    assert finding.reason.startswith(f"line 2 of {tmp_path / 'march.jsonl'} has more than 3,900,000 bytes")


def test_an_event_that_no_record_can_hold_is_named(failures: Failures, files: list[Path]) -> None:
    event = {"type": "card-blocked", "id": "e1", "time": "2026-03-03T10:00:00+01:00", "card": "c1", "reason": "x" * 4_000_000}
    files[0].write_text(WRITTEN.format(name="one").replace("events: []", f"events: [{json.dumps(event)}]"), encoding="utf-8")

    (result,) = run_files(files[:1])

    assert isinstance(result, UnusableScenario)
    assert [(finding.field, finding.code) for finding in result.findings] == [("days[1].events[0]", "too-large")]
