"""Plays the demo: each day is published, booked by the house's processes, and cleared at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException, Producer

from clearing.night import run_night
from schemas.ids import ProgrammeId
from schemas.programme import ProgrammeFile
from schemas.report import SettlementReport
from services.demo.live import LiveDay, live_day
from services.demo.source import Purchases
from services.demo.story import ZONE, DemoDay, Story
from services.demo.workers import Workers
from services.documents.load import read_text
from services.house import House
from services.journal.migrate import drop, schema_of
from services.kafka import topics
from services.kafka.producer import producer
from services.night.books import PgNight
from services.programme.read import parse_programme
from services.runtime.progress import Progress, silent
from services.scenario.expand import Outgoing

PROGRAMME_FILE = Path(__file__).parents[2] / "examples" / "demo.yaml"
PAUSE_S = 0.02

MAKING = "make books and topics"
STARTING = "start the processes, enrol the members"
BOOKING = "publish and book"
CLEARING = "clear the nights"
ANSWERING = "wait for the last answers"

BOOKED = "select coalesce(sum(next_offset), 0)::bigint from progress"
UNTOLD = "select count(*) from outbox o, relay r where (o.xid, o.seq) > (r.xid, r.seq)"
ACCEPTED = """
select p.id, count(*) from entry e join party p on p.no = e.party
where e.event_day = %s and e.type = 'purchase.v1' and e.outcome = 'accepted' group by p.id
"""
LAST_RUN = "select report from run where day = %s order by no desc limit 1"


class Stopped(Exception):  # no error: somebody has seen enough
    """The demo was told to stop."""


@dataclass(slots=True)
class Clock:
    """How long each phase took, in seconds."""

    phases: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Adds the time of the block to its phase."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases[phase] = self.phases.get(phase, 0.0) + time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Played:
    """What the demo has done."""

    file: ProgrammeFile
    reports: Sequence[SettlementReport]
    """Of every night, in order."""
    events: int
    lines: int
    """Lines of the source behind the purchases."""
    live: Sequence[LiveDay]
    """Live figures of the last day; none where counting had not come so far in time."""


def demo_programme(path: Path = PROGRAMME_FILE) -> tuple[ProgrammeFile, str]:
    """The programme of a demo, and its text. Raises what reading a file raises."""
    text = read_text(path)
    return parse_programme(text, str(path)), text


def play(
    house: House,
    purchases: Purchases,
    logs: Path,
    *,
    clock: Clock,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress = silent,
    on_night: Callable[[SettlementReport], int | None] = lambda _: None,
    story: Callable[[Purchases], Iterator[DemoDay]] = lambda purchases: Story(purchases).days(),
    programme_file: Path = PROGRAMME_FILE,
) -> Played:
    """Begins the demo's programme anew and plays every day of the purchases. Raises `WorkerEnded`, `Refusal`, `Stopped`.

    `on_night` is told of each night, and returns how many events it has published itself.
    """
    file, text = demo_programme(programme_file)
    programme = file.programme.id
    with clock(MAKING):
        progress("Books and topics", 0, None)
        reset(house, programme)
        house.apply(file, text, first_window=purchases.first)
        progress("Books and topics", 1, 1)
    with Workers(house, programme, logs) as workers, closing(_Days(house, programme, workers, clock, progress, stop)) as days:
        total = (purchases.last - purchases.first).days + 1
        reports: list[SettlementReport] = []
        lines = 0
        for day in _one_ahead(story(purchases)):
            progress("Days", len(reports), total)
            reports.append(days.play(day, first=not reports))
            lines += day.lines
            days.sent += on_night(reports[-1]) or 0
        progress("Days", total, total)
        progress("Last answers", 0, None)
        with clock(ANSWERING):
            days.until_told()
            live = days.live(purchases.last)
        progress("Last answers", 1, 1)
        return Played(file, reports, days.sent, lines, live)


def _one_ahead(days: Iterator[DemoDay]) -> Iterator[DemoDay]:
    """The same days; while one is played, the baskets of the next are made into events."""
    with ThreadPoolExecutor(1) as pool:
        ready = pool.submit(next, days, None)
        while (day := ready.result()) is not None:
            ready = pool.submit(next, days, None)
            yield day


def reset(house: House, programme: str) -> None:
    """Removes the books and topics of an earlier demo, and nothing of any other programme."""
    topics.delete(house.kafka_bootstrap, programme)
    drop(house.postgres_uri, schema_of(programme))


class _Days:
    """One day after the other, through Kafka into the books."""

    def __init__(self, house: House, programme: ProgrammeId, workers: Workers, clock: Clock, progress: Progress, stop: Callable[[], bool]) -> None:
        self.programme = programme
        self.bootstrap = house.kafka_bootstrap
        self.workers = workers
        self.clock = clock
        self.progress = progress
        self.stop = stop
        self.sender: Producer = producer(house.kafka_bootstrap, **{"linger.ms": 5, "log_level": 3})
        self.books = house.books(programme)
        self.night = house.night(programme, self._until_cut, by_hand=True)
        self.sent = 0
        self._refused: list[str] = []

    def close(self) -> None:
        """Gives up the connections."""
        self.books.close()
        self.night.connection.close()
        del self.sender, self.night

    def play(self, day: DemoDay, *, first: bool) -> SettlementReport:
        """Publishes a day, has it booked, closes its window by hand and clears it. Raises `Stopped`."""
        self._look()
        with self.clock(STARTING if first else BOOKING):  # whoever enrols in the morning is a member at the first till
            self._publish(day.members)
            self._until_booked()
        with self.clock(BOOKING):
            self._publish(day.events)
            self._until_booked()
        with self.clock(CLEARING):
            run_night(day.day, self.night.plan.file, self.night)
        row = self.books.execute(LAST_RUN, (day.day,)).fetchone()
        assert row is not None
        return SettlementReport.model_validate_json(row[0])

    def _publish(self, events: Sequence[Outgoing]) -> None:
        """Sends in order; returns when the broker has everything. Raises KafkaException."""
        if not events:
            return
        for event in events:
            while True:
                try:
                    self.sender.produce(f"{self.programme}.{event.topic}", value=event.value, key=event.key, on_delivery=self._report)
                    break
                except BufferError:
                    self.sender.poll(0.05)
            self.sender.poll(0)
        self.sender.flush()
        if self._refused:
            raise KafkaException(self._refused[0])
        self.sent += len(events)

    def _report(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._refused.append(str(error))

    def _until_booked(self) -> None:
        """Returns when the processor has booked everything that was sent."""
        before = self._booked()
        while (booked := self._booked()) < self.sent:
            self.progress("Booking", booked - before, self.sent - before)
            self._wait()
        self.progress("Booking", self.sent - before, self.sent - before)

    def _booked(self) -> int:
        """Records that are booked: nobody else writes to these topics, and they began empty."""
        row = self.books.execute(BOOKED).fetchone()
        assert row is not None
        return int(row[0])

    def _until_cut(self, night: PgNight, day: date) -> None:
        while night.behind(day):
            self._wait()

    def until_told(self) -> None:
        """Returns when the relay has told all answers."""
        while self.books.execute(UNTOLD).fetchone() != (0,):
            self._wait()

    def live(self, day: date) -> list[LiveDay]:
        """Live figures of a day, as soon as they have every purchase that was booked of it."""
        purchases: dict[str, int] = dict(self.books.execute(ACCEPTED, (day,)).fetchall())
        return live_day(self.bootstrap, self.programme, day, ZONE, purchases, self._look)

    def _look(self) -> None:
        self.workers.look()
        if self.stop():
            raise Stopped

    def _wait(self) -> None:
        self._look()
        time.sleep(PAUSE_S)
