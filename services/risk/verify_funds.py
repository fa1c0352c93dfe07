"""Whether funds rest on what people have signed: recomputed from the rows, before anybody relies on them, and by `clh settlement verify`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import psycopg

from clearing.decisions import Says
from clearing.two_people import default_bytes, funds_bytes
from schemas.money import to_text
from services.report.verify import Proof
from services.risk.funds_words import SignedFunds, signatures
from services.settlement.concerned import Concerned
from services.settlement.decisions import DecisionProof, decisions_of, second_person_proof, signature_proofs
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.runs import SignedRun
from services.settlement.verify_bank import decision_proofs

# Funds, what each rests on by its rows, and of what was used the run that defaulted.
FUNDS: Final = """
select f.party, f.kind, f.reference, f.currency, f.amount, u.no is not null unfounded,
  exists (select from by_name n where n.what = 'funded' and n.no = f.no) vouched,
  (select d.reference from bank_decision d where d.decides and d.party = f.party and ((f.kind = 'paid in' and d.reference = f.reference)
    or (f.kind = 'paid out' and 'decision ' || d.no || ' undone: ' || d.reference = f.reference
      and exists (select from bank_decision u where u.undoes = d.no and u.decides))) limit 1) of_bank,
  (select r.no from run r where f.kind = 'used' and f.reference = 'default of ' || r.day || ', run ' || r.no || ', ' || f.currency) run
from funding f left join funding_unfounded u on u.no = f.no where %(parties)s::text[] is null or f.party = any(%(parties)s) order by f.no
"""
ENTERED: Final = "select 1 from funding where (party, currency, kind, reference) = (%s, %s, %s, %s) and abs(amount) = %s"


def funds_proofs(connection: psycopg.Connection, run: SignedRun, programme: str) -> Iterator[Proof]:
    """Proofs that all funds rest on two people's signatures, listed under a run: one for all, and each that does not hold."""
    failed = list(_failed(connection, programme))
    for proof in failed:
        yield Proof(run.no, run.day, proof.what, False, proof.differs)
    (count,) = connection.execute("select count(*) from funding").fetchone() or (0,)
    if count or failed:
        yield Proof(run.no, run.day, f"{count} entries of funds are signed by two people", not failed, f"{len(failed)} things about them do not hold")


def require_funds(connection: psycopg.Connection, programme: str, parties: Sequence[str]) -> None:
    """Trusts no row: whoever can write to the tables can write that a party has paid in. Raises `SettlementError`: bad-signature."""
    failed = next(_failed(connection, programme, parties), None)
    if failed is not None:
        raise SettlementError(SettlementCode.BAD_SIGNATURE, f"funds are not what people have signed: {failed.what}: {failed.differs}")


def _failed(connection: psycopg.Connection, programme: str, parties: Sequence[str] | None = None) -> Iterator[DecisionProof]:
    asked = {"parties": None if parties is None else list(parties)}
    of_bank: list[tuple[str, str]] = []
    for party, kind, reference, currency, amount, unfounded, vouched, bank, run in connection.execute(FUNDS, asked).fetchall():
        name = f"funds of {party} under {reference}: {to_text(amount, currency)} {currency} {kind}"
        if unfounded:
            yield DecisionProof(f"{name}, as two people have signed", False, "nothing in the books says that two people have")
        elif bank is not None:
            of_bank.append((party, bank))
        elif run is not None and not vouched:
            yield from (proof for proof in _of_default(connection, run) if not proof.holds)
    yield from (proof for proof in _signed(connection, programme, signatures(connection, parties)) if not proof.holds)
    if of_bank:
        for proof in decision_proofs(connection, programme, Concerned(funds=of_bank)):
            yield DecisionProof(proof.what, False, proof.differs)


def _signed(connection: psycopg.Connection, programme: str, signed: Sequence[SignedFunds]) -> Iterator[DecisionProof]:
    """Of each signature about funds: it is its person's, of what its row says; of a decision, that another person had proposed it, and that it was entered."""
    of = {one.no: one for one in signed}
    for one in signed:
        maker = of.get(one.proposal or 0)
        if one.action == Says.PROPOSE:
            yield from signature_proofs(one, one.expected(programme, None), funds_bytes)
            continue
        name = f"signature {one.no}: {one.kind} by {one.person}"
        yield DecisionProof(f"{name}, after another person had proposed it", maker is not None and maker.action == Says.PROPOSE, "nobody had proposed it")
        if maker is not None:
            yield from signature_proofs(one, one.expected(programme, maker.document), funds_bytes)
            yield second_person_proof(maker, one, maker.person)
            alike = (maker.party, maker.currency, maker.amount_minor, maker.kind, maker.reference)
            same = alike == (one.party, one.currency, one.amount_minor, one.kind, one.reference)
            yield DecisionProof(f"{name}, of the sum that was proposed", same, f"proposed was {alike}")
        about = (one.party, one.currency, one.kind, one.reference, one.amount_minor)
        yield DecisionProof(f"{name}, and entered", connection.execute(ENTERED, about).fetchone() is not None, "no such funds are in the books")


def _of_default(connection: psycopg.Connection, run: int) -> Iterator[DecisionProof]:
    """That both signatures of the default by which funds were used are their people's; that they say what is booked: `default_proofs`, of its window."""
    every = decisions_of(connection, run=run)
    decided = next((one for one in every if one.action == Says.DECIDE), None)
    proposed = None if decided is None else next((one for one in every if one.no == decided.proposal), None)
    if decided is None or proposed is None:
        yield DecisionProof(f"two people signed the default of run {run}", False, "they have not")
        return
    for one in (proposed, decided):
        yield from signature_proofs(one, one.document, default_bytes)
    yield second_person_proof(proposed, decided, proposed.person)
