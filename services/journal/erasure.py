"""Erases a person from the books (docs/adr/0022-erasure.md): who it was goes, what was moved stays, under the member's number.

For the owner of the books. Triggers let even the owner change nothing else of what is append-only. One transaction: a run that dies has erased nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Any, Final

import psycopg

from clearing.erasure import is_about, names_person, stand_in, without_person
from services.runtime.progress import Progress, silent

ROWS_AT_ONCE: Final = 1_000
READINGS: Final = (("utf-8", 0), ("latin-1", 0), *((encoding, shift) for encoding in ("utf-16-le", "utf-16-be") for shift in (0, 1)),
                   *((encoding, shift) for encoding in ("utf-32-le", "utf-32-be") for shift in range(4)))  # fmt: skip
"""How bytes that could not be read may be meant: an encoding, and how many bytes before the first whole character."""

LOCK = "select no, closed from member where id = %s for update"
CARDS = "select card from card where member = %s order by card"
# Windows whose nights still ask what the member's events said.
OPEN = """
select min(e.day) from entry e join settlement_window w on w.day in (e.day, e.booked)
where e.member = %(no)s and w.state in ('open', 'draining')
"""
WAITS = (
    "select exists (select 1 from (select record from waiting union all select record from deferred) w join entry e on e.record = w.record where e.member = %s)"
)
# Every entry that is the member's, or that may say something of the person: also what was refused, or held while the card was nobody's. JSON may write
# any character with a backslash, and what could not be read is in whatever encoding: of these it is decided here whether they name the person.
ENTRIES = """
select record, day, coalesce(member = %(no)s, false) or coalesce(card = any(%(known)s), false), card, body, answer, detail, raw from entry
where member = %(no)s or card = any(%(known)s) or raw is not null
  or body like any(%(quoted)s) or answer like any(%(quoted)s) or detail like any(%(within)s)
  or strpos(body, e'\\\\') > 0 or strpos(answer, e'\\\\') > 0 or strpos(detail, e'\\\\') > 0
"""
ENTRY = "update entry set card = %s, body = %s, answer = %s, detail = %s, raw = %s where record = %s and day = %s"
OUTBOX = "select seq, key, body from outbox where key = any(%(known)s) or body like any(%(quoted)s) or strpos(body, e'\\\\') > 0"
OUTGOING = "update outbox set key = %s, body = %s where seq = %s"
MEMBER = "update member set id = %(instead)s, attributes = '{}' where no = %(no)s"
# A card is a name too: it stays blocked under one that nobody can show.
CARD = """
update card c set card = n.instead, blocked = true
from (select card, %(instead)s || '-' || row_number() over (order by card) instead from card where member = %(no)s) n where c.card = n.card
"""
LEAVES = """
update seal_leaf set salt = null, personal = null, member = null
where member = %(no)s or (personal is not null and (personal::jsonb ->> 'member' = any(%(known)s) or personal::jsonb ->> 'card' = any(%(known)s)))
"""
BANK_LINES = "update bank_line set card_ref = %(instead)s where card_ref = any(%(known)s)"
EXPECTED = "update recon_expected set card_ref = %(instead)s where card_ref = any(%(known)s)"
ALL = "select member, at, by_whom, reason, figures from erasure order by no"
KEEP = "insert into erasure (member, reason, by_whom, at, figures) values (%s, %s, %s, %s, %s)"


@unique
class ErasureCode(StrEnum):
    """Why a person was not erased; docs/errors.md has a line for each."""

    UNKNOWN_MEMBER = "unknown-member"
    STILL_MEMBER = "still-member"
    WINDOW_OPEN = "window-open"
    NO_REASON = "no-reason"
    NOT_OWNER = "not-owner"


class NotErased(Exception):
    """Refused, for the reason in `code`; nothing has changed."""

    def __init__(self, code: ErasureCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Erased:
    """The member's number, by which the books go on, and from how many rows of what the person is gone."""

    member: int
    cards: int
    entries: int
    answers_to_send: int
    sealed: int
    bank_lines: int


