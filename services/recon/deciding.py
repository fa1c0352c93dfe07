"""Moves breaks on: one person investigates, asks the bank, withdraws, reopens; two people write off, match by force and create, each with a signature.

What is decided is booked in the same transaction, as adjustments in the current window.
"""

# ruff: noqa: S608  # fragments of statements from this package; what comes from outside is always a parameter

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from clearing.approval import Refused, Unsigned
from clearing.decisions import Charge, Decision, Difference, Says, charges, digest, signed_bytes, still_to_book
from clearing.entries import Code
from clearing.matching import BY_MATCHING, SECOND_PERSON, BreakState, Move, MoveRefused, Unmoved, moved
from clearing.plan import Plan
from schemas.ids import PartyId
from services.journal.corrections import NoOpenWindow, book_correction
from services.recon.statements import OUR_CONTENT, THEIR_CONTENT
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import holds
from services.settlement.people import newest_key

HAND: Final = 0
"""The pass of a forced match: a person's decision, before all passes."""
ABOUT = f"""
select b.no, b.bank, b.day, b.code, b.ours, b.theirs, b.state, b.owner, b.proposal, b.proposed_by, b.counterpart, b.programme_units, b.bank_units, b.unit,
  coalesce(o.event_type, t.event_type) event_type, coalesce(nullif(o.reward_kind, ''), t.reward_kind, '') kind, coalesce(o.rule_id, t.rule_id, '') rule,
  case when o.no is not null then encode(sha256(convert_to({OUR_CONTENT.format("o")}, 'UTF8')), 'hex') end our_hash,
  case when t.no is not null then encode(sha256(convert_to({THEIR_CONTENT.format("t")}, 'UTF8')), 'hex') end their_hash,
  (select coalesce(max(no), 0) + 1 from recon_turn r where r.break = b.no) turn,
  (b.ours is null or b.theirs is null) and exists (
    select 1 from recon_match m where m.ours = b.ours union all select 1 from recon_match m where m.theirs = b.theirs
  ) found,
  coalesce(nullif(o.reward_ccy, '') <> nullif(t.reward_ccy, ''), false) two_units
from recon_break b left join recon_expected o on o.no = b.ours left join bank_line t on t.no = b.theirs where b.no = any(%s) order by b.no
"""
LOCK = ABOUT + "for update of b"
CHANGE = """
update recon_break set state = %(state)s, owner = %(owner)s, proposal = %(proposal)s, proposed_by = %(proposed_by)s, decided_by = %(decided_by)s,
  counterpart = %(counterpart)s where no = %(no)s
"""
TURN = """
insert into recon_turn (break, no, at, who, from_state, to_state, note)
values (%(no)s, (select coalesce(max(no), 0) + 1 from recon_turn where break = %(no)s), %(at)s, %(who)s, %(before)s, %(after)s, %(note)s)
"""
FORCE = "insert into recon_match (bank, day, pass, ours, theirs) values (%s, %s, %s, %s, %s)"
PROPOSED = """
select s.no, s.document, exists (select 1 from key_revocation r where r.key = s.key), s.person, s.at, s.signature, k.public_key
from recon_signature s join person_key k on k.no = s.key and k.person = s.person where s.break = %s and s.action = 'propose' order by s.no desc limit 1
"""
SIGN = """
insert into recon_signature (break, turn, action, decision, proposal, person, key, at, document, signature)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning no
"""
BOOKED = "insert into recon_booking (signature, line, debtor, creditor, currency, amount, reference) values (%s, %s, %s, %s, %s, %s, %s)"
STANDS = """
select b.debtor, b.creditor, b.currency, b.amount from recon_booking b join recon_signature s on s.no = b.signature where s.break = %s order by s.no, b.line
"""
OF_BREAK = """
select b.debtor, b.creditor, b.currency, b.amount amount_minor, b.reference from recon_booking b
where b.signature = (select max(no) from recon_signature where break = %(no)s) order by b.line
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done with a break. `proposal`: of a PROPOSE, what the second person is to decide; `counterpart`: of a forced match."""

    move: Move
    who: str
    note: str
    proposal: Move | None = None
    counterpart: int | None = None

    @property
    def signed(self) -> bool:
        """Whether it takes a signature."""
        return self.move is Move.PROPOSE or self.move in SECOND_PERSON


