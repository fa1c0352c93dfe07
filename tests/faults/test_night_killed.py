"""kill -9 of the night run at every step and commit boundary; and a night that is run twice at the same time."""

from __future__ import annotations

import random
from collections.abc import Sequence

from services.accrual.processor import Processor
from tests.faults import child
from tests.faults.books import assert_whole
from tests.faults.children import Child, barrier
from tests.faults.conftest import Undisturbed
from tests.faults.points import COMMITTED, STEPS
from tests.faults.site import SMALL_BATCH, Site
from tests.faults.waiting import until
from tests.faults.workload import DAYS, FOR_EVER, Window, buy, hold, people


def test_a_night_that_is_killed_at_every_step_is_resumed_by_others(one: Site, undisturbed: Undisturbed) -> None:
    """One night, begun by more than thirty processes, each of which comes one boundary further; the second window's has all kinds of bookings."""
    assert {step for step, _ in undisturbed.nights[1]} == set(STEPS)
    assert sum(moment == COMMITTED for _, moment in undisturbed.nights[1]) >= 8
    first, second, third = undisturbed.windows
    one.play([first])
    one.publish(second)
    with one.reading(batch_max=SMALL_BATCH) as processor:
        for killed_at in undisturbed.nights[1]:
            with Child(child.clear, one, DAYS[1], killed_at) as doomed:
                _book_while((doomed,), processor)
                doomed.was_killed()
        with Child(child.clear, one, DAYS[1], None) as last:
            last.ended()
    one.play([third], first=2)
    undisturbed.check(one)


def test_a_night_that_is_run_twice_at_the_same_time_is_run_once(one: Site, undisturbed: Undisturbed) -> None:
    """In step, so that both do everything at the same moment; and once as they come."""
    with one.reading(batch_max=SMALL_BATCH) as processor:
        for no, (day, window) in enumerate(zip(DAYS, undisturbed.windows, strict=True)):
            one.publish(window)
            meeting = barrier(2) if no < 2 else None
            with Child(child.clear_in_step, one, day, meeting) as first, Child(child.clear_in_step, one, day, meeting) as second:
                _book_while((first, second), processor)
                first.ended()
                second.ended()
    undisturbed.check(one)


def _book_while(children: Sequence[Child], processor: Processor) -> None:
    """Books as long as one of the children runs."""
    until(lambda: not any(each.alive for each in children), doing=lambda: processor.step(0.01))


def test_a_hold_that_runs_out_after_the_cut_stays_open_however_late_the_night_goes_on(one: Site) -> None:
    """A window that was closed by hand ends where it was cut: a night that is resumed an hour later frees no more holds than one that was not disturbed."""
    window = Window(0)
    card = people()[0].a
    buy(window, card, ("grocery", 10_000))
    held = hold(window, card, 60, FOR_EVER)
    one.publish(window.shuffled(random.Random(1)))
    with one.reading() as processor, one.books() as books:
        one.book(processor)

        def run_out_now(step: str, moment: str) -> None:
            if (step, moment) == ("cut_off", COMMITTED):
                books.execute("update original set expires_at = clock_timestamp() where expires_at is not null")

        one.close(DAYS[0], processor, tell=run_out_now)
        assert books.execute("select i.id from original o join identity i on i.record = o.record where o.expires_at is not null").fetchall() == [(held,)]
        one.close(DAYS[1], processor)
        assert books.execute("select count(*) from original where expires_at is not null").fetchone() == (0,)
    assert_whole(one, windows=2)
