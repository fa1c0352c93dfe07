"""A block of an export's entries, checked by itself: in another process where there are many, so nothing here knows of the other blocks.

A block holds rows of one party, as many as a complete subtree has leaves (the last of a party: fewer), so the party's tree is put together from the blocks'.
What is hashed are the bytes that stand in the row; that they are the one form of their content is looked at apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import msgspec

from clearing.merkle import Tree
from clearing.seal import KINDS, Added, Summed, added, canonical, commitment, leaf_hash, summed, sums_of, sums_of_moves
from services.seal.bodies import BODIES, Event, Move, Row, anything, unhex
from services.seal.container import ENTRIES
from services.seal.verdict import UNUSABLE, Problem

HEIGHT: Final = 11
LEAVES: Final = 1 << HEIGHT
"""So many rows a block has at most."""
NULL: Final = b"null"
PARTY: Final = b'"party":"'
KIND_PLACES: Final = {kind: place for place, kind in enumerate(KINDS)}

Movements = tuple[tuple[tuple[Any, ...], int], ...]
"""Movements added up: each pricing key in names, and how much."""
Place = tuple[int, str, tuple[int, ...], int]
"""Where a leaf stands in its party's tree: the place of its kind, its topic, and the numbers of its key, the last of them apart."""
NUMBER_DIGITS: Final = 19
NUMBER: Final = "(0|[1-9][0-9]{0,18})"
TOPIC: Final = "([A-Za-z0-9._-]{1,249})"
FRONTS: Final = {
    kind: re.compile(front, re.ASCII)
    for kind, front in (("run", "()"), ("line", "()"), ("entry", f"{TOPIC}/{NUMBER}/"), ("attempt", f"{TOPIC}/{NUMBER}/{NUMBER}#"), ("night", f"(){NUMBER}/"))
}
"""What stands before the last number of a key, by kind: topic, partition, offset, number of the attempt; entry and line of the night; nothing."""
BEHIND: Final = "it stands behind what comes after it"
NAME_MAX: Final = 200
"""So many letters of what an entry is called are told."""


@dataclass(slots=True)
class Block:
    """What the rows of a block come to."""

    party: str
    rows: int = 0
    first: tuple[Place, str] | None = None
    """Where its first leaf stands, and what it is called."""
    last: Place | None = None
    kind: str = ""
    front: str = ""
    """Of the last leaf: its kind, and its key before the last number."""
    tree: Tree[Summed] = field(default_factory=lambda: Tree(summed))
    topics: dict[tuple[int, str], str] = field(default_factory=dict)
    """Kinds and topics in their order, each with its first leaf: what is of one stands together."""
    totals: dict[tuple[Any, ...], int] = field(default_factory=dict)
    """By pricing key in names: what the movements add up to."""
    events: dict[tuple[Any, ...], int] = field(default_factory=dict)
    """By pricing key in names: how many entries move something of it."""
    lines: dict[int, Any] = field(default_factory=dict)
    runs: list[Any] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, what: str, entry: str) -> None:
        """Notes a problem."""
        self.problems.append(Problem(ENTRIES, what, entry))


def party_of(row: bytes) -> bytes:
    """Whose a row says it is, without reading all of it; what it says is checked when it is read."""
    at = row.rfind(PARTY) + len(PARTY)
    return row[at : row.find(b'"', at)]


def check(numbered: tuple[int, bytes]) -> Block:
    """Checks rows, given with the number of the first of them."""
    number, rows = numbered
    block = Block(party_of(rows[: rows.find(b"\n") + 1] or rows).decode(errors="replace"))
    for at, row in enumerate(rows.split(b"\n"), start=number):
        block.rows += 1
        _check(block, at, row)
    return block


