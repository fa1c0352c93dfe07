"""What a port's suite runs on: the books in memory, and those on PostgreSQL, behind one small interface for tests."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import psycopg

from clearing.entries import Code
from clearing.plan import Plan
from clearing.ports import NightBooks
from schemas.ids import CardId, MemberId
from schemas.programme import ProgrammeFile
from services.accrual.batch import BatchBooker
from services.accrual.incoming import Headers, Incoming, Reading, SenderKeys, record_id
from services.journal import programmes
from services.journal.headroom import open_first_room
from services.journal.members import enrol
from services.journal.migrate import add_month, connect, drop, migrate, schema_of
from services.journal.names import Names
from services.journal.windows import open_window
from services.night.books import PgNight
from tests.contract.fakes import MemoryBooks
from tests.short import MONDAY, Json, value_of

TOPIC = MemoryBooks.topic
Row = tuple[str, int, str, str | None]
"""Code, amount, sponsor, counterparty."""


@dataclass(frozen=True)
class Points:
    """A member's points."""

    available: int
    pending: int
    held: int
    owed: int


class Books(Protocol):
    """Books under test, a log to append to, and a processor that books when it is told to."""

    books: NightBooks
    file: ProgrammeFile

    def send(self, *events: Json, partition: int = 0) -> None:
        """Appends events to the log, where they wait to be booked."""

    def book(self) -> None:
        """Books what a processor may book now."""

    def points(self, member: str) -> Points:
        """A member's points."""

    def lots(self, member: str) -> list[tuple[str, date, date | None, int, int]]:
        """Sponsor, expiry, release, points and expired points of each lot that has any, sorted."""

    def outcome(self, event_id: str) -> str:
        """`accepted 2026-03-02` with the window in which it took effect, `rejected code`, `held`, `waiting`."""

    def rows(self, day: date) -> list[Row]:
        """The journal's rows of a window, sorted."""

    def everything(self) -> Any:
        """All that was ever written, to be compared with what is there later."""


class MemoryHouse:
    """The fake."""

    def __init__(self, file: ProgrammeFile, partitions: int) -> None:
        self.file = file
        self.memory = MemoryBooks(Plan(file), MONDAY, partitions=partitions)
        self.books: NightBooks = self.memory
        self.memory.enrol("m1", "c1")
        self.memory.enrol("m2", "c2")

    def send(self, *events: Json, partition: int = 0) -> None:
        for event in events:
            self.memory.append(value_of(event), partition)

    def book(self) -> None:
        self.memory.book()

    def points(self, member: str) -> Points:
        one = self.memory.facts.by_id[MemberId(member)]
        return Points(one.available, one.pending, one.held, one.owed)

    def lots(self, member: str) -> list[tuple[str, date, date | None, int, int]]:
        lots = self.memory.facts.by_id[MemberId(member)].lots or {}
        return sorted(((k.sponsor, k.expiry, k.release_on, one.points, one.expired) for k, one in lots.items() if one.points or one.expired), key=str)

    def outcome(self, event_id: str) -> str:
        found = self._of(event_id)
        decision = found[-1][1]
        if decision.code is not None:
            return f"rejected {decision.code}"
        return f"accepted {next(of for of, one in found if one.outcome == 'accepted')}" if decision.outcome == "accepted" else str(decision.outcome)

    def _of(self, event_id: str) -> list[tuple[date, Any]]:
        return next(found for found in self.memory.decisions.values() if found[-1][1].received.event.id == event_id)

    def rows(self, day: date) -> list[Row]:
        of_day = [(row.amount, row.what) for of, row in self.memory.journal if of == day]
        found = [(Code(what.code).name, amount, str(what.sponsor), what.counterparty and str(what.counterparty)) for amount, what in of_day]
        return sorted(found, key=str)

    def everything(self) -> Any:
        memory = self.memory
        windows = {day: (window.state, window.booked, tuple(window.cuts), frozenset(window.steps)) for day, window in memory.windows.items()}
        decisions = {record: len(found) for record, found in memory.decisions.items()}
        members = [(self.points(member), self.lots(member)) for member in memory.facts.by_id]
        return windows, list(memory.journal), list(memory.totals), decisions, members, dict(memory.tally), dict(memory.runs), dict(memory.shared)


EVERYTHING = (
    "settlement_window", "cut", "night_step", "progress", "tally", "identity", "entry", "transfer", "total", "card", "member", "lot", "held", "waiting",
    "original", "outbox", "obligation", "carried", "run", "deferred", "shared_use",
    "unfunded", "headroom", "headroom_use",
)  # fmt: skip
POINTS = "select available, pending, held, owed from member where id = %s"
LOTS = """
select p.id, l.expiry, nullif(l.release_on, '0001-01-01'), l.points, l.expired from lot l join member m on m.no = l.member join party p on p.no = l.sponsor
where m.id = %s and (l.points > 0 or l.expired > 0)
"""
ROWS = """
select t.code, t.amount, s.id, c.id from transfer t join party s on s.no = t.sponsor left join party c on c.no = t.counterparty where t.day = %s
"""


