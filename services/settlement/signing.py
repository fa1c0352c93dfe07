"""Submission, approval and rejection of a run: what is to be signed, and what is done with a signature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import psycopg

from clearing.approval import Action, Statement, accounts_sha256, judge
from clearing.window import Event, State
from schemas.canonical import sha256_hex
from schemas.ids import ProgrammeId
from schemas.programme import ProgrammeFile
from services.journal.programmes import load
from services.journal.windows import lock_window, move_window
from services.report.verify import Proof, verify_report
from services.risk.verify_funds import funds_proofs
from services.settlement.calendar import UnknownCountry
from services.settlement.defaulted import defaulted_runs
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import holds
from services.settlement.payments import Payment, accounts_of, keep, planned
from services.settlement.people import newest_key
from services.settlement.runs import SignedRun, newest_run, runs_of
from services.settlement.verify_corrections import correction_proofs
from services.settlement.verify_default import default_proofs

SIGN = """
insert into signature (run, day, action, person, key, report_sha256, reason, at, signature, accounts_sha256)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
VOID = "insert into voided (run, because, at) values (%s, %s, %s)"
LATER = "select day, state from settlement_window where day > %s and state not in ('open', 'draining') order by day for update"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a signature brought: where the window stands now, and which later windows have to be made anew with it."""

    statement: Statement
    state: State
    voided: tuple[date, ...] = ()


def to_sign(connection: psycopg.Connection, day: date, action: Action, person: str, now: datetime, *, reason: str | None = None) -> Statement:
    """What a person has to sign about the newest run of a window. Raises `SettlementError`: no-run, report-changed, accounts-changed."""
    run = newest_run(connection, day)
    _unchanged(run, run.sha256)
    reason = " ".join(reason.split()) if reason is not None else None
    accounts = None if action is Action.REJECT else _accounts(run, load(connection))
    said = Statement(ProgrammeId(run.report.programme), day, run.no, action, person, run.sha256, now, reason, accounts)
    _as_signed_before(run, said)
    return said


def record(connection: psycopg.Connection, programme: str, statement: Statement, signature: bytes) -> Recorded:
    """Stores a signature and does what it brings, in one transaction; of two at the same moment the second sees the first.

    Raises `SettlementError` where it is not what it claims to be, `clearing.approval.Refused` where the person may not sign this now.
    """
    with connection.transaction():
        try:
            state = lock_window(connection, statement.window)
        except LookupError as missing:
            raise SettlementError(SettlementCode.NO_RUN, str(missing)) from None
        rejects = statement.action is Action.REJECT
        later = [(day, State(stands)) for day, stands in connection.execute(LATER, (statement.window,))] if rejects else []
        run = newest_run(connection, statement.window)
        key = _proven(connection, run, programme, statement, signature)
        event = judge(state, run.signed(), statement.action, statement.person, reason=statement.reason, later=[stands for _, stands in later])
        file = load(connection)
        if not rejects:
            _sound(connection, run, programme)
            _as_signed_before(run, statement)
            if statement.accounts_sha256 != _accounts(run, file):
                raise SettlementError(SettlementCode.ACCOUNTS_CHANGED, f"an account was changed since {statement.person} signed: look at them, and sign again")
        said = (statement.report_sha256, statement.reason, statement.at, signature, statement.accounts_sha256)
        connection.execute(SIGN, (run.no, run.day, statement.action.value, statement.person, key, *said))
        if event is None:
            return Recorded(statement, state)
        if event is Event.APPROVED:
            keep(connection, run.no, _dated(run, file, statement.at))
        after = move_window(connection, programme, run.day, event, run=(run.no, run.sha256), at=statement.at, by=statement.person)
        voided = _void(connection, programme, run, later, statement)
        return Recorded(statement, after, voided)


def checked(connection: psycopg.Connection, day: date, *, whole: bool = False) -> list[Proof]:
    """What has to hold before anybody signs: the hashes up to this report, its sums, and that its own checks hold. Raises `SettlementError`: no-run.

    `whole`: earlier reports are read and written again too, not only hashed.
    """
    newest_run(connection, day)
    return verify_report(connection, day, whole=whole)


def _proven(connection: psycopg.Connection, run: SignedRun, programme: str, statement: Statement, signature: bytes) -> int:
    """That the signature is the person's, about this very run and report; returns the number of the key."""
    if run.no != statement.run:
        raise SettlementError(SettlementCode.RUN_REPLACED, f"run {statement.run} of window {run.day} was replaced by run {run.no}: look at that one")
    _unchanged(run, statement.report_sha256)
    if not statement.programme == run.report.programme == programme:
        raise SettlementError(SettlementCode.BAD_SIGNATURE, f"what is signed is about {statement.programme}, not about {programme}")
    key = newest_key(connection, statement.person)
    if not key.in_force:
        raise SettlementError(SettlementCode.KEY_REVOKED, f"the key of {statement.person} is revoked: {key.reason}")
    if not holds(key.public_key, statement.canonical(), signature):
        raise SettlementError(SettlementCode.BAD_SIGNATURE, f"the signature was not made with the key of {statement.person}")
    return key.no


