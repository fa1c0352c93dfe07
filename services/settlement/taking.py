"""Takes messages of the settlement bank into the books, all of a file or nothing. Each is known by its id: the same again changes nothing, another content
under the same id contradicts the earlier one and is refused.

Only what was said is kept here; what it means is worked out afterwards (`payment_states.py`, `confirming.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

from clearing.payment_breaks import PaymentBreak
from clearing.payment_states import fact_of_recall, fact_of_status
from schemas.bank_messages import BankMessage, Entry, Notification, RecallAnswer, Return, Statement, StatusReport
from schemas.canonical import sha256_hex
from schemas.card_numbers import mask_card_numbers
from services.bank.errors import BankCode, BankError
from services.bank.messages import read_to_keep
from services.bank.references import is_creditor_reference
from services.settlement.statements import first_counted, halts, last_counted

LOCK = "select pg_advisory_xact_lock(hashtext(current_schema() || ' bank messages'))"
DEAF = "select pg_advisory_lock(hashtext(current_schema() || ' bank messages'))"
HEARING = "select pg_advisory_unlock(hashtext(current_schema() || ' bank messages'))"
# Every account that the operator has had: messages are about one of them.
ACCOUNTS = """
select distinct party -> 'account' ->> 'iban' from programme p, jsonb_array_elements(p.body -> 'parties') party
where party ->> 'id' = p.body -> 'programme' -> 'operator' ->> 'party' and party -> 'account' ->> 'iban' is not null
"""
FIND = "select sha256 from bank_message where kind = %s and message_id = %s"
KEEP = """
insert into bank_message (kind, message_id, sha256, content, name, received_at, masked, original_sha256) values (%s, %s, %s, %s, %s, %s, %s, %s) returning no
"""
# What a report says of a file, a block and a payment, as what it says of each payment: the nearest counts.
KEEP_STATUS = """
insert into bank_status (message, line, original_message_id, end_to_end_id, status, fact, reason_code, reason_text) values (%s, %s, %s, %s, %s, %s, %s, %s)
"""
OF_FILE = "select end_to_end_id, block from payment_attempt where message_id = %s order by end_to_end_id"
FIND_REPORT = "select sha256 from bank_report where kind = %s and iban = %s and currency = %s and id = %s"
FIND_NUMBER = """
select no from bank_report where kind = 'statement' and iban = %s and currency = %s and sequence = %s and year = %s
  and no not in (select report from statement_withdrawn)
