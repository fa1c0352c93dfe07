"""Golden scenarios, regressions and scenarios made from seeds come out as they should, through Kafka, the processor, PostgreSQL and the night run.

What a random scenario should come to says the oracle, a second reading of the contract that shares no code with the product.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from services.runtime.local import Addresses
from services.scenario.run import ScenarioResult, run_files
from tests.acceptance import big_scenario
from tests.acceptance.oracle import differences, report
from tests.acceptance.random_scenarios import scenario

HERE = Path(__file__).parent
SEEDS = range(1100, 1160)
BIG_SEED = 11


def written() -> list[Path]:
    """The scenarios whose outcome was worked out by hand."""
    return sorted(path for folder in ("golden", "worked", "regressions") for path in (HERE / folder).glob("*.yaml"))


def out_of_order(report: dict[str, Any], mechanics: list[str]) -> list[str]:
    """The events whose effects do not stand in the order of the file; a mechanic in two versions has two places, and is passed over."""
    place = {name: mechanics.index(name) for name in mechanics if mechanics.count(name) == 1}
    found = []
    for name, event in report["events"].items():
        places = [place[effect["mechanic"]] for effect in event["effects"] if effect["mechanic"] in place]
        if places != sorted(places):
            found.append(f"events.{name}.effects: not in the order of the file")
    return found


@pytest.fixture(autouse=True)
def servers(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenarios run on the servers of the whole test run."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_written_scenarios_come_out_as_expected_and_random_ones_as_the_oracle_says(tmp_path: Path) -> None:
    wanted: dict[str, dict[str, Any]] = {}
    mechanics: dict[str, list[str]] = {}
    for seed in SEEDS:
        document = scenario(seed, named=seed % 3 == 0)
        mechanics[document["scenario"]] = [mechanic["id"] for mechanic in document["programme"]["mechanics"]]
        wanted[document["scenario"]] = report(document)
        (tmp_path / f"{seed}.yaml").write_text(json.dumps(document))

    results = list(run_files([*written(), *sorted(tmp_path.glob("*.yaml"))]))

    found: dict[str, list[str]] = {}
    for result in results:
        assert isinstance(result, ScenarioResult), result
        differing = differences(wanted[result.name], result.report) if result.name in wanted else []
        if result.name in wanted:
            differing += out_of_order(result.report, mechanics[result.name])
        found |= {result.name: [*result.differences, *differing]} if result.differences or differing else {}
    assert found == {}
    assert len(results) == len(written()) + len(SEEDS)
    assert len(written()) >= 23 + 14 + 23


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_three_weeks_of_15000_events_come_to_the_cent(tmp_path: Path) -> None:
    document = big_scenario.write(tmp_path, BIG_SEED)
    wanted = report(document, tmp_path)

    began = time.monotonic()
    (result,) = run_files([tmp_path / "three-weeks.yaml"])
    seconds = time.monotonic() - began

    assert isinstance(result, ScenarioResult), result
    assert differences(wanted, result.report) == []
    outcomes = big_scenario.outcomes(wanted)
    assert outcomes["accepted"] > 8_000
    assert {"insufficient-points", "returned-too-much", "claim-expired", "id-reused", "too-old"} <= outcomes.keys()
    assert seconds < 60
