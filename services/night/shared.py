"""The night's step for limits of the whole programme, in batches: what was put off is read in order of receipt and never held all at once."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

import msgspec
import psycopg

from clearing.by_name import rules_of
from clearing.card_transactions import left_before
from clearing.events import CardSpend, Decision, Facts, Original, Received, Room, Sale
from clearing.limits import Used
from clearing.member import Member
from clearing.plan import Plan
from clearing.postings import Postings
from clearing.returns import left_after
from clearing.shared import Before, SharedLimits
from schemas.ids import EventId, MechanicId
from services.accrual.answers import amended
from services.accrual.batch import BatchBooker
from services.journal.headroom import room_of_night
from services.night import statements as sql

BATCH = 1_000
"""Purchases and returns that are decided together."""


class SharedNight:
    """Decides what was put off, inside the transaction of its step."""

    def __init__(self, connection: psycopg.Connection, plan: Plan, booker: BatchBooker) -> None:
        self.connection = connection
        self.plan = plan
        self.reader = booker.reader
        self.writer = booker.writer

    def decide(self, day: date) -> int:
        """Decides all that was put off to the night of this window; returns how many events it was."""
        self.reader.names.read(self.connection)
        before: Used = dict(self.connection.execute(sql.SHARED_USE).fetchall())
        used, events = dict(before), 0
        self._add_left_out(day)
        self.connection.execute(sql.PLACES, (day,))
        self.connection.execute(sql.SALES)
        with self.connection.cursor(name="put_off") as places:
            places.execute(sql.IN_ORDER)
            while rows := places.fetchmany(BATCH):
                _Batch(self, day, rows).decide(used)
                events += len(rows)
        self.writer.shared((name, used.get(name, 0) - before.get(name, 0)) for name in used.keys() | before.keys())
        self.connection.execute(sql.DONE, (day,))
        return events

    def _add_left_out(self, day: date) -> None:
        """Puts returns off that a version of the code has booked which did not."""
        for record, received_at, sale, body, uri, event_id in self.connection.execute(sql.LEFT_OUT, (day,)).fetchall():
            event = json.loads(body)
            if (event["data"].get("original_source") or event["source"], event["data"]["original_id"]) == (uri, event_id):
                self.connection.execute(sql.PUT_OFF, (record, day, received_at, sale))


class _Batch:
    """Some of what was put off, with all that deciding it needs."""

    def __init__(self, night: SharedNight, day: date, rows: Sequence[tuple[int, int | None, Any]]) -> None:
        self.night, self.day, self.rows = night, day, rows
        self.reader, self.writer = night.reader, night.writer
        sales = {sale for _, sale, _ in rows if sale is not None}
        self.backs: dict[int, list[int]] = {}
        """Returns of each purchase that a return of this batch is of, in their order."""
        for sale, record in night.connection.execute(sql.BACKS, (sorted(sales),)) if sales else ():
            self.backs.setdefault(sale, []).append(record)
        self.entries = self._entries({record for record, _, _ in rows} | sales | {record for some in self.backs.values() for record in some})
        self.facts = self._facts()
        self.before = self.reader.written([record for record, _, _ in rows], day)

    def _entries(self, records: Collection[int]) -> dict[int, Any]:
        return {row[0]: row for row in self.night.connection.execute(sql.ENTRIES, (sorted(records),))}

    def _facts(self) -> Facts:
        """Purchases with what they were given so far, members, and the lots of those who bring something back."""
        facts = Facts()
        bought = {record if sale is None else sale for record, sale, room in self.rows if room is None}
        self.reader.originals({(self.entries[record][1], EventId(self.entries[record][2])) for record in bought}, facts)
        self.reader.members({self.entries[record][3] for record, _, _ in self.rows}, facts)
        self.reader.lots({self.entries[record][3] for record, sale, _ in self.rows if sale is not None}, facts)
        return facts

    def decide(self, used: Used) -> None:
        """Decides one after the other, and writes what it brought about."""
        postings = Postings(room_of_night(self.night.plan, self.day))
        limits = SharedLimits(self.night.plan, postings, used)
        answered = []
        for record, sale, room in self.rows:
            member = self.facts.members[self.entries[record][3]]
            if room is not None:
                limits.room(msgspec.convert(room, Room), member)
                continue
            before = self.before.get(record, Before())
            bought = self._original(record if sale is None else sale)
            if isinstance(bought, CardSpend):
                answered.append((self._card(limits, record, sale, bought, member, before), self._mechanics(bought)))
                continue
            if not isinstance(bought, Sale):
                assert sale is None, "only purchases are brought back"
                choice = self._received(record)
                answered.append((limits.choice(choice, member), [choice.event.data.mechanic]))
                continue
            if sale is None:
                decision = limits.purchase(bought, member, before)
            else:
                backs = self.backs[sale][: self.backs[sale].index(record) + 1]
                decision = limits.back(self._received(record), bought, left_after(bought, map(self._received, backs)), member, before)
            answered.append((decision, self._mechanics(bought)))
        self._write(postings, answered)

    def _card(self, limits: SharedLimits, record: int, sale: int | None, spend: CardSpend, member: Member, before: Before) -> Decision:
        """A card transaction, or, of one with a clearing before it, what it takes back or gives again."""
        if sale is None:
            return limits.clearing(spend, member, before)
        backs = self.backs[sale]
        later = map(self._received, backs[backs.index(record) + 1 :])
        return limits.card_back(self._received(record), spend, left_before(spend, later), member, before)

    def _original(self, record: int) -> Original:
        _, uri, event_id, *_ = self.entries[record]
        return self.facts.originals[uri, EventId(event_id)]

    def _mechanics(self, bought: Sale | CardSpend) -> list[MechanicId]:
        """What applies to the seller's purchases, or the bank's card transactions, of that event date, in the order of the file; or the one mechanic that
        the event names.
        """
        plan = self.night.plan
        day = bought.received.event.time.astimezone(plan.zone).date()
        rules = plan.card_rules(bought.received.sender, day).all if isinstance(bought, CardSpend) else rules_of(plan, bought, day)
        return [rule.mechanic.id for rule in rules]

    def _received(self, record: int) -> Received:
        _, _, _, _, received_at, body, party, _ = self.entries[record]
        return self.reader.received(record, received_at, body, party, arrived=False)

    def _write(self, postings: Postings, answered: Iterable[tuple[Decision, Sequence[MechanicId]]]) -> None:
        connection = self.night.connection
        self.writer.journal(postings, self.day)
        self.writer.lots(postings.lots)
        self.writer.members([member for member in self.facts.members.values() if member.changed])
        self.writer.originals([sale for sale in self.facts.originals.values() if isinstance(sale, Sale | CardSpend) and sale.changed])
        told, rows = [], []
        for decision, mechanics in answered:
            record, answer = decision.received.record, self.entries[decision.received.record][-1]
            if decision.effects:
                told.append(record)
                answer = amended(answer, decision, mechanics)
            rows.append((answer, None if decision.applied is None else ",".join(decision.applied), record))
        connection.cursor().executemany(sql.ANSWER, rows)
        self.writer.outbox(list(connection.execute("select record, day from entry where record = any(%s) order by received_at, record", (told,))))
