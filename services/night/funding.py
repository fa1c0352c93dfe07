"""The night's step for limits of debts: what waits is read in order of receipt, funded as far as there is room, and the next window's room is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from clearing.entries import Code
from clearing.events import Facts
from clearing.expiry import effective_expiry
from clearing.funding import NightFunding, Waiting
from clearing.headroom import Given, owed, point_cost
from clearing.lines import Obligation
from clearing.member import is_unfunded
from clearing.obligations import price
from clearing.points import Purse
from clearing.postings import Postings
from schemas.ids import MemberNo, PartyId, RecordId
from services.journal.headroom import FUNDS_IN_TURN, TOPIC, funds_of, leaving_funds, open_room
from services.night import statements as sql
from services.night.figures import WindowFigures

if TYPE_CHECKING:
    from services.night.books import PgNight

BATCH = 1_000

# Of netted windows that are not settled: what is still to be paid to each party less what it has to pay, and what is carried on after the last. What a
# window pays is its position with what was carried to it, less what it carries on.
UNPAID = """
with windows as (select day, state, lag(day) over (order by day) before from settlement_window),
  unsettled as (select w.day, w.before from windows w where w.state <> 'settled' and exists (select from run r where r.day = w.day))
select party, currency, sum(amount)::bigint from (
  select o.debtor party, o.currency, -o.amount amount from obligation o join unsettled u on u.day = o.day
  union all select o.creditor, o.currency, o.amount from obligation o join unsettled u on u.day = o.day
  union all select c.party, c.currency, c.amount from carried c join unsettled u on u.before = c.day
  union all select c.party, c.currency, -c.amount from carried c join unsettled u on u.day = c.day
  union all select c.party, c.currency, c.amount from carried c where c.day = (select max(day) from run)
) owing group by party, currency
"""
UNNETTED = "select day from settlement_window w where day <= %s and state <> 'open' and not exists (select from run r where r.day = w.day) order by day"
QUEUE = """
select entry, line, member, sponsor, contract, mechanic, expiry, earned, release_on, points from unfunded
where sponsor <> all(%s::smallint[]) order by received_at, entry, line
"""
DONE = "delete from unfunded u using unnest(%s::bigint[], %s::int[]) d (entry, line) where (u.entry, u.line) = (d.entry, d.line)"
LEFT = "update unfunded set points = %s where entry = %s and line = %s"
NEXT = "select min(day) from settlement_window where day > %s"
PARTS = "select count(*) from cut c join topic t on t.no = c.topic where c.day = %s and t.name = %s"
# Points given in a window by the party and version whose they are: while it was open, and in its night.
GAVE = """
select p.id, c.valid_from, coalesce(sum(t.amount) filter (where t.entry > 0), 0)::bigint, coalesce(sum(t.amount) filter (where t.entry < 0), 0)::bigint
from transfer t join party p on p.no = t.sponsor join contract c on c.no = t.contract where t.day = %s and t.code = %s and p.id = any(%s) group by 1, 2
"""
STEP = "select figures from night_step where day = %s and step = 'fund_points'"
ROOMS = "select p.id, h.room * h.parts from headroom h join party p on p.no = h.party where h.day = %s"
# Whose unfunded points may expire now; markers of inactivity lie from year 9000 on.
MAY_EXPIRE = "select distinct member from unfunded where expiry <= %s or expiry >= '9000-01-01' order by 1"


def what_parties_owe(figures: WindowFigures, day: date) -> dict[tuple[PartyId, str], int]:
    """Over all windows that are not settled, up to this one as far as it is booked, in minor units (below zero: it is owed)."""
    unpaid = {(PartyId(party), currency): amount for party, currency, amount in figures.connection.execute(UNPAID)}
    lines: list[Obligation] = []
    for (unnetted,) in figures.connection.execute(UNNETTED, (day,)).fetchall():
        lines += price(unnetted, figures.plan.file, figures.booked_totals(unnetted), figures.fees_before(unnetted))
    return owed(unpaid, lines)


def fund(night: PgNight, day: date, entry: RecordId) -> dict[str, Any]:
    """Funds what waits and opens the next window's room, in the caller's transaction; returns the figures that the check shows later.

    Nobody changes funds meanwhile: what is paid out would be paid out on debts and room that others do not see yet.
    """
    night.connection.execute(FUNDS_IN_TURN)
    funding = NightFunding(night.plan.terms, day, funds_of(night.connection), what_parties_owe(night, day))
    points = _Queue(night, funding, day, entry).work_off()
    following = night.connection.execute(NEXT, (day,)).fetchone()
    parts = night.connection.execute(PARTS, (day, TOPIC)).fetchone()
    if following is not None and following[0] is not None and parts is not None:
        open_room(night.connection, following[0], funding.open_next(following[0], parts[0], leaving_funds(night.connection)))
    waiting: dict[str, int] = dict(night.connection.execute(sql.WAIT).fetchall())
    limits = [
        {"party": party, "currency": one.currency, "most": one.most_minor, "owes": funding.owes[party, one.currency], "unfunded": waiting.get(party, 0)}
        for party, one in sorted(funding.limits.items())
    ]
    return {"points": points, "limits": limits}


class _Queue:
    """What waits, in order of receipt; never held all at once."""

    def __init__(self, night: PgNight, funding: NightFunding, day: date, entry: RecordId) -> None:
        self.night, self.funding, self.day, self.entry = night, funding, day, entry
        self.line = 0

    def work_off(self) -> int:
        """Funds as much as there is room for; returns how many points that were. What sponsors without room have waiting is not read again."""
        funded, before = 0, -1
        while len(self.funding.exhausted) > before:
            before = len(self.funding.exhausted)
            with self.night.connection.cursor(name="unfunded") as queue:
                queue.execute(QUEUE, ([self.night.names.party[party] for party in sorted(self.funding.exhausted)],))
                while len(self.funding.exhausted) == before and (rows := queue.fetchmany(BATCH)):
                    funded += self._batch(rows)
        return funded

    def _batch(self, rows: Sequence[Any]) -> int:
        night, facts, postings = self.night, Facts(), Postings()
        postings.begin(self.entry, line=self.line)
        members = {MemberNo(row[2]) for row in rows}
        night.booker.reader.members(members, facts)
        night.booker.reader.lots(members, facts)
        done: list[tuple[int, int]] = []
        left: list[tuple[int, int, int]] = []
        funded = 0
        for entry, line, member, sponsor, contract, mechanic, expiry, earned, release_on, points in rows:
            lot = night.booker.reader.lot_key(sponsor, contract, expiry, earned, release_on)
            waiting = Waiting((entry, line), MemberNo(member), lot, night.names.mechanic_id[mechanic], points)
            before = facts.members[waiting.member].unfunded
            rest = self.funding.fund(waiting, facts.members[waiting.member], postings)
            funded += before - facts.members[waiting.member].unfunded
            if rest == 0:
                done.append((entry, line))
            elif rest < points:
                left.append((rest, entry, line))
        self.line += len(postings.transfers)
        night.write(postings, facts, (), self.day)
        night.connection.execute(DONE, ([entry for entry, _ in done], [line for _, line in done]))
        night.connection.cursor().executemany(LEFT, left)
        return funded


def expire_unfunded(night: PgNight, day: date, entry: RecordId) -> int:
    """Expires unfunded lots whose day has come; returns how many."""
    members = [MemberNo(no) for (no,) in night.connection.execute(MAY_EXPIRE, (day,))]
    expired, line = 0, 0
    for start in range(0, len(members), BATCH):
        facts, postings = Facts(), Postings()
        postings.begin(entry, line=line)
        night.booker.reader.members(members[start : start + BATCH], facts)
        night.booker.reader.lots(members[start : start + BATCH], facts)
        for member in facts.members.values():
            for key in sorted(key for key, lot in (member.lots or {}).items() if is_unfunded(key) and lot.points):
                if effective_expiry(key.expiry, member.last_activity, key.earned) <= day:
                    assert member.lots is not None
                    Purse(postings, member).expire_unfunded(key, member.lots[key].points)
                    expired += 1
        line += len(postings.transfers)
        night.write(postings, facts, (), day)
    return expired


def given_under_limits(figures: WindowFigures, day: date) -> list[Given]:
    """What parties with a limit gave in the window, from the journal, against the room that was opened and what the night has found."""
    step = figures.connection.execute(STEP, (day,)).fetchone()
    limits: Sequence[Mapping[str, Any]] = step[0].get("limits", ()) if step is not None else ()
    if not limits:
        return []
    rooms: dict[str, int] = {party: int(room) for party, room in figures.connection.execute(ROOMS, (day,))}
    gave: dict[tuple[str, str], list[Fraction]] = {}
    terms = figures.plan.terms
    for party, valid_from, at_once, at_night in figures.connection.execute(GAVE, (day, int(Code.ACCRUAL), [one["party"] for one in limits])):
        currency, cost = point_cost(terms.version(PartyId(party), valid_from), terms)
        sums = gave.setdefault((party, currency), [Fraction(0), Fraction(0)])
        sums[0] += at_once * cost
        sums[1] += at_night * cost
    found = []
    for one in limits:
        at_once, at_night = gave.get((one["party"], one["currency"]), [Fraction(0), Fraction(0)])
        room = rooms.get(one["party"], 0)
        found.append(
            Given(PartyId(one["party"]), one["currency"], one["most"], one["owes"], at_once, room, at_night, one["most"] - one["owes"], one["unfunded"])
        )
    return found
