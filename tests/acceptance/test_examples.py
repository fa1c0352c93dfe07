"""The example programmes do what their scenarios, worked out by hand, say: through Kafka, the processor, PostgreSQL and the night run."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.report import ScenarioReport
from services.runtime.local import Addresses
from services.scenario.run import ScenarioResult, run_files

SCENARIOS = sorted((Path(__file__).parents[2] / "examples" / "scenarios").glob("*.yaml"))


def test_every_example_does_what_its_scenario_says(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)

    results = list(run_files(SCENARIOS))

    assert len(results) == len(SCENARIOS) >= 4
    for result in results:
        assert isinstance(result, ScenarioResult), result
        assert result.differences == []
        assert ScenarioReport.model_validate(result.report, by_alias=True, by_name=False).passed
