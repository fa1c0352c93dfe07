"""Books and commands that tests of the accounts share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.runtime.local import Addresses
from tests.acceptance.random_scenarios import scenario
from tests.integration.accounts.looking import SEEDS, THREE_NIGHTS
from tests.played import Played, played


@pytest.fixture
def servers(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    """The test servers, also for what finds them by the environment."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    return addresses


@pytest.fixture
def seeds(tmp_path: Path) -> list[Path]:
    """Scenarios from seeds, as files."""
    paths = [tmp_path / f"{seed}.yaml" for seed in SEEDS]
    for path, seed in zip(paths, SEEDS, strict=True):
        path.write_text(json.dumps(scenario(seed), default=str), encoding="utf-8")
    return paths


@pytest.fixture(scope="package")
def nights(addresses: Addresses) -> Iterator[Played]:
    with played(THREE_NIGHTS, addresses) as one:
        yield one


@pytest.fixture
def run(servers: Addresses, nights: Played) -> Callable[..., Result]:
    """`clh accounts` on the three nights."""
    return lambda *words: CliRunner().invoke(app, ["accounts", *words, "--programme", nights.name])