"""
KEEP_REPORT = """
insert into bank_report (message, kind, iban, currency, id, sequence, year, from_date, to_date, opening, closing, first, sha256)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning no
"""
KEEP_ENTRIES = """
copy bank_entry (report, line, bank_reference, amount, currency, credit, booked, booking_date, value_date, end_to_end_id, reference, remittance, counterparty,
counterparty_iban, return_reason) from stdin
"""
REFERENCE_CHARACTERS: Final = 21
"""So long are the house's references behind their check digits."""
IN_TEXT: Final = re.compile(rf"RF[0-9]{{2}}[A-Z0-9]{{{REFERENCE_CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class Taken:
    """A message in the books. `new`: False where all of it was there before. `parts`: statements, notifications, or payments that it names.

    `masked`: how many of its texts held a card number, of which only the last four digits are kept.
    """

    kind: str
    message_id: str
    parts: int
    entries: int
    new: bool
    masked: int = 0


def take_message(connection: psycopg.Connection, content: bytes, name: str, now: datetime, *, first: bool = False) -> Taken:
    """Takes one message. `name`: of the file. `first`: the house's records of this account begin with this statement.

    Raises `BankError`: what `read_to_keep` raises, and contradicts-earlier, no-number, before-first. Nothing is kept then.
    """
    accounts = {iban for (iban,) in connection.execute(ACCOUNTS)}
    read = read_to_keep(content, accounts)
    message = read.message
    kind, message_id = _kind(message), _id(message)
    sha256 = hash_of(message)
    with connection.transaction():
        connection.execute(LOCK)
        row = connection.execute(FIND, (kind, message_id)).fetchone()
        if row is not None and row[0] != sha256:
            raise BankError(BankCode.CONTRADICTS, f"the bank has sent another {kind.replace('_', ' ')} under the id {message_id} before")
        if row is not None:
            return Taken(kind, message_id, *_counts(message), new=False, masked=read.masked)
        made = connection.execute(KEEP, (kind, message_id, sha256, read.kept, mask_card_numbers(name), now, read.masked, sha256_hex(content))).fetchone()
        assert made is not None
        new = _keep(connection, int(made[0]), message, first=first)
    return Taken(kind, message_id, *_counts(message), new=new, masked=read.masked)


@contextmanager
def nothing_taken(connection: psycopg.Connection) -> Iterator[None]:
    """No message of the bank comes into the books meanwhile: what was looked at still holds."""
    connection.execute(DEAF)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(HEARING)


def _keep(connection: psycopg.Connection, no: int, message: BankMessage, *, first: bool) -> bool:
    """Whether anything of it was new."""
    rows = list(status_rows(connection, message))
    new = bool(rows) or isinstance(message, StatusReport)
    for one in () if isinstance(message, StatusReport) else message:
        if isinstance(one, Statement | Notification):
            new |= _keep_report(connection, no, one, first=first)
    connection.cursor().executemany(KEEP_STATUS, [(no, line, *row) for line, row in enumerate(rows)])
    return new


def status_rows(connection: psycopg.Connection, message: BankMessage) -> Iterator[tuple[Any, ...]]:
    """What a message says of payments, in its order, as `bank_status` holds it behind message and line; nothing of what is a statement or notification."""
    if isinstance(message, StatusReport):
        yield from _report_rows(connection, message)
        return
    for one in message:
        if isinstance(one, Return):
            yield one.original_message_id, one.end_to_end_id, "RETURN", "return_announced", one.reason_code, one.reason_text
        elif isinstance(one, RecallAnswer):
            fact = fact_of_recall(one.status)
            yield one.original_message_id, one.end_to_end_id, one.status.value, fact.value if fact else None, one.reason_code, one.reason_text


def _report_rows(connection: psycopg.Connection, report: StatusReport) -> Iterator[tuple[Any, ...]]:
    """Each payment of the file once: by its own line, or its block's status, or the file's."""
    file = report.original_message_id
    if report.group_status is not None:
        yield file, None, report.group_status.value, None, report.group_reason, ""
    lines = {line.end_to_end_id: line for line in report.lines}
    for line in report.lines:
        yield file, line.end_to_end_id, line.status.value, fact_of_status(line.status, line.reason_code).value, line.reason_code, line.reason_text
    batches = {batch.payment_information_id: batch for batch in report.batches}
    for name, block in connection.execute(OF_FILE, (file,)).fetchall():
        if name in lines:
            continue
        if block in batches:
            said = batches[block]
            yield file, name, said.status.value, fact_of_status(said.status, said.reason_code).value, said.reason_code, said.reason_text
        elif report.group_status is not None:
            yield file, name, report.group_status.value, fact_of_status(report.group_status, report.group_reason).value, report.group_reason, ""


def _keep_report(connection: psycopg.Connection, message: int, report: Statement | Notification, *, first: bool) -> bool:
    kind, sha256 = ("statement" if isinstance(report, Statement) else "notification"), hash_of(report)
    row = connection.execute(FIND_REPORT, (kind, report.account_iban, report.currency, report.id)).fetchone()
    if row is not None:
        if row[0] != sha256:
            raise BankError(BankCode.CONTRADICTS, f"the bank has sent another {kind} {report.id} of {report.account_iban} before")
        return False
    if isinstance(report, Statement):
        _fits(connection, report)
    made = connection.execute(KEEP_REPORT, (message, *report_row(report), first and isinstance(report, Statement), sha256)).fetchone()
    assert made is not None
    with connection.cursor().copy(KEEP_ENTRIES) as copy:
        for line, entry in enumerate(report.entries):
            copy.write_row((made[0], line, *entry_row(entry)))
    return True


def report_row(report: Statement | Notification) -> tuple[Any, ...]:
    """A statement or notification as `bank_report` holds it, behind its message."""
    about = (report.account_iban, report.currency, report.id)
    if isinstance(report, Statement):
        return ("statement", *about, report.sequence, report.to_date.year, report.from_date, report.to_date, report.opening_minor, report.closing_minor)
    return ("notification", *about, None, None, None, None, None, None)


def _fits(connection: psycopg.Connection, statement: Statement) -> None:
    """A second statement of one number takes the place of the first only where that does not open with what the one before it closed with."""
    iban, currency, number, year = statement.account_iban, statement.currency, statement.sequence, statement.to_date.year
    if number is None:
        raise BankError(BankCode.NO_NUMBER, f"statement {statement.id} has no number: without one nobody can tell whether one is missing")
    stopped = {halt.statement.no for halt in halts(connection) if halt.code == PaymentBreak.BALANCE}
    if any(no not in stopped for (no,) in connection.execute(FIND_NUMBER, (iban, currency, number, year)).fetchall()):
        raise BankError(BankCode.CONTRADICTS, f"the bank has sent another statement number {number} of {iban} before")
    begins, last = first_counted(connection, iban, currency), last_counted(connection, iban, currency)
    if begins is not None and last is not None and (year, number) <= (last.year, last.sequence):
        raise BankError(BankCode.BEFORE_FIRST, f"statements of {iban} count from number {begins.sequence} on: number {number} lies before it")


def entry_row(entry: Entry) -> tuple[Any, ...]:
    """An entry as `bank_entry` holds it, behind its report and line."""
    return (
        entry.reference, entry.amount_minor, entry.currency, entry.credit, entry.booked, entry.booking_date, entry.value_date, entry.end_to_end_id,
        reference_of(entry), entry.remittance, entry.counterparty, entry.counterparty_iban, entry.return_reason,
    )  # fmt: skip


def reference_of(entry: Entry) -> str | None:
    """What stands behind the check digits of the entry's creditor reference: of the structured one, or of one that the payer wrote into the text."""
    for candidate in (entry.creditor_reference, *_in_text(entry.remittance)):
        if is_creditor_reference(candidate):
            return candidate.replace(" ", "").upper()[4:]
    return None


def _in_text(text: str) -> list[str]:
    return [found.group() for found in IN_TEXT.finditer(re.sub(r"[^A-Z0-9]", "", text.upper()))]


def _kind(message: BankMessage) -> str:
    if isinstance(message, StatusReport):
        return "status_report"
    names: dict[type[Any], str] = {Notification: "notification", Statement: "statement", Return: "return", RecallAnswer: "recall_answer"}
    return names[type(message[0])]


def _id(message: BankMessage) -> str:
    return message.message_id if isinstance(message, StatusReport) else message[0].message_id


def _counts(message: BankMessage) -> tuple[int, int]:
    if isinstance(message, StatusReport):
        return len(message.lines), 0
    return len(message), sum(len(one.entries) for one in message if isinstance(one, Statement | Notification))


def hash_of(said: BankMessage | Statement | Notification) -> str:
    """Of what is said, without the envelope: a statement that is sent again in another message is the same."""
    parts: Iterable[Any] = (said,) if not isinstance(said, tuple) else said
    return sha256_hex(repr([{name: value for name, value in asdict(one).items() if name not in {"message_id", "created_at"}} for one in parts]).encode())
