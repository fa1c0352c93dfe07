"""The loop that books: take a batch, book it in one transaction, tell Kafka how far we are.

What can go wrong here and what then happens: a partition that went on elsewhere is read again from the books; a database that is away is waited
for; a deploy that can read nothing stops at the dead-letter cap instead of draining a topic into the rejections.
"""

import gc
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psycopg
import structlog
import tenacity
from confluent_kafka import Consumer

from clearing.plan import Plan
from services.accrual.batch import BatchBooker, LostPartition, Progressed
from services.accrual.incoming import Incoming, Reading, SenderKeys
from services.accrual.source import Source, consumer_settings
from services.journal import programmes
from services.journal.migrate import connect
from services.journal.names import Names
from services.kafka.clients import consumer as kafka_consumer
from services.outage import Outage

log = structlog.get_logger()

RETRIED = tenacity.retry_if_exception_type((psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.IdleInTransactionSessionTimeout))
PAUSE = tenacity.wait_random_exponential(multiplier=0.05, max=2)
SAID_FROM_TRY = 3
AWAY_SECONDS = 300
"""How long a database that is away is waited for."""
STANDS_STILL_MS = 30_000
"""A batch whose processor stands still (frozen, or its machine lost or cut off) is undone by the database after so long: others go on."""

BATCH_MAX = 3_000
SWITCH_SECONDS = 0.0005
"""How long the reading thread may keep the interpreter when the database has answered; the default of 5 ms costs a tenth of the throughput."""
DEAD_LETTERS_IN_A_ROW_MAX = 2_000
DEAD_LETTER_SHARE_MAX = 0.5
"""More unreadable records than this share of the last `DEAD_LETTERS_IN_A_ROW_MAX` stop the processor."""

# A row that is there is not touched: in the middle of another's batch, inserting it again would wait for that batch.
NEW_PARTITIONS = """
insert into progress select n.*, 0 from unnest(%s::smallint[], %s::int[]) n (topic, part)
where not exists (select from progress p where (p.topic, p.part) = (n.topic, n.part)) on conflict do nothing
"""


class TooManyDeadLetters(RuntimeError):
    """Nearly nothing can be read any more: the processor stops before it refuses a whole topic."""


@dataclass(slots=True)
class DeadLetterCap:
    """Counts unreadable records among the latest ones."""

    records: int = 0
    unreadable: int = 0

    def add(self, done: Progressed) -> None:
        """Raises `TooManyDeadLetters` when the cap is passed."""
        self.records += done.booked
        self.unreadable += done.unreadable
        if self.unreadable >= DEAD_LETTERS_IN_A_ROW_MAX and self.unreadable > self.records * DEAD_LETTER_SHARE_MAX:
            raise TooManyDeadLetters(f"{self.unreadable} of the last {self.records} records could not be read")
        if self.records >= 4 * DEAD_LETTERS_IN_A_ROW_MAX:
            self.records //= 2
            self.unreadable //= 2


class Processor:
    """Books one programme's topics. Several of them share the partitions by the consumer group."""

    def __init__(
        self,
        uri: str,
        bootstrap: str,
        schema: str,
        *,
        keys: SenderKeys | None = None,
        batch_max: int = BATCH_MAX,
        namespace: str | None = None,
        consumer: Consumer | None = None,
    ) -> None:
        """`namespace`: what stands before the names of the topics; the programme's id unless told. `consumer`: one that is connected already."""
        self.uri = uri
        self.schema = schema
        self.cap = DeadLetterCap()
        self._outage = Outage(schema=schema)
        self.stopped = False
        self.pending: list[Incoming] = []
        self._connect()
        file = programmes.load(self.connection)
        self.kafka_topics = {self.names.topic[name]: f"{namespace or file.programme.id}.{name}" for name in programmes.INPUT_TOPICS}
        self.booker = BatchBooker(self.connection, Plan(file), self.names, self.kafka_topics)
        consumer = consumer or kafka_consumer(consumer_settings(bootstrap, f"clh.accrual.{schema}"))
        numbers = {name: no for no, name in self.kafka_topics.items()}
        self.source = Source(consumer, numbers, Reading(file, keys or SenderKeys(None)), self._positions, batch_max)
        self.numbers = numbers

    def _connect(self) -> None:
        self.connection = connect(self.uri, self.schema, autocommit=True)
        self.connection.execute("select set_config('idle_in_transaction_session_timeout', %s, false)", (str(STANDS_STILL_MS),))
        self.names = Names(self.connection)

    @tenacity.retry(retry=RETRIED, wait=PAUSE, stop=tenacity.stop_after_delay(AWAY_SECONDS), reraise=True)
    def _positions(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Where the books stand; a partition that is new to them starts at 0. No batch that is being booked is waited for."""
        wanted = list(partitions)
        topics, parts = [self.numbers[topic] for topic, _ in wanted], [part for _, part in wanted]
        with connect(self.uri, self.schema, autocommit=True) as connection:
            connection.execute(NEW_PARTITIONS, (topics, parts))
            rows = connection.execute("select topic, part, next_offset from progress")
            at = {(topic, part): offset for topic, part, offset in rows}
        return {(topic, part): at[self.numbers[topic], part] for topic, part in wanted}

    def run(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Books until it is told to stop."""
        self.source.start()
        gc.collect()
        gc.freeze()
        gc.disable()
        sys.setswitchinterval(SWITCH_SECONDS)
        batches = 0
        try:
            while not should_stop():
                self.step()
                batches += 1
                if batches % 50 == 0:
                    gc.collect(1)
        finally:
            gc.enable()
            self.source.stop()
            self.connection.close()

    def step(self, seconds: float = 0.05) -> Progressed:
        """Takes what is there and books what may be booked now."""
        if len(self.pending) < self.source.batch_max:  # more than a batch behind the cut: nothing else is read before the night is done
            self.pending += self.source.batch(0 if self.pending else seconds)
        self.pending = [incoming for incoming in self.pending if incoming.generation == self.source.generation]
        if not self.pending:
            return Progressed()
        try:
            done = self._book()
        except LostPartition:
            log.warning("a partition went on elsewhere: reading again from the books")
            self.pending = []
            self.source.read_again()
            return Progressed()
        self.pending = done.left
        self.cap.add(done)
        self.source.tell({(self.kafka_topics[topic], part): offset for (topic, part), offset in done.next_offsets.items()})
        return done

    def gather(self, ends: dict[tuple[str, int], int]) -> None:
        """Reads on until every partition is read to its end, without booking; what came from several partitions is then booked in one order."""
        while not self.source.has_read(ends):
            self.pending += self.source.batch(0.05)
        while batch := self.source.batch(0):
            self.pending += batch

    def _book(self) -> Progressed:
        """Books; while the database is away, waits for it and takes the same batch again."""
        for attempt in tenacity.Retrying(retry=RETRIED, wait=PAUSE, stop=tenacity.stop_after_delay(AWAY_SECONDS), before_sleep=self._say, reraise=True):
            with attempt:
                if self.connection.closed or self.connection.broken:
                    self._connect()
                    self.booker = BatchBooker(self.connection, self.booker.plan, self.names, self.kafka_topics)
                return self.booker.book(self.pending)
        raise AssertionError("either a batch is booked or its error is raised")

    def _say(self, state: tenacity.RetryCallState) -> None:
        """That the database is away; when it has been for a moment only, nobody needs to know."""
        error = state.outcome.exception() if state.outcome is not None else None
        if error is not None and state.attempt_number >= SAID_FROM_TRY:
            self._outage.say(error, state.upcoming_sleep)
