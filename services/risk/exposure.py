"""What parties owe now, over all windows not settled: those that are netted, and those that are closed or open, as far as they are booked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg

from clearing.headroom import Limit, funds_in, limits_on, owed
from clearing.lines import Obligation
from clearing.obligations import price
from clearing.plan import Plan
from schemas.ids import PartyId
from services.journal.headroom import funds_of
from services.night.figures import WindowFigures
from services.night.funding import UNPAID

UNNETTED = "select day from settlement_window w where not exists (select from run r where r.day = w.day) order by day"
NEWEST = "select max(day) from settlement_window"


@dataclass(frozen=True, slots=True)
class Exposure:
    """Debts and what stands against them, in minor units by party and currency. `unnetted`: lines of windows not netted yet."""

    today: date | None
    """Day of the newest window, whose contracts are in force."""
    owes: dict[tuple[PartyId, str], int]
    """Below zero: it is owed."""
    unnetted: list[Obligation]
    funds: dict[tuple[PartyId, str], int]
    limits: dict[PartyId, Limit]

    def most(self, party: PartyId, currency: str) -> int:
        """The debt that a party's cap and funds cover; of one without a limit in that currency, its funds alone."""
        limit = self.limits.get(party)
        cap = limit.cap_minor if limit is not None and limit.currency == currency else 0
        return cap + self.funds_of(party, currency)

    def funds_of(self, party: PartyId, currency: str) -> int:
        """What a party's funds come to, those that its contract names too."""
        return funds_in(party, currency, self.limits, self.funds)


def exposure(connection: psycopg.Connection, plan: Plan) -> Exposure:
    """From the books as they are now; nothing is written."""
    figures = WindowFigures(connection, plan)
    unnetted: list[Obligation] = []
    for (day,) in connection.execute(UNNETTED).fetchall():
        unnetted += price(day, plan.file, figures.booked_totals(day), figures.fees_before(day))
    unpaid = {(PartyId(party), currency): amount for party, currency, amount in connection.execute(UNPAID)}
    (today,) = connection.execute(NEWEST).fetchone() or (None,)
    funds = funds_of(connection)
    return Exposure(today, owed(unpaid, unnetted), unnetted, funds, limits_on(plan.terms, today, funds) if today is not None else {})
