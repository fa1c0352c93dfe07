"""Appends a batch to the books: COPY for what is many, one statement for each table that changes."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
import psycopg

from clearing.entries import Code, Total
from clearing.events import Card, Chargeback, Decision, Hold, Original, Pending
from clearing.member import LotKey, Member
from clearing.postings import Movement, Postings, Transfer
from schemas.ids import MemberNo, RecordId
from services.journal.accounts import Accounts
from services.journal.arrays import plain, texts
from services.journal.entries import ENTRY, EntryRow, field
from services.journal.names import Names
from services.journal.reading import AVAILABLE, original_state, state_of

# A held or waiting event that is decided: its entry says so; what was received stays as it was.
DECIDE = """
update entry set booked = %s, outcome = %s, contract = %s, member = %s, code = %s, detail = %s, pointer = %s, applied = %s, answer = %s where record = %s
"""
# The only place where rows of the journal are inserted while events are booked; the night's set-based steps are in services/night/statements.py.
TRANSFER = """
copy transfer (entry, line, day, code, amount, debit, credit, member, unit, sponsor, contract, counterparty, counter_contract, mechanic,
expiry, earned, release_on, first) from stdin
"""
# Lots: what changed is added to what is there. Many members have lots of one key: it is handed over once.
LOT_CHANGES = """
unnest(%(key)s::int[], %(sponsor)s::smallint[], %(contract)s::int[], %(expiry)s::date[], %(earned)s::date[], %(release_on)s::date[])
k (no, sponsor, contract, expiry, earned, release_on)
join unnest(%(member)s::int[], %(of)s::int[], %(points)s::bigint[], %(expired)s::bigint[]) c (member, of, points, expired) on c.of = k.no
"""
LOT_UPSERT = (
    """
insert into lot as l (member, sponsor, contract, expiry, earned, release_on, points, expired, live)
select member, sponsor, contract, expiry, earned, release_on, points, expired, points > 0 from """
    + LOT_CHANGES
    + """
on conflict (member, sponsor, contract, expiry, earned, release_on) do update
set points = l.points + excluded.points, expired = l.expired + excluded.expired, live = l.points + excluded.points > 0
"""
)
LOT_CHANGE = (
    """
update lot as l set points = l.points + c.points, expired = l.expired + c.expired, live = l.points + c.points > 0 from """
    + LOT_CHANGES
    + """
