"""The payments of an approved run: each with an id that stays its own for ever, and the day on which the bank is to make it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import psycopg

from clearing.payment_states import end_to_end_id
from clearing.settlement_days import next_bank_day
from schemas.programme import ProgrammeFile
from schemas.report import SettlementReport
from services.report.sections import payment_ids
from services.settlement.calendar import bank_days, value_date_of

KEEP = """
insert into payment (id, run, currency, payer, payee, amount, value_date, payer_iban, payee_iban) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
OF_RUN = "select id, currency, payer, payee, amount, value_date, 1, payer_iban, payee_iban from payment where run = %s order by id"


@dataclass(frozen=True, slots=True)
class Payment:
    """What one party pays another, in minor units. `attempt`: how often it was put into a file, this time included.

    `payer_iban`, `payee_iban`: the accounts that the parties had when it was approved; empty where one had none, None where that is not known.
    """

    id: str
    currency: str
    payer: str
    payee: str
    amount_minor: int
    value_date: date
    attempt: int = 1
    payer_iban: str | None = None
    payee_iban: str | None = None

    @property
    def end_to_end_id(self) -> str:
        """What the bank's messages call this attempt. Raises `clearing.payment_states.TooManyAttempts`."""
        return end_to_end_id(self.id, self.attempt)


def accounts_of(report: SettlementReport, file: ProgrammeFile) -> dict[str, str]:
    """Of each party that pays or is paid, the account that the programme file in force has; empty where it has none."""
    ibans = {str(party.id): party.account.iban if party.account is not None else "" for party in file.parties}
    return {party: ibans.get(party, "") for one in report.payments for party in (one.payer, one.payee)}


def planned(report: SettlementReport, file: ProgrammeFile, approved_at: datetime, series: int = 0) -> list[Payment]:
    """The payments of a report that is approved at a moment: on the window's value date, or, approved too late for it, on the next bank day;
    between the accounts that the programme file in force at that moment has.

    `series`: of the run (see `payment_ids`). Raises `UnknownCountry`.
    """
    programme, calendar = file.programme, file.programme.bank_calendar
    ibans = accounts_of(report, file)
    approved_on = approved_at.astimezone(ZoneInfo(programme.timezone)).date()
    due = max(value_date_of(report.window, calendar), next_bank_day(approved_on, bank_days(calendar.holidays)))
    names = payment_ids(report, series)
    return [
        Payment(name, one.currency, one.payer, one.payee, one.amount_minor, due, 1, ibans[one.payer], ibans[one.payee])
        for name, one in zip(names, report.payments, strict=True)
    ]


def keep(connection: psycopg.Connection, run: int, payments: list[Payment]) -> None:
    """Stores the payments of a run that has just been approved, in the caller's transaction."""
    with connection.cursor() as cursor:
        rows = [(p.id, run, p.currency, p.payer, p.payee, p.amount_minor, p.value_date, p.payer_iban, p.payee_iban) for p in payments]
        cursor.executemany(KEEP, rows)


def payments_of(connection: psycopg.Connection, run: int) -> list[Payment]:
    """The payments that were approved with a run, by id; none before it is approved."""
    return [Payment(*row) for row in connection.execute(OF_RUN, (run,))]
