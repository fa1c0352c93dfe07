"""Runs scenarios through the real path: Kafka, the processor, PostgreSQL, the night run; each in a namespace of its own."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaException, Producer

from clearing.night import run_night
from clearing.ports import Refusal
from schemas.programme import ProgrammeFile
from schemas.scenario import Scenario
from services.accrual.processor import Processor
from services.accrual.source import consumer_settings
from services.documents.findings import FileError, Finding
from services.journal import programmes
from services.journal.headroom import TOPIC, open_first_room
from services.journal.members import enrol
from services.journal.migrate import add_month, connect, drop, migrate, schema_of
from services.journal.windows import open_window
from services.kafka import topics
from services.kafka.producer import producer
from services.night.books import PgNight
from services.runtime.errors import LocalRuntimeError
from services.runtime.local import Addresses, ensure
from services.scenario.compare import judged
from services.scenario.expand import Outgoing, events_file, expand, outgoing_lines
from services.scenario.failures import StoppedError, findings_of
from services.scenario.outcome import outcome_of
from services.scenario.read import name_of, read_scenario

log = structlog.get_logger()

PARTITIONS = {"partner.transactions.v1": 2, "bank.card-transactions.v1": 1, "member.events.v1": 1}
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What a scenario brought about, and where it differs from what was expected."""

    name: str
    report: dict[str, Any]
    differences: list[str]


@dataclass(frozen=True, slots=True)
class UnusableScenario:
    """A file that was not run, or not to its end, and why. `name`: of the scenario, where the file could be read so far, else of the file."""

    path: Path
    name: str
    findings: tuple[Finding, ...]


def run_files(paths: Sequence[Path], progress: Progress = lambda _step: None) -> Iterator[ScenarioResult | UnusableScenario]:
    """Runs scenario files one after the other, in their order; they share one start of the local services.

    All files are read first. Whatever fails in one of them, the others are run. Raises LocalRuntimeError where the local services cannot be had,
    after those that cannot be used whatever runs.
    """
    read = [_read(path) for path in paths]
    lines: Lines | None = None
    for at, each in enumerate(read):
        if isinstance(each, UnusableScenario):
            yield each
            continue
        path, scenario, file = each
        try:
            if lines is None:
                progress("start Kafka and PostgreSQL")
                lines = _connected()
            progress(scenario.scenario)
            result: ScenarioResult | UnusableScenario = run_scenario(scenario, file, path.parent, lines)
        except LocalRuntimeError:
            yield from (later for later in read[at:] if isinstance(later, UnusableScenario))
            raise
        except Exception as error:  # whatever it was, it is told of this file
            log.debug("a scenario was not run to its end", exc_info=True)
            _hung_up(lines)
            lines = None  # what it left of its connections is not for the next
            result = UnusableScenario(path, scenario.scenario, findings_of(error, path, scenario))
        yield result
    _hung_up(lines)


def _read(path: Path) -> tuple[Path, Scenario, ProgrammeFile] | UnusableScenario:
    try:
        return path, *read_scenario(path)
    except FileError as error:
        return UnusableScenario(path, name_of(path), error.findings)


@dataclass(frozen=True, slots=True)
class Lines:
    """Connections that all scenarios of a call share: opening them takes longer than a small scenario."""

    addresses: Addresses
    sender: Producer
    consumer: Consumer


def _connected() -> Lines:
    addresses = ensure()
    bootstrap = addresses.kafka_bootstrap
    return Lines(addresses, producer(bootstrap, **{"linger.ms": 1}), Consumer(consumer_settings(bootstrap, "clh.scenario")))


def _hung_up(lines: Lines | None) -> None:
    """Closes the reading connection; one that a failure has left unusable is given up as it is."""
    if lines is not None:
        with suppress(KafkaException, RuntimeError):
            lines.consumer.close()


def run_scenario(scenario: Scenario, file: ProgrammeFile, folder: Path, lines: Lines) -> ScenarioResult:
    """Runs one scenario and compares its report with what it expects."""
    with namespace(file, lines.addresses) as (name, schema):
        started = Run(scenario, file, lines, name, schema)
        try:
            report = started.to_the_end(folder)
        finally:
            started.close()
    report = judged(scenario.expect.named() if scenario.expect is not None else {}, report)
    return ScenarioResult(scenario.scenario, report, report["differences"])


