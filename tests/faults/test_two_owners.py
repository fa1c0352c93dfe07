"""Two processors believe that they own the same partitions; or one comes back after it lost them, with what it had read before in its hands."""

from __future__ import annotations

import psycopg
import pytest

from tests.faults import child
from tests.faults.children import Child, barrier
from tests.faults.conftest import Undisturbed
from tests.faults.points import Moment, freeze
from tests.faults.site import SMALL_BATCH, Site, reached
from tests.faults.waiting import until
from tests.faults.workload import DAYS

WAITERS = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like %s"
FENCE = "%progress%for update%"


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.COMMITTED])
def test_two_processors_that_believe_they_own_everything_book_it_once(one: Site, undisturbed: Undisturbed, moment: Moment) -> None:
    """Each waits for the other at every batch, so that both reach for the same records at the same moment; the sizes of their batches differ."""
    meeting = barrier(2)
    with (
        Child(child.book_in_step, one, SMALL_BATCH, moment, meeting) as first,
        Child(child.book_in_step, one, SMALL_BATCH // 2, moment, meeting) as second,
    ):
        for day, window in zip(DAYS, undisturbed.windows, strict=True):
            one.publish(window)
            with Child(child.clear_in_step, one, day, None) as night:
                night.ended()
        first.stop()
        second.stop()
    undisturbed.check(one)


@pytest.mark.parametrize("moment", [Moment.LOCKED, Moment.READ, Moment.WRITTEN])
def test_a_processor_that_stands_still_in_a_batch_keeps_others_out_until_it_goes_on(one: Site, undisturbed: Undisturbed, moment: Moment) -> None:
    one.publish(undisturbed.windows[0])
    with Child(child.book, one, SMALL_BATCH, moment, 3, freeze) as frozen:
        until(frozen.is_frozen)
        before = one.progress()
        with Child(child.book, one, SMALL_BATCH) as other:
            with psycopg.connect(one.postgres_uri, autocommit=True) as watching:
                until(lambda: watching.execute(WAITERS, (FENCE,)).fetchone() == (1,))
            assert one.progress() == before
            frozen.thaw()
            _booked(one)
            frozen.stop()
            other.stop()
    with one.reading() as processor:
        one.close(DAYS[0], processor)
    one.play(undisturbed.windows[1:], first=1)
    undisturbed.check(one)


def test_a_batch_that_stands_still_for_good_is_undone_so_that_others_go_on(one: Site, undisturbed: Undisturbed) -> None:
    """Its machine is frozen, lost, or cut off from the network: the database gives its batch up after a while, and nobody has to do anything."""
    window = undisturbed.windows[0]
    half = len(window) // 2
    one.publish(window[:half])
    with Child(child.book_impatiently, one, SMALL_BATCH, Moment.WRITTEN, 3, 1_000) as frozen:
        until(frozen.is_frozen)
        with Child(child.book, one, SMALL_BATCH) as other:
            _booked(one)
            one.publish(window[half:])
            frozen.thaw()
            _booked(one)
            frozen.stop()
            other.stop()
    with one.reading() as processor:
        one.close(DAYS[0], processor)
    one.play(undisturbed.windows[1:], first=1)
    undisturbed.check(one)


def _booked(one: Site) -> None:
    """Returns when everything that was published is booked."""
    ends = one.ends()
    until(lambda: reached(one.progress(), ends))


def test_a_processor_that_was_cut_off_in_a_batch_comes_back_with_what_it_had_read(one: Site, undisturbed: Undisturbed) -> None:
    """Its session is ended by the database, others book everything, the window is closed and the next one has begun: all that it holds is old."""
    one.publish(undisturbed.windows[0])
    with Child(child.read_then_book, one, SMALL_BATCH, Moment.WRITTEN) as stale:
        assert stale.hear() == len(undisturbed.windows[0]), "it has read everything"
        until(stale.is_frozen)
        with psycopg.connect(one.postgres_uri, autocommit=True) as admin:
            ended = admin.execute("select count(pg_terminate_backend(pid)) from pg_stat_activity where state = 'idle in transaction'").fetchone()
        assert ended == (1,)
        one.play(undisturbed.windows[:1], published=True)
        one.publish(undisturbed.windows[1])
        stale.thaw()
        _booked(one)
        stale.stop()
    one.play(undisturbed.windows[1:2], first=1, published=True)
    one.play(undisturbed.windows[2:], first=2)
    undisturbed.check(one)


def test_a_processor_that_was_away_for_a_night_comes_back_with_what_it_had_read(one: Site, undisturbed: Undisturbed) -> None:
    """It stands still before its first batch, with the whole window in its hands."""
    one.publish(undisturbed.windows[0])
    with Child(child.read_then_book, one, SMALL_BATCH, Moment.BEFORE) as stale:
        assert stale.hear() == len(undisturbed.windows[0])
        until(stale.is_frozen)
        one.play(undisturbed.windows[:1], published=True)
        stale.thaw()
        one.play(undisturbed.windows[1:], first=1)
        stale.stop()
    undisturbed.check(one)
