"""From approved to instructed: payment files are noted in the books, then handed to the bank, then noted as handed over.

A process that dies between two of these is taken up by the next call: what is noted and not handed over is handed over, byte for byte, under the MsgId that
it was noted with. If the bank had it, it is told the same again, and a duplicate is nothing new to it. Nothing is handed over that was not noted, and no bytes
that do not hold what people have approved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from clearing.approval import Refused
from clearing.payment_states import ATTEMPTS_MAX, SENT_AGAIN, PaymentKind, PaymentState
from clearing.settlement_days import next_bank_day
from clearing.window import Event, State, WrongTransition, advance
from schemas.canonical import sha256_hex
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from services.bank.errors import BankCode, BankError
from services.bank.pain001 import FIRST_FILE, blocks, message_id, payment_file
from services.journal.programmes import load
from services.journal.windows import lock_window, move_window
from services.settlement.calendar import bank_days
from services.settlement.concerned import of_runs
from services.settlement.confirming import matching, settle_confirmed
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.noted_files import NotedFile, files_of
from services.settlement.payment_states import states_of
from services.settlement.payments import Payment, payments_of
from services.settlement.readdressing import account_after, require_attempts_left, signed_accounts
from services.settlement.runs import SignedRun, newest_run
from services.settlement.sending import AT_THE_BANK, is_at_the_bank, require_unpaid
from services.settlement.taking import nothing_taken
from services.settlement.transport import Tell, Transport
from services.settlement.verify_approval import require_approval
from services.settlement.verify_bank import require_decisions
from services.settlement.verify_messages import require_messages
from services.settlement.verify_payments import require_file

# Held for as long as files are handed over: two people who pay at the same moment do not hand over the same file twice.
LOCK = "select pg_advisory_lock(hashtext(current_schema() || ' paying'))"
UNLOCK = "select pg_advisory_unlock(hashtext(current_schema() || ' paying'))"
NOTE_FILE = "insert into payment_file (message_id, run, file_no, sha256, content, noted_at, by_whom) values (%s, %s, %s, %s, %s, %s, %s)"
NOTE_ATTEMPT = "insert into payment_attempt (end_to_end_id, run, payment, attempt, message_id, block, value_date) values (%s, %s, %s, %s, %s, %s, %s)"
HANDED_OVER = "insert into handed_over (message_id, at, by_whom, sent_to) values (%s, %s, %s, %s)"
LAST_FILE = "select coalesce(max(file_no), 0) from payment_file where run = %s"


@dataclass(frozen=True, slots=True)
class Paid:
    """What paying brought: where the window stands, all files of its run, and the ids of those that were handed over now."""

    run: int
    state: State
    files: tuple[NotedFile, ...]
    handed_over: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paying:
    """Who pays, by which way, at which moment. `tell` hears each step when it is done."""

    programme: str
    by: str
    now: datetime
    transport: Transport | None
    tell: Tell = lambda _: None


def pay(connection: psycopg.Connection, day: date, how: Paying, *, corrected: bool = False) -> Paid:
    """Pays a window: notes what is not noted, hands over what is not handed over. Called again, it goes on where it was, or finds nothing to do.

    `corrected`: puts what the bank has rejected, cancelled or given back into a further file. Raises `BankError` (no-account, bad-iban, account-changed,
    file-changed, may-be-paid, no-transport, nothing-to-correct, too-many-attempts, not-handed-over …), `clearing.approval.Refused` where the window is not
    approved or is past it, `SettlementError`: no-run, and bad-signature or check-failed where the rows of an approval are not what people have signed, or those
    about the bank not what it has said, or people have decided.
    """
    with alone(connection):
        with connection.transaction():
            run = _noted(connection, day, how, corrected=corrected)
        how.tell("noted")
        handed_over = []
        for file in files_of(connection, run.no):
            if file.to_hand_over:
                _hand_over(connection, run, file, how)
                handed_over.append(file.message_id)
        with connection.transaction():
            state = lock_window(connection, day)
        return Paid(run.no, state, tuple(files_of(connection, run.no)), tuple(handed_over))


def _hand_over(connection: psycopg.Connection, run: SignedRun, file: NotedFile, how: Paying) -> None:
    """Hands a file over, while nothing that the bank says can change whether it may go. A file that the bank has spoken of is with the bank: that is noted."""
    assert how.transport is not None, "nothing is noted that cannot be handed over"
    with matching(connection), nothing_taken(connection):
        require_file(connection, run, file)
        require_messages(connection, run.no, run.day)
        require_decisions(connection, how.programme, of_runs(connection, [run.no]))
        with connection.transaction():
            state = lock_window(connection, run.day)
        standings = states_of(connection, run.no)
        if is_at_the_bank(file, standings):
            where = AT_THE_BANK
        else:
            require_unpaid(file, standings, run, settled=state is State.SETTLED)
            where = how.transport.hand_over(file.message_id, file.content, how.tell)
        how.tell("handed over")
        connection.execute(HANDED_OVER, (file.message_id, how.now, how.by, where))
        how.tell("noted as handed over")


def _noted(connection: psycopg.Connection, day: date, how: Paying, *, corrected: bool) -> SignedRun:
    """In one transaction: the first file and the window instructed; or a corrected file; or nothing, where all is noted."""
    try:
        state = lock_window(connection, day)
    except LookupError as missing:
        raise SettlementError(SettlementCode.NO_RUN, str(missing)) from None
    run = newest_run(connection, day)
    if state in (State.APPROVED, State.INSTRUCTED, State.SETTLED):
        require_approval(connection, run, how.programme)
    if corrected:
        if state is not State.INSTRUCTED:
            raise BankError(BankCode.NOTHING_TO_CORRECT, f"window {day} is {state}: only of an instructed one payments are sent again")
        _note_corrected(connection, run, how)
    elif state is State.APPROVED:
        _note_first(connection, run, how)
        move_window(connection, how.programme, day, Event.INSTRUCTED, run=(run.no, run.sha256), at=how.now, by=how.by)
        settle_confirmed(connection, how.programme, how.now, by=how.by)
        how.tell("instructed")
    elif state not in (State.INSTRUCTED, State.SETTLED):
        try:
            advance(state, Event.INSTRUCTED)
        except WrongTransition as wrong:
            raise Refused(wrong.code, str(wrong)) from None
    elif how.transport is None and any(file.to_hand_over for file in files_of(connection, run.no)):
        raise no_transport(f"the payment file of window {day}")
    return run


def _note_first(connection: psycopg.Connection, run: SignedRun, how: Paying) -> None:
    approval = run.approved_by
    if approval is None:
        raise BankError(BankCode.NOT_APPROVED, f"run {run.no} has not the signatures of two people: clh settlement verify {run.day}")
    file = load(connection)
    if any(one.payer == run.report.operator for one in run.report.payments):
        _note(connection, run, FIRST_FILE, payments_of(connection, run.no), file, approval.at, how)


def _note_corrected(connection: psycopg.Connection, run: SignedRun, how: Paying) -> None:
    """What is certainly not with its payee is put into the next file, each under an EndToEndId of its own, to be made on the next bank day. What has no further
    id stays behind; where nothing else is left, that is told."""
    require_messages(connection, run.no, run.day)
    require_decisions(connection, how.programme, of_runs(connection, [run.no]))
    file = load(connection)
    programme = file.programme
    today = how.now.astimezone(ZoneInfo(programme.timezone)).date()
    due = next_bank_day(today, bank_days(programme.bank_calendar.holidays))
    kept = {one.id: one for one in payments_of(connection, run.no)}
    standings = states_of(connection, run.no)
    signed = signed_accounts(connection, run.no)
    refused = [one for one in standings if one.kind is PaymentKind.OUTGOING and one.state in SENT_AGAIN]
    again = [
        replace(
            kept[one.id], value_date=max(due, one.value_date), attempt=len(one.attempts) + 1,
            payee_iban=account_after(one.attempts, kept[one.id].payee_iban, signed),
        )
        for one in refused
        if len(one.attempts) < ATTEMPTS_MAX
    ]  # fmt: skip
    if not again and any(noted.to_hand_over for noted in files_of(connection, run.no)):
        return  # an earlier call died before it handed over
    contradicted = [one.id for one in standings if one.state is PaymentState.CONTRADICTED]
    if not again and contradicted:
        words = f"the bank says of payment {contradicted[0]} both that it was made and that it was not: two people decide, clh settlement decide"
        raise BankError(BankCode.CONTRADICTED, words)
    for one in refused if not again else ():
        require_attempts_left(one)
    if not again:
        raise BankError(BankCode.NOTHING_TO_CORRECT, f"no payment of window {run.day} was rejected, cancelled or given back: clh settlement status {run.day}")
    row = connection.execute(LAST_FILE, (run.no,)).fetchone()
    assert row is not None
    _note(connection, run, row[0] + 1, again, file, how.now, how)


def _note(connection: psycopg.Connection, run: SignedRun, file_no: int, payments: list[Payment], file: ProgrammeFile, created: datetime, how: Paying) -> None:
    if how.transport is None:
        raise no_transport(f"the payment file of window {run.day}")
    operator = PartyId(run.report.operator)
    message = message_id(how.programme, run.no, file_no)
    content = payment_file(message, payments, operator, {party.id: party for party in file.parties}, created)
    connection.execute(NOTE_FILE, (message, run.no, file_no, sha256_hex(content), content, how.now, how.by))
    rows: list[Any] = [
        (one.end_to_end_id, run.no, one.id, one.attempt, message, name, one.value_date) for name, block in blocks(message, payments, operator) for one in block
    ]
    connection.cursor().executemany(NOTE_ATTEMPT, rows)


def no_transport(what: str) -> BankError:
    """That no way to the bank was named for something that goes there."""
    return BankError(BankCode.NO_TRANSPORT, f"{what} goes to the bank: name the folder (--folder) or the address (--url) where it goes")


@contextmanager
def alone(connection: psycopg.Connection) -> Iterator[None]:
    """Nobody else hands anything over meanwhile."""
    connection.execute(LOCK)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(UNLOCK)
