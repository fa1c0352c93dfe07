"""A window's leaves, party by party, in the one order that they have. Read through cursors of the server: memory does not grow with the window."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import msgspec
import psycopg

from clearing.entries import PURCHASES
from clearing.seal import Added, Summed, added, canonical, commitment, leaf_hash, sums_of, sums_of_moves
from services.explain.ledger import Key, Ledger
from services.journal.names import Names
from services.seal import statements as sql
from services.seal.bodies import Event
from services.seal.lines import key_names, line_bodies

ROWS_AT_ONCE = 2_000
SALT_BYTES = 16
MOVES_KEPT = 1 << 13
"""So many different movements of entries are remembered."""
NOBODY: Final = canonical({})


class Person(msgspec.Struct, gc=False):
    """What an entry says of a person. Its names are in their order."""

    card: str | None
    content: str
    member: str | None


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """One leaf: what it says to anyone who may see it, and, apart, what it says of a person, hidden by the salt. None where that is erased or withheld."""

    party: str
    kind: str
    key: str
    body: bytes
    committed: bytes
    salt: bytes | None
    personal: bytes | None
    adds: Added
    member: int | None = None

    @property
    def node(self) -> Summed:
        """As the lowest node of its party's tree."""
        return Summed(leaf_hash(self.party, self.kind, self.key, self.body, self.committed), 1, *self.adds)


def made(party: str, kind: str, key: str, body: dict[str, Any], personal: bytes = NOBODY, member: int | None = None) -> Leaf:
    """A new leaf under a new salt; a leaf that says nothing of a person has one too, so that nobody can guess it from the hashes beside him."""
    return _salted(party, kind, key, canonical(body), added(sums_of(party, kind, body)), personal, member)


def _salted(party: str, kind: str, key: str, body: bytes, adds: Added, personal: bytes, member: int | None) -> Leaf:
    salt = secrets.token_bytes(SALT_BYTES)
    return Leaf(party, kind, key, body, commitment(salt, personal), salt, personal, adds, member)


def window_leaves(connection: psycopg.Connection, ledger: Ledger, day: date, run: Mapping[str, Any]) -> Iterator[Leaf]:
    """All leaves of a window, sorted by party, kind and place. Every party of the books has at least the run. In a transaction."""
    names = ledger.names
    parties = sorted(str(party) for party in names.party if party is not None)
    values = {
        "day": day, "purchases": names.unit[PURCHASES], "operator": names.party[ledger.operator], "claim_days": ledger.file.programme.claim_days,
    }  # fmt: skip
    bodies = line_bodies(ledger, day)
    streams: list[Iterable[Leaf]] = [  # in the order of the kinds, each sorted by party and place
        (made(party, "run", "", dict(run)) for party in parties),
        (made(party, "line", str(body["line"]), body) for party in parties for body in bodies if party in (body["debtor"], body["creditor"])),
        _entries(connection, names, values),
        _attempts(connection, values),
        _night(connection, names, values),
    ]
    yield from in_order(parties, streams)


def in_order(parties: Iterable[str], streams: Iterable[Iterable[Leaf]]) -> Iterator[Leaf]:
    """Of each party in turn what each stream has of it. Raises ValueError where the parties of a stream do not stand in the order of `parties`."""
    runs = [groupby(stream, key=attrgetter("party")) for stream in streams]
    ahead = [next(run, None) for run in runs]
    for party in parties:
        for at, first in enumerate(ahead):
            if first is not None and first[0] == party:
                yield from first[1]
                ahead[at] = next(runs[at], None)
    if left := [first[0] for first in ahead if first is not None]:
        raise ValueError(f"leaves of {', '.join(left)} do not stand in the order of the parties")


def _read(connection: psycopg.Connection, name: str, statement: str, values: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name) as cursor:
        cursor.execute(statement, values, binary=True)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows


def _entries(connection: psycopg.Connection, names: Names, values: dict[str, Any]) -> Iterator[Leaf]:
    @lru_cache(maxsize=MOVES_KEPT)
    def moved(text: str | None, outcome: str) -> tuple[msgspec.Raw, Added]:
        """Movements as an entry tells them, and what they add to the sums above it. The same come again and again."""
        moves = []
        for move in text.split(";") if text else ():
            code, sponsor, contract, counterparty, counter_contract, unit, amount = map(int, move.split(","))  # 0: nobody, no contract
            key = Key(code, sponsor or None, contract or None, counterparty or None, counter_contract or None, unit)
            moves.append([*key_names(names, key), amount])
        return msgspec.Raw(canonical(moves)), added(sums_of_moves("entry", outcome, moves))

    told_day = lru_cache(maxsize=MOVES_KEPT)(date.isoformat)
    for row in _read(connection, "sealed_entries", sql.ENTRIES, values):
        party, record, received, kind, source, event_id, sender, event_day, outcome, code, card, member, member_id, content, moves = row
        told, adds = moved(moves, outcome)
        body = Event(
            type=kind, source=names.source_uri.get(source), id=event_id, sender=names.party_id.get(sender), received=told_day(received),
            event_day=event_day and told_day(event_day), outcome=outcome, code=code if outcome == "rejected" else None, moves=told,
        )  # fmt: skip
        personal = canonical(Person(card=card, content=content, member=member_id))
        yield _salted(party, "entry", _place(record, names), canonical(body), adds, personal, member)


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
