"""A programme whose books are removed ends its own relay, processor and nights; the other programmes go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from services.journal.migrate import drop
from services.processes.children import run_together
from services.processes.gone import GONE, is_gone
from services.processes.relays import run_relays
from services.runtime.local import Addresses
from services.stop import Stop
from tests.coalition import Coalition, coalition, purchase

pytestmark = pytest.mark.timeout(180)


def answered(one: Coalition, count: int) -> None:
    """Returns when so many answers are there."""
    deadline = time.monotonic() + 60
    while len(one.records("points.accruals.v1")) < count:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_relay_whose_books_are_gone_ends_alone(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.processes.relays.NEW_PROGRAMMES_S", 0.1)
    stop, ended = Stop(), []
    with coalition(addresses) as gone, coalition(addresses) as other:
        thread = threading.Thread(target=lambda: ended.append(run_relays(other.house, stop, (gone.id, other.id))))
        thread.start()
        for one in (gone, other):
            one.enrol(("m-1", "card-1"))
            one.publish(purchase("p1", "card-1", 1000))
            one.book()
            answered(one, 1)
        drop(gone.house.postgres_uri, gone.schema)
        assert is_gone(gone.house, gone.id)
        assert not is_gone(other.house, other.id)
        time.sleep(1)
        other.publish(purchase("p2", "card-1", 1000))
        other.book()
        answered(other, 2)
        assert not stop()
        assert not any(each.name == f"relay {gone.id}" for each in threading.enumerate())
        stop.set()
        thread.join(60)
    assert ended == [True]


@pytest.mark.slow
def test_a_house_goes_on_without_a_programme_that_is_removed(addresses: Addresses) -> None:
    with coalition(addresses) as gone, coalition(addresses) as other:
        for one in (gone, other):
            one.enrol(("m-1", "card-1"))
        command = (sys.executable, "-m", "services.cli", "run", "all", "--programme", gone.id, "--programme", other.id)
        process = subprocess.Popen(command, env={**os.environ, **other.environment}, stderr=subprocess.PIPE, text=True)
        try:
            for one in (gone, other):
                one.publish(purchase("p1", "card-1", 1000))
                answered(one, 1)
            drop(gone.house.postgres_uri, gone.schema)
            gone.publish(purchase("p2", "card-1", 1000))  # meets a processor without books
            time.sleep(3)
            other.publish(purchase("p2", "card-1", 1000))
            answered(other, 2)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=60)[1]
            assert process.returncode == 0, said
            assert "Traceback" not in said, said
            assert len([line for line in said.splitlines() if "are gone: its relay ends" in line]) == 1, said
            assert len([line for line in said.splitlines() if "are gone: its processor ends" in line]) == 1, said
        finally:
            process.kill()
            process.communicate()


def test_children_of_programmes_that_are_gone_stop_nobody() -> None:
    gone = (sys.executable, "-c", f"raise SystemExit({GONE})")
    stop = Stop()
    threading.Timer(1.5, stop.set).start()
    assert run_together({"gone": gone, "other": (sys.executable, "-c", "import time; time.sleep(300)")}, stop) == 0
    assert stop()
    assert run_together({"gone": gone, "gone too": gone}, Stop()) == GONE
