"""A window's leaves, party by party, in the one order that they have. Read through cursors of the server: memory does not grow with the window."""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
import psycopg
from psycopg.types.json import set_json_loads

from clearing.entries import PURCHASES
from clearing.seal import KINDS, Summed, canonical, commitment, leaf_hash, sums_of
from services.explain.ledger import Key, Ledger
from services.journal.names import Names
from services.seal import statements as sql
from services.seal.lines import key_names, line_bodies

ROWS_AT_ONCE = 2_000
SALT_BYTES = 16
NOBODY: Final = canonical({})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf: what it says to anyone who may see it, and, apart, what it says of a person, hidden by the salt. None where that is erased or withheld."""

    party: str
    kind: str
    key: str
    body: bytes
    committed: bytes
    salt: bytes | None
    personal: bytes | None
    sums: Mapping[str, int]
    member: int | None = None

    @property
    def node(self) -> Summed:
        """As the lowest node of its party's tree."""
        return Summed(leaf_hash(self.party, self.kind, self.key, self.body, self.committed), 1, self.sums)


def made(party: str, kind: str, key: str, body: dict[str, Any], personal: bytes = NOBODY, member: int | None = None) -> Leaf:
    """A new leaf under a new salt; a leaf that says nothing of a person has one too, so that nobody can guess it from the hashes beside him."""
    salt = secrets.token_bytes(SALT_BYTES)
    return Leaf(party, kind, key, canonical(body), commitment(salt, personal), salt, personal, sums_of(party, kind, body), member)


def window_leaves(connection: psycopg.Connection, ledger: Ledger, day: date, run: Mapping[str, Any]) -> Iterator[Leaf]:
    """All leaves of a window, sorted by party, kind and place. Every party of the books has at least the run. In a transaction."""
    names = ledger.names
    parties = sorted(str(party) for party in names.party if party is not None)
    values = {
        "day": day, "purchases": names.unit[PURCHASES], "operator": names.party[ledger.operator], "claim_days": ledger.file.programme.claim_days,
    }  # fmt: skip
    bodies = line_bodies(ledger, day)
    streams: list[Iterable[Leaf]] = [
        (made(party, "run", "", dict(run)) for party in parties),
        (made(party, "line", str(body["line"]), body) for party in parties for body in bodies if party in (body["debtor"], body["creditor"])),
        _entries(connection, names, values),
        _attempts(connection, values),
        _night(connection, names, values),
    ]
    yield from heapq.merge(*streams, key=lambda leaf: (leaf.party, KINDS.index(leaf.kind)))


def _read(connection: psycopg.Connection, name: str, statement: str, values: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        set_json_loads(msgspec.json.decode, cursor)
        yield from cursor.execute(statement, values)


def _entries(connection: psycopg.Connection, names: Names, values: dict[str, Any]) -> Iterator[Leaf]:
    keys: dict[tuple[Any, ...], list[Any]] = {}
    for row in _read(connection, "sealed_entries", sql.ENTRIES, values):
        party, record, received, kind, source, event_id, sender, event_day, outcome, code, card, member, member_id, content, moves = row
        moved = []
        for *numbers, amount in moves or ():
            key = tuple(numbers)
            if key not in keys:
                keys[key] = key_names(names, Key(*key))
            moved.append([*keys[key], amount])
        body = {
            "type": kind, "source": names.source_uri.get(source), "id": event_id, "sender": names.party_id.get(sender), "received": received.isoformat(),
            "event_day": event_day and event_day.isoformat(), "outcome": outcome, "code": code if outcome == "rejected" else None, "moves": moved,
        }  # fmt: skip
        personal = canonical({"card": card, "member": member_id, "content": content})
        yield made(party, "entry", _place(record, names), body, personal, member)


def _place(record: int, names: Names) -> str:
    """Topic, partition and offset of a record."""
    return f"{names.topic_name[record >> 56]}/{record >> 40 & 0xFFFF}/{record & 0xFF_FFFF_FFFF}"


def _attempts(connection: psycopg.Connection, values: dict[str, Any]) -> Iterator[Leaf]:
    names = Names(connection)
    for party, record, no, by_whom, code, outcome, refused in _read(connection, "sealed_attempts", sql.ATTEMPTS, values):
        body = {"attempt": no, "code": code, "became": outcome, "refused": refused}
        yield made(party, "attempt", f"{_place(record, names)}#{no}", body, canonical({"by": by_whom}))


def _night(connection: psycopg.Connection, names: Names, values: dict[str, Any]) -> Iterator[Leaf]:
    for party, entry, line, *numbers, amount, expiry, earned, member, member_id in _read(connection, "sealed_night", sql.NIGHT, values):
        body = {
            "expiry": expiry and expiry.isoformat(), "earned": earned and earned.isoformat(), "moves": [[*key_names(names, Key(*numbers)), amount]],
        }  # fmt: skip
        yield made(party, "night", f"{-entry}/{line}", body, canonical({"member": member_id}), member)
