"""PostgreSQL or Kafka is killed or restarted in the middle of a batch: whoever books waits for it, and goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import pytest

from services.runtime.local import Instance
from tests.faults.conftest import Undisturbed
from tests.faults.line import line
from tests.faults.points import COMMITTED, WRITTEN, Moment, during, nth
from tests.faults.site import QUICK_SESSION_MS, SMALL_BATCH, Site, reached
from tests.faults.waiting import until
from tests.faults.workload import DAYS


class Restart:
    """Ends a server at once, and starts it again while the others go on."""

    def __init__(self, end: Callable[[], None], start: Callable[[], None]) -> None:
        self._end = end
        self._thread = threading.Thread(target=start)
        self.done = 0

    def __call__(self) -> None:
        self._end()
        self._thread.start()
        self.done += 1

    def finish(self) -> None:
        """Returns when the server answers again."""
        assert self.done == 1, "it was never ended: the test has tested nothing"
        self._thread.join()


@pytest.mark.parametrize("moment", [Moment.LOCKED, Moment.READ, Moment.WRITTEN, Moment.COMMITTED])
def test_postgres_is_killed_in_the_middle_of_a_batch(one: Site, undisturbed: Undisturbed, servers: Instance, moment: Moment) -> None:
    killed = Restart(servers.kill_postgres, servers.start_postgres)
    one.publish(undisturbed.windows[0])
    with one.reading(batch_max=SMALL_BATCH) as processor:
        ends = one.ends()
        with during(moment, nth(4, killed)):
            until(lambda: killed.done == 1, doing=processor.step)
        killed.finish()
        assert not reached(one.progress(), ends), "there is something left to book"
        one.book(processor)
        one.close(DAYS[0], processor)
    one.play(undisturbed.windows[1:], first=1)
    undisturbed.check(one)


def test_postgres_is_restarted_in_good_order_again_and_again(one: Site, undisturbed: Undisturbed, servers: Instance) -> None:
    """A fast shutdown ends every session with a word; the same processor meets it in each window."""
    with one.reading(batch_max=SMALL_BATCH) as processor:
        for moment, day, window in zip((Moment.CLAIMED, Moment.WRITTEN, Moment.BEFORE), DAYS, undisturbed.windows, strict=True):
            restarted = Restart(servers.stop_postgres, servers.start_postgres)
            one.publish(window)
            with during(moment, nth(3, restarted)):
                until(lambda restarted=restarted: restarted.done == 1, doing=processor.step)  # type: ignore[misc]
            restarted.finish()
            one.book(processor)
            one.close(day, processor)
    undisturbed.check(one)


@pytest.mark.parametrize("boundary", [("release_pending", WRITTEN), ("close", COMMITTED)])
def test_postgres_is_killed_in_the_middle_of_a_night(one: Site, undisturbed: Undisturbed, servers: Instance, boundary: tuple[str, str]) -> None:
    """The night fails, and is run again."""
    killed = Restart(servers.kill_postgres, servers.start_postgres)
    one.play(undisturbed.windows[:1])
    one.publish(undisturbed.windows[1])
    with one.reading() as processor:
        one.book(processor)
        with pytest.raises(psycopg.OperationalError):
            one.close(DAYS[1], processor, tell=lambda step, moment: killed() if (step, moment) == boundary else None)
        killed.finish()
        one.close(DAYS[1], processor)
    one.play(undisturbed.windows[2:], first=2)
    undisturbed.check(one)


def test_the_answer_to_a_commit_is_lost_on_the_way(one: Site, undisturbed: Undisturbed) -> None:
    """The network breaks when the database has committed and the processor does not know it: it asks the books, and books nothing twice."""
    with line(one.postgres_uri) as wire, one.reading(batch_max=SMALL_BATCH, uri=wire.uri) as processor:
        for day, window in zip(DAYS, undisturbed.windows, strict=True):
            one.publish(window)
            with during(Moment.WRITTEN, nth(2, wire.arm)):
                one.book(processor)
            one.close(day, processor)
        assert wire.cut == len(DAYS)
    undisturbed.check(one)


@pytest.mark.parametrize("ended", ["kill", "stop"])
def test_kafka_goes_away_in_the_middle_of_a_window(one: Site, undisturbed: Undisturbed, servers: Instance, ended: str) -> None:
    """The processor, which shares its group as in production, waits; senders wait; what they sent is booked once."""
    away = Restart(servers.kill_kafka if ended == "kill" else servers.stop_kafka, servers.start_kafka)
    window = undisturbed.windows[0]
    half = len(window) // 2
    one.publish(window[:half])
    processor = one.processor(batch_max=SMALL_BATCH, session_ms=QUICK_SESSION_MS)
    processor.source.start()
    try:
        with during(Moment.COMMITTED, nth(2, away)):
            until(lambda: away.done == 1, doing=processor.step)
        one.publish(window[half:])
        away.finish()
        one.book(processor)
        one.close(DAYS[0], processor)
    finally:
        processor.source.stop()
        processor.connection.close()
    one.play(undisturbed.windows[1:], first=1)
    undisturbed.check(one)


def test_partitions_are_given_to_a_processor_while_postgres_is_away(one: Site, undisturbed: Undisturbed, servers: Instance) -> None:
    """It does not know where the books are, and waits until they can be asked."""
    one.publish(undisturbed.windows[0])
    processor = one.processor(batch_max=SMALL_BATCH)
    partitions = one.partitions()
    servers.kill_postgres()
    assigned = threading.Thread(target=processor.source.start, args=(partitions,))
    assigned.start()
    assigned.join(1)
    still_waits = assigned.is_alive()
    servers.start_postgres()
    assigned.join()
    try:
        assert still_waits, "it began to read without knowing where"
        one.book(processor)
        one.close(DAYS[0], processor)
    finally:
        processor.source.stop()
        processor.source.consumer.close()
        processor.connection.close()
    one.play(undisturbed.windows[1:], first=1)
    undisturbed.check(one)
