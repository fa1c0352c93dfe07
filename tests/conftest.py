"""What all tests share: in which order they run, and where Kafka and PostgreSQL answer.

One process runs the fast ones first. Several (`-n 2`) take file by file, the long ones first so that none is left over at the end; the fault tests stay
together, since they share servers that they kill.

The servers are found in this order: addresses in the environment (CLH_POSTGRES_URI, CLH_KAFKA_BOOTSTRAP); containers, where CLH_TEST_DOCKER=1 asks
for them; processes of this machine. They are started once for a whole run and process, when the first test asks. Where they cannot be had, tests fail.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.testing
from hypothesis import Phase
from hypothesis import settings as examples

from services.runtime.local import Addresses, Instance, ensure
from services.settings import settings

TESTS = Path(__file__).parent
os.environ.pop("COLUMNS", None)  # workers are told 80; what commands print folds nothing where nobody says how wide it is
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
"""A broker of the tests lives for seconds or minutes: Java's second compiler takes more time than it brings (a start: 3.2 s, without this 5.9 s)."""
typer.testing._get_command = functools.cache(typer.testing._get_command)  # type: ignore[attr-defined]  # no public name
"""A process of `clh` puts its hundred commands together once; a test process that runs many need not do it for each (0.11 s, of 0.13 s for a short one)."""
ORDER = ("unit", "contract", "integration", "acceptance", "faults")


examples.register_profile("mutants", max_examples=20, phases=[Phase.explicit, Phase.generate], derandomize=True, database=None, deadline=None)
"""What mutation testing runs with: a mutant needs one example that fails, always the same, and not the smallest. See docs/mutants.md."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the tests in the order of their folders, marks those that need servers by their folder, and says which go together to one process."""
    several = hasattr(config, "workerinput")

    def folder(item: pytest.Item) -> str:
        return item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""

    for item in items:
        if folder(item) in ("integration", "acceptance", "faults"):
            item.add_marker(pytest.mark.integration)
        if folder(item) == "faults":
            item.add_marker(pytest.mark.faults)
        if several:
            item.add_marker(pytest.mark.xdist_group("faults" if folder(item) == "faults" else item.path.stem))
    items.sort(key=lambda item: ORDER.index(folder(item)) if folder(item) in ORDER else len(ORDER), reverse=several)


@pytest.fixture(scope="session")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Where PostgreSQL and Kafka answer, the same for all tests of a process. A test makes its own programme (schema and topics) there."""
    told = settings()
    if told.postgres_uri and told.kafka_bootstrap:
        yield Addresses(told.postgres_uri, told.kafka_bootstrap)
    elif told.test_docker:
        from tests.containers import servers

        with servers() as found:
            yield found
    else:
        state_dir = tmp_path_factory.mktemp("servers")
        try:
            yield ensure(state_dir, owned=True)
        finally:
            Instance(state_dir).down(at_once=True)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """An instance of the test's own, not started yet, for tests that stop, kill or restart servers. Nothing of it is left afterwards."""
    one = Instance(tmp_path / "clh", owned=True)
    try:
        yield one
    finally:
        one.down(at_once=True)