def to_sign(connection: psycopg.Connection, programme: str, plan: Plan, no: int, wish: Wish, now: datetime) -> Decision:
    """What a person has to sign to propose or decide, with what it would book. Raises `MoveRefused`."""
    row = _read(connection, ABOUT, [no])[no]
    _allowed(row, wish)
    return _decision(connection, programme, plan, row, wish, now)


def would_sign(connection: psycopg.Connection, programme: str, plan: Plan, no: int, decision: Move, *, proposed: bool) -> Decision:
    """What the next person would sign about a break, whoever it is: the decision where it is `proposed`, or else the proposal of it. Raises `MoveRefused`."""
    wish = Wish(decision, "", "") if proposed else Wish(Move.PROPOSE, "", "", decision)
    return _decision(connection, programme, plan, _read(connection, ABOUT, [no])[no], wish, datetime.now(UTC))


def resolve(
    connection: psycopg.Connection, programme: str, plan: Plan, no: int, wish: Wish, now: datetime, *, signed: tuple[Decision, bytes] | None = None
) -> BreakState:
    """Moves a break on, in one transaction; returns its state. Who investigates, asks the bank or proposes owns the break from then on.

    `signed`: for what takes a signature, what `to_sign` gave, and its signature. A forced match moves the break of the other side with it. Raises
    `MoveRefused`; `Refused` (maker-revoked); `SettlementError` where the signature is not what it claims to be.
    """
    with connection.transaction():
        row = _read(connection, LOCK, [no])[no]
        after = _allowed(row, wish)
        change = _changed(row, wish, after)
        if wish.signed:
            _signed(connection, programme, plan, row, wish, signed)
        if wish.move is Move.FORCE_MATCH:
            _force(connection, row, wish, now)
        _write(connection, row, change, wish, now)
    return after


def bookings_of(connection: psycopg.Connection, no: int) -> list[dict[str, Any]]:
    """What the newest decision about a break was booked as."""
    return connection.cursor(row_factory=dict_row).execute(OF_BREAK, {"no": no}).fetchall()


def about_breaks(connection: psycopg.Connection, numbers: list[int]) -> dict[int, dict[str, Any]]:
    """Breaks by number, with what a decision about them binds: figures, hashes of both rows, the next turn. Raises `MoveRefused`: no-break."""
    return _read(connection, ABOUT, numbers)


def _read(connection: psycopg.Connection, question: str, numbers: list[int]) -> dict[int, dict[str, Any]]:
    rows = {row["no"]: row for row in connection.cursor(row_factory=dict_row).execute(question, (numbers,)).fetchall()}
    for no in numbers:
        if no not in rows:
            raise MoveRefused(Unmoved.NO_BREAK, f"there is no break {no}")
    return rows


def _allowed(row: dict[str, Any], wish: Wish) -> BreakState:
    if wish.move is Move.REOPEN and row["proposal"] == Move.FORCE_MATCH:
        raise MoveRefused(Unmoved.WRONG_MOVE, "a forced match stands: nothing that is matched is taken apart")
    if wish.move in BY_MATCHING:
        words = f"{wish.move} is what matching does when the cause is gone; by hand it is proposed, and a second person decides"
        raise MoveRefused(Unmoved.NOT_BY_HAND, words)
    if not wish.note.strip():
        raise MoveRefused(Unmoved.NOTE_MISSING, "a move has a note that says why")
    proposal = None if row["proposal"] is None else Move(row["proposal"])
    after = moved(BreakState(row["state"]), wish.move, who=wish.who, proposal=proposal, proposed_by=row["proposed_by"])
    if wish.move is Move.PROPOSE and wish.proposal not in SECOND_PERSON:
        raise MoveRefused(Unmoved.WRONG_MOVE, f"what is proposed is one of {', '.join(sorted(SECOND_PERSON))}")
    return after


