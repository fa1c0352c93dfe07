"""The relay: one for each shard of a programme, under an advisory lock; tells what is in the outbox, then moves its cursor.

A row may be sent when its transaction and all before it have ended: `xid < pg_snapshot_xmin`. By sequence numbers alone rows would be lost,
since these commit out of order. The cursor moves only after the broker has acknowledged everything up to it, so a relay that dies at any moment
sends some rows again, with the same ids, and none too few. Rows below the cursor are deleted.
"""

from collections.abc import Sequence

import psycopg
import structlog
from confluent_kafka import KafkaException, Producer
from psycopg.rows import args_row

from schemas.ids import ProgrammeId
from schemas.topics import topic_name
from services.journal import programmes
from services.journal.migrate import connect
from services.kafka.producer import producer
from services.outage import Outage
from services.outbox.envelopes import Envelopes, Row
from services.stop import Stop

log = structlog.get_logger()

SHARD = 0
"""The one shard of a programme: order is kept over all its answers."""
BATCH_ROWS = 5_000
TIDY_ROWS = 20_000
IDLE_S = 0.05
STANDBY_S = 0.5
STOP_S = 5.0
"""How long a relay that is stopped waits for what it has handed to the producer."""

Cursor = tuple[str, int]
"""Transaction (an xid8, as text) and sequence number of the last row that was told."""

# Two numbers name the lock: the programme's books and the shard.
LOCK = "select pg_try_advisory_lock(hashtext('clh relay ' || current_schema()), %s)"
CURSOR = "select xid::text, seq from relay where shard = %s"
# The rows after the cursor whose transactions have all ended, in their order; then what their entries say, each found by its record.
ROWS = """
with told as materialized (
  select xid, seq, record, day, topic, key, body from outbox
  where (xid, seq) > (%(xid)s::xid8, %(seq)s::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
  order by xid, seq limit %(rows)s
)
select t.xid::text, t.seq, t.record, e.outcome, e.answer, coalesce(e.received_at, (t.body::jsonb ->> 'at')::timestamptz, n.made_at, now()),
  e.card, e.body, e.raw, t.topic, t.key, t.body
from told t
left join lateral (
  select outcome, answer, received_at, card, case when outcome = 'rejected' then body end body, raw from entry where record = t.record and day = t.day limit 1
) e on true
left join lateral (select max(made_at) made_at from run where t.topic is not null and run.day = (t.body::jsonb ->> 'window')::date) n on true
order by t.xid, t.seq
"""
# Each entry is found by the index on its record, whatever the planner knows about tables that have only just begun to fill.
PLANS = "set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off"
MOVE = "update relay set xid = %s::xid8, seq = %s where shard = %s and xid = %s::xid8 and seq = %s"
TIDY = """
delete from outbox where ctid = any(array(
  select ctid from outbox where (xid, seq) > (%s::xid8, %s::bigint) and (xid, seq) <= (%s::xid8, %s::bigint) order by xid, seq limit %s
))
"""
# After a restore into another server, its transaction numbers begin lower than those in the books.
FROM_ELSEWHERE = """
select exists (select from relay where shard = %s and xid >= pg_snapshot_xmax(pg_current_snapshot()))
    or exists (select from outbox where xid >= pg_snapshot_xmax(pg_current_snapshot()))
"""
ADOPT = """
insert into outbox (record, day, topic, key, body)
select record, day, topic, key, body from outbox where (xid, seq) > (select xid, seq from relay where shard = %s) order by xid, seq
"""
ADOPTED = "delete from outbox where xid >= pg_snapshot_xmax(pg_current_snapshot()) and xid <> pg_current_xact_id()"
RESTART = "update relay set xid = '0', seq = 0 where shard = %s"


class Undelivered(KafkaException):
    """The broker did not take a record: everything after the cursor is sent again."""


class MovedElsewhere(Exception):  # no error: another relay has the lock by now
    """The cursor is not where this relay left it."""


RETRIED = (psycopg.OperationalError, psycopg.InterfaceError, KafkaException)
PAUSE_MAX_S = 5.0


class Relay:
    """Sends one programme's outbox to Kafka."""

    def __init__(self, uri: str, bootstrap: str, schema: str, *, namespace: str | None = None, batch_rows: int = BATCH_ROWS) -> None:
        """`namespace`: what stands before the names of the topics; the programme's id unless told."""
        self.uri = uri
        self.schema = schema
        self.bootstrap = bootstrap
        self.batch_rows = batch_rows
        self._namespace = namespace

    def run(self, stop: Stop) -> None:
        """Relays until it is told to stop; waits for servers that are away."""
        outage = Outage(PAUSE_MAX_S, schema=self.schema)
        while not stop():
            try:
                self._run(stop)
            except MovedElsewhere:
                log.warning("the relay begins again at its cursor", schema=self.schema)
                stop.wait(STANDBY_S)
            except RETRIED as error:
                stop.wait(outage.pause_s(error))
            else:
                return

    def _run(self, stop: Stop) -> None:
        with connect(self.uri, self.schema, autocommit=True) as connection:
            connection.execute(PLANS)
            if not self._hold_lock(connection, stop):
                return
            file = programmes.load(connection)
            names = self._namespace or file.programme.id
            sending = Sending(
                connection, producer(self.bootstrap, **{"delivery.report.only.error": True}), names, file.programme.operator.party, self.batch_rows
            )
            log.info("relaying", programme=file.programme.id)
            try:
                sending.run(stop)
            finally:
                sending.close()

    def _hold_lock(self, connection: psycopg.Connection, stop: Stop) -> bool:
        """Waits until no other relay has the shard; False: stopped before."""
        while connection.execute(LOCK, (SHARD,)).fetchone() != (True,):
            if stop():
                return False
            stop.wait(STANDBY_S)
        return True


