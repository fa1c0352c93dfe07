"""Which words of people about the bank something rests on: asked before money moves, so that nothing is recomputed that has long been done with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import psycopg

# Attempts at payments of some runs, and entries that name one of these payments by either of its names.
OF_RUNS: Final = """
with attempt as (select end_to_end_id name from payment_attempt where run = any(%(runs)s)),
entry as (
  select e.no, e.report from attempt a join bank_entry e on e.end_to_end_id = a.name and e.end_to_end_id <> ''
  union select e.no, e.report from payment p join bank_entry e on e.reference = right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21)
  where p.run = any(%(runs)s) and p.kind = 'incoming'
)
select array(select name from attempt), array(select distinct report from entry), array(select no from entry)
"""
# Runs whose payments are under way.
UNDER_WAY: Final = """
select array(select (select max(r.no) from run r where r.day = w.day) from settlement_window w where w.state in ('approved', 'instructed'))
"""
# Of accounts of which statements wait: those that may take a place in the chain yet, the last that has one, what stands in them, and the payments they name.
WAITING: Final = """
with last as (
  select distinct on (r.iban, r.currency) r.no, r.iban, r.currency, r.year, r.sequence from statement_counts c join bank_report r on r.no = c.report
  order by r.iban, r.currency, c.no desc
),
report as (
  select r.no from bank_report r left join last l on (l.iban, l.currency) = (r.iban, r.currency)
  where r.kind = 'statement' and (l.no is null or (r.year, r.sequence) >= (l.year, l.sequence))
),
entry as (select e.no, e.end_to_end_id name from report r join bank_entry e on e.report = r.no)
select array(select distinct name from entry where name <> ''), array(select no from report), array(select no from entry)
"""


@dataclass(frozen=True, slots=True)
class Concerned:
    """What words may be about: EndToEndIds of payments, numbers of statements and of their entries in the books, funds by party and reference."""

    payments: list[str] = field(default_factory=list)
    reports: list[int] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    funds: list[tuple[str, str]] = field(default_factory=list)


def of_runs(connection: psycopg.Connection, runs: Iterable[int]) -> Concerned:
    """What a file of these runs' payments rests on: all attempts at them, and the entries and statements that show them."""
    payments, reports, entries = connection.execute(OF_RUNS, {"runs": list(runs)}).fetchone() or ([], [], [])
    return Concerned(payments, reports, entries)


def of_matching(connection: psycopg.Connection) -> Concerned:
    """What letting statements count rests on: payments that are under way, and statements that may count yet with what stands in them."""
    (runs,) = connection.execute(UNDER_WAY).fetchone() or ([],)
    under_way = of_runs(connection, runs)
    payments, reports, entries = connection.execute(WAITING).fetchone() or ([], [], [])
    return Concerned([*under_way.payments, *payments], [*under_way.reports, *reports], [*under_way.entries, *entries])
