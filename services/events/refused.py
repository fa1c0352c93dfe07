"""What was refused in a window, and what is held: read from the books a page at a time, each with the place of its record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar

import psycopg

from schemas.events.answers import RejectionCode
from services.accrual.incoming import place_of
from services.journal import programmes

# The entries of a window lie together: they are found by the index over days of their partition, whatever else it holds.
_REFUSED = """
from entry e left join source s on s.no = e.source
where e.day = %(day)s and e.outcome = 'rejected' and (%(codes)s::text[] is null or e.code = any(%(codes)s))
  and (%(party)s::text is null or split_part(s.uri, '/', 3) = %(party)s)
"""
REFUSED = f"""
select e.record, s.uri, e.id, e.type, e.received_at, e.code, e.pointer, e.detail {_REFUSED}
order by e.received_at, e.record limit %(limit)s offset %(first)s
"""
REFUSED_COUNT = f"select count(*) {_REFUSED}"
_HELD = """
from held h join entry e on e.record = h.record and e.day = h.day left join source s on s.no = e.source
where (%(party)s::text is null or split_part(s.uri, '/', 3) = %(party)s) and (%(card)s::text is null or h.card = %(card)s)
"""
HELD = f"""
select h.record, s.uri, e.id, e.type, h.received_at, h.card, h.event_day {_HELD}
order by h.event_day, h.record limit %(limit)s offset %(first)s
"""
HELD_COUNT = f"select count(*) {_HELD}"
Row = TypeVar("Row")
RETRYABLE = frozenset(code.value for code in RejectionCode if code.retryable)


@dataclass(frozen=True, slots=True)
class Record:
    """Where a record lies in Kafka."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Refused:
    """One event that was refused; without an id and a source where it could not be read so far."""

    record: Record
    source: str | None
    id: str | None
    type: str | None
    received_at: datetime
    code: str
    pointer: str
    detail: str

    @property
    def next(self) -> str:
        """The command that leads on."""
        if self.code in RETRYABLE and self.id is not None:
            return f"clh dlq replay --id {self.id}"
        return f"clh explain event {self.id if self.id is not None else self.record}"


@dataclass(frozen=True, slots=True)
class Held:
    """One event that is held, until whose card is known."""

    record: Record
    source: str | None
    id: str | None
    type: str | None
    received_at: datetime
    card: str
    event_day: date
    until: date
    """The last window in which the card can be enrolled for it."""

    @property
    def next(self) -> str:
        """The command that leads on."""
        return f"clh explain event {self.id}"


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some of all rows."""

    rows: tuple[Row, ...]
    of: int


def refused(connection: psycopg.Connection, day: date, *, party: str | None, codes: list[str] | None, first: int, limit: int) -> Page[Refused]:
    """The refused events of a window, in the order in which they were received."""
    values = {"day": day, "party": party, "codes": codes or None, "first": first, "limit": limit}
    place = places(connection)
    rows = tuple(Refused(place(record), *more) for record, *more in connection.execute(REFUSED, values))
    return Page(rows, _count(connection, REFUSED_COUNT, values))


def held(connection: psycopg.Connection, *, party: str | None, card: str | None, first: int, limit: int) -> Page[Held]:
    """The held events, those that lapse first before the others."""
    values = {"party": party, "card": card, "first": first, "limit": limit}
    place = places(connection)
    claim_days = timedelta(days=programmes.load(connection).programme.claim_days)
    rows = tuple(
        Held(place(record), source, id_, kind, received_at, shown, day, day + claim_days)
        for record, source, id_, kind, received_at, shown, day in connection.execute(HELD, values)
    )
    return Page(rows, _count(connection, HELD_COUNT, values))


def _count(connection: psycopg.Connection, statement: str, values: dict[str, Any]) -> int:
    row = connection.execute(statement, values).fetchone()
    return int(row[0]) if row is not None else 0


def places(connection: psycopg.Connection) -> Callable[[int], Record]:
    """Turns the number of a record into its place."""
    programme = programmes.load(connection).programme.id
    topics = {no: f"{programme}.{name}" for no, name in connection.execute("select no, name from topic")}

    def place(record: int) -> Record:
        topic, partition, offset = place_of(record)
        return Record(topics[topic], partition, offset)

    return place
