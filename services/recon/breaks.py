"""Breaks: listed with their age, and moved on by people; a write-off, a forced match and a creation by two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from clearing.matching import BY_MATCHING, SECOND_PERSON, BreakState, Move, MoveRefused, age_days, moved

HAND: Final = 0
"""The pass of a forced match: a person's decision, before all passes."""
LIST = """
select b.no, b.bank, b.day, b.code, b.state, b.owner, b.programme_units, b.bank_units, b.bank_units - b.programme_units diff_units, b.unit, b.first_seen,
  b.proposal, b.proposed_by, b.decided_by, coalesce(o.bank_txn_id, t.bank_txn_id) bank_txn_id, coalesce(o.event_type, t.event_type) event_type,
  coalesce(o.card_ref, t.card_ref) card_ref, f.file_id, t.line
from recon_break b left join recon_expected o on o.no = b.ours left join bank_line t on t.no = b.theirs left join bank_file f on f.no = t.file
where (%(bank)s::text is null or b.bank = %(bank)s) and (%(no)s::bigint is null or b.no = %(no)s) and (%(all)s or b.state not in ('resolved', 'written off'))
  and (%(code)s::text is null or b.code = %(code)s) and (%(state)s::text is null or b.state = %(state)s) order by b.no limit %(limit)s
"""
LOCK = "select no, bank, ours, theirs, state, owner, proposal, proposed_by, counterpart from recon_break where no = any(%s) order by no for update"
CHANGE = """
update recon_break set state = %(state)s, owner = %(owner)s, proposal = %(proposal)s, proposed_by = %(proposed_by)s, decided_by = %(decided_by)s,
  counterpart = %(counterpart)s where no = %(no)s
"""
TURN = """
insert into recon_turn (break, no, at, who, from_state, to_state, note)
values (%(no)s, (select coalesce(max(no), 0) + 1 from recon_turn where break = %(no)s), %(at)s, %(who)s, %(before)s, %(after)s, %(note)s)
"""
TURNS = "select no, at, who, from_state, to_state, note from recon_turn where break = %s order by no"
FORCE = "insert into recon_match (bank, day, pass, ours, theirs) values (%s, %s, %s, %s, %s)"


