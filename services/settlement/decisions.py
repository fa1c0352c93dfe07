"""Decisions of two people about disputes and defaults, as the books keep them: each signature with the words that were signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from clearing.decisions import Says
from clearing.people import same_person
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import fingerprint, holds
from services.settlement.people import newest_key

KEEP = """
insert into decision_signature (dispute, run, action, proposal, person, key, at, document, signature) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
SIGNED = """
select s.no, s.dispute, s.run, s.action, s.person, s.at, s.document, s.signature, k.public_key, k.no key,
  r.after_decision is not null and s.no > r.after_decision revoked_before, r.key is not null revoked, s.proposal
from decision_signature s join person_key k on k.no = s.key left join key_revocation r on r.key = s.key
where (%(dispute)s::bigint is null or s.dispute = %(dispute)s) and (%(run)s::int is null or s.run = %(run)s) order by s.no
"""


@dataclass(frozen=True, slots=True)
class SignedDecision:
    """A signature about a dispute or a run's default. `revoked_before`: its key had been revoked when it was stored; `revoked`: it is by now."""

    no: int
    dispute: int | None
    run: int | None
    action: str
    person: str
    at: datetime
    document: str
    signature: bytes
    public_key: bytes
    key: int
    revoked_before: bool
    revoked: bool
    proposal: int | None


@dataclass(frozen=True, slots=True)
class Words:
    """What a person has signed: about a dispute or a run, its document, and the bytes that were signed of it."""

    person: str
    says: Says
    at: datetime
    document: str
    message: bytes
    dispute: int | None = None
    run: int | None = None
    proposal: int | None = None


@dataclass(frozen=True, slots=True)
class DecisionProof:
    """One thing that has to hold, and, where it does not, how it differs."""

    what: str
    holds: bool
    differs: str


def keep_decision(connection: psycopg.Connection, words: Words, signature: bytes) -> None:
    """Keeps a signature, in the caller's transaction. Raises `SettlementError`: unknown-person, key-revoked, bad-signature."""
    key = newest_key(connection, words.person)
    if not key.in_force:
        raise SettlementError(SettlementCode.KEY_REVOKED, f"the key of {words.person} is revoked: {key.reason}")
    if not holds(key.public_key, words.message, signature):
        raise SettlementError(SettlementCode.BAD_SIGNATURE, f"the signature was not made with the key of {words.person}")
    values = (words.dispute, words.run, words.says.value, words.proposal, words.person, key.no, words.at, words.document, signature)
    connection.execute(KEEP, values)


def decisions_of(connection: psycopg.Connection, *, dispute: int | None = None, run: int | None = None) -> list[SignedDecision]:
    """What was signed about a dispute, about a run's default, or about all, in the order in which it was stored."""
    return connection.cursor(row_factory=class_row(SignedDecision)).execute(SIGNED, {"dispute": dispute, "run": run}).fetchall()


def signature_proofs(one: SignedDecision, expected: str, message: Callable[[str], bytes]) -> Iterator[DecisionProof]:
    """Of one signature: it is of what the books hold, its person's, and made while the key was in force. `expected`: the document put together again."""
    name = f"signature {one.no}: {one.action} by {one.person}"
    yield DecisionProof(f"{name}, of what the books hold", one.document == expected, f"the books say {expected}")
    made = holds(one.public_key, message(one.document), bytes(one.signature))
    yield DecisionProof(f"{name}, with the person's key", made, "the signature is not of these words, or not by this key")
    yield DecisionProof(f"{name}, while the key was in force", not one.revoked_before, "the key had been revoked before")


def require_made(one: SignedDecision, expected: str, message: Callable[[str], bytes]) -> None:
    """Trusts no row: whoever can write to the tables can write a proposal that nobody signed. What `signature_proofs` says has to hold before anybody agrees.

    Raises `SettlementError`: bad-signature.
    """
    failed = next((proof for proof in signature_proofs(one, expected, message) if not proof.holds), None)
    if failed is not None:
        raise SettlementError(SettlementCode.BAD_SIGNATURE, f"{failed.what}: it does not hold, and nobody agrees to it: {failed.differs}")


def second_person_proof(proposed: SignedDecision | None, decided: SignedDecision, proposer: str) -> DecisionProof:
    """That another person decided than the one who proposed, by name however it is written, and by key."""
    differs = not same_person(proposer, decided.person) and (proposed is None or proposed.public_key != decided.public_key)
    told = "" if proposed is None else f", with key {fingerprint(proposed.public_key)}"
    return DecisionProof(f"signature {decided.no}: {decided.action} by {decided.person}, who did not propose it", differs, f"{proposer} proposed it{told}")
