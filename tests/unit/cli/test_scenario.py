"""`clh scenario run` at the command line: what it prints and how it ends. What runs is replaced; tests/acceptance runs it for real."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import services.logs
import services.scenario.run
from services.cli.main import app
from services.documents.findings import Finding
from services.runtime.errors import NotRunningError
from services.scenario.run import ScenarioResult, UnusableScenario

REPORT: dict[str, Any] = {
    "scenario": "basics",
    "passed": True,
    "differences": [],
    "balances": {"m1": {"available": 4, "pending": 0}},
    "events": {},
    "rejected": {"e9": "too-old"},
    "obligations": [
        {"window": "2026-03-02", "kind": "issue", "debtor": "grocer", "creditor": "opco", "detail": None, "currency": "EUR", "quantity": 54}
        | {"unit_price": "0.0100", "amount": "0.54", "events": 1, "contract": "2026-01-01"}
    ],
    "positions": {"2026-03-02": {"EUR": {"grocer": "-0.54", "opco": "0.54"}}},
    "payments": [],
    "carried": {},
    "members": {},
    "checks": {},
}
FINDING = Finding("broken.yaml", 7, 3, "days[0]", "missing-field", "is missing", "add it")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _log_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of the process that runs the tests stays as it is."""
    monkeypatch.setattr(services.logs, "configure", lambda *_: None)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command with the results, or the error, that the runner is to give."""

    def with_results(results: dict[str, list[str]] | Exception, *arguments: str) -> tuple[int, str, str]:
        def run_files(paths: Sequence[Path], progress: Callable[[str], None]) -> Iterator[ScenarioResult | UnusableScenario]:
            for path in paths:
                if isinstance(results, Exception):
                    raise results
                if path.stem not in results:
                    yield UnusableScenario(path, path.stem, (FINDING,))
                    continue
                progress(path.stem)
                differences = results[path.stem]
                yield ScenarioResult(path.stem, REPORT | {"scenario": path.stem, "passed": not differences, "differences": differences}, differences)

        monkeypatch.setattr(services.scenario.run, "run_files", run_files)
        result = CliRunner().invoke(app, ["scenario", "run", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return with_results


def test_a_scenario_that_holds_ends_with_0(run: Run) -> None:
    code, output, _ = run({"basics": []}, "basics.yaml")

    assert code == 0
    assert output.endswith("basics: passed\n")
    for part in ("Net positions", "Obligations", "Balances after the last window", "Rejected", "0.0100", "too-old"):
        assert part in output


def test_each_difference_is_a_line_and_ends_with_1(run: Run) -> None:
    long = "obligations: expected " + "x" * 300 + ", found no such entry"

    code, output, _ = run({"basics": ["positions.2026-03-02.EUR.opco: expected 0.13, found 0.12", long]}, "basics.yaml")

    assert code == 1
    assert output.splitlines()[-3:] == ["basics: 2 differences", "  positions.2026-03-02.EUR.opco: expected 0.13, found 0.12", f"  {long}"]


def test_several_scenarios_have_a_verdict_each(run: Run) -> None:
    assert run({"one": [], "two": ["rejected.e1: expected nothing, found too-old"], "three": []}, "one.yaml", "two.yaml", "three.yaml")[:2] == (
        1,
        "one: passed\ntwo: 1 difference\n  rejected.e1: expected nothing, found too-old\nthree: passed\n",
    )


def test_one_scenario_is_one_json_document(run: Run) -> None:
    code, output, _ = run({"basics": []}, "basics.yaml", "--output", "json")

    assert (code, json.loads(output)) == (0, REPORT)


def test_several_scenarios_are_a_line_of_json_each(run: Run) -> None:
    code, output, _ = run({"one": [], "two": ["x: expected 1, found 2"]}, "one.yaml", "two.yaml", "--output", "json")

    assert code == 1
    assert [(json.loads(line)["scenario"], json.loads(line)["passed"]) for line in output.splitlines()] == [("one", True), ("two", False)]


def test_an_unusable_file_ends_with_2_and_is_named(run: Run) -> None:
    code, output, errors = run({}, "broken.yaml")

    assert (code, output) == (2, "")
    assert "broken.yaml:7:3: error: days[0]: is missing [missing-field]" in errors
    code, output, _ = run({}, "broken.yaml", "--output", "json")
    document = json.loads(output)
    assert code == 2
    assert (document["scenario"], document["passed"], document["findings"][0]["line"]) == ("broken", False, 7)


def test_the_others_are_run_all_the_same(run: Run) -> None:
    code, output, errors = run({"one": [], "two": ["x: expected 1, found 2"]}, "one.yaml", "broken.yaml", "two.yaml", "--output", "json")

    assert code == 2
    assert [json.loads(line)["scenario"] for line in output.splitlines()] == ["one", "broken", "two"]
    assert "broken.yaml:7:3" in errors


def test_a_missing_file_ends_with_2() -> None:
    result = CliRunner().invoke(app, ["scenario", "run", "nowhere/missing.yaml"])

    assert result.exit_code == 2
    assert "missing.yaml: error: there is no such file [unreadable]" in result.stderr


def test_servers_that_cannot_be_had_end_with_3(run: Run, tmp_path: Path) -> None:
    code, _, errors = run(NotRunningError(tmp_path), "basics.yaml")

    assert code == 3
    assert "clh dev up" in errors.replace("\n", " ")
