"""The relay loses nothing and keeps the order, whatever dies when; what is sent again is the same to the byte."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime

import psycopg
import pytest
from confluent_kafka import Message

from schemas.events.answers import AccrualEvent, RejectionEvent
from services.kafka.producer import producer
from services.outbox.relay import LOCK, SHARD, Sending
from services.runtime.local import Addresses
from services.stop import Stop
from tests.coalition import Coalition, coalition, event, purchase

ACCRUALS, REJECTED, CLEARING = "points.accruals.v1", "events.rejected.v1", "clearing.events.v1"
RELAY = """
import sys
from services.outbox.relay import Relay
from services.stop import Stop
Relay(sys.argv[1], sys.argv[2], sys.argv[3], batch_rows=20).run(Stop())
"""
ANSWER = (
    '{{"event":{{"source":"/partners/grocer","id":"e{no}"}},"outcome":"accepted","member":"{member}","window":"{day}","effects":[],'
    '"balance":{{"available":{no},"pending":0}}}}'
)
ROW = "insert into outbox (record, day) values (%s, %s) returning xid::text::bigint, seq"
# Ends the session that holds the relay's lock of these books.
CUT_OFF = """
select pg_terminate_backend(pid) from pg_locks
where locktype = 'advisory' and classid::bigint = hashtext('clh relay ' || current_schema())::bigint & 4294967295
"""
ENTRY = "insert into entry (record, day, booked, outcome, received_at, answer) values (%s, %s, %s, 'accepted', now(), %s)"


def ids(records: list[Message]) -> list[str]:
    return [json.loads(record.value() or b"")["id"] for record in records]


def short(name: str) -> str:
    """Id of an answer without the mark of its content."""
    return name.rpartition("-")[0]


def by_key(records: list[Message]) -> dict[str, list[str]]:
    """Ids of the answers under each key, each at the place where it came first."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        found.setdefault((record.key() or b"").decode(), {})[short(json.loads(record.value() or b"")["id"])] = None
    return {key: list(names) for key, names in found.items()}


