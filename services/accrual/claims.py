"""Ids are claimed for ever: an event whose source and id came before is a duplicate, or, with other content, refused."""

import json
from collections.abc import Sequence
from datetime import date
from hashlib import blake2b

import psycopg

from clearing.events import EventKey, Outcome, Refused
from schemas.events.answers import RejectionCode
from schemas.ids import RecordId
from services.accrual.incoming import Incoming
from services.journal.arrays import plain, texts
from services.journal.names import Names

# Ids are claimed in sorted order: two batches with the same ids in opposite orders would deadlock. They are hardly ever there before, so they are
# simply inserted; only where that fails, each is looked at (`on conflict` costs half as much again for every id, each time).
CLAIM = """
insert into identity (source, id, content, record, day)
select source, id, decode(content, 'hex'), record, %(day)s
from unnest(%(source)s::int[], %(id)s::text[], %(content)s::text[], %(record)s::bigint[]) c (source, id, content, record)
"""
CLAIM_NEW = CLAIM + "on conflict do nothing"
CLAIMED_BEFORE = """
select c.record, i.record, i.day, i.content, e.body, e.outcome
from unnest(%(source)s::int[], %(id)s::text[], %(record)s::bigint[]) c (source, id, record)
join identity i on i.source = c.source and i.id = c.id join entry e on e.record = i.record and e.day = i.day
where i.record <> c.record
"""


class Claims:
    """Claims ids on one connection, inside the transaction of a batch."""

    def __init__(self, connection: psycopg.Connection, names: Names) -> None:
        self.connection = connection
        self.names = names

    def claim(
        self, records: Sequence[Incoming], day: date
    ) -> tuple[list[Incoming], list[tuple[Incoming, RecordId, date | None]], list[tuple[Incoming, Refused]]]:
        """Claims the ids of a batch for ever: what is new, what came before with the same content (no day: not answered yet), and what is refused."""
        first: dict[EventKey, Incoming] = {}
        again: list[Incoming] = []
        broken: list[tuple[Incoming, Refused]] = []
        for incoming in records:
            if incoming.source is None or incoming.id is None:
                assert incoming.problem is not None
                broken.append((incoming, incoming.problem))
            elif first.setdefault((incoming.source, incoming.id), incoming) is not incoming:
                again.append(incoming)
        known = self._insert(first, day)
        repeated: list[tuple[Incoming, RecordId, date | None]] = []
        reused = Refused(RejectionCode.ID_REUSED, "an event with this id and other content came before", "/id")
        fresh = []
        for incoming in first.values():
            if incoming.record not in known:
                fresh.append(incoming)
                if incoming.problem is not None:
                    broken.append((incoming, incoming.problem))
                continue
            again.append(incoming)
        for incoming in again:
            assert incoming.source is not None and incoming.id is not None
            earlier = first[incoming.source, incoming.id]
            record, of_day, content, body, waits = known.get(earlier.record, (earlier.record, day, digest(earlier.value), earlier.value, False))
            if digest(incoming.value) == content or (body is not None and canonical(body) == canonical(incoming.value)):
                repeated.append((incoming, record, None if waits else of_day))
            else:
                broken.append((incoming, reused))
        return [incoming for incoming in fresh if incoming.problem is None], repeated, broken

    def _insert(self, first: dict[EventKey, Incoming], day: date) -> dict[RecordId, tuple[RecordId, date, str, str | bytes | None, bool]]:
        """Inserts identities; returns, by record, those that were there before."""
        if not first:
            return {}
        source, keys = self.names.source, sorted(first)
        claims = [first[key] for key in keys]
        batch = {
            "source": plain([source[uri] for uri, _ in keys]),
            "id": texts([id_ for _, id_ in keys]),
            "content": plain([digest(incoming.value) for incoming in claims]),
            "record": plain([incoming.record for incoming in claims]),
            "day": day,
        }
        try:
            with self.connection.transaction():
                self.connection.execute(CLAIM, batch)
        except psycopg.errors.UniqueViolation:
            self.connection.execute(CLAIM_NEW, batch)
        else:
            return {}
        before = self.connection.execute(CLAIMED_BEFORE, batch)
        return {ours: (theirs, of_day, content.hex(), body, outcome == Outcome.WAITING) for ours, theirs, of_day, content, body, outcome in before}


def digest(value: bytes) -> str:
    """What tells one content of an id from another, for ever; in hexadecimal."""
    return blake2b(value, digest_size=16).hexdigest()


def canonical(value: bytes | str) -> str:
    """Content without the accidents of spacing and order of keys."""
    try:
        return json.dumps(json.loads(value), sort_keys=True)
    except (ValueError, RecursionError):
        return value if isinstance(value, str) else value.decode("utf-8", "replace")
