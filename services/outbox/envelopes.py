"""Rows of the outbox as Kafka records: a CloudEvents envelope is put around data that are JSON text already.

The text is spliced, not parsed: an answer was written by `services/accrual/answers.py` in one fixed order of keys, so what the envelope needs of
it is found by position. Nothing in an envelope depends on when it is sent: sent again, it is the same to the byte.
"""

import json
from datetime import datetime
from json.encoder import encode_basestring as quote
from typing import NamedTuple
from zlib import crc32

from pydantic_core import from_json

from schemas.topics import ACCRUALS_TOPIC, REJECTED_TOPIC

CONTENT_TYPE = ("content-type", "application/cloudevents+json")
EVENT_HEADER = "clh-event"
"""Source and id of the event that is answered, a space between: what it was answered to, without reading the value."""
ID_HEADER = "ce_id"
"""Id of the answer: who has seen it has seen the answer. The newest answer to an event says all that the event has brought so far."""
NOTICE_TYPE = "clearing.v1"
"""Type of what the night tells on `clearing.events.v1`."""
UNKNOWN_SOURCE = "/unknown"
"""Key and subject of rejections of records whose source could not be read, or is not proven."""
ORIGINAL_BYTES_MAX = 3_500_000
"""A larger original does not fit into a record; its rejection says where it lies, and the original is null."""

_SOURCE_AT = len('{"event":{"source":"')
_ID_AFTER = len('","id":"')
_MEMBER = '"member":'
_WINDOW = ',"window":'

Header = tuple[str, str | bytes | None]


class Row(NamedTuple):
    """One row of the outbox with what its entry says; `topic`, `key` and `text` only where it is a message as it is."""

    xid: str
    seq: int
    record: int | None
    outcome: str | None
    answer: str | None
    at: datetime
    card: str | None
    body: str | None
    raw: bytes | None
    topic: str | None
    key: str | None
    text: str | None


class Message(NamedTuple):
    """A record to produce; `topic` is the catalogue's name."""

    topic: str
    key: str
    value: str
    headers: list[Header]


class Envelopes:
    """Wraps rows in the name of one house: `source` is `/operator/<operator party>`."""

    def __init__(self, source: str) -> None:
        self.source = source

    def of(self, row: Row) -> Message | None:
        """The record of a row; None for an event that still waits for its original: it is answered when it is decided."""
        if row.topic is not None:
            return self._notice(row)
        if row.outcome == "rejected":
            return self._rejection(row)
        if row.outcome == "waiting" or row.answer is None:
            return None
        return self._accrual(row, row.answer)

    def _accrual(self, row: Row, answer: str) -> Message:
        start = answer.index(_MEMBER) + len(_MEMBER)
        member = answer[start : answer.index(_WINDOW, start)]
        if member == "null":
            key = row.card or UNKNOWN_SOURCE
            member = quote(key)
        else:
            key = member[1:-1] if "\\" not in member else json.loads(member)
        name = _name(row, answer)
        value = self._envelope(name, "accrual.v1", row.at, member, answer)
        return Message(ACCRUALS_TOPIC, key, value, [CONTENT_TYPE, (ID_HEADER, name), (EVENT_HEADER, _event_of(answer))])

    def _rejection(self, row: Row) -> Message:
        answer = row.answer
        assert answer is not None, "a refused event was answered"
        event = _event_of(answer) if answer.startswith('{"event":{') else ""
        key = event.partition(" ")[0] or UNKNOWN_SOURCE
        name = _name(row, answer)
        value = self._envelope(name, "rejection.v1", row.at, quote(key), f'{answer[:-1]},"original":{original_of(row.body, row.raw)}}}')
        return Message(REJECTED_TOPIC, key, value, [CONTENT_TYPE, (ID_HEADER, name), *([(EVENT_HEADER, event)] if event else [])])

    def _notice(self, row: Row) -> Message:
        assert row.topic is not None
        key, name = row.key or "", f"e-{row.seq}"
        value = self._envelope(name, NOTICE_TYPE, row.at, quote(key or row.topic), row.text or "null")
        return Message(row.topic, key, value, [CONTENT_TYPE, (ID_HEADER, name)])

    def _envelope(self, name: str, kind: str, at: datetime, subject: str, data: str) -> str:
        """`subject` and `data` are JSON text."""
        return f'{{"specversion":"1.0","id":"{name}","source":"{self.source}","type":"{kind}","time":"{at.isoformat()}","subject":{subject},"data":{data}}}'


def _name(row: Row, answer: str) -> str:
    """Id of an answer: the same for the same answer, another one where the night, or a new attempt, has added to it."""
    return f"a-{row.record}-{row.outcome}-{crc32(answer.encode()):08x}"


def _event_of(answer: str) -> str:
    """Source and id of the answered event; both are plain text by their schema."""
    end = answer.index('"', _SOURCE_AT)
    start = end + _ID_AFTER
    event_id = answer[start : answer.index('"', start)]
    return f"{answer[_SOURCE_AT:end]} {event_id}"


def original_of(body: str | None, raw: bytes | None) -> str:
    """The refused event as JSON text: as it came, or quoted where it is not JSON that everybody can read; null where it was not kept."""
    if body is None:
        text = "null" if raw is None else quote(raw.decode("utf-8", "replace"))
    elif _is_json(body):
        text = body
    else:
        text = quote(body)
    return text if len(text) * 4 <= ORIGINAL_BYTES_MAX or len(text.encode()) <= ORIGINAL_BYTES_MAX else "null"


def _is_json(body: str) -> bool:
    """Whether a text is one JSON value, by itself and in its place (readers give up at some depth)."""
    try:
        for text in (body, f'{{"data":{{"original":{body}}}}}'):
            from_json(text, allow_inf_nan=False)
    except ValueError:
        return False
    return True