where (l.member, l.sponsor, l.contract, l.expiry, l.earned, l.release_on) = (c.member, k.sponsor, k.contract, k.expiry, k.earned, k.release_on)
"""
)
MEMBER_UPDATE = """
update member m set available = c.available, pending = c.pending, held = c.held, owed = c.owed, last_activity = c.last_activity, state = c.state
from unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::date[], %s::text[])
c (no, available, pending, held, owed, last_activity, state) where m.no = c.no
"""
# Members who are new, or whose profile changed: rare beside purchases.
PROFILE = """
insert into member as m (no, id, kind, closed, attributes) values (%s, %s, %s, %s, %s)
on conflict (no) do update set kind = excluded.kind, closed = excluded.closed, attributes = excluded.attributes
"""
CARD = """
insert into card as c (card, member, blocked) values (%s, %s, %s)
on conflict (card) do update set member = excluded.member, blocked = excluded.blocked
"""
ORIGINAL = """
insert into original as o (record, member, kind, expires_at, state) values (%s, %s, %s, %s, %s)
on conflict (record) do update set expires_at = excluded.expires_at, state = excluded.state
"""
UNFUNDED = """
insert into unfunded (entry, line, received_at, member, sponsor, contract, mechanic, expiry, earned, release_on, points)
select t.entry, t.line, e.received_at, t.member, t.sponsor, t.contract, t.mechanic, t.expiry, t.earned, t.release_on, t.amount
from transfer t join entry e on e.record = t.entry where t.entry = any(%(entries)s) and t.day = %(day)s and t.code = %(code)s on conflict do nothing
"""
TOTALS = "copy total (day, code, sponsor, contract, counterparty, counter_contract, unit, quantity, events) from stdin"
TALLY = "copy tally (day, topic, part, party, outcome, code, events) from stdin"
OUTBOX = "copy outbox (record, day) from stdin"
HOLD_EVENT = "insert into held (record, day, card, event_day, received_at) values (%s, %s, %s, %s, %s) on conflict (record) do update set card = excluded.card"
DEFER = "insert into deferred (record, day, received_at, sale, room) values (%s, %s, %s, %s, %s) on conflict do nothing"
SHARED = """
insert into shared_use as s (name, used) values (%(name)s, greatest(0, %(change)s))
on conflict (name) do update set used = greatest(0, s.used + %(change)s)
"""
WAIT_EVENT = "insert into waiting (record, day, received_at) values (%s, %s, %s) on conflict do nothing"


class Writer:
    """Writes on one connection, inside the transaction of a batch."""

    def __init__(self, connection: psycopg.Connection, names: Names) -> None:
        self.connection = connection
        self.names = names
        self.accounts = Accounts(names)
        self._days: dict[date | None, str] = {None: "NULL"}

    def _copy(self, statement: str, lines: Iterable[str]) -> None:
        text = "".join(lines)
        if text:
            with self.connection.cursor().copy(statement) as copy:
                copy.write(text)

    def entries(self, rows: Iterable[str]) -> None:
        """Appends entries, each as a line of COPY."""
        self._copy(ENTRY, rows)

    def decide(self, rows: Sequence[EntryRow]) -> None:
        """Writes what became of entries that had been held or waiting."""
        self.connection.cursor().executemany(
            DECIDE,
            [(row.booked, row.outcome, row.contract, row.member, row.code, row.detail, row.pointer, row.applied, row.answer, row.record) for row in rows],
        )

    def journal(self, postings: Postings, day: date) -> None:
        """Appends the transfers and totals of a batch, under the window in which they take effect."""
        self._copy(TRANSFER, self._transfers(postings.transfers, self._day(day)))
        self.totals(postings.totals, day)
        if postings.headroom is not None:
            self._queue(postings, day)

    def _queue(self, postings: Postings, day: date) -> None:
        """Points over a limit wait to be funded, in the order in which their events were received."""
        entries = sorted({row.entry for row in postings.transfers if row.what.code is Code.UNFUNDED})
        if entries:
            self.connection.execute(UNFUNDED, {"entries": entries, "day": day, "code": int(Code.UNFUNDED)})

    def totals(self, totals: Iterable[Total], day: date) -> None:
        """Appends totals: the first path to the night's obligations."""
        names = self.names
        self._copy(
            TOTALS,
            (
                f"{day}\t{t.code.value}\t{names.party[t.sponsor]}\t{field(self._contract(t.sponsor, t.contract))}\t{field(names.party[t.counterparty])}\t"
                f"{field(self._contract(t.counterparty, t.counter_contract))}\t{names.unit[t.unit]}\t{t.quantity}\t{t.events}\n"
                for t in totals
                if t.code not in (Code.STAMP, Code.STAMP_REVERSAL)
            ),
        )

    def _contract(self, party: Any, valid_from: date | None) -> int | None:
        return None if valid_from is None else self.names.contract[party, valid_from]

    def _day(self, day: date | None) -> str:
        text = self._days.get(day)
        if text is None:
            assert day is not None
            text = self._days[day] = day.isoformat()
        return text

    def _transfers(self, transfers: Sequence[Transfer], window: str) -> Iterator[str]:
        known: dict[int, tuple[str, int, int, int, int, str]] = {}  # by identity: equal ones are few, and hashing each takes longer
        for row in transfers:
            what, member = row.what, row.member
            found = known.get(id(what))
            if found is None:
                found = known[id(what)] = self._columns(what, window)
            before, debit_of, debit, credit_of, credit, rest = found
            assert member is not None, "every transfer is a member's"
            yield (
                f"{row.entry}\t{row.line}\t{before}\t{row.amount}\t{member * debit_of + debit}\t{member * credit_of + credit}\t{member}\t{rest}\t"
                f"{'t' if row.first else 'f'}\n"
            )

    def _columns(self, what: Movement, window: str) -> tuple[str, int, int, int, int, str]:
        """Day and code, both sides, and the columns from `unit` to `release_on`: the same for many rows."""
        names, lot = self.names, what.lot
        numbers = (
            names.unit[what.unit],
            names.party[what.sponsor],
            self._contract(what.sponsor, what.contract),
            names.party[what.counterparty],
            self._contract(what.counterparty, what.counter_contract),
            names.mechanic[what.mechanic],
        )
        days = (None, None, None) if lot is None else (lot.expiry, lot.earned, lot.release_on or AVAILABLE)
        (debit_of, debit), (credit_of, credit) = self.accounts.sides(what)
        return f"{window}\t{what.code:d}", debit_of, debit, credit_of, credit, "\t".join(map(field, (*numbers, *days)))

    def lots(self, changes: dict[tuple[MemberNo, LotKey], list[int]]) -> None:
        """Adds the changes of lots. A lot that only shrinks is there already."""
        grown = {owned: change for owned, change in changes.items() if change[0] >= 0 and change[1] >= 0 and change[0] + change[1]}
        shrunk = {owned: change for owned, change in changes.items() if change[0] < 0 or change[1] < 0} if len(grown) < len(changes) else {}
        for statement, some in ((LOT_UPSERT, grown), (LOT_CHANGE, shrunk)):
            if some:
                self._lots(statement, some)

    def _lots(self, statement: str, changes: dict[tuple[MemberNo, LotKey], list[int]]) -> None:
        day, names = self._day, self.names
        numbers: dict[LotKey, int] = {}
        of = [numbers.setdefault(key, len(numbers)) for _, key in changes]
        keys = list(numbers)
        self.connection.execute(
            statement,
            {
                "key": plain(range(len(keys))),
                "sponsor": plain([str(names.party[key.sponsor]) for key in keys]),
                "contract": plain([names.contract[key.sponsor, key.contract] for key in keys]),
                "expiry": plain([day(key.expiry) for key in keys]),
                "earned": plain([day(key.earned) for key in keys]),
                "release_on": plain([day(key.release_on or AVAILABLE) for key in keys]),
                "member": plain([member for member, _ in changes]),
                "of": plain(of),
                "points": plain([points for points, _ in changes.values()]),
                "expired": plain([expired for _, expired in changes.values()]),
            },
        )

    def members(self, members: Sequence[Member]) -> None:
        """Writes balances and state of members that are there."""
        if members:
            self.connection.execute(
                MEMBER_UPDATE,
                (
                    plain([m.no for m in members]),
                    plain([m.available for m in members]),
                    plain([m.pending for m in members]),
                    plain([m.held for m in members]),
                    plain([m.owed if m.debts else 0 for m in members]),
                    plain([self._days.get(m.last_activity) or self._day(m.last_activity) for m in members]),
                    texts([state_of(m) for m in members]),
                ),
            )

    def profiles(self, members: Iterable[Member]) -> None:
        """Writes members who are new or whose profile changed."""
        rows = [(m.no, m.id, m.kind, m.closed, json.dumps(m.attributes)) for m in members]
        self.connection.cursor().executemany(PROFILE, rows)

    def cards(self, cards: Iterable[Card]) -> None:
        """Writes cards whose owner or state changed."""
        self.connection.cursor().executemany(CARD, [(card.card, card.member, card.blocked) for card in cards])

    def originals(self, originals: Iterable[Original]) -> None:
        """Writes what is left of originals."""
        rows = [
            (o.record, o.member, type(o).__name__.lower(), o.expires_at if isinstance(o, Hold) and o.open else None, original_state(o))
            for o in originals
            if not isinstance(o, Pending | Chargeback)
        ]  # fmt: skip
        self.connection.cursor().executemany(ORIGINAL, rows)

    def outbox(self, answers: Collection[tuple[RecordId, date]]) -> None:
        """Puts answers in the outbox, in order."""
        days = {day: self._day(day) for day in {day for _, day in answers}}
        self._copy(OUTBOX, [f"{record}\t{days[day]}\n" for record, day in answers])

    def hold(self, record: RecordId, day: date, card: str | None, event_day: date, received_at: datetime) -> None:
        """Keeps an event until somebody owns its card."""
        self.connection.execute(HOLD_EVENT, (record, day, card, event_day, received_at))

    def wait(self, record: RecordId, day: date, received_at: datetime) -> None:
        """Keeps an event until its window is cut."""
        self.connection.execute(WAIT_EVENT, (record, day, received_at))

    def defer(self, decisions: Iterable[Decision], day: date) -> None:
        """Keeps purchases of which the night decides a part, returns of them, and the room that other returns bring back."""
        rows = [
            (d.received.record, day, d.received.received_at, d.sale, None if d.room is None else msgspec.json.encode(d.room).decode())
            for d in decisions
            if d.deferred or d.sale is not None or d.room is not None
        ]
        if rows:
            self.connection.cursor().executemany(DEFER, rows)

    def shared(self, changes: Iterable[tuple[str, int]]) -> None:
        """Adds to what limits of the whole programme have given, by limit and period."""
        self.connection.cursor().executemany(SHARED, [{"name": name, "change": change} for name, change in sorted(changes)])

    def tally(self, day: date, counts: dict[tuple[int, int, int | None, str, str | None], int]) -> None:
        """Adds to the counts of what became of the records of each partition; events may be below zero where a count is moved."""
        self._copy(
            TALLY, (f"{day}\t{topic}\t{part}\t{field(party)}\t{outcome}\t{field(code)}\t{n}\n" for (topic, part, party, outcome, code), n in counts.items())
        )
