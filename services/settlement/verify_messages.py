"""What the books say that the bank has said, rebuilt from the bytes of its messages: a row that no message bears out would send money twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import psycopg

from schemas.bank_messages import BankMessage, Notification, Statement
from services.bank.errors import BankError
from services.bank.messages import read_message
from services.report.verify import Proof
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.taking import entry_row, hash_of, report_row, status_rows

# Every message that the books say has something about a payment of the run.
MESSAGES: Final = """
select b.no, b.kind, b.message_id, b.sha256, b.content from bank_message b where b.no in (
  select s.message from payment_attempt a join bank_status s on s.end_to_end_id = a.end_to_end_id where a.run = %(run)s
  union select r.message from entry_payment m join bank_report r on r.no = m.report where m.run = %(run)s
) order by b.no
"""
OF_STATEMENT: Final = "select b.no, r.id, b.sha256, b.content from bank_report r join bank_message b on b.no = r.message where r.no = %s"
STATUSES: Final = "select line, original_message_id, end_to_end_id, status, fact, reason_code, reason_text from bank_status where message = %s order by line"
REPORTS: Final = """
select no, kind, iban, currency, id, sequence, year, from_date, to_date, opening, closing from bank_report where message = %s order by no
"""
ENTRIES: Final = """
select line, bank_reference, amount, currency, credit, booked, booking_date, value_date, end_to_end_id, reference, remittance, counterparty, counterparty_iban,
  return_reason from bank_entry where report = %s order by line
"""


def message_proofs(connection: psycopg.Connection, run: int, day: date) -> Iterator[Proof]:
    """One proof for all that the bank is said to have said of the payments of a run; none where that is nothing."""
    differs, seen = [], 0
    for no, kind, name, sha256, content in connection.execute(MESSAGES, {"run": run}).fetchall():
        seen += 1
        differs += [f"{kind.replace('_', ' ')} {name}: {what}" for what in _differences(connection, no, sha256, bytes(content))]
    if seen:
        yield Proof(run, day, "what the bank is said to have said of its payments stands in its messages", not differs, "; ".join(differs[:3]))


def require_messages(connection: psycopg.Connection, run: int, day: date) -> None:
    """Trusts no row: whoever can write to the tables can write that the bank has rejected a payment. Raises `SettlementError`: check-failed."""
    for proof in message_proofs(connection, run, day):
        if not proof.holds:
            words = f"run {run} of window {day}: the bank has not said what the books say it has: {proof.differs}: clh settlement verify {day}"
            raise SettlementError(SettlementCode.CHECK_FAILED, words)


def require_statement(connection: psycopg.Connection, report: int) -> None:
    """The same of one statement, which is about to count, read anew from its bytes. Raises `SettlementError`: check-failed."""
    row = connection.execute(OF_STATEMENT, (report,)).fetchone()
    assert row is not None, "every statement came in a message"
    no, name, sha256, content = row
    differs = list(_differences(connection, no, sha256, bytes(content)))
    if differs:
        words = f"statement {name}: it is not in the books as it stands in its message, and does not count: {'; '.join(differs[:3])}"
        raise SettlementError(SettlementCode.CHECK_FAILED, words)


def _differences(connection: psycopg.Connection, no: int, sha256: str, content: bytes) -> Iterator[str]:
    try:
        message = read_message(content)
    except BankError as error:
        yield str(error)
        return
    if hash_of(message) != sha256:
        yield f"its bytes say {hash_of(message)}, kept is {sha256}"
    stored, rebuilt = connection.execute(STATUSES, (no,)).fetchall(), [(line, *row) for line, row in enumerate(status_rows(connection, message))]
    if stored != rebuilt:
        wrong = next((row for row in stored if row not in rebuilt), None)
        yield f"{len(rebuilt)} statuses stand in it, {len(stored)} in the books" if wrong is None else f"line {wrong[0]}, {wrong[2]} {wrong[3]}, is not in it"
    yield from _reports(connection, no, message)


def _reports(connection: psycopg.Connection, no: int, message: BankMessage) -> Iterator[str]:
    """Those of a message that the books have kept with it: one that came before in another message stays with that."""
    said = {report_row(one): one for one in _parts(message)}
    for report, *row in connection.execute(REPORTS, (no,)).fetchall():
        one = said.get(tuple(row))
        if one is None:
            yield f"{row[0]} {row[3]} is not in it as the books hold it"
            continue
        stored, rebuilt = connection.execute(ENTRIES, (report,)).fetchall(), [(line, *entry_row(entry)) for line, entry in enumerate(one.entries)]
        if stored != rebuilt:
            wrong: tuple[Any, ...] | None = next((kept for kept in stored if kept not in rebuilt), None)
            yield f"{row[0]} {row[3]} has {len(rebuilt)} entries, {len(stored)} in the books" + ("" if wrong is None else f"; entry {wrong[0]} is not in it")


def _parts(message: BankMessage) -> list[Statement | Notification]:
    return [one for one in message if isinstance(one, Statement | Notification)] if isinstance(message, tuple) else []
