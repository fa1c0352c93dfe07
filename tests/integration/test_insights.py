"""Live figures are those of what was sent and answered, whatever is sent twice, poisoned or killed."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from schemas.ids import PartyId, ProgrammeId
from services.cli.main import app
from services.insights.board import Board
from services.insights.reading import HOUR_S
from services.kafka import topics
from services.kafka.producer import producer
from services.processes.gone import GONE
from services.runtime.local import Addresses, Instance, Server
from tests.coalition import coalition, event, purchase, read_topics
from tests.unit.insights.records import answer, refusal, sent

pytestmark = pytest.mark.timeout(180)

T, A, R = "partner.transactions.v1", "points.accruals.v1", "events.rejected.v1"
PARTIES = ("grocer", "fuelco")
PATIENCE_S = 90.0

V = TypeVar("V")
Figures = dict[str, dict[int, Counter[str]]]
"""By partner and hour (in seconds since 1970)."""


class Story:
    """Events of partners with their answers, and what they come to, counted here in the simplest way."""

    def __init__(self, bootstrap: str, programme: str, seed: int) -> None:
        self.bootstrap, self.programme = bootstrap, programme
        self.rnd = random.Random(seed)
        self.expected: Figures = {}
        self.now_s = int(time.time())
        self._numbers = iter(range(10**6))

    def publish(self, count: int, *, poison: bool = False) -> None:
        """Events and answers, in any order, a tenth of them twice."""
        records = [record for _ in range(count) for record in self._event()]
        records += self.rnd.sample(records, len(records) // 10)
        if poison:
            broken = [b"", b"{", b"\xff", b"null", b'{"type":"accrual.v1","data":7}', b"x" * 2_000_000]
            records += [(topic, "m-1", value) for topic in (T, A, R) for value in broken]
        self.rnd.shuffle(records)
        sender = producer(self.bootstrap)
        for topic, key, value in records:
            sender.produce(f"{self.programme}.{topic}", value, key)
        sender.flush()

    def _event(self) -> Iterator[tuple[str, str, bytes]]:
        name, party, card = f"e{next(self._numbers)}", self.rnd.choice(PARTIES), f"hc-{self.rnd.randrange(10_000)}"
        time_s = self.now_s - self.rnd.randrange(5) * HOUR_S
        amount, points = self.rnd.randrange(100, 9_999), self.rnd.randrange(1, 99)
        counted = self.expected.setdefault(party, {}).setdefault(time_s - time_s % HOUR_S, Counter())
        spoken: dict[str, Any] = {"party": party, "received_s": self.now_s}
        match self.rnd.randrange(8):
            case 0:
                kind, reply = "return.v1", (A, "m-1", answer(name, given=-points, **spoken))
                counted.update(returns=1, returned=amount, points=-points)
            case 1:
                kind, reply = "redemption.v1", (A, "m-1", answer(name, spent=points, **spoken))
                counted.update(redemptions=1, points_redeemed=points)
            case 2:
                kind, reply = "purchase.v1", (R, party, refusal(name, original={"time": _text(time_s)}, **spoken))
                counted.update(rejected=1)
            case 3:
                kind, reply = "purchase.v1", (A, "m-1", answer(name, outcome="held", **spoken))
                counted.update(held=1)
            case _:
                kind, reply = "purchase.v1", (A, "m-1", answer(name, given=points, **spoken))
                counted.update(purchases=1, turnover=amount, points=points)
        yield T, card, sent(name, kind, party=party, time_s=time_s, card=card, total_minor=amount)
        yield reply


def _text(time_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_s))


def told(board: Board) -> Figures:
    """What the board holds, in the same form."""
    names = ("purchases", "returns", "points", "redemptions", "points_redeemed", "held")
    found: Figures = {}
    for party, one in board.latest.items():
        for hour in one.data.hours:
            counted = Counter({name: getattr(hour, name) for name in names})
            counted.update(turnover=sum(each.amount_minor for each in hour.turnover), returned=sum(each.amount_minor for each in hour.returned))
            counted.update(rejected=sum(hour.rejections.values()))
            found.setdefault(party, {})[int(hour.hour.timestamp())] = counted
    found.pop("unknown", None)
    return found


class Running:
    """The process of live figures, as `clh run insights` starts it."""

    def __init__(self, programme: str | None, addresses: Addresses, log: Path) -> None:
        """`programme`: None for all that are in force."""
        environment = os.environ | {"CLH_KAFKA_BOOTSTRAP": addresses.kafka_bootstrap, "CLH_POSTGRES_URI": addresses.postgres_uri}
        self.log = log
        with log.open("ab") as file:
            command = [sys.executable, "-m", "services.insights.main", *([programme] if programme else [])]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=file, env=environment)

    def worker(self) -> psutil.Process:
        """The process in which Faust runs."""
        return until(lambda: next(iter(psutil.Process(self.process.pid).children()), None))

    def kill_worker(self) -> None:
        """As a crash would."""
        self.worker().kill()

    def stop(self) -> int:
        """As `clh run` would; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        assert self.process.stdin is not None
        self.process.stdin.close()
        return code


