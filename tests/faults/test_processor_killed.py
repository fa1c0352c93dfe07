"""kill -9 of the processor at every boundary of a batch: the next one goes on where the books are."""

from __future__ import annotations

import pytest

from tests.faults import child
from tests.faults.children import Child
from tests.faults.conftest import Undisturbed
from tests.faults.points import Moment
from tests.faults.site import SMALL_BATCH, Site
from tests.faults.workload import DAYS

KILLED_IN = {0: (5, 1), 1: (3,), 2: (1,)}
"""By window, in which batch of its own each processor is killed, one after the other."""


@pytest.mark.parametrize("moment", Moment)
def test_a_killed_processor_loses_nothing_and_repeats_nothing(one: Site, undisturbed: Undisturbed, moment: Moment) -> None:
    with one.reading(batch_max=SMALL_BATCH) as survivor:
        for no, (day, window) in enumerate(zip(DAYS, undisturbed.windows, strict=True)):
            one.publish(window)
            for batch in KILLED_IN[no]:
                before = one.progress()
                with Child(child.book, one, SMALL_BATCH, moment, batch) as doomed:
                    doomed.was_killed()
                batches = batch - (moment is not Moment.COMMITTED)
                assert sum(one.progress().values()) - sum(before.values()) >= batches, "what was committed stays, and nothing else"
            one.book(survivor)
            one.close(day, survivor)
    undisturbed.check(one)
