"""Rows of `entry` in the text form of COPY."""

from datetime import date, datetime
from typing import Any, NamedTuple

from schemas.ids import MemberNo, RecordId

NULL = "\\N"

ENTRY = """
copy entry (record, day, booked, outcome, type, source, id, party, contract, member, card, event_day, received_at,
  code, detail, pointer, applied, answer, body, raw)
from stdin
"""


class EntryRow(NamedTuple):
    """One row of `entry`, with the names still in words."""

    record: RecordId
    day: date
    booked: date | None
    outcome: str
    type: str | None
    source: int | None
    id: str | None
    party: int | None
    contract: int | None
    member: MemberNo | None
    card: str | None
    event_day: date | None
    received_at: datetime
    code: str | None
    detail: str | None
    pointer: str | None
    applied: str | None
    answer: str
    body: str | None
    raw: bytes | None


def escaped(text: str) -> str:
    """Text in the text form of COPY."""
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return text


def field(value: Any) -> str:
    """One value in the text form of COPY."""
    if value is None:
        return NULL
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def entry_line(row: EntryRow) -> str:
    """One row of `entry` in the text form of COPY."""
    return "\t".join(map(field, row)) + "\n"
