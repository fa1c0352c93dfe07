"""Of a run that has defaulted: two people have signed who had not paid, how much, and who bears it, and that is what is booked."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from clearing.decisions import Says, digest
from clearing.default_loss import Borne, Unpaid
from clearing.entries import Code
from clearing.payment_states import PaymentKind
from clearing.two_people import Declaration, default_bytes
from schemas.ids import PartyId
from services.report.verify import Proof
from services.settlement.baselines import baselines
from services.settlement.decisions import DecisionProof, SignedDecision, decisions_of, second_person_proof, signature_proofs
from services.settlement.payment_states import states_of
from services.settlement.runs import SignedRun

BY_NAME = "select 1 from by_name where what = 'defaulted' and no = %s"
# What a default has booked in the window that defaulted; what is put right later stands in later ones.
BOOKED = """
select code, debtor, creditor, currency, amount from correction
where day = %(day)s and starts_with(reference, 'default of ') and strpos(reference, %(named)s) > 0 order by no
"""


def default_proofs(connection: psycopg.Connection, run: SignedRun, programme: str) -> Iterator[Proof]:
    """Proofs of a run that has defaulted. Of one declared under a typed name, before it took signatures, there is nothing to recompute."""
    if connection.execute(BY_NAME, (run.no,)).fetchone() is not None:
        return
    signed = decisions_of(connection, run=run.no)
    decided = next((one for one in signed if one.action == Says.DECIDE), None)
    what = "two people signed who was in default"
    proposed = None if decided is None else next((one for one in signed if one.no == decided.proposal), None)
    yield Proof(run.no, run.day, what, decided is not None and proposed is not None, f"{len(signed)} signatures do not say so")
    if decided is None or proposed is None:
        return
    for proof in _proofs(connection, run, programme, proposed, decided):
        yield Proof(run.no, run.day, proof.what, proof.holds, proof.differs)


def baseline_proofs(connection: psycopg.Connection, run: SignedRun) -> Iterator[Proof]:
    """Of a run that has not defaulted nothing says what counted as paid then: it would have that put right which nobody owes. None where nothing does."""
    said = baselines(connection, run.no)
    if said:
        differs = f"the books say what counted as paid of {', '.join(sorted(said)[:3])}"
        yield Proof(run.no, run.day, "nothing counts as paid at a default that was not declared", False, differs)


def _proofs(connection: psycopg.Connection, run: SignedRun, programme: str, proposed: SignedDecision, decided: SignedDecision) -> Iterator[DecisionProof]:
    borne = _borne(connection, run)
    unpaid = _unpaid(connection, run, borne)
    for one, says, agreed in ((proposed, Says.PROPOSE, None), (decided, Says.DECIDE, digest(proposed.document))):
        said = Declaration(programme, run.day, run.no, run.sha256, says, tuple(unpaid), tuple(borne), one.person, one.at, agreed)
        yield from signature_proofs(one, said.document(), default_bytes)
    yield second_person_proof(proposed, decided, proposed.person)


def _borne(connection: psycopg.Connection, run: SignedRun) -> list[Borne]:
    rows = connection.execute(BOOKED, {"day": run.day, "named": f" in {run.day}, run {run.no}, "}).fetchall()
    return [
        Borne(Code.ADJUSTMENT if code == Code.ADJUSTMENT else Code.DEFAULT_LOSS, PartyId(bearer), PartyId(defaulter), currency, amount)
        for code, bearer, defaulter, currency, amount in rows
    ]


def _unpaid(connection: psycopg.Connection, run: SignedRun, borne: list[Borne]) -> list[Unpaid]:
    """What was missing of the run's payments when it defaulted, and what of it the defaulters' own funds cover, by what is booked."""
    paid = baselines(connection, run.no)
    used = {(one.defaulter, one.currency): one.amount_minor for one in borne if one.code is Code.ADJUSTMENT}
    return [
        Unpaid(PartyId(one.payer), one.currency, one.amount_minor - paid.get(one.id, 0), used.get((PartyId(one.payer), one.currency), 0))
        for one in states_of(connection, run.no)
        if one.kind is PaymentKind.INCOMING and paid.get(one.id, 0) < one.amount_minor
    ]
