"""Waiting, at a window's cut, for the processors: how many records are left is told, and that nobody books them is seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from services.accrual.incoming import SenderKeys
from services.house import House
from services.journal.migrate import schema_of
from services.kafka.groups import members_of
from services.night.books import PgNight
from services.night.run import PAUSE_SECONDS
from services.night.standing import behind
from services.runtime.progress import Progress

PATIENCE_SECONDS = 10.0
"""After so long without a record booked, it is asked whether anybody books."""


def in_number(records: int) -> str:
    """How many records wait."""
    return "1 record waits" if records == 1 else f"{records:,} records wait"


class NoProcessor(RuntimeError):
    """Records wait to be booked, and no processor is there to book them. The window stays as it is; nothing is lost."""

    def __init__(self, programme: str, records: int) -> None:
        super().__init__(f"{in_number(records)} to be booked, and no processor of {programme} runs")
        self.programme = programme
        self.records = records


class Waiting:
    """Returns when a window is booked to its cut. Raises `NoProcessor`, and what `at_work` raises."""

    def __init__(self, house: House, programme: str, progress: Progress, *, at_work: Callable[[], bool] | None = None) -> None:
        """`at_work`: whether a processor of our own is at work; without one, the consumer group is asked when nothing moves."""
        self.house = house
        self.programme = programme
        self.progress = progress
        self.at_work = at_work

    def __call__(self, night: PgNight, day: date) -> None:
        most, before, moved_at = 0, -1, time.monotonic()
        while parts := behind(night.connection, day):
            left = sum(part.records for part in parts)
            most = max(most, left)
            self.progress("records to the cut", most - left, most)
            if left != before:
                before, moved_at = left, time.monotonic()
            if not self._somebody_books(time.monotonic() - moved_at):
                raise NoProcessor(self.programme, left)
            time.sleep(PAUSE_SECONDS)
        if most:
            self.progress("records to the cut", most, most)

    def _somebody_books(self, still_seconds: float) -> bool:
        if self.at_work is not None:
            return self.at_work()
        return still_seconds < PATIENCE_SECONDS or processors(self.house, self.programme) > 0


def processors(house: House, programme: str) -> int:
    """How many processors of a programme run, as the broker sees their group."""
    return members_of(house.kafka_bootstrap, f"clh.accrual.{schema_of(programme)}")


@contextmanager
def booking_here(house: House, programme: str, keys: SenderKeys) -> Iterator[Callable[[], bool]]:
    """A processor in a thread, for as long as the block lasts. Yields a question: whether it is at work; asked, it raises what the processor failed with."""
    failures: list[BaseException] = []
    ended = threading.Event()
    processor = house.processor(programme, keys=keys)

    def book() -> None:
        try:
            processor.run(ended.is_set)
        except BaseException as error:  # noqa: BLE001  # handed to whoever waits for the cut
            failures.append(error)

    thread = threading.Thread(target=book, name="processor")
    thread.start()

    def at_work() -> bool:
        if failures:
            raise failures[0]
        return thread.is_alive()

    try:
        yield at_work
    finally:
        ended.set()
        thread.join()


def unbooked(night: PgNight) -> int:
    """Records that are in the topics now and not in the books."""
    at = {(topic, part): offset for topic, part, offset in night.connection.execute("select topic, part, next_offset from progress")}
    return sum(max(0, end - at.get(partition, 0)) for partition, end in night.find_cuts(None).items())
