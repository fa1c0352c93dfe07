"""Two tills take the last points of a member at the same moment, on two cards that lie in different partitions: one wins, every time."""

from __future__ import annotations

from collections import Counter

from services.runtime.local import Instance
from tests.faults import child
from tests.faults.books import assert_whole, books_of
from tests.faults.children import Child, barrier
from tests.faults.points import Moment
from tests.faults.site import Site, site
from tests.faults.waiting import until
from tests.faults.workload import DAYS, GROCER, Sent, Window, buy, people, spend

TIMES = 50
POINTS = 120
OUTCOMES = """
select k.member, e.outcome, e.code from entry e join card k on k.card = e.body::jsonb ->> 'subject' where e.type = 'redemption.v1'
"""
TILLS = (0, 1)
"""A partition for each till."""


def windows() -> tuple[list[Sent], list[Sent]]:
    """Each member earns some points, and then wants to spend all of them at either till, in the same order at both."""
    earning, spending = Window(0), Window(1)
    for person in people()[:TIMES]:
        buy(earning, (person.a[0], 2), ("grocery", POINTS * 100))
        for card, till in ((person.a[0], TILLS[0]), (person.b[0], TILLS[1])):
            spend(spending, (card, till), POINTS, source=GROCER)
    sent = [one for queue in spending.queues.values() for one in queue]
    return [one for queue in earning.queues.values() for one in queue], sorted(sent, key=lambda one: one.partition)


def test_two_tills_take_the_last_points_and_exactly_one_gets_them(one: Site, servers: Instance) -> None:
    earning, spending = windows()
    one.play([earning])
    one.publish(spending)
    meeting = barrier(2)
    with (
        Child(child.book_one_by_one, one, TILLS[0], Moment.CLAIMED, meeting) as first,
        Child(child.book_one_by_one, one, TILLS[1], Moment.CLAIMED, meeting) as second,
    ):
        won = _winners(one, first, second)
    assert all(tills == {"accepted": 1, "rejected": 1} for tills in won.values()), "exactly one wins"
    assert len(won) == TIMES
    with one.reading() as processor:
        one.close(DAYS[1], processor)
    assert_whole(one, [*earning, *spending], windows=2)
    with site(servers.addresses) as quiet:
        quiet.play([earning, spending])
        expected, found = books_of(quiet), books_of(one)
    assert found.hashes == expected.hashes
    assert found.members == expected.members
    assert found.lots == expected.lots
    spenders = [found.members[person.id] for person in people()[:TIMES]]
    assert all((available, held, owed) == (0, 0, 0) for _, _, available, _, held, owed, *_ in spenders)


def _winners(one: Site, first: Child, second: Child) -> dict[str, Counter[str]]:
    """Outcomes by member, when both have booked everything."""
    ends = one.ends()
    until(lambda: all(one.progress()[place] >= end for place, end in ends.items() if place[1] in TILLS))
    first.stop()
    second.stop()
    with one.books() as books:
        rows = books.execute(
            "select k.member, e.outcome, e.code from entry e join card k on k.card = e.body::jsonb ->> 'subject' where e.type = 'redemption.v1'"
        )
        found: dict[str, Counter[str]] = {}
        for member, outcome, code in rows:
            assert code in (None, "insufficient-points")
            found.setdefault(member, Counter())[outcome] += 1
    return found