def _unchanged(run: SignedRun, sha256: str) -> None:
    recomputed = sha256_hex(run.text.encode())
    if not sha256 == run.sha256 == recomputed:
        raise SettlementError(SettlementCode.REPORT_CHANGED, f"the report of run {run.no} has the hash {recomputed}, not {sha256}: clh report verify {run.day}")


def _sound(connection: psycopg.Connection, run: SignedRun, programme: str) -> None:
    every = (
        *checked(connection, run.day),
        *correction_proofs(connection, run, programme),
        *_defaults(connection, run, programme),
        *funds_proofs(connection, run, programme),
    )
    failed = [proof for proof in every if not proof.holds]
    if failed:
        what = "; ".join(f"{proof.what} (window {proof.day}): {proof.differs}" for proof in failed[:3])
        raise SettlementError(SettlementCode.CHECK_FAILED, f"{len(failed)} checks of window {run.day} do not hold: {what}")


def _defaults(connection: psycopg.Connection, run: SignedRun, programme: str) -> Iterator[Proof]:
    """Of each default after which the run was made: two people have signed it, as it is booked."""
    defaulted = {one.no for one in defaulted_runs(connection, run.day)}
    for one in runs_of(connection, run.day) if defaulted else ():
        if one.no in defaulted:
            yield from default_proofs(connection, one, programme)


def _accounts(run: SignedRun, file: ProgrammeFile) -> str:
    return accounts_sha256(accounts_of(run.report, file).items())


def _as_signed_before(run: SignedRun, statement: Statement) -> None:
    """Who approves signs the accounts that the maker has signed; a maker of before accounts were signed has named none."""
    for one in run.signatures:
        if statement.accounts_sha256 is not None and one.accounts_sha256 not in (None, statement.accounts_sha256):
            said = f"an account between which run {run.no} is paid was changed since {one.person} signed it ({one.action})"
            raise SettlementError(SettlementCode.ACCOUNTS_CHANGED, f"{said}: apply the programme with the account of then, or reject the run")


def _dated(run: SignedRun, file: ProgrammeFile, at: datetime) -> list[Payment]:
    try:
        return planned(run.report, file, at, run.series)
    except UnknownCountry as unknown:
        raise SettlementError(SettlementCode.UNKNOWN_COUNTRY, str(unknown)) from None


def _void(connection: psycopg.Connection, programme: str, rejected: SignedRun, later: list[tuple[date, State]], said: Statement) -> tuple[date, ...]:
    """Windows after a rejected one rest on what it carried on: their runs fall with it, and are made anew (clearing.md)."""
    fallen = []
    for day, state in later:
        if state in (State.NETTED, State.APPROVED):
            run = newest_run(connection, day)
            connection.execute(VOID, (run.no, rejected.no, said.at))
            move_window(connection, programme, day, Event.VOIDED, run=(run.no, run.sha256), at=said.at, by=said.person)
            fallen.append(day)
    return tuple(fallen)