def _check(block: Block, number: int, line: bytes) -> None:
    row, event = None, None
    try:
        row = _ROW(line)
        said, personal = bytes(row.body), bytes(row.personal)
        if row.kind == "entry":
            event = _EVENT(said)
            one_form = canonical(event) == said
            moves, adds, moves_one_form = _moved(bytes(event.moves), event.outcome)
            one_form = one_form and moves_one_form
        else:
            body = anything(said)
            one_form = canonical(msgspec.convert(body, BODIES[row.kind])) == said
            moves, adds = _movements(body.get("moves", ())), added(sums_of(row.party, row.kind, body))
            _keep(block, row, body)
        if not one_form or canonical(row) != line or (personal != NULL and not (personal[:1] == b"{" and canonical(anything(personal)) == personal)):
            block.wrong("it is not in the one form that its content has", _named(row, event))
        committed = unhex(row.committed)
        if (row.salt is None) != (personal == NULL) or (row.salt is not None and commitment(unhex(row.salt), personal) != committed):
            block.wrong("what it says of a person is not what was sealed", _named(row, event))
        hashed = leaf_hash(row.party, row.kind, row.key, said, committed)
        if hashed.hex() != row.leaf:
            block.wrong("it was changed: it does not have the hash that stands beside it", _named(row, event))
            hashed = unhex(row.leaf)
        if row.party != block.party:
            block.wrong("it stands among those of another party", _named(row, event))
        _placed(block, row, event)
        totals, events = block.totals, block.events
        for names, amount in moves:
            totals[names] = totals.get(names, 0) + amount
            if event is not None:
                events[names] = events.get(names, 0) + 1
        block.tree.add(Summed(hashed, 1, *adds))
    except UNUSABLE:
        block.wrong("it cannot be read as an entry", f"line {number}" if row is None else _named(row, event))


@lru_cache(maxsize=1 << 13)
def _moved(moves: bytes, outcome: str) -> tuple[Movements, Added, bool]:
    """What the movements of an entry add to totals, and with its outcome to the sums above it, and whether they are in their one form. The same come again."""
    read = _MOVES(moves)
    return _movements(read), added(sums_of_moves("entry", outcome, read)), canonical(read) == moves


def _movements(moves: Iterable[Sequence[Any]]) -> Movements:
    sums: dict[tuple[Any, ...], int] = {}
    for move in moves:
        names = tuple(move[:6])
        sums[names] = sums.get(names, 0) + move[6]
    return tuple(sums.items())


def _keep(block: Block, row: Row, body: Any) -> None:
    if row.kind == "line":
        if row.key != str(body["line"]):
            block.wrong("it is another line by its number", _named(row, None))
        block.lines.setdefault(body["line"], body)
    elif row.kind == "run":
        block.runs.append(body)


def _placed(block: Block, row: Row, event: Event | None) -> None:
    before, key = block.last, row.key
    front = key.rstrip("0123456789")
    digits = key[len(front) :]
    if len(digits) > NUMBER_DIGITS or (digits[:1] == "0" and digits != "0") or (digits == "") != (row.kind == "run"):
        raise ValueError("no key of an entry")
    number = int(digits or 0)
    if before is not None and front == block.front and row.kind == block.kind and before[3] < number:
        block.last = before[0], before[1], before[2], number
        return
    block.front, block.kind = front, row.kind
    place = block.last = (*_front(row.kind, front), number)
    if before is None:
        block.first = place, _named(row, event)
    elif why := misplaced(before, place):
        block.wrong(why, _named(row, event))
    if before is None or before[:2] != place[:2]:
        if place[:2] in block.topics:
            block.wrong(BEHIND, _named(row, event))
        block.topics.setdefault(place[:2], _named(row, event))


@lru_cache(maxsize=1 << 13)
def _front(kind: str, front: str) -> tuple[int, str, tuple[int, ...]]:
    """The place of a kind, and topic and numbers of what stands before the last number of a key. Raises ValueError."""
    found = FRONTS[kind].fullmatch(front)
    if found is None:
        raise ValueError("no key of an entry")
    topic, *numbers = found.groups()
    return KIND_PLACES[kind], topic, tuple(map(int, numbers))


def misplaced(before: Place, place: Place) -> str | None:
    """What is wrong with a leaf that stands behind another of its party; None where it may. Topics stand in the order in which the house knows them."""
    if before[0] < place[0] or (before[0] == place[0] and (before[1] != place[1] or before[2:] < place[2:])):
        return None
    return "it is there twice" if place == before else BEHIND


def _named(row: Row, event: Event | None) -> str:
    """An entry as people are told of it."""
    name = f"{row.party} {row.kind} {row.key}{f' (event {event.id})' if event and event.id else ''}"
    return name if len(name) <= NAME_MAX else f"{name[:NAME_MAX]}…"


_ROW: Final = msgspec.json.Decoder(Row).decode
_MOVES: Final = msgspec.json.Decoder(list[Move]).decode
_EVENT: Final = msgspec.json.Decoder(Event).decode
