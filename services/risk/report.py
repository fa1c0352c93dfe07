"""What could go wrong with parties, from the books as they are now: `clh risk report`."""

from __future__ import annotations

from datetime import date

import psycopg

from clearing.entries import LineKind
from clearing.lines import Obligation
from clearing.plan import Plan
from clearing.risk import Points, Solvency, solvency
from schemas.ids import PartyId
from services.accounts.books import Books
from services.accounts.liability import liability_of
from services.night.statements import WAIT
from services.risk.exposure import exposure

# Lines of netted windows that are not settled.
LINES = """
select o.day, o.kind, o.debtor, o.creditor, o.currency, o.amount from obligation o join settlement_window w on w.day = o.day
where w.state <> 'settled' and exists (select from run r where r.day = o.day) order by o.day, o.line
"""

# Lines of settled windows that carried a party's position on, by party: to a window that is not settled, or to the next one. What it still owes rests on
# these too; what a default brought to one of them was paid by its further run.
WAITING = """
with windows as (select day, state, lag(day) over (order by day) before from settlement_window),
  reach as (
    select c.party, c.currency, c.since from carried c join windows w on w.before = c.day where w.state <> 'settled'
    union select c.party, c.currency, c.since from carried c where c.day = (select max(day) from run)
  )
select distinct r.party, o.day, o.line, o.kind, o.debtor, o.creditor, o.currency, o.amount from reach r
join obligation o on o.day >= r.since and o.currency = r.currency and r.party in (o.debtor, o.creditor) and o.kind <> 'default_loss'
join windows w on w.day = o.day and w.state = 'settled'
where exists (select from carried c where (c.day, c.party, c.currency, c.since) = (o.day, r.party, r.currency, r.since)) order by r.party, o.day, o.line
"""


def reports(connection: psycopg.Connection) -> tuple[date | None, list[Solvency]]:
    """The newest closed window, which the points are counted at, and a report for each currency. Debts count what is booked in the open window too.

    The connection is read only from here on, and sees one snapshot.
    """
    books = Books(connection)
    plan, day = Plan(books.file), books.closed[1] if books.closed is not None else None
    now = exposure(connection, plan)
    netted = [
        Obligation(of, LineKind(kind), PartyId(debtor), PartyId(creditor), None, currency, None, None, amount, None, None)
        for of, kind, debtor, creditor, currency, amount in connection.execute(LINES)
    ]
    waiting: dict[PartyId, list[Obligation]] = {}
    for party, of, _, kind, debtor, creditor, currency, amount in connection.execute(WAITING):
        line = Obligation(of, LineKind(kind), PartyId(debtor), PartyId(creditor), None, currency, None, None, amount, None, None)
        waiting.setdefault(PartyId(party), []).append(line)
    rule = plan.programme.default.loss if plan.programme.default is not None else "operator"
    return day, [
        solvency(
            currency,
            {party: amount for (party, of), amount in now.owes.items() if of == currency},
            now.limits,
            _points(connection, books, day, currency),
            [*netted, *now.unnetted],
            plan.operator,
            rule,
            funds=now.funds,
            waiting=waiting,
        )
        for currency in plan.programme.currencies
    ]


def _points(connection: psycopg.Connection, books: Books, day: date | None, currency: str) -> dict[PartyId, Points]:
    """By sponsor, as of a closed window; what waits to be funded as it is now."""
    sums: dict[PartyId, list[int]] = {}
    for line in liability_of(books, day).lines if day is not None else ():
        of = sums.setdefault(line.bucket.sponsor, [0, 0, 0, 0])
        for place, value in enumerate((line.points, line.paid.get(currency, 0), line.cost.get(currency, 0))):
            of[place] += value
    for party, waiting in connection.execute(WAIT):
        sums.setdefault(PartyId(party), [0, 0, 0, 0])[3] = waiting
    return {party: Points(*of) for party, of in sums.items()}