class Sending:
    """What a relay does while it holds the lock: read, send, wait for the broker, move the cursor; reading overlaps with sending."""

    def __init__(self, connection: psycopg.Connection, sender: Producer, namespace: str, operator: str, batch_rows: int = BATCH_ROWS) -> None:
        self.connection = connection
        self.sender = sender
        self.batch_rows = batch_rows
        self.envelopes = Envelopes(f"/operator/{operator}")
        self._names: dict[str, str] = {}
        self._namespace = ProgrammeId(namespace)
        self._failed: list[str] = []
        self._adopt()
        row = connection.execute(CURSOR, (SHARD,)).fetchone()
        assert row is not None, "the books have the shard"
        self.cursor: Cursor = row
        self._tidied: Cursor = ("0", 0)
        self._untidy = 1

    def run(self, stop: Stop) -> None:
        """Sends until it is told to stop, or until something fails; then the lock is given up with the connection."""
        rows = self.read(self.cursor)
        while not stop():
            if not rows:
                self.tidy()
                stop.wait(IDLE_S)
                rows = self.read(self.cursor)
                continue
            rows = self.send(rows, stop)

    def send_all(self) -> int:
        """Sends what may be sent now; returns how many rows that were."""
        sent = 0
        rows = self.read(self.cursor)
        while rows:
            sent += len(rows)
            rows = self.send(rows, Stop())
        return sent

    def send(self, rows: Sequence[Row], stop: Stop) -> Sequence[Row]:
        """Sends rows and moves the cursor behind them; returns the rows after them, read meanwhile."""
        self._produce(rows)
        end = (rows[-1].xid, rows[-1].seq)
        following = self.read(end)
        if not self._delivered(stop):
            return ()
        if self.connection.execute(MOVE, (*end, SHARD, *self.cursor)).rowcount != 1:
            raise MovedElsewhere
        self.cursor = end
        self._untidy += len(rows)
        if self._untidy >= TIDY_ROWS:
            self.tidy()
        return following

    def read(self, after: Cursor) -> Sequence[Row]:
        """The rows after a cursor that may be sent."""
        cursor = self.connection.cursor(binary=True, row_factory=args_row(Row))
        return cursor.execute(ROWS, {"xid": after[0], "seq": after[1], "rows": self.batch_rows}).fetchall()

    def tidy(self) -> None:
        """Deletes what lies below the cursor, some thousands at a time."""
        while self._untidy > 0:
            deleted = self.connection.execute(TIDY, (*self._tidied, *self.cursor, TIDY_ROWS)).rowcount
            if deleted < TIDY_ROWS:
                self._tidied = self.cursor
                self._untidy = 0

    def close(self) -> None:
        """Gives up what was not acknowledged: the cursor stands before it."""
        self.sender.purge()
        self.sender.flush(1)

    def _produce(self, rows: Sequence[Row]) -> None:
        produce, of, names = self.sender.produce, self.envelopes.of, self._names
        for row in rows:
            message = of(row)
            if message is None:
                continue
            name = names.get(message.topic)
            if name is None:
                name = names[message.topic] = topic_name(self._namespace, message.topic)
            while True:
                try:
                    produce(name, message.value, message.key, headers=message.headers, on_delivery=self._report)
                    break
                except BufferError:
                    self.sender.poll(0.05)

    def _report(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed.append(str(error))

    def _delivered(self, stop: Stop) -> bool:
        """Waits until the broker has everything. Raises `Undelivered`; False: the relay was stopped, and it took too long."""
        waited = 0.0
        while self.sender.flush(0.25):
            waited += 0.25 if stop() else 0
            if waited >= STOP_S:
                return False
            if self._failed:
                break
        if self._failed:
            raise Undelivered(self._failed[0])
        return True

    def _adopt(self) -> None:
        """Gives the rows of books that come from another server transaction numbers of this one."""
        if self.connection.execute(FROM_ELSEWHERE, (SHARD,)).fetchone() != (True,):
            return
        with self.connection.transaction():
            self.connection.execute(ADOPT, (SHARD,))
            self.connection.execute(ADOPTED)
            self.connection.execute(RESTART, (SHARD,))
        log.warning("the books come from another server: its transaction numbers were replaced")