class PgHouse:
    """The books on PostgreSQL; the log and the processor's reading are the test's."""

    def __init__(self, file: ProgrammeFile, partitions: int, uri: str, schema: str, keys: SenderKeys | None = None) -> None:
        self.file = file
        self.uri, self.schema = uri, schema
        self.connection: psycopg.Connection = connect(uri, schema, autocommit=True)
        programmes.store(self.connection, file, "")
        enrol(self.connection, [(MemberId(f"m{no}"), "consumer", {}, (CardId(f"c{no}"),)) for no in (1, 2)])
        open_window(self.connection, MONDAY, None, self._received(MONDAY))
        plan, names = Plan(file), Names(self.connection)
        self.topic = names.topic[TOPIC]
        self.log: list[list[Incoming]] = [[] for _ in range(partitions)]
        open_first_room(self.connection, file, MONDAY, partitions)
        self.connection.execute("insert into progress select %s, no, 0 from generate_series(0, %s) no", (self.topic, partitions - 1))
        self.kafka_topics = {no: f"harvest.{name}" for name, no in names.topic.items()}
        self.reading = Reading(file, keys or SenderKeys(None))
        self.booker = BatchBooker(self.connection, plan, names, self.kafka_topics)
        self.night = PgNight(connect(uri, schema, autocommit=True), plan, self.kafka_topics, self._ends, self._drain, self._next)
        self.books: NightBooks = self.night

    def close(self) -> None:
        """Gives up the connections."""
        self.connection.close()
        self.night.connection.close()

    def _received(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=Plan(self.file).zone)

    def _ends(self, _: datetime | None) -> dict[tuple[int, int], int]:
        return {(self.topic, no): len(part) for no, part in enumerate(self.log)}

    def _drain(self, day: date) -> None:
        while self.night.behind(day):
            self.book()

    def _next(self, day: date) -> tuple[date, datetime | None, datetime | None]:
        following = day + timedelta(days=1)
        return following, None, self._received(following)

    def send(self, *events: Json, partition: int = 0) -> None:
        for event in events:
            self.append(value_of(event), partition=partition)

    def append(self, value: bytes, headers: Headers | None = None, *, partition: int = 0) -> Incoming:
        """Appends a record to the log, as it is; returns it as it was read."""
        part, order = self.log[partition], sum(map(len, self.log))
        offset = len(part)
        at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(milliseconds=order)
        incoming = Incoming(record_id(self.topic, partition, offset), self.topic, partition, offset, offset, 0, at, value)
        part.append(self.reading.read(incoming, headers))
        return part[-1]

    def book(self) -> None:
        batch = self.waiting()
        if batch:
            self.booker.book(batch)

    def waiting(self) -> list[Incoming]:
        """Records that the books have not got to."""
        at: dict[int, int] = dict(self.connection.execute("select part, next_offset from progress where topic = %s", (self.topic,)).fetchall())
        return [incoming for no, part in enumerate(self.log) for incoming in part[at[no] :]]

    def points(self, member: str) -> Points:
        row = self.connection.execute(POINTS, (member,)).fetchone()
        assert row is not None
        return Points(*row)

    def lots(self, member: str) -> list[tuple[str, date, date | None, int, int]]:
        return sorted(self.connection.execute(LOTS, (member,)).fetchall(), key=str)

    def outcome(self, event_id: str) -> str:
        row = self.connection.execute("select outcome, code, booked from entry where id = %s order by received_at desc limit 1", (event_id,)).fetchone()
        assert row is not None
        outcome, code, booked = row
        return f"rejected {code}" if code else f"accepted {booked}" if booked else str(outcome)

    def rows(self, day: date) -> list[Row]:
        found = [(Code(code).name, amount, sponsor, counterparty) for code, amount, sponsor, counterparty in self.connection.execute(ROWS, (day,))]
        return sorted(found, key=str)

    def everything(self) -> Any:
        return {table: self.connection.execute(f"select t::text from {table} t order by 1").fetchall() for table in EVERYTHING}  # noqa: S608


@contextmanager
def on_postgres(uri: str, file: ProgrammeFile, partitions: int = 1, keys: SenderKeys | None = None) -> Iterator[PgHouse]:
    """A schema of a test's own; with `keys`, every record must be signed."""
    schema = schema_of(f"contract-{secrets.token_hex(5)}")
    migrate(uri, schema)
    add_month(uri, schema, MONDAY)
    house = PgHouse(file, partitions, uri, schema, keys)
    try:
        yield house
    finally:
        house.close()
        drop(uri, schema)
