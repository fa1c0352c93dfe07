"""`clh settlement verify`: recomputes from the tables who approved what, with no trust in what the house did when it stored it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import psycopg

from clearing.approval import Action
from schemas.canonical import sha256_hex
from services.report.sections import payment_ids
from services.report.verify import Proof, verify_report
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import holds
from services.settlement.payments import payments_of
from services.settlement.runs import Signature, SignedRun, runs_of
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
        proofs += _signatures(run, programme)
        proofs += _people(run)
        proofs += _void(run, every)
        proofs += _paid(connection, run)
        proofs += payment_proofs(connection, run, newest=run is runs[-1])
        before = run
    return [*proofs, _stands(runs[-1])]


def _fallen(run: SignedRun) -> bool:
    return run.rejection is not None or run.voided_because is not None


def _defaulted(connection: psycopg.Connection, run: SignedRun) -> bool:
    """A payment of the run was missing at its deadline: a new run without the defaulter takes its place."""
    return connection.execute(DEFAULTED, (run.no,)).fetchone() is not None


def _signatures(run: SignedRun, programme: str) -> Iterator[Proof]:
    sha256 = sha256_hex(run.text.encode())
    for one in run.signatures:
        name = f"signature {one.no}: {one.action} by {one.person}"
        about = one.day == run.day and one.report_sha256 == sha256
        yield Proof(run.no, run.day, f"{name}, of the report that the books hold", about, f"signed {one.report_sha256}, recomputed {sha256}")
        made = one.key is not None and holds(one.key.public_key, one.statement(programme).canonical(), one.signature)
        yield Proof(run.no, run.day, f"{name}, with the person's key", made, "the signature is not of these words, or not by this key")
        held = one.key is not None and one.key.held_at(one.no)
        yield Proof(run.no, run.day, f"{name}, while the key was in force", held, "the key had been revoked before")


def _people(run: SignedRun) -> Iterator[Proof]:
    """Who counts: one maker, checkers who are others, each of them once and with a key of his own, and the maker before them."""
    makers = [one for one in run.signatures if one.action is Action.SUBMIT]
    checkers = [one for one in run.signatures if one.action is Action.APPROVE]
    both = [*makers, *checkers]
    different = len({one.person for one in both}) == len({_key(one) for one in both}) == len(both)
    yield Proof(run.no, run.day, "maker and checkers are different people", different, ", ".join(one.person for one in both))
    first = len(makers) <= 1 and (not checkers or (bool(makers) and makers[0].no < min(one.no for one in checkers)))
    yield Proof(run.no, run.day, "one maker submitted it before anybody approved", first, f"{len(makers)} submissions, {len(checkers)} approvals")
    approved = run.approved_by
    late = [one.no for one in checkers if approved is not None and one.no > approved.no]
    yield Proof(run.no, run.day, "no approval after the second", not late, f"signatures {late}")


def _key(one: Signature) -> bytes:
    return one.key.public_key if one.key is not None else str(one.no).encode()


def _void(run: SignedRun, every: Sequence[SignedRun]) -> Iterator[Proof]:
    if run.voided_because is None:
        return
    because = next((other for other in every if other.no == run.voided_because), None)
    holds_ = because is not None and because.day < run.day and because.rejection is not None
    yield Proof(run.no, run.day, "it fell with a run of an earlier window that was rejected", holds_, f"it names run {run.voided_because}")


def _paid(connection: psycopg.Connection, run: SignedRun) -> Iterator[Proof]:
    """Whether the payments kept with an approved run are those of its report; one that was not approved has none."""
    kept = [(p.id, p.currency, p.payer, p.payee, p.amount_minor) for p in payments_of(connection, run.no)]
    if run.approved_by is None and not kept:
        return
    report = run.report
    named = [(name, p.currency, p.payer, p.payee, p.amount_minor) for name, p in zip(payment_ids(report, run.series), report.payments, strict=True)]
    same = run.approved_by is not None and kept == sorted(named)
    yield Proof(run.no, run.day, "the payments are those that were approved", same, f"{len(kept)} are kept, {len(named)} reported")


def _stands(run: SignedRun) -> Proof:
    """Whether the window stands where what was signed about its newest run puts it."""
    if _fallen(run):
        expected: tuple[str, ...] = ("closed",)
    else:
        expected = AFTER_APPROVAL if run.approved_by is not None else ("netted",)
    return Proof(run.no, run.day, "the window stands where its signatures put it", run.state in expected, f"it is {run.state}, not {' or '.join(expected)}")
