"""Servers that may be killed, and the run that nothing disturbs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.runtime.local import Instance
from tests.faults.books import Books, assert_same, assert_whole, books_of
from tests.faults.site import Site, site
from tests.faults.workload import DAYS, Sent, workload

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Servers are started anew in most of these tests, and each waits for answers: on a busy machine that takes its time."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """PostgreSQL and Kafka of the fault tests' own, since they are killed; whatever else runs stays as it is."""
    state_dir = tmp_path_factory.mktemp("faults")
    one = Instance(state_dir, owned=True)
    try:
        one.up()
        yield one
    finally:
        one.down(at_once=True)


@pytest.fixture
def one(servers: Instance) -> Iterator[Site]:
    """Books and topics of a test's own."""
    with site(servers.addresses) as found:
        yield found


@dataclass(frozen=True)
class Undisturbed:
    """The workload, and what it comes to."""

    windows: tuple[tuple[Sent, ...], ...]
    books: Books
    nights: list[list[tuple[str, str]]]
    """Every step and commit boundary of each night."""

    @property
    def sent(self) -> list[Sent]:
        """All records."""
        return [sent for window in self.windows for sent in window]

    def check(self, one: Site) -> None:
        """After a fault: nothing lost, nothing twice, and the books and the reports' hashes are those of the undisturbed run."""
        assert_whole(one, self.sent, windows=len(DAYS))
        assert_same(books_of(one), self.books)


@pytest.fixture(scope="session")
def undisturbed(servers: Instance) -> Undisturbed:
    """One processor, one batch after the other, one night after the other."""
    with site(servers.addresses) as quiet:
        nights = quiet.play(workload())
        assert_whole(quiet, [sent for window in workload() for sent in window], windows=len(DAYS))
        return Undisturbed(workload(), books_of(quiet), nights)
