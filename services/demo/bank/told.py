"""What the demo of money came to, read back from the books: windows with their payments, the account at the bank, what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from clearing.payment_states import PaymentKind
from schemas.money import to_text
from services.demo.bank import run as story
from services.disputes.life import disputes
from services.settlement.payment_states import Standing, states_of

CURRENCY = "USD"
RUNS = """
select r.day, w.state, array_agg(r.no order by r.no) from run r join settlement_window w on w.day = r.day
where exists (select from payment p join run of on of.no = p.run where of.day = r.day) group by r.day, w.state order by r.day
"""
# The first statement's opening balance and the last one's closing balance.
BALANCES = """
select (array_agg(opening order by year, sequence))[1], (array_agg(closing order by year desc, sequence desc))[1] from bank_report where kind = 'statement'
"""
# Entries of statements that belong to no payment.
OTHER = """
select coalesce(sum(case when e.credit then e.amount else -e.amount end), 0)::bigint from bank_entry e join bank_report r on r.no = e.report
where r.kind = 'statement' and e.booked and not exists (select from entry_payment m where m.entry = e.no)
"""
LOSSES = "select debtor, creditor, amount from obligation where day = %s and kind = 'default_loss' order by line"


@dataclass(frozen=True, slots=True)
class Week:
    """A window that was paid. Sums in minor units; `missing_minor`: what no statement shows."""

    window: date
    state: str
    runs: int
    payments: int
    paid_minor: int
    received_minor: int
    missing_minor: int


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that went wrong: when, in a sentence, and the command that shows it."""

    day: date
    sentence: str
    command: str


@dataclass(frozen=True, slots=True)
class Told:
    """All of it."""

    weeks: list[Week]
    opening_minor: int
    received_minor: int
    paid_minor: int
    other_minor: int
    closing_minor: int
    happened: list[Happened]

    @property
    def expected_minor(self) -> int:
        """What the account has to hold by what statements show of each payment."""
        return self.opening_minor + self.received_minor - self.paid_minor + self.other_minor


def told(connection: psycopg.Connection, played: story.BankPlayed) -> Told:
    """Reads it."""
    weeks, standings = [], []
    for day, state, runs in connection.execute(RUNS).fetchall():
        of_runs = [states_of(connection, run) for run in runs]
        weeks.append(_week(day, state, of_runs))
        standings += [(day, one) for own in of_runs for one in own]
    balances = connection.execute(BALANCES).fetchone() or (0, 0)
    other = connection.execute(OTHER).fetchone() or (0,)
    received = sum(one.confirmed_minor for _, one in standings if one.kind is PaymentKind.INCOMING)
    paid = sum(one.confirmed_minor for _, one in standings if one.kind is PaymentKind.OUTGOING)
    return Told(weeks, balances[0], received, paid, other[0], balances[1], list(_happened(connection, played, standings)))


def _week(day: date, state: str, of_runs: list[list[Standing]]) -> Week:
    """What was paid under any of its runs; a further run pays only the differences, and what is missing is of the newest."""
    own = [one for run in of_runs for one in run]

    def total(kind: PaymentKind) -> int:
        return sum(one.confirmed_minor for one in own if one.kind is kind)

    missing = sum(one.missing_minor for one in of_runs[-1])
    return Week(day, state, len(of_runs), len(own), total(PaymentKind.OUTGOING), total(PaymentKind.INCOMING), missing)


def _happened(connection: psycopg.Connection, played: story.BankPlayed, standings: list[tuple[date, Standing]]) -> Any:
    for day, one in standings:
        if one.id == played.returned:
            sentence = f"{_usd(one.amount_minor)} for {one.payee} came back ({one.attempts[0].reason}); attempt {len(one.attempts)}, in file "
            sentence += f"{one.attempts[-1].message_id}, is {one.state.value}"
            yield Happened(day, sentence, f"settlement status {day}")
    for row in disputes(connection, played.dispute, over=True) if played.dispute is not None else ():
        sentence = (
            f"{row['debtor']} disputed {_usd(row['amount_minor'])} of line {row['line']} ({row['kind']} to {row['creditor']}): {row['reason']}; {row['state']}"
        )
        yield Happened(row["window"], f"{sentence} by {row['last_by']}: {row['last_note']}", f"dispute show {row['no']}")
    if played.defaulted is not None:
        losses = connection.execute(LOSSES, (played.defaulted,)).fetchall()
        shares = "; ".join(f"{debtor} bears {_usd(amount)} for {creditor}" for debtor, creditor, amount in losses)
        yield Happened(played.defaulted, f"{story.SILENT} has not paid by its deadline and is in default: {shares}", f"settlement status {played.defaulted}")


def _usd(minor: int) -> str:
    return f"{to_text(minor, CURRENCY)} {CURRENCY}"
