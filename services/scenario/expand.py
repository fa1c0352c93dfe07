"""Events of a scenario as Kafka records: short events become full CloudEvents, lines of an events_file pass through byte for byte."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from schemas import scenario_events as short
from schemas.ids import EventId
from schemas.programme import ProgrammeFile
from schemas.topics import INPUT_TOPICS, TOPIC_OF_TYPE
from services.documents.load import BYTES_MAX, read_bytes, unusable
from services.scenario.short import ShortEventError, data_of

PARTNERS_TOPIC, BANKS_TOPIC, MEMBERS_TOPIC = INPUT_TOPICS
"""What has no known type is sent to the first, so that the house refuses it."""

RECORD_BYTES_MAX = 3_900_000
"""Key and value of a record; the producer's and the broker's own bounds lie a little above it, the house's far below (it refuses what passes 1 MiB)."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to publish: `topic` is its catalogue name; id and source are None where a line does not tell them."""

    topic: str
    key: bytes
    value: bytes
    event_id: EventId | None
    source: str | None

    @property
    def size(self) -> int:
        """Bytes of key and value."""
        return len(self.key) + len(self.value)


def expand(events: Iterable[short.AnyShortEvent], file: ProgrammeFile) -> Iterator[Outgoing]:
    """The records of short events, in order; an event with `repeat: N` comes N times. Raises ShortEventError."""
    zone = ZoneInfo(file.programme.timezone)
    for event in events:
        once = _expanded(event, file, zone)
        for _ in range(event.repeat):
            yield once


def outgoing_lines(data: bytes) -> Iterator[Outgoing]:
    """The records of an events_file, one for each line that is not blank, byte for byte."""
    for line in data.split(b"\n"):
        if line.strip():
            yield pass_through(line.removesuffix(b"\r"))


def _expanded(event: short.AnyShortEvent, file: ProgrammeFile, zone: ZoneInfo) -> Outgoing:
    kind = f"{event.type}.v1"
    source, subject = _source(event, file), subject_of(event) or event.id
    document = {
        "specversion": event.specversion,
        "id": event.id,
        "source": source,
        "type": kind,
        "time": event.time,
        "subject": subject,
        **({} if event.datacontenttype is None else {"datacontenttype": event.datacontenttype}),
        "data": data_of(event, file.programme.currencies[0], _event_date(event.time, zone)),
    }
    value = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Outgoing(TOPIC_OF_TYPE[kind], subject.encode(), value, event.id, source)


def subject_of(event: short.AnyShortEvent) -> str | None:
    """The identifier that an event shows itself: the member in events about members, else the card; None where it names neither."""
    named: str | None = event.subject or getattr(event, "member", None) or getattr(event, "card", None)
    return named


def _source(event: short.AnyShortEvent, file: ProgrammeFile) -> str:
    if event.source is not None:
        return event.source
    if event.partner is not None:
        return f"/partners/{event.partner}"
    if event.bank is not None:
        return f"/banks/{event.bank}"
    topic = TOPIC_OF_TYPE[f"{event.type}.v1"]
    if topic == MEMBERS_TOPIC:
        return f"/operator/{file.programme.operator.party}"
    raise ShortEventError((), f"{'bank' if topic == BANKS_TOPIC else 'partner'} is missing: who sends the event")


def _event_date(time: str, zone: ZoneInfo) -> dt.date:
    """Rule 1: the day of the time in the programme's time zone."""
    return dt.datetime.fromisoformat(time.upper()).astimezone(zone).date()


def pass_through(line: bytes) -> Outgoing:
    """The record of a line of an events_file: its bytes, keyed by its subject, in the topic of its type.

    What is not JSON, or has no subject, is sent with an empty key: refusing it is up to the house.
    """
    try:
        document: Any = json.loads(line)
    except (ValueError, RecursionError):
        document = None
    fields: dict[str, Any] = document if isinstance(document, dict) else {}
    subject, kind, event_id, source = (_text(fields.get(name)) for name in ("subject", "type", "id", "source"))
    key = (subject or "").encode("utf-8", "replace")
    return Outgoing(TOPIC_OF_TYPE.get(kind or "", PARTNERS_TOPIC), key, line, None if event_id is None else EventId(event_id), source)


def events_file(path: Path) -> bytes:
    """The bytes of an events_file, unpacked where its name ends in .gz. Raises UnusableFileError."""
    return _unpacked(path) if path.suffix == ".gz" else read_bytes(path)


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(read_bytes(path))) as packed:
            data = packed.read(BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error):
        raise unusable(str(path), "not-gzip", "is not a whole gzip file", "write it again, or name it without .gz") from None
    if len(data) > BYTES_MAX:
        raise unusable(str(path), "too-large", f"unpacks to more than {BYTES_MAX} bytes", "spread the events over several days")
    return data


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
