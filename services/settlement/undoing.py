"""A decision about the bank that was a mistake: two people undo it, by words that name it. What was said stays as it was said, and what it brought about is
taken back: funds that it entered are paid out, an entry that it ended is found again, a payment stands as the bank's words put it. Where something final rests
on it, it stays."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import psycopg

from services.bank.errors import BankCode, BankError
from services.risk.funds import require_cover
from services.settlement.deciding import BankDecision, Credit, with_reason

UNDONE: Final = "undone"
# The newest decision that stands about a payment (its id, or the EndToEndId of an attempt) or an entry (the bank's reference of it).
FIND: Final = """
select d.no, d.end_to_end_id, d.entry, e.amount, e.currency, d.verdict, d.party, d.reference, d.person, d.at,
  bank_heard(d.end_to_end_id, (select report from bank_entry x where x.no = d.entry)), rests_on(d.no)
from bank_decided d left join payment_attempt a on a.end_to_end_id = d.end_to_end_id left join bank_entry e on e.no = d.entry
left join bank_report r on r.no = e.report
where (a.end_to_end_id = %(id)s or a.payment = %(id)s or (e.bank_reference = %(id)s and (%(statement)s::text is null or r.id = %(statement)s)))
order by d.no desc
"""
ENTERED: Final = """
select amount from funding where party = %s and kind = 'paid in' and reference = %s and by_whom = %s and at = %s
"""


def to_undo(
    connection: psycopg.Connection, programme: str, about: str, reason: str, person: str, now: datetime, *, statement: str | None = None
) -> BankDecision:
    """What a person has to sign to undo the newest decision about a payment (its id, or the EndToEndId of an attempt) or an entry (the bank's reference of it).

    `statement`: the bank's id of the statement, where entries of several have the reference. Raises `BankError`: not-decided (nothing, or several entries),
    final-rests-on-it (with what does); `RiskError`: funds-needed, where what a party owes is covered by funds that the decision entered; `Refused`:
    reason-missing.
    """
    rows = connection.execute(FIND, {"id": about, "statement": statement}).fetchall()
    if not rows:
        raise BankError(BankCode.NOT_DECIDED, f"nothing that stands was decided about {about}: clh bank assigned, clh settlement status")
    if len({row[2] for row in rows}) > 1:
        raise BankError(BankCode.NOT_DECIDED, f"several decisions are about {about}: name the statement")
    no, name, entry, amount, currency, verdict, party, reference, by, at, known, rests = rows[0]
    if rests is not None:
        raise BankError(BankCode.FINAL, f"decision {no}, that {about} is {verdict}, stays: {rests}")
    if party is not None and connection.execute(ENTERED, (party, reference, by, at)).fetchone() is not None:
        require_cover(connection, party, currency, amount, now=False)
    credit = None if entry is None else Credit(entry, amount, currency)
    return BankDecision(programme, name, None, UNDONE, None, known, with_reason(reason), person, now, credit, no)
