"""Scenarios whose books tests of the accounts look into, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import psycopg
import pytest

from clearing.ports import Refusal
from clearing.unused_points import NEEDS, Needs
from schemas.programme import ProgrammeFile
from services.journal.migrate import READER_ROLE, connect
from services.scenario import run as scenarios
from services.scenario.outcome import outcome_of

ACCEPTANCE = Path(__file__).parents[2] / "acceptance"
THREE_NIGHTS = Path(__file__).parents[1] / "three_nights.yaml"
WRITTEN = [
    THREE_NIGHTS,
    *(
        ACCEPTANCE / folder / f"{name}.yaml"
        for folder, name in (
            ("golden", "return-after-spending-hybrid-unused-points"), ("golden", "return-after-spending-anchor"), ("golden", "two-currencies-netted-apart"),
            ("golden", "return-after-spending-borne-by-the-seller"), ("golden", "rolling-expiry-end-of-february-unused-share"),
            ("worked", "till-hold-capture-release-time-out"), ("worked", "lots-know-sponsor-contract-day-and-expiry"),
            ("worked", "chargeback-of-spent-and-expired-points-reversed"),
        )
    ),
]  # fmt: skip
SEEDS = (5, 36, 47, 51, 57)
Look = Callable[[psycopg.Connection, str], None]
CLOSED = "select day from settlement_window where state not in ('open', 'draining') order by day"


def look_into(paths: Sequence[Path], look: Look, monkeypatch: pytest.MonkeyPatch) -> int:
    """Runs scenarios and looks into their books before these go, as a reader with a connection of its own; returns how many there were."""
    names: list[str] = []

    def outcome(connection: psycopg.Connection, file: ProgrammeFile, name: str, refused: Sequence[Refusal]) -> dict[str, Any]:
        (schema,) = connection.execute("select current_schema()").fetchone() or ("",)
        with connect(connection.info.dsn + f" password={connection.info.password}", schema, role=READER_ROLE) as own:
            look(own, name)
        names.append(name)
        return outcome_of(connection, file, name, refused)

    monkeypatch.setattr(scenarios, "outcome_of", outcome)
    for result in scenarios.run_files(list(paths)):
        assert isinstance(result, scenarios.ScenarioResult), result
    return len(names)


def months(connection: psycopg.Connection) -> list[date]:
    """The months from the first to the newest closed window."""
    days = [day for (day,) in connection.execute(CLOSED)]
    found = [days[0].replace(day=1)]
    while (following := (found[-1] + timedelta(days=32)).replace(day=1)) <= days[-1]:
        found.append(following)
    return found


LITTLE = Needs(1, Fraction(1))
"""What a scenario's few days can have."""
WAYS: tuple[tuple[Fraction | None, Needs], ...] = ((None, NEEDS), (None, LITTLE), (Fraction(1, 5), NEEDS))
