"""Where to look next: ids that are in the demo's books, from a net position down to one purchase and its member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg

from schemas.ids import EventId, MemberId, PartyId
from services.demo.partners import BOTTLER

# The points that the bottler paid for: purchases at another partner are behind them; without any, the line with the fewest events.
LINE = """
select line, debtor from obligation where day = %s and kind = 'issue' and events > 0 order by debtor <> %s, events, line limit 1
"""
# The purchase of the day that the party paid for in most ways; of several, the one with the shortest receipt.
PURCHASE = """
select e.id, m.id from entry e join member m on m.no = e.member join transfer t on t.entry = e.record and t.day = e.booked join party p on p.no = t.sponsor
where e.day = %s and e.booked = e.day and e.type = 'purchase.v1' and e.outcome = 'accepted' and p.id = %s
group by e.id, m.id, e.body order by count(*) desc, length(e.body), e.id limit 1
"""

REFUSED = "select id from entry where day = %s and outcome = 'rejected' and id is not null order by code <> 'totals-mismatch', id limit 1"


@dataclass(frozen=True, slots=True)
class Pointers:
    """A way down from the last night's report."""

    day: date
    party: PartyId
    line: int
    """Number of one of its obligation lines."""
    event: EventId
    """A purchase behind that line."""
    member: MemberId
    refused: EventId | None
    """An event of that day that was refused."""


def pointers(connection: psycopg.Connection, day: date) -> Pointers | None:
    """The way down from a day's report; None where the day brought no points."""
    line = connection.execute(LINE, (day, BOTTLER)).fetchone()
    if line is None:
        return None
    purchase = connection.execute(PURCHASE, (day, line[1])).fetchone()
    if purchase is None:
        return None
    refused = connection.execute(REFUSED, (day,)).fetchone()
    return Pointers(day, PartyId(line[1]), line[0], EventId(purchase[0]), MemberId(purchase[1]), EventId(refused[0]) if refused else None)
