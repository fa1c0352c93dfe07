"""`clh dispute verify`: recomputes from the tables who opened and decided what, with no trust in what the house did when it stored it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from clearing.decisions import Says, digest
from clearing.disputes import Booking, DisputeEvent, DisputeState, booking
from clearing.entries import Code
from clearing.two_people import dispute_bytes
from services.disputes.life import BY_DEADLINE
from services.disputes.signing import OUTCOMES, opening_of, ruling_of
from services.settlement.decisions import DecisionProof, SignedDecision, decisions_of, second_person_proof, signature_proofs

DISPUTES = "select * from dispute where %(no)s::bigint is null or no = %(no)s order by no"
# `on_day`: in the programme's time zone; `told_ahead`: it lies in the future.
TURNS = """
select dispute, no, who, from_state, to_state, note, at > now() + interval '1 day' told_ahead,
  (at at time zone (select p.body -> 'programme' ->> 'timezone' from programme p order by p.no desc limit 1))::date on_day
from dispute_turn where %(no)s::bigint is null or dispute = %(no)s order by dispute, no
"""
BY_NAME = "select what, no from by_name where what in ('opened', 'decided')"
# What disputes have booked, by reference; of one dispute its own.
BOOKED = """
select reference, debtor, creditor, currency, amount from correction
where code = %(code)s and (%(no)s::bigint is null or starts_with(reference, 'dispute ' || %(no)s || ' ')) order by no
"""
EVENTS: Final = {
    DisputeState.HELD: DisputeEvent.HOLD, DisputeState.UPHELD: DisputeEvent.UPHOLD, DisputeState.RELEASED: DisputeEvent.RELEASE,
    DisputeState.LAPSED: DisputeEvent.LAPSE,
}  # fmt: skip
"""By which event a dispute comes to a state: those that may book."""
Entry = tuple[str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class DisputeProof:
    """One thing that has to hold of a dispute, and, where it does not, how it differs."""

    no: int
    what: str
    holds: bool
    differs: str


def verify_disputes(connection: psycopg.Connection, programme: str, no: int | None = None) -> list[DisputeProof]:
    """Of one dispute, or of all: each was opened and decided by two people who signed these rows, and booked what that brings, once, and nothing else.

    Of what people did under typed names, before it took signatures, only the names and the entries are compared.
    """
    signed: dict[int, list[SignedDecision]] = {}
    for one in decisions_of(connection, dispute=no):
        if one.dispute is not None:
            signed.setdefault(one.dispute, []).append(one)
    turns: dict[int, list[dict[str, Any]]] = {}
    for turn in connection.cursor(row_factory=dict_row).execute(TURNS, {"no": no}):
        turns.setdefault(turn["dispute"], []).append(turn)
    by_name = set(connection.execute(BY_NAME).fetchall())
    proofs: list[DisputeProof] = []
    expected: set[Entry] = set()
    rows = connection.cursor(row_factory=dict_row).execute(DISPUTES, {"no": no}).fetchall()
    for row in rows:
        made = turns.get(row["no"], [])
        found = _people(programme, row, made, signed.get(row["no"], []), by_name)
        proofs += [DisputeProof(row["no"], proof.what, proof.holds, proof.differs) for proof in found]
        expected |= set(_entries(row, made))
    booked = set[Entry](connection.execute(BOOKED, {"code": int(Code.DISPUTE), "no": no}).fetchall())
    for row in rows:
        wrong = sorted(one for one in expected ^ booked if one[0].startswith(f"dispute {row['no']} "))
        proofs.append(DisputeProof(row["no"], "its turns are booked, once, and nothing else is", not wrong, f"missing, or not of it: {wrong}"))
    ours = tuple(f"dispute {row['no']} " for row in rows)
    stray = sorted(one[0] for one in booked if not one[0].startswith(ours))
    if stray:
        proofs.append(DisputeProof(0, "every entry of a dispute belongs to one", False, f"of no dispute: {', '.join(stray[:3])}"))
    return proofs


def _people(
    programme: str, row: dict[str, Any], turns: list[dict[str, Any]], signed: list[SignedDecision], by_name: set[tuple[str, int]]
) -> Iterator[DecisionProof]:
    opening = next((one for one in signed if one.action == Says.PROPOSE), None)
    ruling = next((one for one in signed if one.action == Says.DECIDE), None)
    if ("opened", row["no"]) not in by_name:
        first = turns[0]["who"] if turns else None
        ours = opening is not None and opening.person == row["opened_by"] == first
        yield DecisionProof("who opened it has signed that", ours, f"{row['opened_by']} opened it, and has not signed it")
    if opening is not None:
        yield from signature_proofs(opening, opening_of(programme, row, opening.at).document(), dispute_bytes)
    decided = next((turn for turn in turns if turn["to_state"] in OUTCOMES.values()), None)
    if decided is not None and ("decided", row["no"]) not in by_name:
        ours = ruling is not None and ruling.person == decided["who"]
        yield DecisionProof("who decided it has signed that", ours, f"{decided['who']} decided it, and has not signed it")
    lapsed = next((turn for turn in turns if turn["to_state"] == DisputeState.LAPSED), None)
    if lapsed is not None:
        due = lapsed["who"] == BY_DEADLINE and lapsed["on_day"] > row["decide_by"] and not lapsed["told_ahead"]
        yield DecisionProof(
            "it lapsed by its deadline, and not before", due, f"{lapsed['who']} on {lapsed['on_day']}; it could be decided until {row['decide_by']}"
        )
    if ruling is None:
        return
    yield DecisionProof(f"signature {ruling.no}: decided by it", decided is not None, "the dispute is not decided")
    if decided is not None:
        before = None if opening is None else digest(opening.document)
        said = ruling_of(programme, row, DisputeState(decided["to_state"]), decided["who"], decided["note"], ruling.at, before)
        yield from signature_proofs(ruling, said.document(), dispute_bytes)
        yield second_person_proof(opening, ruling, row["opened_by"])


def _entries(row: dict[str, Any], turns: list[dict[str, Any]]) -> Iterator[Entry]:
    """What its turns have to have booked."""
    for turn in turns:
        event = EVENTS.get(DisputeState(turn["to_state"]))
        booked = None if event is None else booking(event, withheld=row["withheld"])
        if event is not None and booked is not None:
            pair = (row["creditor"], row["debtor"]) if booked is Booking.BACK else (row["debtor"], row["creditor"])
            yield f"dispute {row['no']} {event}", *pair, row["currency"], row["amount"]
