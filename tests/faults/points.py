"""The moments of booking and of the night at which something can be made to happen, by wrapping the methods around them.

The product knows nothing of it: a child of a test (child.py), or the test itself, wraps them in its own process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import psycopg

from clearing.ports import NightBooks
from services.accrual.batch import BatchBooker
from services.accrual.claims import Claims
from services.accrual.facts import FactReader
from services.night.books import PgNight

Act = Callable[[], None]


class Moment(StrEnum):
    """A moment of the booking of a batch."""

    BEFORE = "before the transaction"
    LOCKED = "partitions locked"
    CLAIMED = "ids claimed"
    READ = "facts locked and read"
    WRITTEN = "written, not committed"
    COMMITTED = "committed, Kafka not told"


_METHODS: dict[Moment, tuple[type, str]] = {
    Moment.BEFORE: (BatchBooker, "book"),
    Moment.LOCKED: (BatchBooker, "_lock_positions"),
    Moment.CLAIMED: (Claims, "claim"),
    Moment.READ: (FactReader, "read"),
    Moment.WRITTEN: (BatchBooker, "_move"),
    Moment.COMMITTED: (BatchBooker, "book"),
}


def at(moment: Moment, act: Act) -> Act:
    """Has `act` done at this moment of every batch of this process. Returns what undoes it."""
    owner, name = _METHODS[moment]
    method = getattr(owner, name)

    def wrapped(self: Any, *args: Any) -> Any:
        if moment is Moment.BEFORE:
            act()
        result = method(self, *args)
        if moment is not Moment.BEFORE:
            act()
        return result

    setattr(owner, name, wrapped)
    return lambda: setattr(owner, name, method)


@contextmanager
def during(moment: Moment, act: Act) -> Iterator[None]:
    """The same, as long as the block lasts."""
    undo = at(moment, act)
    try:
        yield
    finally:
        undo()


def nth(count: int, act: Act) -> Act:
    """`act`, done only when it is called for the so manieth time."""
    calls = iter(range(1, 1_000_000))

    def counted() -> None:
        if next(calls) == count:
            act()

    return counted


def die() -> None:
    """kill -9 of this process: nothing is flushed, closed or told to anybody."""
    os.kill(os.getpid(), signal.SIGKILL)


def freeze() -> None:
    """Stops this process in its tracks until somebody lets it go on (SIGCONT)."""
    os.kill(os.getpid(), signal.SIGSTOP)


# The night

STEPS = tuple(name for name in vars(NightBooks) if not name.startswith("_") and name != "state")
BEGINS, WRITTEN, COMMITTED = "begins", "written, not committed", "committed"


class WatchedConnection:
    """A connection whose transactions tell that they are about to be committed, and that they are."""

    def __init__(self, connection: psycopg.Connection, tell: Callable[[str], None]) -> None:
        self._connection = connection
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As the connection has it."""
        with self._connection.transaction():
            yield
            self._tell(WRITTEN)
        self._tell(COMMITTED)


def watch(night: PgNight, tell: Callable[[str, str], None]) -> None:
    """Tells step and moment of everything that this night does. What a step calls in its turn belongs to it."""
    now: list[str] = []

    def wrap(step: str) -> None:
        method = getattr(night, step)

        def wrapped(*args: Any) -> Any:
            if now:
                return method(*args)
            now.append(step)
            tell(step, BEGINS)
            try:
                return method(*args)
            finally:
                now.clear()

        setattr(night, step, wrapped)

    for step in STEPS:
        wrap(step)
    night.connection = WatchedConnection(night.connection, lambda moment: tell(now[0], moment))  # type: ignore[assignment]