class Writers:
    """Transactions that write answers at once and commit out of order, as processors and the night do."""

    def __init__(self, one: Coalition, day: date) -> None:
        self.one = one
        self.day = day
        self.written: list[tuple[int, int, str, str]] = []
        self._numbers = iter(range(1, 1_000_000))
        self._guard = threading.Lock()

    def run(self, writers: int, transactions: int) -> None:
        threads = [threading.Thread(target=self._write, args=(seed, transactions)) for seed in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _write(self, seed: int, transactions: int) -> None:
        rnd = random.Random(seed)
        with self.one.books(owner=True) as connection:
            for _ in range(transactions):
                rows = []
                with connection.transaction():
                    for _ in range(rnd.randrange(1, 12)):
                        with self._guard:
                            no = next(self._numbers)
                        member = f"m-{rnd.randrange(7)}"
                        connection.execute(ENTRY, (no, self.day, self.day, ANSWER.format(no=no, member=member, day=self.day)))
                        xid, seq = connection.execute(ROW, (no, self.day)).fetchone() or (0, 0)
                        rows.append((xid, seq, member, f"a-{no}-accepted"))
                        time.sleep(rnd.random() / 2000)
                self.written += rows

    @property
    def expected(self) -> dict[str, list[str]]:
        """Ids under each key, in the order of transactions."""
        found: dict[str, list[str]] = {}
        for _, _, member, name in sorted(self.written):
            found.setdefault(member, []).append(name)
        return found


def cursor_of(connection: psycopg.Connection) -> tuple[int, int]:
    row = connection.execute("select xid::text::bigint, seq from relay").fetchone()
    assert row is not None
    return row[0], row[1]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_killed_at_any_moment_it_sends_all_in_order(addresses: Addresses) -> None:
    rnd = random.Random(4)
    day = date(2026, 3, 2)
    with coalition(addresses, day=day) as one, one.books() as connection:
        writers = Writers(one, day)
        writing = threading.Thread(target=writers.run, args=(4, 100))
        writing.start()
        command = [sys.executable, "-c", RELAY, one.house.postgres_uri, one.house.kafka_bootstrap, one.schema]
        for _ in range(5):
            relay = subprocess.Popen(command, env=os.environ)
            before = cursor_of(connection)
            while cursor_of(connection) == before and relay.poll() is None:
                time.sleep(0.001)
            time.sleep(rnd.random() / 10)
            relay.kill()
            relay.wait()
        writing.join()
        last = max(writers.written)[:2]
        relay = subprocess.Popen(command, env=os.environ)
        while cursor_of(connection) != last:
            time.sleep(0.01)
        relay.terminate()
        relay.wait()
        records = one.records(ACCRUALS)
        left = connection.execute("select count(*) from outbox").fetchone()
    assert by_key(records) == writers.expected
    assert len(records) >= len(writers.written)
    again: dict[str, bytes | None] = {}
    for record, name in zip(records, ids(records), strict=True):
        assert again.setdefault(name, record.value()) == record.value()
    assert left is not None
    assert left[0] < len(writers.written)


def test_what_was_delivered_before_the_cursor_moved_is_sent_again_the_same(addresses: Addresses) -> None:
    day = date(2026, 3, 2)
    with coalition(addresses, day=day) as one:
        one.enrol(("m-1", "card-1"))
        one.publish(purchase("p1", "card-1", 1000, time=datetime(2026, 3, 2, 12, tzinfo=UTC)), b"no event")
        one.book()
        with one.books() as connection:
            sending = Sending(connection, producer(addresses.kafka_bootstrap), one.id, "opco")
            sending._produce(sending.read(sending.cursor))
            assert sending._delivered(Stop())
            sending.close()
        assert one.relay() == 2
        assert one.relay() == 0
        accruals, rejected = one.records(ACCRUALS), one.records(REJECTED)
    for records in (accruals, rejected):
        assert len(records) == 2
        first, again = records
        assert (first.value(), first.key(), first.headers()) == (again.value(), again.key(), again.headers())


def test_a_transaction_that_is_open_holds_back_what_came_after_it(addresses: Addresses) -> None:
    day = date(2026, 3, 2)
    with coalition(addresses, day=day) as one, one.books(owner=True) as slow, one.books(owner=True) as fast:
        with slow.transaction():
            slow.execute(ENTRY, (1, day, day, ANSWER.format(no=1, member="m-1", day=day)))
            slow.execute(ROW, (1, day))
            fast.execute(ENTRY, (2, day, day, ANSWER.format(no=2, member="m-1", day=day)))
            fast.execute(ROW, (2, day))
            assert one.relay() == 0
        assert one.relay() == 2
        assert by_key(one.records(ACCRUALS)) == {"m-1": ["a-1-accepted", "a-2-accepted"]}


def test_answers_keep_the_contract(addresses: Addresses) -> None:
    moment = datetime(2026, 3, 2, 12, tzinfo=UTC)
    day = date(2026, 3, 2)
    with coalition(addresses, day=day) as one:
        one.enrol(('m "1" ü', "card-1"))
        one.publish(
            purchase("p1", "card-1", 1000, time=moment),
            purchase("p2", "card-of-nobody", 1000, time=moment),
            purchase("p3", "4111 1111 1111 1111", 1000, time=moment),
            purchase("p4", "card-1", 1000, source="/partners/nobody", time=moment),
            b'{"specversion": "1.0"',
            b"[" * 5000,
            b'{"specversion": "1.0", "id": "x"}',
            b"\xff\xfe",
            b'"a\x00b"',
            b"1,2",
            b'"' + b"x" * 2_000_000 + b'"',
            b"NaN",
        )
        one.book()
        one.relay()
        accruals = {str(AccrualEvent.model_validate_json(r.value() or b"").data.event.id): r for r in one.records(ACCRUALS)}
        with one.books() as connection:
            (record,) = connection.execute("select record from entry where id = 'p1'").fetchone() or (0,)
        rejected = [(r, RejectionEvent.model_validate_json(r.value() or b"")) for r in one.records(REJECTED)]
    accepted, held = (AccrualEvent.model_validate_json(accruals[name].value() or b"") for name in ("p1", "p2"))
    assert accruals["p1"].key() == 'm "1" ü'.encode()
    assert (accepted.subject, accepted.data.member, accepted.data.window) == ('m "1" ü', 'm "1" ü', day)
    assert (accepted.source, short(accepted.id)) == ("/operator/opco", f"a-{record}-accepted")
    assert accruals["p2"].key() == b"card-of-nobody"
    assert (held.data.outcome, held.data.member, held.data.balance) == ("held", None, None)
    headers = dict(accruals["p1"].headers() or [])
    assert headers == {"content-type": b"application/cloudevents+json", "ce_id": accepted.id.encode(), "clh-event": b"/partners/grocer p1"}
    originals = {str(e.data.event.id): (e, r) for r, e in rejected if e.data.event is not None}
    assert {name: e.data.code.value for name, (e, _) in originals.items()} == {"p3": "card-number-in-clear", "p4": "unknown-partner"}
    assert originals["p3"][0].data.original is None
    assert b"4111" not in (originals["p3"][1].value() or b"")
    assert originals["p4"][0].data.original["data"]["receipt"] == "p4"
    assert (originals["p4"][1].key(), originals["p4"][0].data.retryable) == (b"/partners/nobody", True)
    broken = [e.data.original for r, e in rejected if e.data.event is None and r.key() == b"/unknown"]
    assert len(broken) == 8
    assert {"1,2", "NaN", '"a\0b"', "��", '{"specversion": "1.0"', "{'specversion': '1.0', 'id': 'x'}"} < set(map(str, broken))
    assert sorted(map(len, map(str, broken)))[-2:] == [5000, 2_000_000]


def test_a_held_event_is_answered_again_when_it_is_booked_and_the_night_tells_that_it_is_done(addresses: Addresses) -> None:
    moment = datetime(2026, 3, 2, 12, tzinfo=UTC)
    day = date(2026, 3, 2)
    enrolment = {"member": "m-9", "cards": ["card-9"], "kind": "consumer", "enrolled_on": "2026-03-02"}
    with coalition(addresses, day=day) as one:
        one.publish(purchase("p1", "card-9", 1000, time=moment))
        one.book()
        one.relay()
        one.publish(event("member-enrolled.v1", "j1", "m-9", enrolment, source="/operator/opco", time=moment))
        one.book()
        one.relay()
        one.close(day)
        one.relay()
        answers = [AccrualEvent.model_validate_json(r.value() or b"") for r in one.records(ACCRUALS)]
        notices = one.records(CLEARING)
        moves = [json.loads(notice.value() or b"") for notice in notices]
        with one.books() as connection:
            made = connection.execute("select sha256, made_at, no from run").fetchone()
    outcomes = {(a.data.event.id, a.data.outcome) for a in answers}
    assert outcomes == {("p1", "held"), ("p1", "accepted"), ("j1", "accepted")}
    assert len({a.id for a in answers}) == 3
    assert made is not None
    moved = [
        {"event": event, "state": state, "programme": one.id, "window": "2026-03-02", "run": no, "report_sha256": sha256}
        for event, state, no, sha256 in (("cut_off", "draining", None, None), ("drained", "closed", None, None), ("netted", "netted", made[2], made[0]))
    ]
    assert [{name: value for name, value in told["data"].items() if name != "at"} for told in moves] == moved
    assert all(datetime.fromisoformat(told["time"]) == datetime.fromisoformat(told["data"]["at"]) for told in moves)
    assert {(told["type"], notice.key()) for told, notice in zip(moves, notices, strict=True)} == {("clearing.v1", one.id.encode())}
    assert datetime.fromisoformat(moves[-1]["time"]) == made[1]


def test_one_relay_at_a_time(addresses: Addresses) -> None:
    with coalition(addresses, day=date(2026, 3, 2)) as one, one.books() as first, one.books() as second:
        assert first.execute(LOCK, (SHARD,)).fetchone() == (True,)
        assert second.execute(LOCK, (SHARD,)).fetchone() == (False,)


def test_books_from_another_server_are_relayed_on(addresses: Addresses) -> None:
    """After a dump and restore, transaction numbers in the books lie above those of the server."""
    day = date(2026, 3, 2)
    far = 1 << 40
    with coalition(addresses, day=day) as one:
        with one.books(owner=True) as connection:
            for no in (1, 2, 3, 4):
                connection.execute(ENTRY, (no, day, day, ANSWER.format(no=no, member="m-1", day=day)))
                connection.execute("insert into outbox (record, day, xid) values (%s, %s, %s::text::xid8)", (no, day, str(far + 5 - no)))
            connection.execute("update relay set xid = %s::text::xid8, seq = 4", (str(far + 1),))  # that of number 4, which was sent
        assert one.relay() == 3
        assert by_key(one.records(ACCRUALS)) == {"m-1": ["a-3-accepted", "a-2-accepted", "a-1-accepted"]}
        with one.books() as connection:
            assert cursor_of(connection)[0] < far


@pytest.mark.timeout(60)
def test_a_relay_waits_for_the_database(addresses: Addresses) -> None:
    """Its connection is cut by the server while it runs: it begins again at its cursor."""
    day = date(2026, 3, 2)
    with coalition(addresses, day=day) as one, one.books(owner=True) as connection:
        command = [sys.executable, "-c", RELAY, one.house.postgres_uri, one.house.kafka_bootstrap, one.schema]
        relay = subprocess.Popen(command, env=os.environ)
        try:
            for no in (1, 2):
                connection.execute(ENTRY, (no, day, day, ANSWER.format(no=no, member="m-1", day=day)))
                row = connection.execute(ROW, (no, day)).fetchone()
                while cursor_of(connection) != row:
                    time.sleep(0.01)
                connection.execute(CUT_OFF)
        finally:
            relay.kill()
            relay.wait()
        assert by_key(one.records(ACCRUALS)) == {"m-1": ["a-1-accepted", "a-2-accepted"]}