def _decision(connection: psycopg.Connection, programme: str, plan: Plan, row: dict[str, Any], wish: Wish, at: datetime) -> Decision:
    what = wish.proposal if wish.move is Move.PROPOSE else wish.move
    assert what is not None, "a proposal names what is proposed"
    counterpart = wish.counterpart if wish.move is Move.PROPOSE else row["counterpart"]
    both = {name: row[name] for name in ("programme_units", "bank_units", "our_hash", "their_hash")}
    if what is Move.FORCE_MATCH:
        other = _counterpart(connection, row, counterpart)
        both = {name: both[name] or other[name] for name in both}
    elif what is Move.CREATE and (row["ours"] is not None or row["kind"] == "POINTS"):
        raise MoveRefused(Unmoved.NOT_CREATED, "only cash that the bank reports and the house lacks is created here; points come by an event of the bank's")
    about = Difference(
        PartyId(row["bank"]), row["day"], row["event_type"], row["kind"], row["unit"], row["rule"], both["programme_units"], both["bank_units"],
    )  # fmt: skip
    found = connection.execute(PROPOSED, (row["no"],)).fetchone() if wish.move is not Move.PROPOSE else None
    booked = [Charge(*one) for one in connection.execute(STANDS, (row["no"],)).fetchall()]
    # A row that has found its partner needs no booking: what stands is taken back. Amounts in two units have no difference that could be booked.
    wanted = () if row["found"] or row["two_units"] else charges(plan, about, what)
    return Decision(
        programme, row["no"], row["turn"], Says.PROPOSE if wish.move is Move.PROPOSE else Says.DECIDE, what, wish.who, wish.note, at, row["code"],
        both["programme_units"], both["bank_units"], row["unit"], both["our_hash"], both["their_hash"],
        counterpart if what is Move.FORCE_MATCH else None, still_to_book(wanted, booked), None if found is None else digest(found[1]),
    )  # fmt: skip


def _signed(connection: psycopg.Connection, programme: str, plan: Plan, row: dict[str, Any], wish: Wish, signed: tuple[Decision, bytes] | None) -> None:
    """Keeps the signature, and books what a decision costs, once."""
    if signed is None:
        raise MoveRefused(Unmoved.NOT_SIGNED, f"{wish.move} takes a signature: name the key of {wish.who} with --key")
    said, signature = signed
    if said != _decision(connection, programme, plan, row, wish, said.at):
        raise MoveRefused(Unmoved.BREAK_CHANGED, f"break {row['no']} is not what was signed any more: look at it again")
    key = newest_key(connection, wish.who)
    if not key.in_force:
        raise SettlementError(SettlementCode.KEY_REVOKED, f"the key of {wish.who} is revoked: {key.reason}")
    if not holds(key.public_key, said.signed(), signature):
        raise SettlementError(SettlementCode.BAD_SIGNATURE, f"the signature was not made with the key of {wish.who}")
    proposal = connection.execute(PROPOSED, (row["no"],)).fetchone() if said.says is Says.DECIDE else None
    if proposal is not None and tuple(Charge(*one) for one in json.loads(proposal[1])["charges"]) != said.charges:
        raise MoveRefused(Unmoved.BREAK_CHANGED, f"break {row['no']} was proposed at another cost: withdraw it, and propose it anew")
    if proposal is not None and proposal[2]:
        raise Refused(Unsigned.MAKER_REVOKED, f"the key of {row['proposed_by']}, who proposed it, is revoked: withdraw it, and let another person propose it")
    if proposal is not None:
        _require_proposed(said, proposal)
    values = (row["no"], said.turn, said.says.value, said.decision.value, proposal and proposal[0], wish.who, key.no, said.at, said.document(), signature)
    kept = connection.execute(SIGN, values).fetchone()
    assert kept is not None
    if said.says is Says.DECIDE:
        _book(connection, said, int(kept[0]))


def _require_proposed(said: Decision, proposal: tuple[Any, ...]) -> None:
    """Trusts no row: whoever can write to the tables can write a proposal that nobody signed."""
    _, document, _, person, at, signature, public_key = proposal
    told = json.loads(document)
    expected = replace(said, turn=told["turn"], says=Says.PROPOSE, person=person, note=told["note"], at=at, proposal=None)
    if expected.document() != document:
        raise MoveRefused(Unmoved.BREAK_CHANGED, f"break {said.no} is not what {person} has proposed: withdraw it, and propose it anew")
    if not holds(bytes(public_key), signed_bytes(document), bytes(signature)):
        raise SettlementError(SettlementCode.BAD_SIGNATURE, f"the proposal was not signed with the key of {person}: withdraw it, and propose it anew")


