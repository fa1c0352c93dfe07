"""`clh settlement verify`: recomputes from the tables who approved what, with no trust in what the house did when it stored it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import psycopg

from services.report.verify import Proof, verify_report
from services.risk.verify_funds import funds_proofs
from services.settlement.defaulted import DefaultedRun, defaulted_runs
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.runs import SignedRun, runs_of
from services.settlement.verify_approval import approval_proofs
from services.settlement.verify_bank import bank_proofs
from services.settlement.verify_corrections import correction_proofs
from services.settlement.verify_default import baseline_proofs, default_proofs
from services.settlement.verify_messages import message_proofs
from services.settlement.verify_payments import payment_proofs

AFTER_APPROVAL = ("approved", "instructed", "settled", "defaulted")


def verify_settlement(connection: psycopg.Connection, programme: str, day: date) -> list[Proof]:
    """Of every run of a window: each signature is its person's, made while the key was in force, about this run and the report that has its hash.

    Maker and checkers are different people, every run but the newest was rejected, fell with one before it or defaulted, the newest stands where its
    signatures put it, the files for the bank hold what was approved, what is settled is on statements, what the bank
    is said to have said is in its messages, what people decided about it is signed, and so are funds,
    and the report holds as `clh report verify` says.

    Raises `SettlementError`: no-run.
    """
    every = runs_of(connection)
    runs = [run for run in every if run.day == day]
    if not runs:
        raise SettlementError(SettlementCode.NO_RUN, f"window {day} has no report yet: clh window list")
    proofs = verify_report(connection, day)
    before: SignedRun | None = None
    defaults = {run.no: run for run in defaulted_runs(connection, day)}
    for run in runs:
        linked = run.replaces == (before.no if before else None)
        proofs.append(Proof(run.no, day, "it names the run whose place it takes", linked, f"it names {run.replaces}"))
        if before is not None:
            proofs.append(_replaced(before, run, defaults.get(before.no)))
        proofs += approval_proofs(connection, run, programme)
        if run.no in defaults:
            proofs += default_proofs(connection, run, programme)
        else:
            proofs += baseline_proofs(connection, run)
        proofs += _void(run, every)
        proofs += payment_proofs(connection, run, newest=run is runs[-1])
        proofs += message_proofs(connection, run.no, day)
        before = run
    proofs += [*correction_proofs(connection, runs[-1], programme), *bank_proofs(connection, runs, programme), *funds_proofs(connection, runs[-1], programme)]
    return [*proofs, _stands(runs[-1])]


def _fallen(run: SignedRun) -> bool:
    return run.rejection is not None or run.voided_because is not None


def _replaced(run: SignedRun, by: SignedRun, default: DefaultedRun | None) -> Proof:
    """A run gives way to another only where it was rejected, fell with one that was, or a payment of it was missing at its deadline."""
    if default is not None:
        what = f"it was replaced by run {by.no} after the default of {', '.join(default.defaulters)}"
    elif run.voided_because is not None:
        what = f"it was replaced by run {by.no} after it fell with run {run.voided_because}"
    elif run.rejection is not None:
        what = f"it was replaced by run {by.no} after {run.rejection.person} rejected it"
    else:
        return Proof(run.no, run.day, "it was rejected, fell or defaulted before it was replaced", False, f"nothing says why run {by.no} took its place")
    return Proof(run.no, run.day, what, True)


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
