"""Scenarios on the books in memory come out as they should: those worked out by hand as written, random ones as the oracle says.

The same on real servers: tests/acceptance. Here they take milliseconds, so that every change of a rule meets them, and every mutant of one.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from services.documents.load import parse_mapping, read_text
from services.scenario.compare import differences
from tests.acceptance import in_memory, oracle
from tests.acceptance.random_programmes import limit_debts, share_much
from tests.acceptance.random_scenarios import scenario

SCENARIOS = Path(__file__).parent.parent / "acceptance"
NOT_JUDGED = ("purchase-sent-as-operator", "malformed-event-claims-its-id")
"""Who sent a record, and whether it can be read, is judged before the books in memory."""
WRITTEN = sorted(path for folder in ("golden", "worked", "regressions") for path in (SCENARIOS / folder).glob("*.yaml") if path.stem not in NOT_JUDGED)
SEEDS = range(2000, 2080)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_a_written_scenario_comes_out_as_expected(path: Path) -> None:
    document = parse_mapping(read_text(path), str(path))
    report = in_memory.run(document)
    assert differences(document["expect"], report) == []
    assert all(report["checks"].values())


@pytest.mark.parametrize("first", SEEDS[::4])
def test_random_scenarios_come_out_as_the_oracle_says(first: int) -> None:
    for seed in range(first, first + SEEDS[::4].step):
        document = scenario(seed, in_one_log=True)
        assert oracle.differences(oracle.report(document), in_memory.run(document)) == []


@pytest.mark.parametrize("first", SEEDS[::4])
def test_random_scenarios_under_limits_of_the_whole_programme_come_out_as_the_oracle_says(first: int) -> None:
    """All that is received lies in one log, so that the order of receipt is one for all members."""
    for seed in range(first, first + SEEDS[::4].step):
        document = scenario(seed, in_one_log=True)
        share_much(Random(seed), document["programme"])
        assert oracle.differences(oracle.report(document), in_memory.run(document)) == []


@pytest.mark.parametrize("first", SEEDS[::4])
def test_random_scenarios_under_net_debit_caps_come_out_as_the_oracle_says(first: int) -> None:
    for seed in range(first, first + SEEDS[::4].step):
        document = scenario(seed, in_one_log=True)
        limit_debts(Random(seed), document["programme"])
        if seed % 3 == 0:
            share_much(Random(seed), document["programme"])
        assert oracle.differences(oracle.report(document), in_memory.run(document)) == []


@pytest.mark.parametrize("first", SEEDS[::4])
def test_random_scenarios_with_privileges_and_passes_come_out_as_the_oracle_says(first: int) -> None:
    for seed in range(first, first + SEEDS[::4].step):
        document = scenario(seed, in_one_log=True, named=True)
        assert oracle.differences(oracle.report(document), in_memory.run(document)) == []
