"""`clh recon verify`: recomputes from the tables who decided what about breaks, with no trust in what the house did when it stored it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import dict_row

from clearing.decisions import Charge, Decision, Says, digest, signed_bytes
from clearing.matching import Move
from services.recon.deciding import about_breaks
from services.recon.match_statements import UNMATCHED
from services.settlement.keys import fingerprint, holds

SIGNATURES = """
select s.no, s.break, s.turn, s.action, s.decision, s.proposal, s.person, s.at, s.document, s.signature, k.public_key, p.document proposed, p.person maker,
  pk.public_key maker_key, p.break maker_break, r.after_recon_signature revoked_after, t.who, t.note, t.to_state
from recon_signature s join person_key k on k.no = s.key left join key_revocation r on r.key = s.key
left join recon_signature p on p.no = s.proposal left join person_key pk on pk.no = p.key
left join recon_turn t on t.break = s.break and t.no = s.turn join recon_break b on b.no = s.break
where (%(bank)s::text is null or b.bank = %(bank)s) and (%(breaks)s::bigint[] is null or s.break = any(%(breaks)s)) order by s.no
"""
BOOKINGS = """
select b.signature, b.debtor, b.creditor, b.currency, b.amount, c.no is not null booked from recon_booking b
left join correction c on (c.reference, c.debtor, c.creditor, c.currency, c.amount) = (b.reference, b.debtor, b.creditor, b.currency, b.amount)
where %(signatures)s::bigint[] is null or b.signature = any(%(signatures)s) order by b.signature, b.line
"""
# A break that people decided, or that went with one, and what they signed last about it.
DECIDED = """
select b.no, b.decided_by, s.no is not null signed, coalesce(s.person = b.decided_by and s.decision = b.proposal and p.person = b.proposed_by, false) same
from recon_break b left join lateral (
  select * from recon_signature x
  where x.action = 'decide' and (x.break = b.no or (b.proposal = 'forced-match' and x.break = b.counterpart)) order by no desc limit 1
) s on true left join recon_signature p on p.no = s.proposal
where b.decided_by is not null and (%(bank)s::text is null or b.bank = %(bank)s) order by b.no
"""


@dataclass(frozen=True, slots=True)
class BreakProof:
    """One thing that has to hold of a break (0: of all a bank's rows), and, where it does not, how it differs."""

    no: int
    what: str
    holds: bool
    differs: str


def verify_breaks(connection: psycopg.Connection, programme: str, bank: str | None = None) -> list[BreakProof]:
    """Of every signature about a bank's breaks, or about all: it is of these rows, figures and bookings, its person's, and made while the key was in force.

    Every break that is decided was proposed by one person and decided by another, as its newest signatures say.
    """
    proofs = _signatures(connection, programme, bank, None)
    for no, by, signed, same in connection.execute(DECIDED, {"bank": bank}):
        differs = f"{by} decided it, as other signatures say" if signed else f"it names {by}, and nobody signed it"
        proofs.append(BreakProof(no, "it was decided by the two people who signed", bool(signed and same), differs))
    return [*proofs, *_matches(connection, bank)]


def signed_breaks(connection: psycopg.Connection, programme: str, breaks: Sequence[int]) -> list[BreakProof]:
    """The same of the signatures about some breaks, by their numbers, and of nothing else."""
    return _signatures(connection, programme, None, breaks)


def _signatures(connection: psycopg.Connection, programme: str, bank: str | None, breaks: Sequence[int] | None) -> list[BreakProof]:
    asked = {"bank": bank, "breaks": None if breaks is None else list(breaks)}
    rows = connection.cursor(row_factory=dict_row).execute(SIGNATURES, asked).fetchall()
    bookings: dict[int, list[tuple[Charge, bool]]] = {}
    of = None if bank is None and breaks is None else [row["no"] for row in rows]
    for signature, debtor, creditor, currency, amount, booked in connection.execute(BOOKINGS, {"signatures": of}):
        bookings.setdefault(signature, []).append((Charge(debtor, creditor, currency, amount), booked))
    numbers = {row["break"] for row in rows} | {json.loads(row["document"])["counterpart"] for row in rows} - {None}
    about = about_breaks(connection, sorted(numbers))
    return [proof for row in rows for proof in _signature(row, programme, about, bookings.get(row["no"], []))]


def _matches(connection: psycopg.Connection, bank: str | None) -> Iterator[BreakProof]:
    """What is matched is there, on both sides, and agrees in what its pass goes by: whoever can write to the tables can match a row with nothing."""
    if connection.execute("select 1 from recon_match where %(bank)s::text is null or bank = %(bank)s limit 1", {"bank": bank}).fetchone() is None:
        return
    wrong = connection.execute(UNMATCHED, {"bank": bank}).fetchall()
    differs = "; ".join(f"match {no}, pass {which}: ours {ours}, theirs {theirs}" for no, which, ours, theirs in wrong[:3])
    yield BreakProof(0, "what is matched is there, and agrees as its pass says", not wrong, f"{len(wrong)} are not: {differs}")


def _signature(row: dict[str, Any], programme: str, about: dict[int, dict[str, Any]], booked: list[tuple[Charge, bool]]) -> Iterator[BreakProof]:
    name, no = f"signature {row['no']}: {row['action']} {row['decision']} by {row['person']}", row["break"]
    key = bytes(row["public_key"])
    said = json.loads(row["document"])
    expected = _rebuilt(row, said, programme, about, [charge for charge, _ in booked])
    yield BreakProof(no, f"{name}, of what the books hold", expected.document() == row["document"], f"the books say {expected.document()}")
    made = holds(key, signed_bytes(row["document"]), bytes(row["signature"]))
    yield BreakProof(no, f"{name}, with the person's key", made, "the signature is not of these words, or not by this key")
    held = row["revoked_after"] is None or row["no"] <= row["revoked_after"]
    yield BreakProof(no, f"{name}, while the key was in force", held, "the key had been revoked before")
    turned = (row["who"], row["note"]) == (row["person"], said["note"])
    yield BreakProof(no, f"{name}, as the break's turns say", turned, f"turn {row['turn']} is by {row['who']}")
    if row["action"] == Says.DECIDE:
        two = row["maker"] not in (None, row["person"]) and bytes(row["maker_key"] or b"") not in (b"", key) and row["maker_break"] == no
        yield BreakProof(no, f"{name}, who did not propose it", two, f"{row['maker']} proposed it, with key {fingerprint(bytes(row['maker_key'] or b''))}")
        agreed = row["proposed"] is not None and json.loads(row["proposed"])["charges"] == said["charges"]
        yield BreakProof(no, f"{name}, at the cost that was proposed", agreed, f"it books {said['charges']}")
        in_journal = all(there for _, there in booked)
        yield BreakProof(no, f"{name}, booked as it was signed", in_journal, "an adjustment is missing, or another one")


def _rebuilt(row: dict[str, Any], said: dict[str, Any], programme: str, about: dict[int, dict[str, Any]], booked: list[Charge]) -> Decision:
    """What has to have been signed, put together again from the tables."""
    one = about[row["break"]]
    other = about.get(said["counterpart"], one) if row["decision"] == Move.FORCE_MATCH else one
    both = {name: one[name] or other[name] for name in ("programme_units", "bank_units", "our_hash", "their_hash")}
    decided = Decision(
        programme, row["break"], row["turn"], Says(row["action"]), Move(row["decision"]), row["person"], row["note"] or "", row["at"], one["code"],
        both["programme_units"], both["bank_units"], one["unit"], both["our_hash"], both["their_hash"], said["counterpart"],
        tuple(booked), None if row["proposed"] is None else digest(row["proposed"]),
    )  # fmt: skip
    if row["action"] == Says.PROPOSE:  # nothing is booked yet: what it would cost is what the decision is compared with
        return replace(decided, charges=tuple(Charge(*charge) for charge in said["charges"]))
    return decided
