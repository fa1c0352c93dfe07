"""What the child processes of the fault tests do. They are forked from a server that has imported all this and opened nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import traceback
from collections.abc import Callable
from datetime import date
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from threading import BrokenBarrierError
from typing import Any, Protocol

from clearing.night import run_night
from services.accrual import processor
from services.night.books import PgNight
from services.night.run import clear_due, wait_for_processors
from tests.faults.points import BEGINS, Moment, at, die, freeze, nth, watch
from tests.faults.site import Site
from tests.faults.workload import TRANSACTIONS

Say = Callable[[Any], None]


class Meeting(Protocol):
    """Where processes wait for each other: a barrier of multiprocessing."""

    def wait(self, timeout: float | None = None) -> int: ...


def run(target: Callable[..., None], told: Connection, args: tuple[Any, ...]) -> None:
    """The child's whole life: it says what it has to say, and how it failed; it ends with the test's process."""
    sentinel = parent_process().sentinel  # type: ignore[union-attr]

    def follow() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    try:
        target(told.send, *args)
    except BaseException:  # noqa: BLE001  # the test is told, whatever it was
        told.send(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def told_to_stop() -> Callable[[], bool]:
    """A question: whether SIGTERM came."""
    event = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: event.set())
    return event.is_set


def book(say: Say, one: Site, batch_max: int, moment: Moment | None = None, batch: int = 1, act: Callable[[], None] = die) -> None:
    """Books all partitions, whoever else does, until it is told to stop; at that moment of the so manieth batch, `act` (by default it is killed)."""
    stop = told_to_stop()
    if moment is not None:
        at(moment, nth(batch, act))
    with one.reading(batch_max=batch_max) as reader:
        say("reading")
        while not stop():
            reader.step()


def book_impatiently(say: Say, one: Site, batch_max: int, moment: Moment, batch: int, stands_still_ms: int) -> None:
    """As `book`, and stands still at that moment of the so manieth batch; the database gives it up sooner than it would in production."""
    processor.STANDS_STILL_MS = stands_still_ms
    book(say, one, batch_max, moment, batch, freeze)


def book_in_step(say: Say, one: Site, batch_max: int, moment: Moment, meeting: Meeting) -> None:
    """As `book`, but waits at that moment of every batch for another who does the same, as long as there is another."""
    at(moment, lambda: meet(meeting))
    book(say, one, batch_max)


def read_then_book(say: Say, one: Site, batch_max: int, moment: Moment) -> None:
    """Reads everything that is there, and is stopped before it books any of it; when it goes on, it books what it has in its hands."""
    stop = told_to_stop()
    ends = {(one.topic(name), part): end for (name, part), end in named_ends(one).items()}
    at(moment, nth(1, freeze))
    with one.reading(batch_max=batch_max) as reader:
        reader.gather(ends)
        say(len(reader.pending))
        while not stop():
            reader.step()


def named_ends(one: Site) -> dict[tuple[str, int], int]:
    """Where the partitions end, by catalogue name."""
    with one.books() as connection:
        names: dict[int, str] = dict(connection.execute("select no, name from topic").fetchall())
    return {(names[topic], part): end for (topic, part), end in one.ends().items()}


def share(say: Say, one: Site, batch_max: int, session_ms: int, moment: Moment | None = None, batch: int = 1) -> None:
    """Books the partitions that the consumer group gives to it, as in production; killed at that moment of the so manieth batch."""
    stop = told_to_stop()
    if moment is not None:
        at(moment, nth(batch, die))
    booked: set[tuple[int, int]] = set()
    sharer = one.processor(batch_max=batch_max, session_ms=session_ms)
    step = sharer.step

    def told_step(seconds: float = 0.05) -> Any:
        done = step(seconds)
        if done.next_offsets.keys() - booked:
            booked.update(done.next_offsets)
            say(sorted(booked))
        return done

    sharer.step = told_step  # type: ignore[method-assign]
    sharer.run(stop)


def clear(say: Say, one: Site, day: date, killed_at: tuple[str, str] | None) -> None:
    """Runs a night; it is killed at a step. The last one, that is not, finds the night as the clock of the nights would: left half done."""

    def tell(step: str, moment: str) -> None:
        if (step, moment) == killed_at:
            die()

    if killed_at is None:
        clear_due(one, "faults", half_done_only=True)
        return
    night = one.night(booked_to_cut=wait_for_processors)
    watch(night, tell)
    run_night(day, night.plan.file, night)


def clear_in_step(say: Say, one: Site, day: date, meeting: Meeting | None) -> None:
    """Runs a night, and begins every step at the same time as another who runs the same."""
    night: PgNight = one.night(booked_to_cut=wait_for_processors)
    if meeting is not None:
        watch(night, lambda _step, moment: meet(meeting) if moment == BEGINS else None)
    run_night(day, night.plan.file, night)


def meet(meeting: Meeting) -> None:
    """Waits for the other; when the other is gone, goes on alone from then on."""
    with contextlib.suppress(BrokenBarrierError):
        meeting.wait(2)


def book_one_by_one(say: Say, one: Site, partition: int, moment: Moment, meeting: Meeting) -> None:
    """Books one partition, a record in each batch, and waits at that moment for the other till."""
    stop = told_to_stop()
    at(moment, lambda: meet(meeting))
    till = one.processor(batch_max=1)
    till.source.start([place for place in one.partitions() if place.topic == one.topic(TRANSACTIONS) and place.partition == partition])
    while not stop():
        till.step()
    till.source.stop()
    till.connection.close()
