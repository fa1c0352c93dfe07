"""Runs as the books keep them: the canonical JSON of each, its hash, and the hash of the run before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec
import psycopg

from schemas.ids import PartyId
from schemas.programme import BankCalendar
from schemas.report import SettlementReport
from services.journal.programmes import load
from services.report.approvals import Approval
from services.settlement.calendar import UnknownCountry, value_date_of

COLUMNS = "r.no, r.day, r.sha256, r.previous, r.report, r.made_at, w.state"
# The run of a window is its latest one: earlier ones were rejected, or made void.
LATEST = f"""
select distinct on (r.day) {COLUMNS} from run r join settlement_window w on w.day = r.day
where r.day <= coalesce(%s, r.day) order by r.day desc, r.no desc limit %s
"""  # noqa: S608  # columns from above
# What people signed about a run, in their order.
SIGNED = "select person, action, at from signature where run = %s order by no"
SERIES = "select payment_series(%s)"
APPROVED_FOR = "select max(value_date) from payment where run = %s"
ALL = f"select {COLUMNS} from run r join settlement_window w on w.day = r.day order by r.no"  # noqa: S608  # as above


class NoReport(LookupError):
    """There is no run of that window, or none at all."""

    def __init__(self, day: date | None) -> None:
        super().__init__(f"window {day} has no report" if day is not None else "no window has a report yet")
        self.day = day


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run. `text` is what its hash is of."""

    no: int
    day: date
    sha256: str
    previous: str | None
    text: str
    made_at: datetime
    state: str

    @property
    def report(self) -> SettlementReport:
        """The report, read again from its canonical JSON."""
        return SettlementReport.model_validate_json(self.text)


class Head(msgspec.Struct, frozen=True):
    """What the chain of reports rests on."""

    window: date
    previous_sha256: str | None


def head_of(text: str) -> Head:
    """The window and the run before that a stored report names, read without the rest of it. Raises `msgspec.MsgspecError`: it is no report."""
    return msgspec.json.decode(text, type=Head)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a view is made from: the report of a night with its hash, and those of the nights before, newest first."""

    report: SettlementReport
    sha256: str
    before: tuple[SettlementReport, ...] = ()
    names: Mapping[PartyId, str] = field(default_factory=dict)
    """Names of the programme's parties, as it is in force; they are no part of the report."""
    value_date: date | None = None
    """When its payments are made: as approved, or else as the programme's calendar says now. None where the calendar does not say."""
    approvals: tuple[Approval, ...] = ()
    """What people signed about the report with this hash; they are no part of it either."""
    series: int = 0
    """How many earlier runs of the window went to the bank: the ids of payments depend on it."""
    account: str | None = None
    """The operator's account, to which parties pay; None where the programme names none."""

    @property
    def previous(self) -> SettlementReport | None:
        """The report that this one names as the one before it, as far as it is among those before; of one that has defaulted since, that of the
        further run, which carries on the same.
        """
        named = self.report.previous_sha256
        return next((report for report in self.before if named in (report.sha256(), *(run.sha256 for run in report.after_default))), None)


def shown(connection: psycopg.Connection, day: date | None, *, nights: int) -> Shown:
    """The report of a window (None: of the newest that has one) and so many nights before it. Raises `NoReport`."""
    rows = [StoredRun(*row) for row in connection.execute(LATEST, (day, nights + 1))]
    if not rows or (day is not None and rows[0].day != day):
        raise NoReport(day)
    newest, *before = rows
    file = load(connection)
    names = {party.id: party.name for party in file.parties}
    due = _value_date(connection, newest, file.programme.bank_calendar)
    approvals = tuple(Approval(*row) for row in connection.execute(SIGNED, (newest.no,)))
    (series,) = connection.execute(SERIES, (newest.no,)).fetchone() or (0,)
    account = next((party.account.iban for party in file.parties if party.id == file.programme.operator.party and party.account is not None), None)
    return Shown(newest.report, newest.sha256, tuple(run.report for run in before), names, due, approvals, series, account)


def _value_date(connection: psycopg.Connection, run: StoredRun, calendar: BankCalendar) -> date | None:
    """Of the payments of a run: all have the same."""
    approved: date | None
    (approved,) = connection.execute(APPROVED_FOR, (run.no,)).fetchone() or (None,)
    if approved is not None:
        return approved
    try:
        return value_date_of(run.day, calendar)
    except UnknownCountry:
        return None


def latest_runs(connection: psycopg.Connection, *, last: int) -> list[StoredRun]:
    """The run of each of the newest windows, oldest first."""
    return [StoredRun(*row) for row in connection.execute(LATEST, (None, last))][::-1]


def count_windows(connection: psycopg.Connection) -> int:
    """How many windows have a report."""
    (counted,) = connection.execute("select count(distinct day) from run").fetchone() or (0,)
    return int(counted)


def all_runs(connection: psycopg.Connection) -> Sequence[StoredRun]:
    """Every run there was, in the order in which they were made."""
    rows: Iterable[Any] = connection.execute(ALL)
    return [StoredRun(*row) for row in rows]
