"""Processors share the work by the consumer group; when one is killed, the others take over all that it had."""

from __future__ import annotations

from confluent_kafka.admin import AdminClient

from tests.faults import child
from tests.faults.children import Child
from tests.faults.conftest import Undisturbed
from tests.faults.points import Moment
from tests.faults.site import QUICK_SESSION_MS, SMALL_BATCH, Site, reached
from tests.faults.waiting import until
from tests.faults.workload import DAYS

PARTITIONS = 7


def shares(one: Site) -> list[int]:
    """How many partitions each member of the group has now, the smallest share first."""
    admin = AdminClient({"bootstrap.servers": one.kafka_bootstrap})
    group = admin.describe_consumer_groups([one.group])[one.group].result(10)
    return sorted(len(member.assignment.topic_partitions) for member in group.members)


def test_one_of_two_is_killed_and_the_other_takes_over_everything(one: Site, undisturbed: Undisturbed) -> None:
    first, second, third = undisturbed.windows
    with (
        Child(child.share, one, SMALL_BATCH, QUICK_SESSION_MS) as survivor,
        Child(child.share, one, SMALL_BATCH, QUICK_SESSION_MS, Moment.WRITTEN, 2) as doomed,
    ):
        until(lambda: shares(one) == [3, 4])
        one.publish(first)
        ours = set(survivor.hear())
        assert 0 < len(ours) <= 4, "it shares"
        doomed.was_killed()
        ends = one.ends()
        until(lambda: reached(one.progress(), ends))
        assert shares(one) == [PARTITIONS]
        _close(one, 0)

        one.publish(second[: len(second) // 2])
        with Child(child.share, one, SMALL_BATCH, QUICK_SESSION_MS) as newcomer:  # it joins, and leaves, in the middle of the work
            until(lambda: shares(one) == [3, 4])
            one.publish(second[len(second) // 2 :])
            newcomer.stop()
        _close(one, 1)

        one.publish(third)
        _close(one, 2)
        survivor.stop()
    undisturbed.check(one)


def _close(one: Site, no: int) -> None:
    """Clears a window; the processors are elsewhere."""
    with Child(child.clear_in_step, one, DAYS[no], None) as night:
        night.ended()