def erase(connection: psycopg.Connection, member: str, reason: str, by: str, now: datetime, progress: Progress = silent) -> Erased:
    """Erases the person behind a member who has left. `connection` has the rights of the owner. Raises `NotErased`."""
    reason = " ".join(reason.split())
    if not reason:
        raise NotErased(ErasureCode.NO_REASON, "a person is erased with a reason: it is kept")
    try:
        with connection.transaction():
            no = _ready(connection, member)
            cards = [card for (card,) in connection.execute(CARDS, (no,))]
            known = [member, *cards]
            values = {
                "no": no, "known": known, "instead": stand_in(no), "quoted": [f"%{_like(json.dumps(one, ensure_ascii=False))}%" for one in known],
                "within": [f"%{_like(one)}%" for one in known],
            }  # fmt: skip
            progress("entries", 0, None)
            entries = _entries(connection, values)
            progress("answers", 0, None)
            outgoing = _outbox(connection, values)
            counts = []
            for step, statement in (("seals", LEAVES), ("files of banks", BANK_LINES), ("what banks were expected to say", EXPECTED)):
                progress(step, 0, None)
                counts.append(connection.execute(statement, values).rowcount)
            connection.execute(CARD, values)
            connection.execute(MEMBER, values)
            done = Erased(no, len(cards), entries, outgoing, counts[0], counts[1] + counts[2])
            connection.execute(KEEP, (no, reason, by, now, json.dumps(asdict(done))))
    except psycopg.errors.InsufficientPrivilege:
        raise NotErased(ErasureCode.NOT_OWNER, "only the owner of the books erases a person") from None
    return done


def _ready(connection: psycopg.Connection, member: str) -> int:
    """The number of a member who has left and of whom no window asks any more."""
    row = connection.execute(LOCK, (member,)).fetchone()
    if row is None:
        raise NotErased(ErasureCode.UNKNOWN_MEMBER, f"nobody is enrolled as {member}, or the person is erased already")
    no, closed = row
    if not closed:
        raise NotErased(ErasureCode.STILL_MEMBER, f"{member} has not left: send member-closed.v1 first, and let its window be cleared")
    still = connection.execute(OPEN, {"no": no}).fetchone()
    waits = connection.execute(WAITS, (no,)).fetchone()
    assert still is not None and waits is not None
    if still[0] is not None or waits[0]:
        what = f"window {still[0]} is not closed yet" if still[0] is not None else "an event waits for what it refers to"
        raise NotErased(ErasureCode.WINDOW_OPEN, f"{what}, and its night still asks for events of {member}: erase after it")
    return int(no)


def _entries(connection: psycopg.Connection, values: dict[str, Any]) -> int:
    known, instead = values["known"], values["instead"]
    rows = []
    with connection.cursor(name="entries_of_person") as found:
        found.itersize = ROWS_AT_ONCE
        for record, day, own, card, body, answer, detail, raw in found.execute(ENTRIES, values):
            shown = instead if card is not None and (own or card in known) else card
            said = [_without(text, known, instead, own=own) for text in (body, answer)]
            told = None if detail is not None and names_person(detail, known) else detail
            changed = (shown, *said, told, None if raw is not None and (own or _holds(raw, known)) else raw)
            if changed != (card, body, answer, detail, raw):
                rows.append((*changed, record, day))
    with connection.cursor() as cursor:
        cursor.executemany(ENTRY, rows)
    return len(rows)


def _outbox(connection: psycopg.Connection, values: dict[str, Any]) -> int:
    known, instead = values["known"], values["instead"]
    rows = []
    for seq, key, body in connection.execute(OUTBOX, values).fetchall():
        told = (instead if key in known else key, _without(body, known, instead, own=False))
        if told != (key, body):
            rows.append((*told, seq))
    with connection.cursor() as cursor:
        cursor.executemany(OUTGOING, rows)
    return len(rows)


def _without(text: str | None, known: list[str], instead: str, *, own: bool) -> str | None:
    """JSON without the person; of what is no JSON, or says a thing twice, nothing stays that names the person."""
    if text is None:
        return None
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except ValueError:
        return instead if own or names_person(text, known) else text
    changed = without_person(document, known, instead, own=own or is_about(document, known))
    return text if changed == document else json.dumps(changed, ensure_ascii=False, separators=(",", ":"))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names differ: of two fields of one name only the last would be seen, and the text has both."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _holds(raw: bytes, known: list[str]) -> bool:
    """Whether bytes name the person in any encoding that a sender may have taken them for; one byte too many or lost shifts those of two bytes."""
    return any(names_person(raw[shift:].decode(encoding, "ignore"), known) for encoding, shift in READINGS)


def _like(text: str) -> str:
    """Text as a part of a pattern of LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
