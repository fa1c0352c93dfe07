"""Books an amount that one party owes another and that no event brings: an entry of the current window, priced by its night.

What was closed is never changed: whatever has to be put right about it, by an adjustment, a dispute or a default, is such an entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import psycopg

from clearing.entries import Code
from schemas.ids import PartyId
from services.journal.accounts import CLAIMED, FUNDED

CorrectionCode = Literal[Code.ADJUSTMENT, Code.DISPUTE, Code.DEFAULT_LOSS]

FIRST_ENTRY: Final = -(1 << 40)
"""Entries of corrections are numbered down from here; those of the nights stay above (services/night/books.py)."""

# The current window, held until the transaction ends: its cut waits, or has been and then it is the next one.
CURRENT = "select day from settlement_window where state = 'open' order by day limit 1 for share"
# A window that has defaulted takes what the default brings: its further run is still to be made.
DEFAULTED = "select day from settlement_window where day = %s and state = 'defaulted' for share"
# Booked once under its reference, whoever asks how often.
KEEP = """
insert into correction (code, reference, day, debtor, creditor, currency, amount, reason, by_whom)
values (%(code)s, %(reference)s, %(day)s, %(debtor)s, %(creditor)s, %(currency)s, %(amount)s, %(reason)s, %(by)s)
on conflict (code, reference) do nothing returning no
"""
KEPT = "select no, day, debtor, creditor, currency, amount from correction where code = %s and reference = %s"
# Value moves from what the debtor funds to what the creditor claims.
POST = """
insert into transfer (entry, line, day, code, amount, unit, debit, credit, sponsor, counterparty, first)
select %(entry)s, 0, %(day)s, %(code)s, %(amount)s, u.no, -((d.no::bigint * 16 + %(funded)s) * 256 + u.no), -((c.no::bigint * 16 + %(claimed)s) * 256 + u.no),
  d.no, c.no, false
from party d, party c, unit u where d.id = %(debtor)s and c.id = %(creditor)s and u.id = %(currency)s
"""
ADD_UP = """
insert into total (day, code, sponsor, counterparty, unit, quantity, events)
select %(day)s, %(code)s, d.no, c.no, u.no, %(amount)s, 0 from party d, party c, unit u
where d.id = %(debtor)s and c.id = %(creditor)s and u.id = %(currency)s
"""


@dataclass(frozen=True, slots=True)
class Correction:
    """What was booked: number, window in which it counts, and who owes whom how much (minor units)."""

    no: int
    day: date
    debtor: PartyId
    creditor: PartyId
    currency: str
    amount_minor: int


class NoOpenWindow(Exception):  # no error of the caller: it is tried again when a window is open
    """No window is open that could take a correction."""


class OtherCorrection(Exception):  # a reference stands for one correction for ever
    """Under this reference something else was booked before; nothing has changed."""


def book_correction(
    connection: psycopg.Connection,
    code: CorrectionCode,
    debtor: PartyId,
    creditor: PartyId,
    currency: str,
    amount_minor: int,
    *,
    reference: str,
    reason: str,
    by: str,
    defaulted: date | None = None,
) -> Correction:
    """Books, in the caller's transaction, that `debtor` owes `creditor` an amount above zero; it becomes a line of the current window's report.

    `defaulted`: the defaulted window that it belongs to instead, whose further run says so. `reference` names what it is about and is booked once: the
    same again changes nothing and gives what was booked. `by`: who decided it. Raises `NoOpenWindow`, `OtherCorrection` (same reference, other parties or
    amount), and what the database refuses (a party or currency it does not know).
    """
    window = connection.execute(CURRENT).fetchone() if defaulted is None else connection.execute(DEFAULTED, (defaulted,)).fetchone()
    if window is None:
        raise NoOpenWindow
    what = {"code": int(code), "debtor": debtor, "creditor": creditor, "currency": currency, "amount": amount_minor, "day": window[0]}
    made = connection.execute(KEEP, {**what, "reference": reference, "reason": reason, "by": by}).fetchone()
    if made is None:
        return _booked(connection, code, reference, (debtor, creditor, currency, amount_minor))
    posting = {**what, "entry": FIRST_ENTRY - made[0], "funded": FUNDED, "claimed": CLAIMED}
    for statement in (POST, ADD_UP):
        assert connection.execute(statement, posting).rowcount == 1, "parties and currency are there: the table refers to them"
    return Correction(made[0], window[0], debtor, creditor, currency, amount_minor)


def _booked(connection: psycopg.Connection, code: CorrectionCode, reference: str, expected: tuple[PartyId, PartyId, str, int]) -> Correction:
    row = connection.execute(KEPT, (int(code), reference)).fetchone()
    assert row is not None, "what conflicts is there"
    if row[2:] != expected:
        raise OtherCorrection(f"{reference} stands for {row[5]} {row[4]} that {row[2]} owes {row[3]}")
    return Correction(*row)
