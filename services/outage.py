"""A server that is away: said in one line, not at every try, and tried again after pauses that grow."""

import time

import psycopg
import structlog
from confluent_kafka import KafkaException

log = structlog.get_logger()

FIRST_S = 0.2
FORGOTTEN_S = 60.0
"""After so long without a failure the next one is a new outage. While one lasts, it is said again as often at the least."""


class Outage:
    """What one process, or thread, knows of the servers it waits for. Not shared between threads."""

    def __init__(self, longest_s: float = 30.0, **bound: object) -> None:
        """`longest_s`: the longest pause between two tries. `bound`: what every line names, such as the programme."""
        self._longest_s = longest_s
        self._log = log.bind(**bound)
        self._pause_s = 0.0
        self._said_s = 0.0
        self._failed_at = self._said_at = -float("inf")

    def pause_s(self, error: BaseException) -> float:
        """Seconds until the next try, each time twice as many."""
        self._forget()
        self._pause_s = min(self._longest_s, self._pause_s * 2 or FIRST_S)
        self._say(error, self._pause_s)
        return self._pause_s

    def say(self, error: BaseException, pause_s: float) -> None:
        """Says that a server is away, for one that makes its own pauses."""
        self._forget()
        self._say(error, pause_s)

    def _say(self, error: BaseException, pause_s: float) -> None:
        """At first, when the pause has doubled since, and every minute."""
        now = time.monotonic()
        self._failed_at = now
        if pause_s >= 2 * self._said_s or now - self._said_at >= FORGOTTEN_S:
            self._said_at, self._said_s = now, max(pause_s, 1.0)
            self._log.warning(f"{_what(error)}, tried again in {pause_s:.2g} s", why=first_line(error))

    def _forget(self) -> None:
        if time.monotonic() - self._failed_at >= FORGOTTEN_S + self._pause_s:
            self._pause_s = self._said_s = 0.0


def first_line(error: BaseException) -> str:
    """What an error says, without its further lines."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _what(error: BaseException) -> str:
    if isinstance(error, KafkaException):
        return "Kafka cannot be reached"
    if isinstance(error, psycopg.Error):
        away = error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
        return "PostgreSQL cannot be reached" if away else "PostgreSQL broke off"
    return "broken off"
