"""Disputes in the books: opened about a line, moved on turn by turn; what each turn brings is an entry of the current window.

Who opens a dispute signs what is disputed, and who decides it, another person, signs what becomes of it. Evidence is only noted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final, TypeVar

import psycopg
from psycopg.rows import dict_row

from clearing.approval import Refused, Unsigned
from clearing.decisions import Says, digest
from clearing.disputes import Booking, DisputeCode, DisputeEvent, DisputeRefused, DisputeState, booking, deadline, may_decide, may_lapse, may_open, moved
from clearing.entries import Code, LineKind
from clearing.two_people import Opening, Ruling, dispute_bytes
from clearing.window import State
from schemas.ids import PartyId
from services.disputes.signing import OUTCOMES, opening_of, ruling_of
from services.journal.corrections import NoOpenWindow, book_correction
from services.settlement.decisions import SignedDecision, Words, decisions_of, keep_decision, require_made

BY_DEADLINE: Final = "deadline"
"""Who lets a dispute lapse."""
EVIDENCE_BYTES_MAX: Final = 5 * 1024 * 1024
Said = TypeVar("Said", Opening, Ruling)

# The line as the newest run has it, locked: of two people who dispute it at the same moment the second sees the first.
# `paid`: with the first window, from its own on, that did not carry the position on in which it stands. A position lies between a party and the operator, so
# what the operator owes stands in its creditor's.
LINE = """
select o.kind, o.detail, o.debtor, o.creditor, o.currency, o.amount, w.state, (select max(no) from run where run.day = o.day) run,
  coalesce((
    select p.state = 'settled' from settlement_window p where p.day >= o.day and not exists (
      select from carried c where c.day = p.day and c.currency = o.currency and c.party =
        case o.debtor when (select f.body #>> '{programme,operator,party}' from programme f order by f.no desc limit 1) then o.creditor else o.debtor end
    ) order by p.day limit 1
  ), false) paid
from obligation o join settlement_window w on w.day = o.day where o.day = %s and o.line = %s
for update of o for share of w
"""
# One that is undecided or was upheld about the same line, or about what a run that was made anew since called it.
LIVE = """
select d.no from dispute d where d.day = %(day)s and (
    (d.run, d.line) = (%(run)s, %(line)s)
    or (d.run <> %(run)s and (d.kind, d.debtor, d.creditor, d.currency) = (%(kind)s, %(debtor)s, %(creditor)s, %(currency)s)
      and d.detail is not distinct from %(detail)s)
  ) and (select t.to_state from dispute_turn t where t.dispute = d.no order by t.no desc limit 1) not in ('released', 'lapsed')
"""
OPEN = """
insert into dispute (day, run, line, kind, detail, debtor, creditor, currency, line_amount, amount, withheld, opened_by, opened_at, decide_by, reason)
values (%(day)s, %(run)s, %(line)s, %(kind)s, %(detail)s, %(debtor)s, %(creditor)s, %(currency)s, %(line_amount)s, %(amount)s, %(withheld)s, %(who)s, %(at)s,
  %(decide_by)s, %(reason)s) returning no
"""
TURN = """
insert into dispute_turn (dispute, no, at, who, from_state, to_state, note, file_name, file_sha256, file)
values (%(no)s, (select coalesce(max(no), 0) + 1 from dispute_turn where dispute = %(no)s), %(at)s, %(who)s, %(before)s, %(after)s, %(note)s, %(file_name)s,
  %(file_sha256)s, %(file)s)
"""
# A dispute that was opened is never changed, so there is no row to lock: whoever moves it on holds its number.
HOLD_NUMBER = "select pg_advisory_xact_lock(hashtext(current_schema() || ' disputes'), %s)"
STANDS = """
select d.*, (select t.to_state from dispute_turn t where t.dispute = d.no order by t.no desc limit 1) state
from dispute d where d.no = %s
"""
LIST = """
select d.no, d.day as window, d.line, d.run, d.kind, d.detail, d.debtor, d.creditor, d.currency, d.amount amount_minor, d.line_amount line_minor, d.withheld,
  d.opened_by, d.opened_at, d.decide_by, d.reason, l.to_state state, l.who last_by, l.at last_at, l.note last_note
from dispute d cross join lateral (select * from dispute_turn t where t.dispute = d.no order by t.no desc limit 1) l
where (%(no)s::bigint is null or d.no = %(no)s) and (%(all)s or l.to_state in ('open', 'held', 'evidence')) order by d.no
"""
LINES = """
select line, kind, detail, debtor, creditor, currency, amount amount_minor from obligation
where day = %s and (%s::text is null or debtor = %s) and amount > 0 order by line
"""
TURNS = "select no, at, who, from_state, to_state, note, file_name, file_sha256, octet_length(file) bytes from dispute_turn where dispute = %s order by no"
DUE = """
select d.no from dispute d where d.decide_by < %s
  and (select t.to_state from dispute_turn t where t.dispute = d.no order by t.no desc limit 1) in ('open', 'held', 'evidence') order by d.no
"""
EVIDENCE = "select file_name, file from dispute_turn where dispute = %s and no = %s and file is not null"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that speaks for one side."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who disputes what. `amount_minor`: of the line; None: all of it. `days`: how long there is to decide."""

    day: date
    line: int
    party: PartyId
    reason: str
    who: str
    days: int
    amount_minor: int | None = None
    evidence: Evidence | None = None


def to_open(connection: psycopg.Connection, programme: str, wanted: Wanted, now: datetime, today: date) -> Opening:
    """What a person has to sign to open a dispute about a line of the newest run. Raises `DisputeRefused`."""
    return opening_of(programme, _openable(connection, wanted, today), now)


def open_dispute(connection: psycopg.Connection, programme: str, wanted: Wanted, today: date, signed: tuple[Opening, bytes] | None) -> int:
    """Opens a dispute about a line of the newest run, in one transaction; gives its number. `signed`: what `to_open` gave, and its signature.

    While the line is not paid, its amount is withheld: an entry of the current window takes it back until the decision. It is paid when its window is
    settled, or, where the position in which it stands was carried on, the window that pays that. Raises `DisputeRefused`, `SettlementError` where the
    signature is not what it claims to be.
    """
    said, signature = _required(signed, wanted.who)
    with connection.transaction():
        row = _openable(connection, wanted, today)
        if said != opening_of(programme, row, said.at):
            raise DisputeRefused(DisputeCode.DISPUTE_CHANGED, f"line {wanted.line} of window {wanted.day} is not what was signed any more: look at it again")
        made = connection.execute(OPEN, row | {"who": said.person, "at": said.at}).fetchone()
        assert made is not None
        no = int(made[0])
        keep_decision(connection, Words(said.person, Says.PROPOSE, said.at, said.document(), said.signed(), dispute=no), signature)
        _turn(connection, no, None, DisputeState.OPEN, said.person, said.at, row["reason"])
        if row["withheld"]:
            _move(connection, no, DisputeEvent.HOLD, said.person, "the line is not paid: its amount is withheld", said.at)
        if wanted.evidence is not None:
            _move(connection, no, DisputeEvent.ADD_EVIDENCE, said.person, wanted.evidence.name, said.at, wanted.evidence)
    return no


def to_decide(connection: psycopg.Connection, programme: str, no: int, event: DisputeEvent, who: str, note: str, now: datetime, today: date) -> Ruling:
    """What a second person has to sign to uphold or release a dispute. Raises `DisputeRefused`; `Refused`: maker-revoked."""
    return _ruling(connection, programme, no, OUTCOMES[event], who, note, now, today)[0]


def decide(connection: psycopg.Connection, programme: str, no: int, who: str, today: date, signed: tuple[Ruling, bytes] | None) -> DisputeState:
    """Upholds or releases a dispute, in one transaction; returns its state. `signed`: what `to_decide` gave, and its signature.

    Raises `DisputeRefused`; `Refused` (maker-revoked); `SettlementError` where the signature is not what it claims to be.
    """
    said, signature = _required(signed, who)
    event = next(event for event, outcome in OUTCOMES.items() if outcome is said.outcome)
    with connection.transaction():
        connection.execute(HOLD_NUMBER, (no,))
        now_so, opening = _ruling(connection, programme, no, said.outcome, said.person, said.note, said.at, today)
        if said != now_so:
            raise DisputeRefused(DisputeCode.DISPUTE_CHANGED, f"dispute {no} is not what was signed: look at it again")
        proposal = None if opening is None else opening.no
        words = Words(said.person, Says.DECIDE, said.at, said.document(), said.signed(), dispute=no, proposal=proposal)
        keep_decision(connection, words, signature)
        return _move(connection, no, event, said.person, said.note, said.at)


def move(
    connection: psycopg.Connection, no: int, event: DisputeEvent, who: str, note: str, now: datetime, today: date, evidence: Evidence | None = None
) -> str:
    """Adds evidence, or lets it lapse, in one transaction; returns the state. What is decided is signed: `decide`. Raises `DisputeRefused`."""
    with connection.transaction():
        connection.execute(HOLD_NUMBER, (no,))
        row = _standing(connection, no)
        moved(DisputeState(row["state"]), event)
        if event in OUTCOMES:
            raise _not_signed(who)
        if not note.strip():
            raise DisputeRefused(DisputeCode.REASON_MISSING, "a turn has a note that says why")
        if event is DisputeEvent.LAPSE:
            may_lapse(row["decide_by"], today)
        return _move(connection, no, event, who, note.strip(), now, evidence)


def lapse_due(connection: psycopg.Connection, now: datetime, today: date) -> list[int]:
    """Lets every dispute lapse whose deadline has passed; run twice, the second finds nothing."""
    due = [int(no) for (no,) in connection.execute(DUE, (today,)).fetchall()]
    for no in due:
        move(connection, no, DisputeEvent.LAPSE, BY_DEADLINE, "nobody decided in time", now, today)
    return due


def disputes(connection: psycopg.Connection, no: int | None = None, *, over: bool = False) -> list[dict[str, Any]]:
    """Disputes by number; those that are over only where one, or all, are asked for. Raises `DisputeRefused`: no-dispute."""
    found = connection.cursor(row_factory=dict_row).execute(LIST, {"no": no, "all": over or no is not None}).fetchall()
    if no is not None and not found:
        raise DisputeRefused(DisputeCode.NO_DISPUTE, f"there is no dispute {no}: clh dispute list")
    return found


def lines_of(connection: psycopg.Connection, day: date, debtor: str | None = None) -> list[dict[str, Any]]:
    """The lines of a window with their numbers: all, or those that a party owes."""
    return connection.cursor(row_factory=dict_row).execute(LINES, (day, debtor, debtor)).fetchall()


def turns(connection: psycopg.Connection, no: int) -> list[dict[str, Any]]:
    """What became of a dispute, turn by turn."""
    return connection.cursor(row_factory=dict_row).execute(TURNS, (no,)).fetchall()


def evidence_of(connection: psycopg.Connection, no: int, turn: int) -> Evidence:
    """The file that came with a turn. Raises `DisputeRefused`: no-dispute."""
    row = connection.execute(EVIDENCE, (no, turn)).fetchone()
    if row is None:
        raise DisputeRefused(DisputeCode.NO_DISPUTE, f"no file came with turn {turn} of dispute {no}")
    return Evidence(row[0], bytes(row[1]))


def _openable(connection: psycopg.Connection, wanted: Wanted, today: date) -> dict[str, Any]:
    """The row that would be written, but for who and when."""
    found = connection.cursor(row_factory=dict_row).execute(LINE, (wanted.day, wanted.line)).fetchone()
    if found is None or State(found["state"]) in (State.OPEN, State.DRAINING, State.CLOSED):
        raise DisputeRefused(DisputeCode.NO_LINE, f"window {wanted.day} has no line {wanted.line} that stands: clh dispute lines {wanted.day}")
    if found["kind"] == LineKind.DISPUTE:  # one person would take back what another's dispute withholds, or what two have decided
        words = f"line {wanted.line} of window {wanted.day} is what disputes have brought: it goes with them"
        raise DisputeRefused(DisputeCode.OF_A_DISPUTE, f"{words}, and a second person decides those: clh dispute list --all")
    amount = found["amount"] if wanted.amount_minor is None else wanted.amount_minor
    may_open(wanted.party, found["debtor"], amount, found["amount"], found["currency"], wanted.reason)
    live = connection.execute(LIVE, found | {"day": wanted.day, "line": wanted.line}).fetchone()
    if live is not None:
        raise DisputeRefused(DisputeCode.DISPUTED_ALREADY, f"line {wanted.line} of window {wanted.day} is disputed, or was upheld: dispute {live[0]}")
    row = found | {"day": wanted.day, "line": wanted.line, "line_amount": found["amount"], "amount": amount, "opened_by": wanted.who}
    return row | {"withheld": not found["paid"], "decide_by": deadline(today, wanted.days), "reason": " ".join(wanted.reason.split())}


def _ruling(
    connection: psycopg.Connection, programme: str, no: int, outcome: DisputeState, who: str, note: str, at: datetime, today: date
) -> tuple[Ruling, SignedDecision | None]:
    """What has to be signed to decide it, and what was signed when it was opened."""
    row = _standing(connection, no)
    moved(DisputeState(row["state"]), next(event for event, ends in OUTCOMES.items() if ends is outcome))
    note = " ".join(note.split())
    if not note:
        raise DisputeRefused(DisputeCode.REASON_MISSING, "a turn has a note that says why")
    may_decide(who, row["opened_by"], row["decide_by"], today)
    opening = next((one for one in decisions_of(connection, dispute=no) if one.action == Says.PROPOSE), None)
    if opening is not None and opening.revoked and outcome is DisputeState.UPHELD:
        words = f"the key of {row['opened_by']}, who opened it, is revoked: it can be released, and opened anew by another person"
        raise Refused(Unsigned.MAKER_REVOKED, words)
    if opening is not None and outcome is DisputeState.UPHELD:
        require_made(opening, opening_of(programme, row, opening.at).document(), dispute_bytes)
    return ruling_of(programme, row, outcome, who, note, at, None if opening is None else digest(opening.document)), opening


def _required(signed: tuple[Said, bytes] | None, who: str) -> tuple[Said, bytes]:
    if signed is None:
        raise _not_signed(who)
    return signed


def _not_signed(who: str) -> DisputeRefused:
    return DisputeRefused(DisputeCode.NOT_SIGNED, f"a dispute is opened and decided with a signature: name the key of {who} with --key")


def _standing(connection: psycopg.Connection, no: int) -> dict[str, Any]:
    row = connection.cursor(row_factory=dict_row).execute(STANDS, (no,)).fetchone()
    if row is None:
        raise DisputeRefused(DisputeCode.NO_DISPUTE, f"there is no dispute {no}: clh dispute list")
    return row


def _move(connection: psycopg.Connection, no: int, event: DisputeEvent, who: str, note: str, now: datetime, evidence: Evidence | None = None) -> DisputeState:
    row = _standing(connection, no)
    before = DisputeState(row["state"])
    after = moved(before, event)
    _turn(connection, no, before, after, who, now, note, evidence)
    booked = booking(event, withheld=row["withheld"])
    if booked is not None:
        pair = (row["creditor"], row["debtor"]) if booked is Booking.BACK else (row["debtor"], row["creditor"])
        reference, reason = f"dispute {no} {event}", f"dispute {no}: {note}"
        try:
            book_correction(connection, Code.DISPUTE, *pair, row["currency"], row["amount"], reference=reference, reason=reason, by=who)
        except NoOpenWindow:
            raise DisputeRefused(DisputeCode.NO_OPEN_WINDOW, "no window is open that could take the entry: clh window list") from None
    return after


def _turn(
    connection: psycopg.Connection,
    no: int,
    before: DisputeState | None,
    after: DisputeState,
    who: str,
    now: datetime,
    note: str,
    evidence: Evidence | None = None,
) -> None:
    file = {"file_name": None, "file_sha256": None, "file": None}
    if evidence is not None:
        file = {"file_name": evidence.name, "file_sha256": sha256(evidence.content).hexdigest(), "file": evidence.content}  # type: ignore[dict-item]
    connection.execute(TURN, {"no": no, "at": now, "who": who, "before": before, "after": after, "note": note, **file})