@contextmanager
def namespace(file: ProgrammeFile, addresses: Addresses) -> Iterator[tuple[str, str]]:
    """Topics and a schema that nobody else uses, removed afterwards."""
    name = f"scenario-{secrets.token_hex(6)}"
    schema = schema_of(name)
    migrate(addresses.postgres_uri, schema)
    topics.create(addresses.kafka_bootstrap, name, partitions=PARTITIONS, only=PARTITIONS)
    try:
        with connect(addresses.postgres_uri, schema) as connection:
            programmes.store(connection, file, "")
        yield name, schema
    finally:
        drop(addresses.postgres_uri, schema)
        topics.delete(addresses.kafka_bootstrap, name)


class Run:
    """One scenario in its namespace: each listed day is a window, published, drained and cleared."""

    def __init__(self, scenario: Scenario, file: ProgrammeFile, lines: Lines, name: str, schema: str) -> None:
        addresses = lines.addresses
        self.scenario = scenario
        self.file = file
        self.sender = lines.sender
        self.name = name
        self.days = [day.day for day in scenario.days]
        for day in self.days:
            add_month(addresses.postgres_uri, schema, day)
        self.processor = Processor(addresses.postgres_uri, addresses.kafka_bootstrap, schema, namespace=name, batch_max=50_000, consumer=lines.consumer)
        self.connection = connect(addresses.postgres_uri, schema, autocommit=True)
        self.ends = topics.Ends(addresses.kafka_bootstrap, self.processor.numbers)
        plan = self.processor.booker.plan
        self.night = PgNight(self.connection, plan, self.processor.kafka_topics, self.ends.at, self._drain, self._next, by_hand=True)
        self.partitions = self.ends.partitions
        self.reading = False
        self.zone = plan.zone

    def close(self) -> None:
        """Stops reading and gives up the connections."""
        self.sender.flush()
        if self.reading:
            self.processor.source.stop()
        self.processor.connection.close()
        self.ends.close()
        self.connection.close()

    def to_the_end(self, folder: Path) -> dict[str, Any]:
        """Runs all days; returns the report without its comparison."""
        with self.connection.transaction():
            members = [(m.id, m.kind, m.attributes | {"enrolled_on": m.enrolled.isoformat()}, m.cards) for m in self.scenario.members]
            enrol(self.connection, members)
        open_window(self.connection, self.days[0], None, self._received(self.days[0]))
        open_first_room(self.connection, self.file, self.days[0], PARTITIONS[TOPIC])
        refused: list[Refusal] = []
        for at, day in enumerate(self.scenario.days):
            try:
                self._publish(self._events(day, folder))
                run_night(day.day, self.file, self.night)
            except Refusal as refusal:
                refused.append(refusal)
            except Exception as error:
                raise StoppedError(at) from error
        return outcome_of(self.connection, self.file, self.scenario.scenario, refused)

    def _events(self, day: Any, folder: Path) -> Iterable[Outgoing]:
        if day.events_file is None:
            return expand(day.events, self.file)
        return outgoing_lines(events_file(folder / day.events_file))

    def _publish(self, events: Iterable[Outgoing]) -> None:
        """Sends in order. Where the topic changes, the broker's clock ticks first, so that its time keeps the order across topics."""
        topic = None
        for event in events:
            if topic is not None and event.topic != topic:
                self.sender.flush()
                time.sleep(0.002)
            topic = event.topic
            self._produce(f"{self.name}.{topic}", event)
            self.sender.poll(0)
        self.sender.flush()

    def _produce(self, topic: str, event: Outgoing) -> None:
        """Waits while the queue is full."""
        while True:
            try:
                self.sender.produce(topic, value=event.value, key=event.key)
            except BufferError:
                self.sender.poll(0.1)
            else:
                return

    def _received(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=self.zone)

    def _next(self, day: date) -> tuple[date, datetime | None, datetime | None] | None:
        later = self.days[self.days.index(day) + 1 :]
        return (later[0], None, self._received(later[0])) if later else None

    def _drain(self, day: date) -> None:
        names = self.processor.kafka_topics
        ends = {(names[topic], part): end for topic, part, end in self.connection.execute("select topic, part, end_offset from cut where day = %s", (day,))}
        if not self.reading:  # what is read before the first event is there makes the client wait before it asks again
            self.processor.source.start(self.partitions)
            self.reading = True
        while self.night.behind(day):
            self.processor.gather(ends)
            self.processor.step()
