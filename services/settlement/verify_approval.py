"""Whether a run is approved by what people signed, recomputed from the tables: asked by the verifier, and again before anything is paid or sealed."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from clearing.approval import Action, accounts_sha256
from schemas.canonical import sha256_hex
from services.report.sections import payment_ids
from services.report.verify import Proof
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import holds
from services.settlement.payments import payments_of
from services.settlement.runs import Signature, SignedRun


def approval_proofs(connection: psycopg.Connection, run: SignedRun, programme: str) -> list[Proof]:
    """Each signature is its person's, by a key in force, about this report; maker and checkers differ; the payments kept are those of the report,
    between the accounts that were signed."""
    return [*_signatures(run, programme), *_people(run), *_paid(connection, run), *_accounts(connection, run)]


def require_approval(connection: psycopg.Connection, run: SignedRun, programme: str) -> None:
    """Trusts no row: whoever can write to the tables can write signatures that nobody made, and payments that nobody approved.

    Raises `SettlementError`: bad-signature, where one is not what it claims to be; check-failed, where the report is another than its hash says, the
    signatures approve nothing, or the payments are not those of the report, between the accounts that were signed.
    """
    recomputed = sha256_hex(run.text.encode())
    _require(SettlementCode.BAD_SIGNATURE, run, list(_signatures(run, programme)))
    others = [
        Proof(run.no, run.day, "hash of the stored report", recomputed == run.sha256, f"stored {run.sha256}, recomputed {recomputed}"),
        Proof(run.no, run.day, "two people have approved it", run.approved_by is not None, f"{len(run.signatures)} signatures do not"),
        *_people(run),
    ]
    _require(SettlementCode.CHECK_FAILED, run, others)  # the report is read only where it has its hash
    _require(SettlementCode.CHECK_FAILED, run, [*_paid(connection, run), *_accounts(connection, run)])


def _require(code: SettlementCode, run: SignedRun, proofs: list[Proof]) -> None:
    failed = [one for one in proofs if not one.holds]
    if failed:
        what = "; ".join(f"{one.what}: {one.differs}" for one in failed[:3])
        raise SettlementError(code, f"run {run.no} of window {run.day} is not approved as its rows say: {what}: clh settlement verify {run.day}")


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


def _accounts(connection: psycopg.Connection, run: SignedRun) -> Iterator[Proof]:
    """The payments are kept with the accounts that maker and checkers have signed. Of a run that was signed before accounts were, nothing can be said."""
    signed = {one.accounts_sha256 for one in run.signatures if one.action is not Action.REJECT} - {None}
    if not signed:
        return
    yield Proof(run.no, run.day, "maker and checkers have signed the same accounts", len(signed) == 1, f"{len(signed)} different ones")
    if run.approved_by is None:
        return
    pairs = {pair for one in payments_of(connection, run.no) for pair in ((one.payer, one.payer_iban), (one.payee, one.payee_iban))}
    kept = accounts_sha256((party, iban or "") for party, iban in pairs)
    yield Proof(
        run.no, run.day, "it is paid between the accounts that were signed", kept in signed, f"the payments say {kept}, signed is {sorted(signed, key=str)}"
    )


def _key(one: Signature) -> bytes:
    return one.key.public_key if one.key is not None else str(one.no).encode()


def _paid(connection: psycopg.Connection, run: SignedRun) -> Iterator[Proof]:
    """Whether the payments kept with an approved run are those of its report; one that was not approved has none."""
    kept = [(p.id, p.currency, p.payer, p.payee, p.amount_minor) for p in payments_of(connection, run.no)]
    if run.approved_by is None and not kept:
        return
    report = run.report
    named = [(name, p.currency, p.payer, p.payee, p.amount_minor) for name, p in zip(payment_ids(report, run.series), report.payments, strict=True)]
    same = run.approved_by is not None and kept == sorted(named)
    yield Proof(run.no, run.day, "the payments are those that were approved", same, f"{len(kept)} are kept, {len(named)} reported")
