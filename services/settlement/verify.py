"""`clh settlement verify`: recomputes from the tables who approved what, with no trust in what the house did when it stored it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import psycopg

from services.report.verify import Proof, verify_report
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.runs import SignedRun, runs_of
from services.settlement.verify_approval import approval_proofs
from services.settlement.verify_default import default_proofs
from services.settlement.verify_payments import payment_proofs

DEFAULTED = "select 1 from window_move where run = %s and event = 'unpaid_at_deadline'"
AFTER_APPROVAL = ("approved", "instructed", "settled", "defaulted")


def verify_settlement(connection: psycopg.Connection, programme: str, day: date) -> list[Proof]:
    """Of every run of a window: each signature is its person's, made while the key was in force, about this run and the report that has its hash.

    Maker and checkers are different people, every run but the newest was rejected or fell with one before it, the newest stands where its signatures
    put it, the files for the bank hold what was approved, what is settled is on statements, and the report holds as `clh report verify` says.

    Raises `SettlementError`: no-run.
    """
    every = runs_of(connection)
    runs = [run for run in every if run.day == day]
    if not runs:
        raise SettlementError(SettlementCode.NO_RUN, f"window {day} has no report yet: clh window list")
    proofs = verify_report(connection, day)
    before: SignedRun | None = None
    for run in runs:
        linked = run.replaces == (before.no if before else None)
        proofs.append(Proof(run.no, day, "it names the run whose place it takes", linked, f"it names {run.replaces}"))
        if before is not None:
            fell = _fallen(before) or _defaulted(connection, before)
            proofs.append(Proof(before.no, day, "it was rejected or fell before it was replaced", fell, "nobody rejected it"))
        proofs += approval_proofs(connection, run, programme)
        if _defaulted(connection, run):
            proofs += default_proofs(connection, run, programme)
        proofs += _void(run, every)
        proofs += payment_proofs(connection, run, newest=run is runs[-1])
        before = run
    return [*proofs, _stands(runs[-1])]


def _fallen(run: SignedRun) -> bool:
    return run.rejection is not None or run.voided_because is not None


def _defaulted(connection: psycopg.Connection, run: SignedRun) -> bool:
    """A payment of the run was missing at its deadline: a new run without the defaulter takes its place."""
    return connection.execute(DEFAULTED, (run.no,)).fetchone() is not None


def _void(run: SignedRun, every: Sequence[SignedRun]) -> Iterator[Proof]:
    if run.voided_because is None:
        return
    because = next((other for other in every if other.no == run.voided_because), None)
    holds_ = because is not None and because.day < run.day and because.rejection is not None
    yield Proof(run.no, run.day, "it fell with a run of an earlier window that was rejected", holds_, f"it names run {run.voided_because}")


def _stands(run: SignedRun) -> Proof:
    """Whether the window stands where what was signed about its newest run puts it."""
    if _fallen(run):
        expected: tuple[str, ...] = ("closed",)
    else:
        expected = AFTER_APPROVAL if run.approved_by is not None else ("netted",)
    return Proof(run.no, run.day, "the window stands where its signatures put it", run.state in expected, f"it is {run.state}, not {' or '.join(expected)}")
