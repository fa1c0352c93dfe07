"""Funds that parties pay in beforehand: under the reference of the payment, and never changed. Who enters them: `services/risk/signed_funds.py`."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import psycopg
from psycopg.rows import dict_row

from clearing.plan import Plan
from schemas.ids import PartyId
from schemas.money import to_text
from schemas.unseen import UNSEEN
from services.bank.references import is_creditor_reference
from services.journal.headroom import FUNDS_IN_TURN, unused_room
from services.journal.programmes import load
from services.risk.errors import RiskCode, RiskError
from services.risk.exposure import exposure

Kind = Literal["paid in", "paid out"]

REFERENCE_CHARACTERS_MAX: Final = 35
"""Of the reference of a payment (ISO 20022, Max35Text)."""
KNOWN = "select exists (select from party where id = %s), exists (select from unit where id = %s and id not in ('points', 'stamps', 'purchases'))"
ENTERED = "select currency, amount from funding where party = %s and kind = %s and reference = %s"
BALANCE = "select coalesce(sum(amount), 0)::bigint from funding where party = %s and currency = %s"
ENTER = "insert into funding (party, currency, amount, kind, reference, by_whom, at) values (%s, %s, %s, %s, %s, %s, %s)"
# What counts, with the people who signed it where people did; then what waits for a second person: of each reference what was proposed last.
LIST = """
select f.party, f.currency, f.amount amount_minor, sum(f.amount) over (partition by f.party, f.currency order by f.no)::bigint balance_minor, f.kind,
  f.reference, coalesce(p.person || ', ', '') || f.by_whom by_whom, f.at, 'counts' state, f.no
from funding f left join funding_signature s on (s.party, s.kind, s.reference) = (f.party, f.kind, f.reference) and s.action = 'decide'
left join funding_signature p on p.no = s.proposal where (%(party)s::text is null or f.party = %(party)s)
union all
select s.party, s.currency, case s.kind when 'paid in' then s.amount else -s.amount end, null, s.kind, s.reference, s.person, s.at, 'proposed', s.no
from (select distinct on (party, kind, reference) * from funding_signature order by party, kind, reference, no desc) s
where s.action = 'propose' and (%(party)s::text is null or s.party = %(party)s)
  and not exists (select from funding f where (f.party, f.kind, f.reference) = (s.party, s.kind, s.reference))
