"""What somebody has to look at: payments that the bank rejects or gives back, money that names no payment, statements that are missing, deadlines passed.

Nothing is stored: each is found as long as its cause is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import psycopg

from clearing.payment_breaks import PaymentBreak
from clearing.payment_states import PaymentKind, PaymentState
from schemas.programme import Programme
from services.journal.programmes import load
from services.settlement.confirming import NEWEST
from services.settlement.deadlines import is_late
from services.settlement.payment_states import Standing, states_of
from services.settlement.statements import halted
from services.settlement.twice import all_twice

INSTRUCTED = f"select w.day, r.no from settlement_window w {NEWEST} where w.state = 'instructed' order by w.day"  # noqa: S608  # text from elsewhere here
# Attempts of which the bank says both, and nobody has decided, unless statements show that the money came back.
CONTRADICTED = """
select distinct p.id, a.end_to_end_id, p.payee, a.value_date, p.amount, p.currency
from bank_status s join payment_attempt a on a.end_to_end_id = s.end_to_end_id join payment p on p.run = a.run and p.id = a.payment
where s.fact in ('rejected', 'recalled') and payment_contradicted(a.end_to_end_id, a.message_id) and payment_verdict(a.end_to_end_id) is null
  and not exists (select from entry_payment m join statement_counts c on c.report = m.report where m.end_to_end_id = a.end_to_end_id and m.amount < 0)
order by p.id, a.end_to_end_id
"""
# Entries of statements that count which are about no payment of a run that stands, or whose sums at its default were kept, and of which nobody
# has said what became of them: by what they name, if anything.
ASTRAY = """
select r.id, e.bank_reference, e.booking_date, e.currency, e.amount, e.credit, e.counterparty, m.payment,
  exists (select from payment_attempt a where a.end_to_end_id = e.end_to_end_id and e.end_to_end_id <> '')
    or exists (select from payment p where right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21) = e.reference) named
from statement_counts c join bank_report r on r.no = c.report join bank_entry e on e.report = r.no
left join lateral (select m.run, m.payment from entry_payment m where m.entry = e.no limit 1) m on true
where e.booked and e.amount > 0
  and (e.booking_date is null or e.booking_date >= coalesce(%s, e.booking_date))
  and (m.payment is null or m.run <> (select max(newest.no) from run own join run newest on newest.day = own.day where own.no = m.run)
  and not exists (select from payment_baseline b where b.run = m.run and b.payment = m.payment))
  and not exists (select from bank_decided d where d.entry = e.no) and not exists (select from bank_decided d where d.given_back = e.no)
order by c.no, e.line
"""
# What was more, or came back, after its window was settled: put right in a later one, and over with once that is settled.
PUT_RIGHT = """
select k.payment, r.id, r.to_date, k.amount, p.currency, c.day from payment_correction k join payment p on p.run = k.run and p.id = k.payment
join bank_report r on r.no = k.report join correction c on c.no = k.correction join settlement_window w on w.day = c.day
where r.to_date >= coalesce(%s, r.to_date) and w.state <> 'settled' order by k.correction
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing. `about`: a payment, a statement or the bank's reference of an entry; `amount_minor` in `currency`, None where it is about no sum."""

    code: PaymentBreak
    about: str
    says: str
    since: date | None = None
    amount_minor: int | None = None
    currency: str | None = None


def findings(connection: psycopg.Connection, now: datetime, *, since: date | None = None) -> list[Finding]:
    """All of them: chains of statements first, then payments, then entries of statements. `since`: entries booked before that day are left out."""
    programme = load(connection).programme
    found = [
        Finding(halt.code, name, _halt_in_words(halt.code, account.iban, account.currency, halt.statement.sequence, halt.expected))
        for account, name, halt in halted(connection)
    ]
    for _, run in connection.execute(INSTRUCTED).fetchall():
        for one in states_of(connection, run):
            found += _of_payment(one, programme, now)
    return [*found, *_twice(connection), *_contradicted(connection), *_put_right(connection, since), *_astray(connection, since)]