@contextmanager
def running(programme: str | None, addresses: Addresses, folder: Path) -> Iterator[Running]:
    one = Running(programme, addresses, folder / f"{programme}.log")
    try:
        yield one
    except BaseException:
        sys.stderr.write(one.log.read_text(encoding="utf-8", errors="replace")[-20_000:])
        raise
    finally:
        one.stop()


@contextmanager
def board_of(addresses: Addresses, programme: str) -> Iterator[Board]:
    board = Board(addresses.kafka_bootstrap, ProgrammeId(programme))
    try:
        yield board
    finally:
        board.close()


def until(answer: Callable[[], V | None]) -> V:
    """Asks until there is an answer."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := answer()):
        assert time.monotonic() < deadline, "waited in vain"
    return found


def await_figures(board: Board, expected: Figures, *, later_than: datetime | None = None) -> None:
    """Follows the board until it holds these figures, told later than some moment."""
    deadline = time.monotonic() + PATIENCE_S
    for _ in chain([None], board.following()):
        times = [one.time for one in board.latest.values()]
        if told(board) == expected and (later_than is None or min(times) > later_than):
            return
        assert time.monotonic() < deadline, f"{told(board)} is not {expected}"


@pytest.fixture
def programme(addresses: Addresses) -> Iterator[str]:
    """Topics of a programme that nobody else writes to."""
    name = f"i{secrets.token_hex(5)}"
    topics.create(addresses.kafka_bootstrap, name)
    yield name
    topics.delete(addresses.kafka_bootstrap, name)


def test_figures_equal_what_was_sent_and_answered(programme: str, addresses: Addresses, tmp_path: Path) -> None:
    story = Story(addresses.kafka_bootstrap, programme, seed=1)
    story.publish(500, poison=True)
    with running(programme, addresses, tmp_path), board_of(addresses, programme) as board:
        await_figures(board, story.expected)
        for _ in range(3):  # now by the agents
            story.publish(300, poison=True)
            await_figures(board, story.expected)


def test_a_killed_worker_rebuilds_the_same_figures_and_nobody_sees_fewer_meanwhile(programme: str, addresses: Addresses, tmp_path: Path) -> None:
    story = Story(addresses.kafka_bootstrap, programme, seed=2)
    with running(programme, addresses, tmp_path) as insights, board_of(addresses, programme) as board:
        for _ in range(2):
            story.publish(200)
            await_figures(board, story.expected)
            before = {party: one.data for party, one in board.latest.items()}
            killed_at = datetime.now(UTC)
            insights.kill_worker()
            await_figures(board, story.expected, later_than=killed_at)
            assert {party: one.data for party, one in board.latest.items()} == before
        purchases = [sum(hour["purchases"] for hour in hours.values()) for hours in told(board).values()]
        insights.kill_worker()
        story.publish(2_000)
        insights.kill_worker()
        deadline = time.monotonic() + PATIENCE_S
        for _ in board.following():
            now = [sum(hour["purchases"] for hour in hours.values()) for hours in told(board).values()]
            assert all(after >= earlier for after, earlier in zip(now, purchases, strict=True)), "fewer than before were shown"
            purchases = now
            if told(board) == story.expected:
                break
            assert time.monotonic() < deadline


def test_the_figures_are_there_while_no_worker_runs_and_are_shown_by_the_command(
    programme: str, addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(addresses.kafka_bootstrap, programme, seed=3)
    story.publish(100)
    with running(programme, addresses, tmp_path), board_of(addresses, programme) as board:
        await_figures(board, story.expected)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    shown = CliRunner().invoke(app, ["partner", "live", "grocer", "--programme", programme, "--output", "json"])
    assert shown.exit_code == 0, shown.output
    document = json.loads(shown.stdout)
    assert sum(hour["purchases"] for hour in document["hours"]) == sum(hour["purchases"] for hour in story.expected["grocer"].values())
    table = CliRunner().invoke(app, ["partner", "live", "grocer", "--programme", programme])
    assert table.exit_code == 0
    assert "total" in table.stdout
    for wrong, code in ((["nobody", "--programme", programme], 1), (["grocer", "--programme", "none-such"], 1), (["grocer", "--timezone", "Mars/Base"], 2)):
        assert CliRunner().invoke(app, ["partner", "live", *wrong]).exit_code == code


def test_a_card_that_is_used_too_often_is_told_of_once_even_after_a_crash(programme: str, addresses: Addresses, tmp_path: Path) -> None:
    now_s = int(time.time())
    noted_at = now_s - now_s % HOUR_S - HOUR_S
    sender = producer(addresses.kafka_bootstrap)
    for no in range(30):
        for topic, value in ((T, sent(f"e{no}", time_s=noted_at + no, card="hc-7", store=str(no % 2))), (A, answer(f"e{no}", received_s=now_s))):
            sender.produce(f"{programme}.{topic}", value, "hc-7")
    sender.flush()

    def signals() -> list[Any]:
        return sorted((json.loads(one.value() or b"") for one in read_topics(addresses.kafka_bootstrap, [f"{programme}.points.signals.v1"])), key=str)

    with running(programme, addresses, tmp_path) as insights, board_of(addresses, programme) as board:
        until(lambda: len(signals()) == 2)
        killed_at = datetime.now(UTC)
        insights.kill_worker()
        until(lambda: next(board.following()) and min(one.time for one in board.latest.values()) > killed_at)
        found = signals()
    assert [one["data"]["signal"] for one in found] == ["burst", "two-stores"]
    assert {one["data"]["card"] for one in found} == {one["subject"] for one in found} == {"hc-7"}


def test_answers_of_the_house_are_understood_also_of_a_programme_that_comes_later(addresses: Addresses, tmp_path: Path) -> None:
    with running(None, addresses, tmp_path), coalition(addresses) as one, board_of(addresses, one.id) as board:
        one.enrol(("m-1", "hc-1"))
        one.publish(*[purchase(f"p{no}", "hc-1", 1000 + no) for no in range(20)], purchase("p0", "hc-1", 1000), purchase("h1", "hc-nobody", 500))
        one.publish(event("redemption.v1", "r1", "hc-1", {"card": "hc-1", "store": "1", "receipt": "r1", "points": 10**6}), b"no json at all")
        one.book()
        one.relay()
        one.publish(purchase("p5", "hc-1", 7777))  # another purchase under an id that was used
        one.book()
        one.relay()
        points = sum(
            effect.get("points", 0)
            for key, record in {json.loads(r.value() or b"")["id"]: json.loads(r.value() or b"") for r in one.records(A)}.items()
            for effect in record["data"]["effects"]
        )
        until(lambda: next(board.following()) and sum(_sums(board, "grocer")["rejected"] for _ in "1") == 2 and PartyId("unknown") in board.latest)
        sums = _sums(board, "grocer")
        assert points > 0
        assert sums == Counter(purchases=20, turnover=sum(range(1000, 1020)), points=points, held=1, rejected=2)
        (hour,) = board.latest[PartyId("unknown")].data.hours
        assert hour.rejections == {"malformed": 1}


def _sums(board: Board, party: str) -> Counter[str]:
    return +sum(told(board).get(party, {}).values(), Counter())


WORKER = """
import sys, time
from services.insights import liveness
from services.insights.figures import Figures
from services.insights.worker import run
from services.stop import Stop
liveness.PATIENCE_S, liveness.LOOK_S = 2.0, 0.5
def broken(self, answer): {}
Figures.answered = broken
run(sys.argv[1], sys.argv[2], Stop())
"""


@pytest.mark.parametrize(("fault", "said"), [("time.sleep(1000)", "nothing was counted"), ("raise KeyError('a fault')", "cannot be counted")])
def test_a_worker_that_cannot_go_on_ends_at_once(fault: str, said: str, programme: str, addresses: Addresses, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+b") as log:
        command = [sys.executable, "-c", WORKER.format(fault), addresses.kafka_bootstrap, programme]
        with subprocess.Popen(command, stdout=log, stderr=log) as worker:
            group = f"clh.insights.{programme}"
            until(lambda: _members(addresses, group) == 1)
            story = Story(addresses.kafka_bootstrap, programme, seed=5)
            story.publish(50)
            assert worker.wait(PATIENCE_S) == 70
        log.seek(0)
        assert said in log.read().decode()


def test_a_programme_that_is_not_in_force_has_none(addresses: Addresses, tmp_path: Path) -> None:
    insights = Running("none-such", addresses, tmp_path / "log")
    assert insights.process.wait(PATIENCE_S) == GONE
    assert "is the programme in force?" in insights.log.read_text(encoding="utf-8")
    assert not read_topic_names(addresses, "none-such.")
    insights.stop()


def read_topic_names(addresses: Addresses, beginning: str) -> list[str]:
    admin = AdminClient({"bootstrap.servers": addresses.kafka_bootstrap})
    return [name for name in admin.list_topics(timeout=10).topics if name.startswith(beginning)]


def _members(addresses: Addresses, group: str) -> int:
    admin = AdminClient({"bootstrap.servers": addresses.kafka_bootstrap})
    return len(admin.describe_consumer_groups([group])[group].result(10).members)


@pytest.mark.timeout(300)
def test_figures_go_on_after_the_broker_was_killed(instance: Instance, tmp_path: Path) -> None:
    addresses = instance.up(servers=[Server.KAFKA])
    programme = "harvest"
    topics.create(addresses.kafka_bootstrap, programme)
    story = Story(addresses.kafka_bootstrap, programme, seed=4)
    with running(programme, addresses, tmp_path), board_of(addresses, programme) as board:
        story.publish(300)
        await_figures(board, story.expected)
        instance.kill_kafka()
        instance.start_kafka()
        story.publish(300)
        await_figures(board, story.expected)
