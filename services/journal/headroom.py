"""The room of limits in the books: opened for a window by the night before it, used by batches each in its own partition, checked by the database.

No batch waits for another's: whoever books a partition holds its row of `progress`, and the use of its room is nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil
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
FUNDS_IN_TURN: Final = "select pg_advisory_xact_lock(hashtext(current_schema() || ' funding'))"
"""Whoever changes funds, or opens room out of them, does it in turn, and takes this lock before any other about signatures: all in one order."""
# Room that may still be used: of windows whose night has not funded what waits, less what their points have used of it.
UNUSED = """
select h.day, p.id, h.room * h.parts - coalesce((select sum(u.used) from headroom_use u where (u.day, u.party) = (h.day, h.party)), 0)
from headroom h join party p on p.no = h.party
where not exists (select from night_step s where s.day = h.day and s.step = 'fund_points')
"""
# What one person would pay out, and another may confirm: of each reference what was proposed last; and what was entered by words that one person would undo.
LEAVING = """
select party, currency, sum(amount)::bigint from (
  select s.party, s.currency, s.amount
  from (select distinct on (party, reference) * from funding_signature where kind = 'paid out' order by party, reference, no desc) s
  where s.action = 'propose' and not exists (select from key_revocation r where r.key = s.key)
    and not exists (select from funding f where (f.party, f.kind, f.reference) = (s.party, s.kind, s.reference))
  union all
  select f.party, f.currency, f.amount from bank_decided d
  join funding f on f.kind = 'paid in' and (f.party, f.reference, f.by_whom, f.at) = (d.party, d.reference, d.person, d.at)
  where exists (select from bank_decision u where u.undoes = d.no)
) going group by party, currency
"""
_PLACES: Final = 60


def exact(amount: Fraction) -> Decimal:
    """An exact amount as the books hold it: prices, shares and percentages are finite decimals, and so are their products."""
    with localcontext() as context:
        context.prec = _PLACES
        return Decimal(amount.numerator) / Decimal(amount.denominator)


def funds_of(connection: psycopg.Connection) -> dict[tuple[PartyId, str], int]:
    """What parties have paid in beforehand, less what was used and paid out, in minor units."""
    return {(PartyId(party), currency): amount for party, currency, amount in connection.execute(FUNDS)}


def leaving_funds(connection: psycopg.Connection) -> dict[tuple[PartyId, str], int]:
    """What of the funds one person would pay out, in minor units: no room is opened out of it, so that a second person can pay it out after that night."""
    return {(PartyId(party), currency): amount for party, currency, amount in connection.execute(LEAVING)}


def unused_room(connection: psycopg.Connection, plan: Plan) -> dict[tuple[PartyId, str], int]:
    """What parties may come to owe at once, without anybody asking again: the room of windows that take events, less what is used; rounded up to minor units.

    Read it before debts: what a batch moves from one to the other in between then counts twice, and is not missed.
    """
    found: dict[tuple[PartyId, str], int] = {}
    for day, party, left in connection.execute(UNUSED).fetchall():
        limit = limits_on(plan.terms, day, {}).get(PartyId(party))
        if limit is not None:
            key = (limit.party, limit.currency)
            found[key] = found.get(key, 0) + ceil(left)
    return found


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
