"""A statement that does not belong into the chain of its account is taken out of it by two people: of another year, of other books, or said to be the first by
mistake. It stays in the books as it came, and counts no more. What shows payments is never taken out: windows may have been settled on it. Where that was the
mistake, two people undo it: the statement waits again, and counts anew in its place."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import psycopg

from services.bank.errors import BankCode, BankError
from services.settlement.deciding import BankDecision, with_reason
from services.settlement.statements import last_counted

WITHDRAWN: Final = "withdrawn"
RESTORED: Final = "restored"
"""A withdrawal is undone."""
FIND = """
select r.no, r.iban, r.currency, exists (select from statement_counts c where c.report = r.no) counted, bank_heard(null, r.no),
  exists (select from entry_payment m where m.report = r.no) or exists (
    select from bank_decided d join bank_entry e on e.no in (d.entry, d.given_back) where e.report = r.no) shows
from bank_report r where r.kind = 'statement' and r.id = %(id)s and (%(iban)s::text is null or r.iban = %(iban)s)
  and (%(currency)s::text is null or r.currency = %(currency)s) and exists (select from statement_withdrawn w where w.report = r.no) = %(withdrawn)s
"""


def to_withdraw(
    connection: psycopg.Connection,
    programme: str,
    statement: str,
    reason: str,
    person: str,
    now: datetime,
    *,
    iban: str | None = None,
    begins: str | None = None,
) -> BankDecision:
    """What a person has to sign so that a statement (the bank's id of it) is no part of its account's chain; `begins`: that of the one which begins it instead.

    Raises `BankError`: unknown-statement (none, or several of that id: name the account), shows-payments, not-the-last; `Refused`: reason-missing.
    """
    no, account, currency, counted, known, shows = _found(connection, statement, iban, None)
    if shows:
        raise BankError(
            BankCode.SHOWS_PAYMENTS,
            f"statement {statement} shows payments of the house, or money that was assigned: it stays; what is wrong in it the bank corrects by a later one",
        )
    last = last_counted(connection, account, currency)
    if counted and last is not None and last.no != no:
        raise BankError(BankCode.NOT_THE_LAST, f"statements of {account} count behind statement {statement}: the last of them is withdrawn first")
    begin = None if begins is None else int(_found(connection, begins, account, currency)[0])
    return BankDecision(programme, None, no, WITHDRAWN, begin, known, with_reason(reason), person, now)


def to_restore(
    connection: psycopg.Connection, programme: str, statement: str, reason: str, person: str, now: datetime, *, iban: str | None = None
) -> BankDecision:
    """What a person has to sign so that the withdrawal of a statement is undone. Raises `BankError`: unknown-statement; `Refused`: reason-missing."""
    no, _, _, _, known, _ = _found(connection, statement, iban, None, withdrawn=True)
    return BankDecision(programme, None, no, RESTORED, None, known, with_reason(reason), person, now)


def _found(
    connection: psycopg.Connection, statement: str, iban: str | None, currency: str | None, *, withdrawn: bool = False
) -> tuple[int, str, str, bool, int, bool]:
    rows = connection.execute(FIND, {"id": statement, "iban": iban, "currency": currency, "withdrawn": withdrawn}).fetchall()
    if len(rows) != 1:
        none = "no statement of this id is withdrawn" if withdrawn else "the books have no such statement: clh bank match names those that wait"
        several = "several accounts have a statement of this id: name the account" if rows else none
        raise BankError(BankCode.UNKNOWN_STATEMENT, f"statement {statement}: {several}")
    no, account, its_currency, counted, known, shows = rows[0]
    return no, account, its_currency, counted, known, shows
