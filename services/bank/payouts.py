"""What members are to be paid of their cash-back for a window, whoever pays it: as the night told it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import psycopg

from services.bank.detail import STATE, NotClosed

# Payouts of a window by payer, rule, member and currency.
LIST: Final = """
select p.id payer, m.id rule, mb.id member, o.card, u.id currency, o.amount amount_minor
from cash_back_payout o join party p on p.no = o.payer join mechanic m on m.no = o.mechanic join member mb on mb.no = o.member join unit u on u.no = o.unit
where o.day = %(day)s and (%(payer)s::text is null or p.id = %(payer)s) order by 1, 2, 3, 5
"""


@dataclass(frozen=True, slots=True)
class Payout:
    """One member's payout under one rule, in minor units; `card` is the token that the payer knows the member by."""

    payer: str
    rule: str
    member: str
    card: str
    currency: str
    amount_minor: int


def payouts_of(connection: psycopg.Connection, day: date, payer: str | None = None) -> list[Payout]:
    """The payouts of a closed window, of one payer where it is named. Raises `NotClosed`."""
    found = connection.execute(STATE, (day,)).fetchone()
    if found is None or found[0] in {"open", "draining"}:
        raise NotClosed(day)
    return [Payout(*row) for row in connection.execute(LIST, {"day": day, "payer": payer})]
