"""One break in full: both rows field by field, its history, what was proposed, and what deciding it would book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from clearing.decisions import Charge, digest
from clearing.matching import SECOND_PERSON, BreakState, Move, MoveRefused, Unmoved
from clearing.plan import Plan
from services.recon.breaks import Chosen, breaks, turns
from services.recon.deciding import bookings_of, would_sign
from services.recon.fields import FieldPair, field_pairs

# The rows of a break; of a forced match that was proposed, each side's from the break that has it.
OURS = """
select e.* from recon_break b left join recon_break c on c.no = coalesce(%(other)s, b.counterpart)
join recon_expected e on e.no = coalesce(b.ours, c.ours) where b.no = %(no)s
"""
THEIRS = """
select e.*, f.file_id from recon_break b left join recon_break c on c.no = coalesce(%(other)s, b.counterpart)
join bank_line e on e.no = coalesce(b.theirs, c.theirs) join bank_file f on f.no = e.file where b.no = %(no)s
"""
PROPOSAL = """
select person, at, decision, document, encode(signature, 'hex') signature from recon_signature where break = %s and action = 'propose' order by no desc limit 1
"""


@dataclass(frozen=True, slots=True)
class Decidable:
    """What a person would sign: which decision, what it books, and the hash of the proposal that it would agree to."""

    decision: Move
    charges: tuple[Charge, ...]
    agrees_to: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A break with all that a person needs to see before signing anything about it."""

    found: dict[str, Any]
    """The break as `clh recon breaks` lists it."""
    fields: tuple[FieldPair, ...]
    turns: list[dict[str, Any]]
    proposal: dict[str, Any] | None
    """Of a break that is proposed: who, when, the document that was signed, its hash and signature."""
    decidable: tuple[Decidable, ...]
    """Proposed: the one thing that the second person signs. Open: what could be proposed. Over: nothing."""
    booked: list[dict[str, Any]]


def show_break(connection: psycopg.Connection, programme: str, plan: Plan, no: int, today: date) -> Shown:
    """Reads a break with both rows. Raises `MoveRefused`: no-break."""
    found = breaks(connection, Chosen(no=no, all=True), today)
    if not found:
        raise MoveRefused(Unmoved.NO_BREAK, f"there is no break {no}")
    cursor = connection.cursor(row_factory=dict_row)
    proposal = cursor.execute(PROPOSAL, (no,)).fetchone() if found[0]["state"] == BreakState.PROPOSED else None
    if proposal is not None:
        proposal |= {"sha256": digest(proposal["document"])}
    return Shown(
        found[0], fields_of(connection, no), turns(connection, no), proposal, _decidable(connection, programme, plan, found[0]), bookings_of(connection, no)
    )


def fields_of(connection: psycopg.Connection, no: int, other: int | None = None) -> tuple[FieldPair, ...]:
    """Both rows of a break, field by field. `other`: the break of the other side, where a forced match with it is about to be proposed."""
    cursor = connection.cursor(row_factory=dict_row)
    ours, theirs = (cursor.execute(question, {"no": no, "other": other}).fetchone() for question in (OURS, THEIRS))
    return field_pairs(ours, theirs)


def _decidable(connection: psycopg.Connection, programme: str, plan: Plan, found: dict[str, Any]) -> tuple[Decidable, ...]:
    if found["state"] in {BreakState.RESOLVED, BreakState.WRITTEN_OFF}:
        return ()
    proposed = None if found["proposal"] is None else Move(found["proposal"])
    told = []
    for decision in sorted(SECOND_PERSON) if proposed is None else [proposed]:
        try:
            signed = would_sign(connection, programme, plan, found["no"], decision, proposed=proposed is not None)
        except MoveRefused:  # a creation of points, or a forced match that names no other break: it cannot be proposed so
            continue
        told.append(Decidable(decision, signed.charges, signed.proposal))
    return tuple(told)
