"""Funds that parties pay in beforehand: entered under the reference of the payment, and never changed. The next night counts them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

import psycopg
from psycopg.rows import dict_row

from clearing.plan import Plan
from schemas.ids import PartyId
from schemas.money import to_text
from services.bank.references import is_creditor_reference
from services.journal.programmes import load
from services.risk.errors import RiskCode, RiskError
from services.risk.exposure import exposure

Kind = Literal["paid in", "paid out", "used"]

# Of two entries at the same moment the second sees the first.
IN_TURN: Final = "select pg_advisory_xact_lock(hashtext(current_schema() || ' funding'))"
KNOWN = "select exists (select from party where id = %s), exists (select from unit where id = %s and id not in ('points', 'stamps', 'purchases'))"
ENTERED = "select currency, amount from funding where party = %s and kind = %s and reference = %s"
BALANCE = "select coalesce(sum(amount), 0)::bigint from funding where party = %s and currency = %s"
ENTER = "insert into funding (party, currency, amount, kind, reference, by_whom, at) values (%s, %s, %s, %s, %s, %s, %s)"
LIST = """
select no, party, currency, amount amount_minor, sum(amount) over (partition by party, currency order by no)::bigint balance_minor, kind, reference, by_whom, at
from funding where (%s::text is null or party = %s) order by party, currency, no
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is entered: `amount_minor` above zero, in minor units of `currency`."""

    party: PartyId
    currency: str
    amount_minor: int
    kind: Kind
    reference: str
    by: str


def reference_of(text: str) -> str:
    """A reference as it is kept: a creditor reference (ISO 11649) without spaces and in capitals, any other with single spaces between its words."""
    compact = "".join(text.split()).upper()
    return compact if is_creditor_reference(compact) else " ".join(text.split())


def enter(connection: psycopg.Connection, entry: Entry, now: datetime) -> int:
    """Enters funds, in one transaction; returns the party's balance. The same again under its reference changes nothing.

    Raises `RiskError`: unknown-party, unknown-currency, bad-amount, reference-missing, reference-used (for another sum), funds-too-small, and of what is
    paid out funds-needed: what is left would not cover what the party owes.
    """
    if entry.amount_minor <= 0:
        raise RiskError(RiskCode.BAD_AMOUNT, "a sum above nothing is paid in, or out")
    entry = replace(entry, reference=reference_of(entry.reference))
    if not entry.reference:
        raise RiskError(RiskCode.REFERENCE_MISSING, "funds are entered under the reference of their payment")
    signed = entry.amount_minor if entry.kind == "paid in" else -entry.amount_minor
    with connection.transaction():
        connection.execute(IN_TURN)
        party, currency = connection.execute(KNOWN, (entry.party, entry.currency)).fetchone() or (False, False)
        if not party:
            raise RiskError(RiskCode.UNKNOWN_PARTY, f"the programme has no party {entry.party}")
        if not currency:
            raise RiskError(RiskCode.UNKNOWN_CURRENCY, f"the programme does not have the currency {entry.currency}")
        before = connection.execute(ENTERED, (entry.party, entry.kind, entry.reference)).fetchone()
        balance = connection.execute(BALANCE, (entry.party, entry.currency)).fetchone()
        assert balance is not None
        if before is not None:
            if before != (entry.currency, signed):
                raise RiskError(RiskCode.REFERENCE_USED, f"{entry.reference} of {entry.party} stands for {to_text(before[1], before[0])} {before[0]}")
            return int(balance[0])
        if balance[0] + signed < 0:
            raise RiskError(RiskCode.FUNDS_TOO_SMALL, f"{entry.party} has {to_text(balance[0], entry.currency)} {entry.currency} paid in")
        if entry.kind == "paid out":
            require_cover(connection, entry.party, entry.currency, entry.amount_minor)
        connection.execute(ENTER, (entry.party, entry.currency, signed, entry.kind, entry.reference, entry.by, now))
        return int(balance[0]) + signed


def require_cover(connection: psycopg.Connection, party: PartyId, currency: str, amount_minor: int) -> None:
    """If the amount leaves a party's funds, what it owes over all windows not settled stays within the cap and the funds that are left; without a limit, within
    these funds. Raises `RiskError`: funds-needed."""
    now = exposure(connection, Plan(load(connection)))
    owes, left = now.owes.get((party, currency), 0), now.most(party, currency) - amount_minor
    if owes > 0 and owes > left:
        figures = f"owes {to_text(owes, currency)} {currency} over windows not settled, and would be covered for {to_text(left, currency)}"
        raise RiskError(RiskCode.FUNDS_NEEDED, f"{party} {figures} by what is left: clh risk report")


def entries(connection: psycopg.Connection, party: str | None = None) -> list[dict[str, Any]]:
    """All that was entered, of one party or of all, with the balance after each."""
    return connection.cursor(row_factory=dict_row).execute(LIST, (party, party)).fetchall()
