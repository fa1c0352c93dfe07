"""Runs with what people signed about them, as the books keep both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg

from clearing.approval import APPROVALS, Action, Signed, Statement
from schemas.ids import ProgrammeId
from schemas.report import SettlementReport
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.people import PersonKey, all_keys

RUNS = """
select r.no, r.day, w.state, r.sha256, r.report, r.made_at, r.replaces, v.because, payment_series(r.no) from run r join settlement_window w on w.day = r.day
left join voided v on v.run = r.no where r.day = coalesce(%s, r.day)
  and r.no >= coalesce((select min(no) from (select no from run order by no desc limit %s) newest), 0) order by r.no
"""
COUNT = "select count(*) from run"
SIGNATURES = (
    "select no, run, day, action, person, key, report_sha256, reason, at, signature, accounts_sha256 from signature where day = coalesce(%s, day) order by no"
)


@dataclass(frozen=True, slots=True)
class Signature:
    """A row of the table: what was signed, by which key, and the 64 bytes."""

    no: int
    run: int
    day: date
    action: Action
    person: str
    key: PersonKey | None
    """None where the person has no such key; the database refuses that."""
    report_sha256: str
    reason: str | None
    at: datetime
    signature: bytes
    accounts_sha256: str | None
    """None in a rejection, and in what was signed before accounts were."""

    def statement(self, programme: str) -> Statement:
        """What was signed, put together again from the row."""
        about = (ProgrammeId(programme), self.day, self.run)
        return Statement(*about, self.action, self.person, self.report_sha256, self.at, self.reason, self.accounts_sha256)


@dataclass(frozen=True, slots=True)
class SignedRun:
    """A run of a window. `state` is the window's; `replaces` the run whose place it takes; `voided_because` the rejected run that it fell with."""

    no: int
    day: date
    state: str
    sha256: str
    text: str
    made_at: datetime
    replaces: int | None
    voided_because: int | None
    series: int
    """How many earlier runs of the window went to the bank: the ids of payments depend on it."""
    signatures: tuple[Signature, ...]

    @property
    def report(self) -> SettlementReport:
        """The report, read again from its canonical JSON."""
        return SettlementReport.model_validate_json(self.text)

    @property
    def approved_by(self) -> Signature | None:
        """The signature by which the run was approved: the second approval whose key, like those before it, was in force then."""
        for last in self.signatures:
            held = [one for one in self.signatures if one.no <= last.no and one.key is not None and one.key.held_at(last.no)]
            checkers = {one.person for one in held if one.action is Action.APPROVE} - {one.person for one in held if one.action is Action.SUBMIT}
            if len(checkers) >= APPROVALS and any(one.action is Action.SUBMIT for one in held):
                return last
        return None

    @property
    def rejection(self) -> Signature | None:
        """The signature by which it was rejected."""
        return next((one for one in self.signatures if one.action is Action.REJECT), None)

    def signed(self) -> list[Signed]:
        """What the policy asks about: who said what, and whether it counts."""
        return [Signed(one.action, one.person, one.key is not None and one.key.in_force) for one in self.signatures]


def runs_of(connection: psycopg.Connection, day: date | None = None, *, last: int | None = None) -> list[SignedRun]:
    """The runs of a window, or of all, in the order in which they were made; with `last`, those among so many newest ones of all."""
    keys = {(key.no, key.person): key for key in all_keys(connection)}
    of_run: dict[int, list[Signature]] = {}
    rows: Iterable[Any] = connection.execute(SIGNATURES, (day,))
    for no, run, window, action, person, key, sha256, reason, at, signature, accounts in rows:
        stored = Signature(no, run, window, Action(action), person, keys.get((key, person)), sha256, reason, at, bytes(signature), accounts)
        of_run.setdefault(run, []).append(stored)
    made: Sequence[Any] = connection.execute(RUNS, (day, last)).fetchall()
    return [SignedRun(*(*row, tuple(of_run.get(row[0], ())))) for row in made]


def count_runs(connection: psycopg.Connection) -> int:
    """How many runs there are, of all windows."""
    (counted,) = connection.execute(COUNT).fetchone() or (0,)
    return int(counted)


def newest_run(connection: psycopg.Connection, day: date) -> SignedRun:
    """The run that a window stands by. Raises `SettlementError`: no-run."""
    runs = runs_of(connection, day)
    if not runs:
        raise SettlementError(SettlementCode.NO_RUN, f"window {day} has no report yet: clh window list")
    return runs[-1]