order by state, party, currency, no
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is entered: `amount_minor` above zero, in minor units of `currency`."""

    party: PartyId
    currency: str
    amount_minor: int
    kind: Kind
    reference: str

    @property
    def signed_minor(self) -> int:
        """As the books keep it: below zero where it is paid out."""
        return self.amount_minor if self.kind == "paid in" else -self.amount_minor


def reference_of(text: str) -> str:
    """A reference as it is kept: a creditor reference (ISO 11649) without spaces and in capitals, any other with single spaces between its words."""
    compact = "".join(text.split()).upper()
    return compact if is_creditor_reference(compact) else " ".join(text.split())


def plain_reference(text: str) -> str:
    """A reference that somebody types, as it is kept: as long as banks carry one (ISO 20022), and of what is seen, so that no two look the same.

    Raises `RiskError`: reference-missing, reference-not-plain.
    """
    reference = reference_of(text)
    if not reference:
        raise RiskError(RiskCode.REFERENCE_MISSING, "funds are entered under the reference of their payment")
    if len(reference) > REFERENCE_CHARACTERS_MAX:
        words = f"a reference has at most {REFERENCE_CHARACTERS_MAX} characters, and this one {len(reference):,}"
        raise RiskError(RiskCode.REFERENCE_NOT_PLAIN, words)
    unseen = next((one for one in reference if one != " " and unicodedata.category(one) in UNSEEN), None)
    if unseen is not None:
        raise RiskError(RiskCode.REFERENCE_NOT_PLAIN, f"the reference has a character that is not seen, U+{ord(unseen):04X}: type it anew")
    return reference


def require_enterable(connection: psycopg.Connection, entry: Entry, *, now: bool = True) -> Entry:
    """Whether funds may be entered as the books are, in the caller's transaction, in which nobody else enters any; the entry with its reference as it is kept.

    `now`: they count from now on, so that nothing may rest on what is paid out; else it is proposed, and the next night opens no room out of it.

    Raises `RiskError`: bad-amount, reference-missing, reference-not-plain, unknown-party, unknown-currency, reference-used (for another sum),
    funds-entered (for this one), funds-too-small, and of what is paid out funds-needed: what is left would not cover what the party owes, or (`now`) may
    come to owe out of room that is open.
    """
    if entry.amount_minor <= 0:
        raise RiskError(RiskCode.BAD_AMOUNT, "a sum above nothing is paid in, or out")
    entry = replace(entry, reference=plain_reference(entry.reference))
    connection.execute(FUNDS_IN_TURN)
    require_known(connection, entry.party, entry.currency)
    before = connection.execute(ENTERED, (entry.party, entry.kind, entry.reference)).fetchone()
    if before is not None:
        code = RiskCode.FUNDS_ENTERED if before == (entry.currency, entry.signed_minor) else RiskCode.REFERENCE_USED
        raise RiskError(code, f"{entry.reference} of {entry.party} stands for {to_text(before[1], before[0])} {before[0]}")
    if (balance := balance_of(connection, entry.party, entry.currency)) + entry.signed_minor < 0:
        raise RiskError(RiskCode.FUNDS_TOO_SMALL, f"{entry.party} has {to_text(balance, entry.currency)} {entry.currency} paid in")
    if entry.kind == "paid out":
        require_cover(connection, entry.party, entry.currency, entry.amount_minor, now=now)
    return entry


def require_known(connection: psycopg.Connection, party: str, currency: str) -> None:
    """Raises `RiskError`, unknown-party or unknown-currency, where the programme does not have them."""
    has_party, has_currency = connection.execute(KNOWN, (party, currency)).fetchone() or (False, False)
    if not has_party:
        raise RiskError(RiskCode.UNKNOWN_PARTY, f"the programme has no party {party}")
    if not has_currency:
        raise RiskError(RiskCode.UNKNOWN_CURRENCY, f"the programme does not have the currency {currency}")


def balance_of(connection: psycopg.Connection, party: str, currency: str) -> int:
    """What a party has paid in, less what was used and paid out, in minor units."""
    row = connection.execute(BALANCE, (party, currency)).fetchone()
    assert row is not None
    return int(row[0])


def require_cover(connection: psycopg.Connection, party: PartyId, currency: str, amount_minor: int, *, now: bool) -> None:
    """If the amount leaves a party's funds, what it owes over all windows not settled stays within the cap and the funds that are left; without a limit, within
    these funds. `now`: with what it may come to owe out of room that is open, which nobody asks about again (ADR 21). Raises `RiskError`: funds-needed."""
    plan = Plan(load(connection))
    room = unused_room(connection, plan).get((party, currency), 0) if now else 0
    found = exposure(connection, plan)
    owes, left = found.owes.get((party, currency), 0), found.most(party, currency) - amount_minor
    if owes + room > max(0, left):
        figures = f"owes {to_text(owes, currency)} {currency} over windows not settled, and would be covered for {to_text(left, currency)} by what is left"
        if owes <= max(0, left):
            figures += f"; points may still be given for {to_text(room, currency)} out of room that is open: it can go once the night has closed that window"
        raise RiskError(RiskCode.FUNDS_NEEDED, f"{party} {figures}: clh risk report")


def entries(connection: psycopg.Connection, party: str | None = None) -> list[dict[str, Any]]:
    """All that was entered, of one party or of all, with the balance after each; then what one person has proposed, which counts for nothing yet."""
    return connection.cursor(row_factory=dict_row).execute(LIST, {"party": party}).fetchall()