class NoBreak(LookupError):
    """There is no break of that number."""

    def __init__(self, no: int) -> None:
        super().__init__(f"there is no break {no}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which breaks are listed; None: of any. `all`: those that are over too."""

    bank: str | None = None
    code: str | None = None
    state: str | None = None
    all: bool = False
    no: int | None = None


def breaks(connection: psycopg.Connection, chosen: Chosen, today: date, *, limit: int = 1000) -> list[dict[str, Any]]:
    """Breaks in the order in which they were opened, with their age in days from when they were seen, and from their business day."""
    asked = {"bank": chosen.bank, "code": chosen.code, "state": chosen.state, "all": chosen.all or chosen.state is not None, "no": chosen.no, "limit": limit}
    found = connection.cursor(row_factory=dict_row).execute(LIST, asked).fetchall()
    return [row | {"age_days": age_days(row["first_seen"], today), "business_age_days": age_days(row["day"], today)} for row in found]


def turns(connection: psycopg.Connection, no: int) -> list[dict[str, Any]]:
    """What became of a break, turn by turn."""
    return connection.cursor(row_factory=dict_row).execute(TURNS, (no,)).fetchall()


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done with a break. `proposal`: of a PROPOSE, what the second person is to decide; `counterpart`: of a forced match."""

    move: Move
    who: str
    note: str
    proposal: Move | None = None
    counterpart: int | None = None


def resolve(connection: psycopg.Connection, no: int, wish: Wish, now: datetime) -> BreakState:
    """Moves a break on, in one transaction; returns its state. Raises `NoBreak`, `MoveRefused`.

    Who investigates, asks the bank or proposes owns the break from then on. A forced match moves the break of the other side with it.
    """
    if wish.move in BY_MATCHING:
        raise MoveRefused(f"{wish.move} is what matching does when the cause is gone; by hand it is proposed, and a second person decides")
    if not wish.note.strip():
        raise MoveRefused("a move has a note that says why")
    with connection.transaction():
        row = _locked(connection, [no])[no]
        proposal = None if row["proposal"] is None else Move(row["proposal"])
        after = moved(BreakState(row["state"]), wish.move, who=wish.who, proposal=proposal, proposed_by=row["proposed_by"])
        change = _changed(row, wish, after)
        if wish.move is Move.PROPOSE and wish.proposal is Move.FORCE_MATCH:
            _counterpart(connection, row, wish.counterpart)
        if wish.move is Move.FORCE_MATCH:
            _force(connection, row, wish, now)
        _write(connection, row, change, wish, now)
    return after


def _locked(connection: psycopg.Connection, numbers: list[int]) -> dict[int, dict[str, Any]]:
    rows = {row["no"]: row for row in connection.cursor(row_factory=dict_row).execute(LOCK, (numbers,)).fetchall()}
    for no in numbers:
        if no not in rows:
            raise NoBreak(no)
    return rows


def _changed(row: dict[str, Any], wish: Wish, after: BreakState) -> dict[str, Any]:
    change = {"state": after, "owner": row["owner"], "proposal": None, "proposed_by": None, "decided_by": None, "counterpart": None}
    if wish.move in {Move.INVESTIGATE, Move.ASK_BANK, Move.PROPOSE}:
        change["owner"] = wish.who
    if wish.move is Move.PROPOSE:
        if wish.proposal not in SECOND_PERSON:
            raise MoveRefused(f"what is proposed is one of {', '.join(sorted(SECOND_PERSON))}")
        change |= {"proposal": wish.proposal, "proposed_by": wish.who, "counterpart": wish.counterpart}
    elif wish.move in SECOND_PERSON:
        change |= {name: row[name] for name in ("proposal", "proposed_by", "counterpart")} | {"decided_by": wish.who}
    return change


def _counterpart(connection: psycopg.Connection, row: dict[str, Any], no: int | None) -> dict[str, Any]:
    """The break of the other side that a forced match joins: of one row each, of one bank, not over."""
    if no is None:
        raise MoveRefused("a forced match names the break of the other side")
    other = _locked(connection, [no])[no]
    one_each = {row["ours"] is None, other["ours"] is None} == {True, False} and {row["theirs"] is None, other["theirs"] is None} == {True, False}
    if not one_each or other["bank"] != row["bank"]:
        raise MoveRefused("a forced match joins a row of ours that is missing at a bank and a line of the same bank's that is missing here")
    if other["state"] in {BreakState.RESOLVED, BreakState.WRITTEN_OFF}:
        raise MoveRefused(f"break {no} is {other['state']} already")
    return other


def _force(connection: psycopg.Connection, row: dict[str, Any], wish: Wish, now: datetime) -> None:
    other = _counterpart(connection, row, row["counterpart"])
    try:
        with connection.transaction():
            connection.execute(FORCE, (row["bank"], now.date(), HAND, row["ours"] or other["ours"], row["theirs"] or other["theirs"]))
    except psycopg.errors.UniqueViolation:
        raise MoveRefused("one of the two rows has been matched meanwhile") from None
    change = {"state": BreakState.RESOLVED, "owner": other["owner"], "proposal": Move.FORCE_MATCH, "decided_by": wish.who}
    _write(connection, other, change | {"proposed_by": row["proposed_by"], "counterpart": row["no"]}, wish, now)


def _write(connection: psycopg.Connection, row: dict[str, Any], change: dict[str, Any], wish: Wish, now: datetime) -> None:
    connection.execute(CHANGE, change | {"no": row["no"]})
    connection.execute(TURN, {"no": row["no"], "at": now, "who": wish.who, "before": row["state"], "after": change["state"], "note": wish.note})
