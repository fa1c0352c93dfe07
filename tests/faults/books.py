"""What books hold after a run, in a form in which two runs can be compared; and what has to hold in every one of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from services.journal.verify import verify
from tests.faults.site import Site
from tests.faults.workload import Sent

REPORTS = "select sha256, report from run order by day, no"
MEMBERS = "select id, kind, closed, available, pending, held, owed, last_activity, state::jsonb, attributes::jsonb from member"
LOTS = """
select m.id, p.id, c.valid_from, l.expiry, l.earned, l.release_on, l.points, l.expired from lot l join member m on m.no = l.member
join party p on p.no = l.sponsor join contract c on c.no = l.contract where l.points > 0 or l.expired > 0
"""
CARDS = "select k.card, m.id, k.blocked from card k left join member m on m.no = k.member"
# Events by what identifies them; what claims no id, by its content.
EVENTS = """
select s.uri, i.id, e.outcome, e.code, e.day, e.booked, m.id from identity i join source s on s.no = i.source
join entry e on e.record = i.record and e.day = i.day left join member m on m.no = e.member
"""
REFUSED = """
select e.code, coalesce(e.body, encode(e.raw, 'hex'), ''), e.day from entry e
where not exists (select from identity i where i.record = e.record)
"""
# The journal by all that makes two of its rows different, but their number and the event behind them.
JOURNAL = """
select t.day, t.code, u.id, m.id, p.id, c.valid_from, q.id, d.valid_from, y.id, t.expiry, t.earned, t.release_on, t.entry < 0, sum(t.amount)::bigint
from transfer t join unit u on u.no = t.unit left join member m on m.no = t.member left join party p on p.no = t.sponsor
left join contract c on c.no = t.contract left join party q on q.no = t.counterparty
left join contract d on d.no = t.counter_contract left join mechanic y on y.no = t.mechanic
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
"""
COUNTS = """
select (select count(*) from entry), (select count(distinct record) from entry),
  (select coalesce(sum(events), 0)::bigint from tally where outcome = 'duplicate'),
  (select coalesce(sum(events), 0)::bigint from tally where outcome <> 'lapsed'), (select count(*) from identity),
  (select count(*) from waiting), (select count(*) from run), (select count(distinct day) from run)
"""
UNANSWERED = "select count(*) from entry e where not exists (select from outbox o where o.record = e.record)"
TWICE = "select entry, line, count(*) from transfer group by entry, line having count(*) > 1"


@dataclass(frozen=True)
class Books:
    """All that two runs of the same workload have to have in common."""

    hashes: tuple[str, ...]
    """SHA-256 of the reports of all windows, in their order."""
    reports: tuple[dict[str, Any], ...]
    members: dict[str, Any]
    lots: Counter[Any]
    cards: Counter[Any]
    events: dict[Any, Any]
    refused: Counter[Any]
    journal: dict[Any, int]

    @property
    def rejected(self) -> set[Any]:
        """Source, id and code of what was rejected."""
        return {(*key, event[1]) for key, event in self.events.items() if event[0] == "rejected"}


def books_of(one: Site) -> Books:
    """Reads what the books hold."""
    with one.books() as c:
        runs = c.execute(REPORTS).fetchall()
        return Books(
            tuple(sha256 for sha256, _ in runs),
            tuple(json.loads(report) for _, report in runs),
            {row[0]: row[1:] for row in c.execute(MEMBERS)},
            Counter(c.execute(LOTS).fetchall()),
            Counter(c.execute(CARDS).fetchall()),
            {row[:2]: row[2:] for row in c.execute(EVENTS)},
            Counter(c.execute(REFUSED).fetchall()),
            {row[:-1]: row[-1] for row in c.execute(JOURNAL)},
        )


def assert_same(found: Books, expected: Books) -> None:
    """The same books: what differs is shown by its part, and the report before its hash."""
    assert found.events == expected.events
    assert found.refused == expected.refused
    assert found.members == expected.members
    assert found.lots == expected.lots
    assert found.cards == expected.cards
    assert found.journal == expected.journal
    assert found.reports == expected.reports
    assert found.hashes == expected.hashes


def assert_whole(one: Site, sent: Iterable[Sent] | None = None, *, windows: int | None = None) -> None:
    """Nothing lost, nothing twice: every record has one outcome, what the journal says is what members have, positions sum to zero."""
    ends = one.ends()
    records = sum(ends.values())
    if sent is not None:
        assert records == len(list(sent)), "the broker has what was sent"
    assert one.progress() == ends, "booked to the ends, and no further"
    with one.books() as c:
        entries, distinct, duplicates, outcomes, identities, waiting, runs, days = c.execute(COUNTS).fetchone()  # type: ignore[misc]
        assert entries == distinct, "no record has two entries"
        assert entries + duplicates == records == outcomes, "every record has an entry, or came before"
        assert identities <= entries
        assert c.execute(TWICE).fetchall() == [], "no row of the journal is there twice"
        assert c.execute(UNANSWERED).fetchone() == (waiting,), "whatever is decided is answered"
        assert runs == days, "no window was netted twice"
        if windows is not None:
            assert runs == windows
            assert waiting == 0
        reports = [json.loads(report) for _, report in c.execute(REPORTS)]
    for report in reports:
        assert all(check["ok"] for check in report["checks"]), report["checks"]
        net = Counter[str]()
        for position in report["positions"]:
            net[position["currency"]] += position["net_minor"]
        assert not any(net.values()), "positions sum to zero"
    for verified in verify(one.postgres_uri, one.schema):
        assert verified.differing == 0, verified
