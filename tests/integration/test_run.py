"""The processes of the house start, work, stop when they are told to, and leave nothing behind when they are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.processes.children import run_together
from services.processes.cron import Interrupted, Waiting, clear, run_cron
from services.processes.gone import GONE
from services.processes.relays import run_relays
from services.runtime.instance import Instance
from services.runtime.local import Addresses
from services.runtime.process import ended_within
from services.stop import Stop
from tests.coalition import Coalition, coalition, purchase

pytestmark = pytest.mark.timeout(180)

CLH = (sys.executable, "-m", "services.cli")
SLEEP = (sys.executable, "-c", "import time; time.sleep(300)")


@contextmanager
def started(one: Coalition, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """`clh` as a process; it is killed in the end if it has not ended."""
    process = subprocess.Popen((*CLH, *words), env={**os.environ, **one.environment, "CLH_LOG_FORMAT": "json"}, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
        for child in family:
            ended_within(child, 30)


def children_of(process: subprocess.Popen[bytes], count: int) -> list[psutil.Process]:
    """The children, when there are so many."""
    while len(children := psutil.Process(process.pid).children(recursive=True)) < count:
        assert process.poll() is None
        time.sleep(0.05)
    return children


def answered(one: Coalition, count: int) -> None:
    """Returns when so many answers are there."""
    while len(one.records("points.accruals.v1")) < count:
        time.sleep(0.1)


@pytest.mark.slow
def test_all_work_together_and_stop_together(addresses: Addresses) -> None:
    with coalition(addresses) as one:
        one.enrol(("m-1", "card-1"))
        with started(one, "run", "all", "--programme", one.id, "--processors", "2") as process:
            one.publish(*(purchase(f"p{no}", "card-1", 1000) for no in range(10)))
            answered(one, 10)
            family = children_of(process, 5)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            assert all(ended_within(child, 0) for child in family)
            assert process.stderr is not None
            lines = [json.loads(line) for line in process.stderr.read().splitlines() if line.startswith(b"{")]
        assert {"booking", "relaying", "stopped"} <= {line["event"] for line in lines}
        assert {line["level"] for line in lines} <= {"info", "warning"}


@pytest.mark.slow
def test_nothing_outlives_a_killed_parent(addresses: Addresses) -> None:
    with coalition(addresses) as one, started(one, "run", "accrual", "--programme", one.id, "--processors", "2") as process:
        one.enrol(("m-1", "card-1"))
        one.publish(purchase("p1", "card-1", 1000))
        children = children_of(process, 2)
        with one.books() as connection:
            while connection.execute("select count(*) from entry").fetchone() == (0,):
                time.sleep(0.1)
        process.kill()
        assert all(ended_within(child, 60) for child in children)


@pytest.mark.slow
def test_one_that_ends_by_itself_stops_the_others(addresses: Addresses) -> None:
    with coalition(addresses) as one, started(one, "run", "accrual", "--programme", one.id, "--processors", "2") as process:
        first, second = children_of(process, 2)
        first.kill()
        assert process.wait(90) == 1
        assert ended_within(second, 0)


def test_children_are_killed_when_they_do_not_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.processes.children.PATIENCE_S", 0.5)
    deaf = (sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(300)")
    stop = Stop()
    threading.Timer(2, stop.set).start()
    before = set(psutil.Process().children())
    assert run_together({"deaf": deaf, "sleeper": SLEEP}, stop) == 0
    assert set(psutil.Process().children()) <= before
    assert run_together({"brief": (sys.executable, "-c", "raise SystemExit(3)"), "sleeper": SLEEP}, Stop()) == 1


def test_what_comes_later_is_started_again_when_it_was_gone_and_stopped_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.processes.children.LATER_S", 0.0)
    gone = (sys.executable, "-c", f"raise SystemExit({GONE})")
    asked: Iterator[dict[str, tuple[str, ...]]] = iter([{}, {"late": gone}])
    started_later: list[int] = []
    stop = Stop()

    def later() -> dict[str, tuple[str, ...]]:
        started_later[:] = [child.pid for child in psutil.Process().children() if "time.sleep(300)" in " ".join(child.cmdline())]
        if started_later:
            stop.set()
        return next(asked, {"late": SLEEP})

    assert run_together({}, stop, later=later) == 0
    assert not any(psutil.pid_exists(pid) for pid in started_later)


@pytest.mark.slow
def test_accrual_without_a_programme_books_those_that_come_into_force_later(instance: Instance) -> None:
    addresses = instance.up()
    environment = {"CLH_POSTGRES_URI": addresses.postgres_uri, "CLH_KAFKA_BOOTSTRAP": addresses.kafka_bootstrap}
    process = subprocess.Popen((*CLH, "run", "accrual"), env={**os.environ, **environment})
    try:
        with coalition(addresses) as one:
            one.enrol(("m-1", "card-1"))
            one.publish(purchase("p1", "card-1", 1000))
            with one.books() as connection:
                while connection.execute("select count(*) from entry").fetchone() != (1,):
                    assert process.poll() is None
                    time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def test_programmes_that_are_not_there(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    for words in (("accrual", "--programme"), ("relay", "--programme"), ("all", "--programme")):
        result = CliRunner().invoke(app, ["run", *words, "no-such-programme"])
        assert (result.exit_code, "there is no programme no-such-programme" in " ".join(result.stderr.split())) == (1, True)


def test_the_clock_clears_what_is_due(addresses: Addresses) -> None:
    with coalition(addresses) as one, one.running():
        one.enrol(("m-1", "card-1"))
        one.publish(purchase("p1", "card-1", 1000))
        answered(one, 1)
        clear(one.house, one.id, Stop())
        with one.books(owner=True) as connection:
            states = "select day, state from settlement_window order by day"
            ((day, state),) = connection.execute(states).fetchall()
            assert state == "open"
            connection.execute("update settlement_window set ends_at = %s", (datetime.now(UTC) - timedelta(seconds=1),))
            clear(one.house, one.id, Stop())
            assert connection.execute(states).fetchall() == [(day, "netted"), (day + timedelta(days=1), "open")]
            clear(one.house, one.id, Stop())
            assert len(connection.execute("select no from run").fetchall()) == 1


def test_a_night_that_waits_is_left_when_the_process_stops(addresses: Addresses) -> None:
    stop = Stop()
    stop.set()
    with coalition(addresses) as one:
        one.publish(purchase("p1", "card-1", 1000))  # nobody books it
        with one.books(owner=True) as connection:
            connection.execute("update settlement_window set ends_at = %s", (datetime.now(UTC) + timedelta(milliseconds=1),))
            time.sleep(0.1)
            clear(one.house, one.id, stop)
            assert connection.execute("select state from settlement_window order by day limit 1").fetchone() == ("draining",)
            night = one.house.night(one.id, Waiting(stop))
            with night.connection, pytest.raises(Interrupted):
                night.drain(night.connection.execute("select min(day) from settlement_window").fetchone()[0])  # type: ignore[index]
        one.book()
        clear(one.house, one.id, Stop())
        with one.books() as connection:
            assert connection.execute("select state from settlement_window order by day limit 1").fetchone() == ("netted",)


def test_clock_and_relays_find_new_programmes_and_stop(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.processes.relays.NEW_PROGRAMMES_S", 0.1)
    stop = Stop()
    with coalition(addresses) as one:
        threads = [threading.Thread(target=run_cron, args=(one.house, stop)), threading.Thread(target=run_relays, args=(one.house, stop, (one.id,)))]
        for thread in threads:
            thread.start()
        one.enrol(("m-1", "card-1"))
        one.publish(purchase("p1", "card-1", 1000))
        one.book()
        answered(one, 1)
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