def _book(connection: psycopg.Connection, said: Decision, signature: int) -> None:
    for line, one in enumerate(said.charges, 1):
        reference = f"recon {said.no}/{said.turn}/{line}"
        reason = f"{said.decision} of break {said.no} ({said.code}): {said.note}"
        try:
            book_correction(
                connection, Code.ADJUSTMENT, PartyId(one.debtor), PartyId(one.creditor), one.currency, one.amount_minor,
                reference=reference, reason=reason, by=said.person,
            )  # fmt: skip
        except NoOpenWindow:
            raise MoveRefused(Unmoved.NO_OPEN_WINDOW, "no window is open that could take the adjustment: try again when the next one is") from None
        connection.execute(BOOKED, (signature, line, one.debtor, one.creditor, one.currency, one.amount_minor, reference))


def _changed(row: dict[str, Any], wish: Wish, after: BreakState) -> dict[str, Any]:
    change = {"state": after, "owner": row["owner"], "proposal": None, "proposed_by": None, "decided_by": None, "counterpart": None}
    if wish.move in {Move.INVESTIGATE, Move.ASK_BANK, Move.PROPOSE}:
        change["owner"] = wish.who
    if wish.move is Move.PROPOSE:
        counterpart = wish.counterpart if wish.proposal is Move.FORCE_MATCH else None
        change |= {"proposal": wish.proposal, "proposed_by": wish.who, "counterpart": counterpart}
    elif wish.move in SECOND_PERSON:
        change |= {name: row[name] for name in ("proposal", "proposed_by", "counterpart")} | {"decided_by": wish.who}
    return change


def _counterpart(connection: psycopg.Connection, row: dict[str, Any], no: int | None) -> dict[str, Any]:
    """The break of the other side that a forced match joins: of one row each, of one bank and unit, not over."""
    if no is None:
        raise MoveRefused(Unmoved.WRONG_COUNTERPART, "a forced match names the break of the other side")
    other = _read(connection, ABOUT, [no])[no]
    one_each = {row["ours"] is None, other["ours"] is None} == {True, False} and {row["theirs"] is None, other["theirs"] is None} == {True, False}
    if not one_each or (other["bank"], other["unit"]) != (row["bank"], row["unit"]):
        words = "a forced match joins a row of ours that is missing at a bank and a line of the same bank's, of the same unit, that is missing here"
        raise MoveRefused(Unmoved.WRONG_COUNTERPART, words)
    if other["state"] in {BreakState.RESOLVED, BreakState.WRITTEN_OFF}:
        raise MoveRefused(Unmoved.WRONG_COUNTERPART, f"break {no} is {other['state']} already")
    return other


def _force(connection: psycopg.Connection, row: dict[str, Any], wish: Wish, now: datetime) -> None:
    other = _read(connection, LOCK, [row["counterpart"]])[row["counterpart"]]
    try:
        with connection.transaction():
            connection.execute(FORCE, (row["bank"], now.date(), HAND, row["ours"] or other["ours"], row["theirs"] or other["theirs"]))
    except psycopg.errors.UniqueViolation:
        raise MoveRefused(Unmoved.BREAK_CHANGED, "one of the two rows has been matched meanwhile") from None
    change = {"state": BreakState.RESOLVED, "owner": other["owner"], "proposal": Move.FORCE_MATCH, "decided_by": wish.who}
    _write(connection, other, change | {"proposed_by": row["proposed_by"], "counterpart": row["no"]}, wish, now)


def _write(connection: psycopg.Connection, row: dict[str, Any], change: dict[str, Any], wish: Wish, now: datetime) -> None:
    connection.execute(CHANGE, change | {"no": row["no"]})
    connection.execute(TURN, {"no": row["no"], "at": now, "who": wish.who, "before": row["state"], "after": change["state"], "note": wish.note})
