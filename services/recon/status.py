"""Which files of banks are expected, by the programme's calendar, and which are late; how far each bank is matched, and what is open.

A bank that has sent a file once, or was matched once, owes one for every closed window from then on: until the end of the next day on which banks work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum, unique

import psycopg

from clearing.matching import age_days
from clearing.settlement_days import next_bank_day
from schemas.programme import BankCalendar
from services.settlement.calendar import bank_days

WINDOWS = """
select b.bank, w.day, f.files from (
  select bank, min(day) begun from (select bank, day from bank_file union all select bank, day from recon_run) a group by bank
) b join settlement_window w on w.state not in ('open', 'draining') and w.day >= greatest(b.begun, %(since)s)
left join lateral (select count(*) files from bank_file f where f.bank = b.bank and f.day = w.day) f on true
where %(bank)s::text is null or b.bank = %(bank)s order by b.bank, w.day
"""
BANKS = """
select a.bank, (select max(day) from recon_run r where r.bank = a.bank), (select max(day) from bank_file f where f.bank = a.bank),
  count(b.no), min(b.first_seen), min(b.day)
from (select bank from bank_file union select bank from recon_run) a
left join recon_break b on b.bank = a.bank and b.state not in ('resolved', 'written off')
where %(bank)s::text is null or a.bank = %(bank)s group by a.bank order by a.bank
"""


@unique
class FileState(StrEnum):
    """Whether a day's file has come."""

    TAKEN = "taken"
    DUE = "due"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """A file that a bank owes for a window, at the latest on the day `due`."""

    bank: str
    day: date
    due: date
    files: int
    state: FileState


@dataclass(frozen=True, slots=True)
class BankStatus:
    """How far a bank is: the last window matched and the last file; open breaks, and the age of the oldest by when it was seen and by its business day."""

    bank: str
    matched_to: date | None
    last_file: date | None
    open_breaks: int
    oldest_days: int | None
    oldest_business_days: int | None


def expected_files(connection: psycopg.Connection, calendar: BankCalendar, today: date, *, bank: str | None = None, days: int = 31) -> list[ExpectedFile]:
    """Files of the closed windows of the last `days` days, by bank and day; `today` is whoever asks's. Raises `UnknownCountry`."""
    works = bank_days(calendar.holidays)
    found = []
    for name, day, files in connection.execute(WINDOWS, {"bank": bank, "since": today - timedelta(days=days)}):
        due = next_bank_day(day + timedelta(days=1), works)
        state = FileState.TAKEN if files else FileState.LATE if today > due else FileState.DUE
        found.append(ExpectedFile(name, day, due, files, state))
    return found


def bank_statuses(connection: psycopg.Connection, today: date, *, bank: str | None = None) -> list[BankStatus]:
    """Every bank that has ever sent a file or was matched, or one of them."""
    return [
        BankStatus(name, matched, last, breaks, None if seen is None else age_days(seen, today), None if day is None else age_days(day, today))
        for name, matched, last, breaks, seen, day in connection.execute(BANKS, {"bank": bank})
    ]
