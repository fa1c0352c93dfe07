"""The cash-back statement of a window for each funder: what each rule cost it, what came back, and that both are the lines of the report, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

import psycopg

from clearing.entries import Code
from services.bank.detail import NotClosed
from services.bank.writing import TotalsDiffer

STATE: Final = "select state from settlement_window where day = %s"
# What each funder gave under each rule, to the payer of the members, in each currency; and what of it was taken back.
LINES: Final = """
select f.id funder, p.id payer, m.id rule, u.id currency, count(distinct t.entry)::int transactions,
  coalesce(sum(t.amount) filter (where t.code = %(earned)s), 0)::bigint earned_minor,
  coalesce(sum(t.amount) filter (where t.code = %(reversed)s), 0)::bigint reversed_minor
from transfer t join party f on f.no = t.sponsor join party p on p.no = t.counterparty join mechanic m on m.no = t.mechanic join unit u on u.no = t.unit
where t.day = %(day)s and t.code in (%(earned)s, %(reversed)s)
group by 1, 2, 3, 4 order by 1, 2, 4, 3
"""
# The same as the night priced it: a reversal goes from the payer to the funder.
REPORTED: Final = """
select case kind when 'cash_back' then debtor else creditor end funder, case kind when 'cash_back' then creditor else debtor end payer, currency,
  sum(amount) filter (where kind = 'cash_back'), sum(amount) filter (where kind = 'cash_back_reversal')
from obligation where day = %s and kind in ('cash_back', 'cash_back_reversal') group by 1, 2, 3
"""
UNPRICED: Final = frozenset({"open", "draining", "closed"})


@dataclass(frozen=True, slots=True)
class FunderLine:
    """What one rule cost a funder in one currency: given, and taken back, in minor units. `transactions` are those that gave or took."""

    funder: str
    payer: str
    rule: str
    currency: str
    transactions: int
    earned_minor: int
    reversed_minor: int

    @property
    def net_minor(self) -> int:
        """Below zero where more came back than was given."""
        return self.earned_minor - self.reversed_minor


@dataclass(frozen=True, slots=True)
class FunderTotal:
    """All rules of a funder together, for one payer and currency. `own`: the funder pays the members itself, and owes nobody (rule 24)."""

    funder: str
    payer: str
    currency: str
    earned_minor: int
    reversed_minor: int

    @property
    def own(self) -> bool:
        """Whether no line of the report stands behind it."""
        return self.funder == self.payer

    @property
    def net_minor(self) -> int:
        """What the funder owes the payer; below zero what the payer owes back."""
        return self.earned_minor - self.reversed_minor


def cash_back_statement(connection: psycopg.Connection, day: date, funder: str | None = None) -> tuple[list[FunderLine], list[FunderTotal]]:
    """Lines and totals of a netted window, by funder, payer, currency and rule; of one funder where it is named.

    Raises `NotClosed` for a window that is not netted; `TotalsDiffer` where the journal's rows are not the lines of the report.
    """
    with connection.transaction():
        found = connection.execute(STATE, (day,)).fetchone()
        if found is None or found[0] in UNPRICED:
            raise NotClosed(day)
        asked = {"day": day, "earned": int(Code.CASH_BACK), "reversed": int(Code.CASH_BACK_REVERSAL)}
        lines = [FunderLine(*row) for row in connection.execute(LINES, asked)]
        reported = {(row[0], row[1], row[2]): (int(row[3] or 0), int(row[4] or 0)) for row in connection.execute(REPORTED, (day,))}
    totals = [
        FunderTotal(*key, sum(line.earned_minor for line in some), sum(line.reversed_minor for line in some))
        for key, group in groupby(lines, key=lambda line: (line.funder, line.payer, line.currency))
        for some in [list(group)]
    ]
    if reported != {(one.funder, one.payer, one.currency): (one.earned_minor, one.reversed_minor) for one in totals if not one.own}:
        raise TotalsDiffer("the cash-back in the journal is not what the report's lines say")
    return [line for line in lines if funder in {None, line.funder}], [total for total in totals if funder in {None, total.funder}]
