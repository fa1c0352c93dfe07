"""A new attempt: refused events are booked as if they came now, in the order in which they came then, into the window that is open.

An attempt is one transaction, under the same locks as a batch. The entry says what became of the event; the attempt is recorded beside it, and the
answer is sent. What the day of receipt counted as refused stays counted there: that is how its window was cleared. An event does not become too old
by the house's own delay. What an event names (the purchase of a return) has to be there: an attempt does not wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import psycopg

from clearing.booking import Booking
from clearing.events import Decision, Outcome, Received
from clearing.plan import Plan
from schemas.events.decode import decode
from schemas.ids import PartyId, RecordId
from services.accrual.batch import BatchBooker, write_booked
from services.dlq.refused import RETRYABLE
from services.journal import programmes
from services.journal.headroom import room_of_night
from services.journal.names import Names

BATCH = 1_000

# An event that another attempt has accepted meanwhile is left out.
LOCK = """
select e.record, e.day, s.uri, e.body, e.received_at, e.code from entry e join source s on s.no = e.source
where e.record = any(%s) and e.outcome = 'rejected' and e.code = any(%s) and e.body is not null order by e.record for update of e
"""
PLACE = "update entry set party = %s, card = %s where record = %s"
RECORD = """
insert into attempt (record, no, by_whom, day, code, outcome, refused)
values (%(record)s, (select count(*) + 1 from attempt where record = %(record)s), %(by_whom)s, %(day)s, %(code)s, %(outcome)s, %(refused)s)
"""


class NotNow(RuntimeError):
    """No window is open: a night is being run, or it was left half done."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one event; `code` is why it was refused again."""

    record: int
    source: str
    id: str
    before: str
    outcome: str
    code: str | None
    detail: str | None


class Retrying:
    """Tries events again on a connection to a programme's books (autocommit)."""

    def __init__(self, connection: psycopg.Connection, by_whom: str) -> None:
        file = programmes.load(connection)
        names = Names(connection)
        kafka_topics = {no: f"{file.programme.id}.{name}" for no, name in names.topic_name.items()}
        self.connection = connection
        self.names = names
        self.plan = Plan(file)
        self.by_whom = by_whom
        self.booker = BatchBooker(connection, self.plan, names, kafka_topics)

    def retry(self, records: Sequence[int]) -> list[Attempt]:
        """Tries at most `BATCH` events in one transaction. Raises `NotNow`."""
        with self.connection.transaction():
            window = self.booker.window()
            if window is None or window.state != "open":
                raise NotNow("no window is open: clh window list")
            rows = self.connection.execute(LOCK, (list(records), list(RETRYABLE))).fetchall()
            days = {RecordId(record): day for record, day, *_ in rows}
            before: dict[RecordId, str] = {RecordId(row[0]): row[5] for row in rows}
            events = [self._received(RecordId(record), uri, body, at) for record, _, uri, body, at, _ in rows]
            decisions = self._book(sorted(events, key=lambda event: (event.received_at, event.record)), window.day, days)
            attempts = [_attempt(decisions[record], before[record]) for record in before]
            self.connection.cursor().executemany(
                RECORD,
                [{"record": a.record, "by_whom": self.by_whom, "day": window.day, "code": a.before, "outcome": a.outcome, "refused": a.code} for a in attempts],
            )
        return attempts

    @staticmethod
    def _received(record: RecordId, uri: str, body: str, received_at: object) -> Received:
        value = body.encode()
        return Received(record, received_at, decode(value), PartyId(uri.split("/", 2)[2]), value)  # type: ignore[arg-type]

    def _book(self, events: Sequence[Received], window: date, days: dict[RecordId, date]) -> dict[RecordId, Decision]:
        facts, wanted = self.booker.facts.read(events)
        facts.headroom = room_of_night(self.plan, window)
        booking = Booking(self.plan, window, facts, wanted=wanted, final=True)
        booking.oldest = date.min
        booked = booking.book_all(events)
        last = {decision.received.record: decision for decision in booked.decisions}
        writer = self.booker.writer
        outbox = write_booked(self.connection, writer, self.booker, booked, facts, list(last.values()), window)
        own = [last[record] for record in days]
        self.connection.cursor().executemany(PLACE, [(self.names.party.get(d.received.sender), d.card, d.received.record) for d in own])
        for decision in own:
            if decision.outcome is Outcome.HELD:
                day = days[decision.received.record]
                writer.hold(decision.received.record, day, decision.card, decision.day, decision.received.received_at)
                outbox.append((decision.received.record, day))
        writer.outbox(outbox)
        return last


def _attempt(decision: Decision, before: str) -> Attempt:
    event = decision.received.event
    refused = decision.outcome is Outcome.REJECTED
    code = decision.code.value if refused and decision.code is not None else None
    return Attempt(decision.received.record, event.source, event.id, before, decision.outcome.value, code, decision.detail if refused else None)
