"""`clh explain member`: what a member has, from the lots it lies in and from every entry that moved it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from clearing.entries import POINTS, PURCHASES, STAMPS
from schemas.ids import PartyId
from services.explain import statements as sql
from services.explain.equations import Equation, amounts, counts
from services.explain.event import lot_name, place_name
from services.explain.ledger import Ledger, NotExplained
from services.explain.nights import night_of

PARTS = ("available", "pending", "held", "owed")


@dataclass(frozen=True, slots=True)
class LotPart:
    """Points of one sponsor that were earned on one day."""

    sponsor: PartyId | None
    contract: date | None
    lot: str
    points: int
    pending: bool


@dataclass(frozen=True, slots=True)
class GotPart:
    """Cash-back, or what was saved by rounding up, from one mechanic so far; by how many events."""

    mechanic: str
    currency: str
    amount_minor: int
    events: int


@dataclass(frozen=True, slots=True)
class Change:
    """What one entry, or one step of a night, moved; and what the member had after it."""

    day: date
    what: str
    event: str | None
    type: str | None
    available: int
    pending: int
    held: int
    owed: int
    after: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class MemberExplained:
    """A member's points, and what it got in money; `changes` are so many of `of`, from the `first` on."""

    id: str
    kind: str
    closed: bool
    cards: tuple[str, ...]
    available: int
    pending: int
    held: int
    owed: int
    last_activity: date | None
    lots: tuple[LotPart, ...]
    got: tuple[GotPart, ...]
    changes: tuple[Change, ...]
    first: int
    of: int
    equations: tuple[Equation, ...]


def explain_member(ledger: Ledger, member: str, *, first: int = 0, limit: int = 20) -> MemberExplained:
    """A member by id. Raises `NotExplained`."""
    found = ledger.connection.execute(sql.MEMBER, (member,)).fetchone()
    if found is None:
        raise NotExplained(f"nobody is enrolled as {member}")
    no, name, kind, closed, available, pending, held, owed, last = found
    values = {"member": no, "points": ledger.names.unit[POINTS], "limit": limit, "offset": first}
    lots = tuple(
        LotPart(ledger.names.party_id[sponsor], ledger.names.contract_from[contract], lot_name(expiry, earned, release_on) or "", points, release_on.year > 1)
        for sponsor, contract, expiry, earned, release_on, points in ledger.connection.execute(sql.LOTS, (no,))
    )
    changes = tuple(_change(ledger, row) for row in ledger.connection.execute(sql.HISTORY, values))
    row = ledger.connection.execute(sql.MOVED, values).fetchone()
    assert row is not None
    cards = tuple(card + (" (blocked)" if blocked else "") for card, blocked in ledger.connection.execute(sql.CARDS, (no,)))
    counts_in = [ledger.names.unit[unit] for unit in (POINTS, STAMPS, PURCHASES)]
    got = ledger.connection.execute(sql.GOT, {"member": no, "counts": counts_in}).fetchall()
    equations = (
        *(
            counts(f"{part} by {row[0]} {'entry' if row[0] == 1 else 'entries'}", moved, f"{part} in the books", has)
            for part, moved, has in zip(PARTS, row[1:], found[4:8], strict=True)
        ),
        counts("lots that can be spent", sum(lot.points for lot in lots if not lot.pending), "available in the books", available),
        counts("lots that are pending", sum(lot.points for lot in lots if lot.pending), "pending in the books", pending),
        *(
            amounts(f"{mechanic} by {events} {'event' if events == 1 else 'events'}", journal, f"{mechanic} in the books", kept, currency)
            for mechanic, currency, journal, kept, events in got
        ),
    )
    parts = tuple(GotPart(mechanic, currency, journal, events) for mechanic, currency, journal, _, events in got if journal)
    return MemberExplained(name, kind, closed, cards, available, pending, held, owed, last, lots, parts, changes, first, row[0], equations)


def _change(ledger: Ledger, row: Sequence[Any]) -> Change:
    entry, day, event, source, kind, available, pending, held, owed, *after = row
    name = f"{ledger.names.source_uri.get(source)} {event}" if event is not None else None
    return Change(
        day, place_name(ledger, entry) if entry > 0 else night_of(entry), name, kind, available, pending, held, owed, (after[0], after[1], after[2], after[3])
    )
