"""The room of limits in the books: opened for a window by the night before it, used by batches each in its own partition, checked by the database.

No batch waits for another's: whoever books a partition holds its row of `progress`, and the use of its room is nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Final

import psycopg

from clearing.headroom import Headroom, Opened, limits_on, opened
from clearing.plan import Plan
from clearing.terms import Terms
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from services.journal.names import Names

TOPIC: Final = "partner.transactions.v1"
"""Points of its events are given at once; card transactions, and what was held or waited, are decided in the night."""

# The room that parties have in some partitions of a window, less what was used of it.
ROOM = """
select p.id, n.part, h.room - coalesce(u.used, 0) from headroom h join party p on p.no = h.party cross join unnest(%(parts)s::int[]) n (part)
left join headroom_use u on u.day = h.day and u.party = h.party and u.part = n.part where h.day = %(day)s
"""
# Adds to what is used of the room; a row that would use more than there is, is refused.
USE = """
insert into headroom_use as u (day, party, part, room, used)
select h.day, h.party, n.part, h.room, n.used from unnest(%(party)s::smallint[], %(part)s::int[], %(used)s::numeric[]) n (party, part, used)
join headroom h on h.day = %(day)s and h.party = n.party
on conflict (day, party, part) do update set used = u.used + excluded.used
"""
OPEN = "insert into headroom (day, party, room, parts) select %s, no, %s, %s from party where id = %s on conflict do nothing"
UNTOUCHED = "select count(*) = 1 and not exists (select from total) from settlement_window"
FUNDS = "select party, currency, sum(amount)::bigint from funding group by party, currency"
_PLACES: Final = 60


def exact(amount: Fraction) -> Decimal:
    """An exact amount as the books hold it: prices, shares and percentages are finite decimals, and so are their products."""
    with localcontext() as context:
        context.prec = _PLACES
        return Decimal(amount.numerator) / Decimal(amount.denominator)


def funds_of(connection: psycopg.Connection) -> dict[tuple[PartyId, str], int]:
    """What parties have paid in beforehand, less what was used and paid out, in minor units."""
    return {(PartyId(party), currency): amount for party, currency, amount in connection.execute(FUNDS)}


def room_of_batch(connection: psycopg.Connection, plan: Plan, names: Names, day: date, partitions: Iterable[tuple[int, int]]) -> Headroom:
    """What sponsors with a limit may give at once, in the partitions whose rows a batch holds."""
    topic = names.topic[TOPIC]
    parts = sorted(part for no, part in partitions if no == topic)
    rows = connection.execute(ROOM, {"day": day, "parts": parts}).fetchall() if parts else []
    return Headroom(plan.terms, limits_on(plan.terms, day, {}), {(PartyId(party), topic << 16 | part): Fraction(left) for party, part, left in rows})


def room_of_night(plan: Plan, day: date) -> Headroom | None:
    """None at all, where the programme has limits: what is booked now waits for the night's own step."""
    return Headroom(plan.terms, limits_on(plan.terms, day, {})) if plan.limited else None


def use(connection: psycopg.Connection, names: Names, day: date, headroom: Headroom) -> None:
    """Writes what a batch has used, in its transaction."""
    if headroom.used:
        rows = sorted((names.party[party] or 0, part & 0xFFFF, exact(amount)) for (party, part), amount in headroom.used.items())
        columns = {"party": [row[0] for row in rows], "part": [row[1] for row in rows], "used": [row[2] for row in rows]}
        if connection.execute(USE, {"day": day, **columns}).rowcount != len(rows):
            raise RuntimeError("room was used that no night has opened")


def open_room(connection: psycopg.Connection, day: date, room: Mapping[PartyId, Opened]) -> None:
    """Opens the room of a window; does nothing where it is open already."""
    connection.cursor().executemany(OPEN, [(day, one.room_minor, one.parts, party) for party, one in room.items() if one.parts])


def open_first_room(connection: psycopg.Connection, file: ProgrammeFile, day: date, parts: int) -> None:
    """Opens the room of a programme's first window, before anything is booked in it; a limit that comes later is looked at by the night."""
    terms = Terms(file)
    limits = limits_on(terms, day, funds_of(connection))
    if limits and connection.execute(UNTOUCHED).fetchone() == (True,):
        open_room(connection, day, opened(limits, {}, parts))
