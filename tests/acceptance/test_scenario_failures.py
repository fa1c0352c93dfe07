"""Files that make trouble, beside one that makes none, in one call on real servers: each is told of in its place, and the others run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.scenario_report import ScenarioReport
from services.runtime.local import Addresses
from services.scenario.run import ScenarioResult, UnusableScenario, run_files

GOLDEN = Path(__file__).parent / "golden" / "independent-basics.yaml"


@pytest.fixture(autouse=True)
def servers(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenarios run on the servers of the whole test run."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)


def basics() -> dict[str, Any]:
    """A scenario that holds."""
    from services.documents.load import parse_mapping, read_text

    return parse_mapping(read_text(GOLDEN), str(GOLDEN))


def written(folder: Path, name: str, **parts: Any) -> Path:
    """The scenario with other parts, under its own name in a file of another."""
    path = folder / f"file-{name}.yaml"
    path.write_text(json.dumps(basics() | {"scenario": name, "expect": {}} | parts), encoding="utf-8")
    return path


def with_lines(folder: Path, name: str, *lines: bytes, **parts: Any) -> Path:
    """The scenario with these lines instead of its events."""
    (folder / f"{name}.jsonl").write_bytes(b"\n".join(lines))
    return written(folder, name, days=[{"day": "2026-03-02", "events_file": f"{name}.jsonl"}], **parts)


def with_huge_figures(folder: Path) -> Path:
    """Prices, points and sums within their bounds, whose product the books do not hold."""
    document = basics()
    programme = document["programme"]
    programme["contracts"][0]["issue"]["price"] = "999999.999999999"
    programme["mechanics"][0] |= {"points": 1_000_000, "per": {"amount": "0.01", "currency": "EUR"}}
    (day, *_) = document["days"]
    (purchase, *_) = [event for event in day["events"] if event["type"] == "purchase"]
    return written(folder, "huge", programme=programme, days=[{"day": day["day"], "events": [purchase | {"total": "9999999999.99"}]}])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_whatever_fails_in_one_file_the_others_run(tmp_path: Path) -> None:
    envelope = {"specversion": "1.0", "source": "/partners/grocer", "type": "purchase.v1", "time": "2026-03-02T10:00:00+01:00", "subject": "c1", "data": {}}
    files = [
        with_lines(tmp_path, "nested", b"[" * 100_000, b'{"id": ' * 50_000, expect={"rejected": {}}),
        with_lines(tmp_path, "half", json.dumps(envelope | {"id": "\ud800"}).encode(), expect={"rejected": {"\\ud800": "malformed"}}),
        with_lines(tmp_path, "long", json.dumps(envelope | {"id": "x" * 5_000_000}).encode()),
        with_lines(tmp_path, "longish", json.dumps(envelope | {"id": "e1", "data": "x" * 3_800_000}).encode(), expect={"rejected": {"e1": "malformed"}}),
        with_huge_figures(tmp_path),
        written(tmp_path, "wrong", days=[]),
        written(tmp_path, "right", expect=basics()["expect"]),
    ]

    results = list(run_files(files))

    assert [result.name for result in results] == ["nested", "half", "long", "longish", "huge", "wrong", "right"]
    unusable = {result.name: [(f.field, f.code) for f in result.findings] for result in results if isinstance(result, UnusableScenario)}
    assert unusable == {"long": [("days[0].events_file", "too-large")], "huge": [("days[0]", "out-of-range")], "wrong": [("days", "wrong-value")]}
    for result in results:
        if isinstance(result, ScenarioResult):
            assert result.differences == []
            ScenarioReport.model_validate(result.report, by_alias=True, by_name=False)