def _halt_in_words(code: PaymentBreak, iban: str, currency: str, sequence: int, expected: int) -> str:
    if code is PaymentBreak.STATEMENT_GAP:
        return f"statement {sequence} of {iban} in {currency} waits for number {expected}"
    return f"statement {sequence} of {iban} in {currency} should open with {expected} minor units, as the one before it closed"


def _contradicted(connection: psycopg.Connection) -> Iterator[Finding]:
    for payment, name, payee, day, amount, currency in connection.execute(CONTRADICTED).fetchall():
        says = f"payment to {payee}: the bank says of {name} both that it was made and that it was not; clh settlement decide"
        yield Finding(PaymentBreak.BANK_CONTRADICTS, payment, says, day, amount, currency)


def _twice(connection: psycopg.Connection) -> Iterator[Finding]:
    for found in all_twice(connection):
        one = found.payment
        yield Finding(PaymentBreak.DUPLICATE_BANK, one.id, f"payment to {one.payee}: {found.words}", one.value_date, one.amount_minor, one.currency)


def _of_payment(one: Standing, programme: Programme, now: datetime) -> Iterator[Finding]:
    facts = (one.value_date, one.missing_minor, one.currency)
    if one.state is PaymentState.REJECTED:
        yield Finding(PaymentBreak.BANK_REJECTED, one.id, f"payment to {one.payee}: {one.reason or 'no reason given'}", *facts)
    elif one.state is PaymentState.RETURNED:
        days = [each.came_back_on for each in one.attempts if each.came_back_on is not None]
        on = f" on {days[-1]}" if days else ""
        yield Finding(PaymentBreak.BANK_RETURNED, one.id, f"payment of {one.payer} to {one.payee} came back{on}: {one.reason or 'no reason given'}", *facts)
    elif one.state is PaymentState.PARTLY_CONFIRMED and one.kind is PaymentKind.OUTGOING:
        says = f"statements show less than was to be paid to {one.payee}"
        if any(each.came_back_on is not None for each in one.attempts):
            says += "; it came back less what the bank kept: two people, clh bank assign RETURN --borne"
        yield Finding(PaymentBreak.AMOUNT_UNDER, one.id, says, *facts)
    if one.excess_minor:
        yield Finding(PaymentBreak.AMOUNT_OVER, one.id, f"{one.payer} paid {one.payee} too much", one.value_date, one.excess_minor, one.currency)
    if is_late(one, programme, now):
        yield Finding(PaymentBreak.MISSING_AT_BANK, one.id, f"{one.payer} to {one.payee}: its deadline has passed", *facts)


def _put_right(connection: psycopg.Connection, since: date | None) -> Iterator[Finding]:
    for payment, statement, day, amount, currency, window in connection.execute(PUT_RIGHT, (since,)).fetchall():
        says = f"by statement {statement}, after its window was settled, or had defaulted; an adjustment of window {window} puts it right"
        yield Finding(PaymentBreak.BANK_RETURNED if amount < 0 else PaymentBreak.AMOUNT_OVER, payment, says, day, abs(amount), currency)


def _astray(connection: psycopg.Connection, since: date | None) -> Iterator[Finding]:
    for statement, reference, day, currency, amount, credit, counterparty, payment, named in connection.execute(ASTRAY, (since,)).fetchall():
        says = f"{'from' if credit else 'to'} {counterparty or 'an unnamed party'}, on statement {statement}"
        says += "; two people: clh bank assign"
        if payment is not None:
            code = PaymentBreak.LATE
        elif named:
            code = PaymentBreak.CURRENCY
        else:
            code = PaymentBreak.ORPHAN_CREDIT if credit else PaymentBreak.MISSING_AT_PROGRAMME
        yield Finding(code, payment or reference, says, day, amount, currency)
