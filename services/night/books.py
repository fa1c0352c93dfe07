"""`NightBooks` on PostgreSQL: every step is one transaction that marks itself as done. What a run only reads is in `figures.py`."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import groupby
from typing import Any

import psycopg

from clearing.booking import Booked, Booking, lapse
from clearing.checks import Check
from clearing.default_loss import Settled
from clearing.entries import POINTS, Code
from clearing.events import Decision, Facts, Hold, Outcome, Received
from clearing.headroom import Given
from clearing.lines import Obligation
from clearing.netting import Carried, Netting
from clearing.originals import originals_first
from clearing.plan import Plan
from clearing.points import Purse
from clearing.postings import Postings
from clearing.spending import free_holds
from clearing.window import Event, State, advance
from schemas.ids import MemberNo, PartyId, RecordId
from services.accrual.batch import BatchBooker, write_booked
from services.journal.accounts import UNUSED
from services.journal.headroom import room_of_night
from services.journal.windows import lock_window, move_window
from services.night import funding
from services.night import statements as sql
from services.night.figures import WindowFigures
from services.night.payouts import pay_cash_back
from services.night.report import settlement_report
from services.night.shared import SharedNight
from services.settlement.defaulted import defaulted_runs, instructed_runs, paid_under

Cuts = dict[tuple[int, int], int]
STEPS = ("book_waiting", "give_shared", "free_holds", "release_pending", "lapse_held", "expire_lots", "fund_points")


class PgNight(WindowFigures):
    """The night of one programme. `find_cuts` asks Kafka where partitions end; `booked_to_cut` returns when processors are there."""

    def __init__(
        self,
        connection: psycopg.Connection,
        plan: Plan,
        kafka_topics: dict[int, str],
        find_cuts: Callable[[datetime | None], Cuts],
        booked_to_cut: Callable[[date], None],
        next_window: Callable[[date], tuple[date, datetime | None, datetime | None] | None],
        *,
        by_hand: bool = False,
    ) -> None:
        """`next_window`: day, end by the clock and fixed time of receipt of the window that opens; None opens none. `by_hand`: cut now."""
        super().__init__(connection, plan)
        self.booker = BatchBooker(connection, plan, self.names, kafka_topics)
        self.find_cuts = find_cuts
        self.booked_to_cut = booked_to_cut
        self.next_window = next_window
        self.by_hand = by_hand
        self._rests_on: dict[date, int | None] = {}

    def state(self, day: date) -> State:
        """Where the window stands. Raises LookupError for a day that has no window."""
        row = self.connection.execute(sql.STATE, (day,)).fetchone()
        if row is None:
            raise LookupError(f"there is no window {day}")
        return State(row[0])

    def cut_off(self, day: date) -> None:
        """Records the cut and opens the next window in one transaction."""
        with self.connection.transaction():
            if self.connection.execute(sql.LOCK_OPEN, (day,)).fetchone() is None:
                return
            row = self.connection.execute("select ends_at from settlement_window where day = %s", (day,)).fetchone()
            cuts = sorted(self.find_cuts(None if self.by_hand or row is None else row[0]).items())
            self.connection.execute(sql.CUT, (day, [t for (t, _), _ in cuts], [p for (_, p), _ in cuts], [end for _, end in cuts]))
            move_window(self.connection, self.plan.programme.id, day, Event.CUT_OFF)
            self.connection.execute(sql.MARK_CUT, (day,))
            following = self.next_window(day)
            if following is not None:
                self.connection.execute(sql.OPEN_WINDOW, following)

    def drain(self, day: date) -> None:
        """Waits until every partition is booked to its cut."""
        self.booked_to_cut(day)

    def behind(self, day: date) -> int:
        """Partitions that are not booked to their cut."""
        row = self.connection.execute(sql.BEHIND, (day,)).fetchone()
        assert row is not None
        return int(row[0])

    @contextmanager
    def _step(self, day: date, step: str) -> Iterator[dict[str, Any] | None]:
        """One transaction that does a step once; yields None where it was done before, else the figures to note."""
        with self.connection.transaction():
            lock_window(self.connection, day)
            if self.connection.execute(sql.STEP_DONE, (day, step)).fetchone() is not None:
                yield None
                return
            figures: dict[str, Any] = {}
            yield figures
            self.connection.execute(sql.MARK_STEP, (day, step, json.dumps(figures)))

    def _entry(self, day: date, step: str) -> RecordId:
        """Number of the night's own entry of a step: below zero, the same on every run."""
        return RecordId(-(day.toordinal() * 16 + STEPS.index(step) + 1))

    def book_waiting(self, day: date) -> None:
        """What waited for its original is booked after all that came until the cut, or rejected."""
        with self._step(day, "book_waiting") as figures:
            if figures is None:
                return
            rows = self.connection.execute(sql.WAITING, (day,)).fetchall()
            received = originals_first([self.booker.reader.received(record, at, body, party, arrived=False) for record, at, body, party in rows])
            if received:
                facts, wanted = self.booker.facts.read(received)
                facts.headroom = room_of_night(self.plan, day)
                booked = Booking(self.plan, day, facts, wanted=wanted, final=True).book_all(received)
                self._decide(booked, facts, received, day)
            self.connection.execute("delete from waiting where day = %s", (day,))
            figures["events"] = len(received)

    def _decide(self, booked: Booked, facts: Facts, received: Sequence[Received], day: date) -> None:
        """Writes decisions on events that were received before, and moves their counts from waiting to what became of them."""
        last = {decision.received.record: decision for decision in booked.decisions}
        outbox = write_booked(self.connection, self.booker.writer, self.booker, booked, facts, list(last.values()), day)
        self.booker.hold_back(list(last.values()), day)
        counts: dict[tuple[int, int, int | None, str, str | None], int] = {}
        for event in received:
            decision = next(d for d in booked.decisions if d.received.record == event.record)
            topic, part, party = event.record >> 56, event.record >> 40 & 0xFFFF, self.names.party.get(event.sender)
            for outcome, code, n in (("waiting", None, -1), (decision.outcome.value, decision.code.value if decision.code else None, 1)):
                key = (topic, part, party, outcome, code)
                counts[key] = counts.get(key, 0) + n
        self.booker.writer.tally(day, counts)
        self.booker.writer.outbox(outbox)

    def give_shared(self, day: date) -> None:
        """What limits of the whole programme leave, in order of receipt; the answers of those that it concerns say so."""
        with self._step(day, "give_shared") as figures:
            if figures is None:
                return
            figures["events"] = SharedNight(self.connection, self.plan, self.booker).decide(day)

    def fund_points(self, day: date) -> None:
        """What waits for room under a limit, in order of receipt; nothing where nobody has one."""
        if not self.plan.limited:
            return
        with self._step(day, "fund_points") as figures:
            if figures is not None:
                figures.update(funding.fund(self, day, self._entry(day, "fund_points")))

    def given_under_limits(self, day: date) -> Sequence[Given]:
        """By the journal, against what the night has found."""
        return funding.given_under_limits(self, day) if self.plan.limited else ()

    def free_holds(self, day: date) -> None:
        """Frees what is left of holds whose time ran out by the end of the window."""
        with self._step(day, "free_holds") as figures:
            if figures is None:
                return
            row = self.connection.execute(sql.WINDOW_END, (day,)).fetchone()
            assert row is not None
            of_members: dict[MemberNo, list[int]] = {}
            for record, member in self.connection.execute(sql.RUN_OUT, (row[0],)):
                of_members.setdefault(MemberNo(member), []).append(record)
            members = list(of_members)
            for start in range(0, len(members), 1000):
                self._free(day, {no: of_members[no] for no in members[start : start + 1000]})
            figures["holds"] = sum(map(len, of_members.values()))

    def _free(self, day: date, of_members: Mapping[MemberNo, Sequence[int]]) -> None:
        """Frees all holds of some members that ran out: those of a member together, since they repay together."""
        facts, postings = Facts(), Postings()
        self.booker.reader.members(set(of_members), facts)
        self.booker.reader.lots(set(of_members), facts)
        holds = self.booker.reader.holds([record for records in of_members.values() for record in records])
        postings.begin(self._entry(day, "free_holds"))
        for no, of_member in groupby(holds, key=lambda hold: hold.member):
            free_holds(postings, list(of_member), facts.members[no])
        self.write(postings, facts, holds, day)

    def write(self, postings: Postings, facts: Facts, holds: Sequence[Hold], day: date) -> None:
        """Writes what a step has brought about for some members."""
        writer = self.booker.writer
        writer.journal(postings, day)
        writer.lots(postings.lots)
        writer.members([member for member in facts.members.values() if member.changed])
        writer.originals(holds)

    def release_pending(self, day: date) -> None:
        """Set-based; members who owe repay with what was released, one by one: they are few."""
        with self._step(day, "release_pending") as figures:
            if figures is None:
                return
            self.connection.execute("analyze lot")
            figures["lots"] = self.connection.execute(sql.DUE_RELEASE, (day,)).rowcount
            if figures["lots"] == 0:
                return
            named = self._named(day, "release_pending", Code.RELEASE)
            self.connection.execute(sql.EMPTY_DUE)
            self.connection.execute(sql.RELEASE)
            self.connection.execute(sql.RELEASE_JOURNAL, named)
            self.connection.execute(sql.RELEASE_BALANCE)
            self.connection.execute(sql.STEP_TOTALS, named)
            self._repay(day)

    def _named(self, day: date, step: str, code: Code) -> dict[str, Any]:
        return {"entry": self._entry(day, step), "day": day, "code": int(code), "unit": self.names.unit[POINTS], "role": UNUSED}

    def _repay(self, day: date) -> None:
        owing = [MemberNo(no) for (no,) in self.connection.execute(sql.OWING_DUE)]
        for start in range(0, len(owing), 1000):
            facts, postings = Facts(), Postings()
            postings.begin(RecordId(self._entry(day, "release_pending") - 8))
            self.booker.reader.members(owing[start : start + 1000], facts)
            self.booker.reader.lots(owing[start : start + 1000], facts)
            for member in facts.members.values():
                released = {
                    self.booker.reader.lot_key(sponsor, contract, expiry, earned, date.min)
                    for sponsor, contract, expiry, earned in self.connection.execute(sql.OWING_LOTS, (member.no,))
                }
                purse = Purse(postings, member)
                for key, lot in member.in_spending_order(None):
                    if key in released:
                        purse.repay_from(key, lot.points)
            self.write(postings, facts, (), day)

    def lapse_held(self, day: date) -> None:
        """Held events whose card nobody enrolled within the claim days are rejected."""
        with self._step(day, "lapse_held") as figures:
            if figures is None:
                return
            figures["events"] = 0
            while rows := self.connection.execute(sql.LAPSED, (self.plan.programme.claim_days, day)).fetchall():
                decisions = [lapse(self.booker.reader.received(record, at, body, party, arrived=False), self.plan) for record, at, body, party in rows]
                self._reject(decisions, day)
                figures["events"] += len(rows)

    def _reject(self, decisions: Sequence[Decision], day: date) -> None:
        assert all(decision.outcome is Outcome.REJECTED for decision in decisions)
        outbox = write_booked(self.connection, self.booker.writer, self.booker, Booked(), Facts(), decisions, day)
        self.booker.writer.outbox(outbox)

    def expire_lots(self, day: date) -> None:
        """Lots whose expiry day has come, pending ones too."""
        with self._step(day, "expire_lots") as figures:
            if figures is None:
                return
            unfunded = funding.expire_unfunded(self, day, RecordId(self._entry(day, "expire_lots") - 8)) if self.plan.limited else 0
            figures["lots"] = self.connection.execute(sql.DUE_EXPIRY, {"day": day}).rowcount
            if unfunded:
                figures["unfunded"] = unfunded
            if figures["lots"] == 0:
                return
            named = self._named(day, "expire_lots", Code.EXPIRY)
            self.connection.execute(sql.EXPIRE)
            self.connection.execute(sql.EXPIRY_JOURNAL, named)
            self.connection.execute(sql.EXPIRY_BALANCE)
            self.connection.execute(sql.STEP_TOTALS, named)

    def close(self, day: date) -> None:
        """Everything of the window is booked: processors go on behind the cut."""
        with self.connection.transaction():
            if lock_window(self.connection, day) is not State.DRAINING:  # another night has closed it meanwhile
                return
            if self.behind(day):
                raise RuntimeError(f"window {day}: a partition is not booked to its cut")
            pay_cash_back(self.connection, self.plan.file, day)
            self.connection.execute(sql.MARK_STEP, (day, "close", json.dumps(self.measured())))
            move_window(self.connection, self.plan.programme.id, day, Event.DRAINED)

    def carried_in(self, day: date) -> Mapping[tuple[str, PartyId], Carried]:
        """From the window before."""
        self._rests_on[day] = self._window_before(day)[1]
        return self._carried(sql.CARRIED_IN, day)

    def _carried(self, statement: str, day: date) -> dict[tuple[str, PartyId], Carried]:
        return {(currency, PartyId(party)): Carried(amount, since) for currency, party, amount, since in self.connection.execute(statement, (day,))}

    def settled_before(self, day: date) -> Settled | None:
        """What statements show of the runs that went to the bank, up to each payment's amount; what parties pay each other directly counts as paid.

        Of a run that defaulted, what they showed at the default: what they show since is put right by adjustments, and would count twice here.
        """
        runs = instructed_runs(self.connection, day)
        if not runs:
            return None
        paid: dict[tuple[str, PartyId, PartyId], int] = {}
        for run in runs:
            for key, amount in paid_under(self.connection, run).items():
                paid[key] = paid.get(key, 0) + amount
        return Settled(paid, self._carried(sql.CARRIED_ON, day))

    def keep(self, day: date, obligations: Sequence[Obligation], netting: Netting, checks: Sequence[Check]) -> None:
        """Stores lines, what is carried, and the report with its hash; the window is netted.

        Nothing is kept where the window before it was rejected meanwhile: what was carried from there no longer stands, and it is cleared first.
        """
        with self.connection.transaction():
            rests_on = self._window_before(day)
            before = lock_window(self.connection, day)
            if before is State.NETTED or rests_on[1] != self._rests_on.get(day, rests_on[1]) or rests_on[0] == State.CLOSED:
                return
            advance(before, Event.NETTED)
            previous = self.connection.execute(sql.PREVIOUS_RUN, (day,)).fetchone()
            defaulted = defaulted_runs(self.connection, day)
            report, reception = settlement_report(self, day, obligations, netting, checks, previous[0] if previous else None, defaulted)
            self.connection.execute("delete from obligation where day = %s", (day,))
            self.connection.execute("delete from carried where day = %s", (day,))
            rows = [
                (day, no, o.kind, o.detail, o.debtor, o.creditor, o.currency, o.quantity, o.unit_price, o.amount_minor, o.events, o.contract,
                 json.dumps([self.numbers(total) for total in o.sources]))
                for no, o in enumerate(obligations)
            ]  # fmt: skip
            cursor = self.connection.cursor()
            cursor.executemany(sql.KEEP_LINE, rows)
            cursor.executemany(sql.KEEP_CARRIED, [(day, currency, party, c.amount_minor, c.since) for (currency, party), c in netting.carried.items()])
            sha256 = report.sha256()
            kept = {"day": day, "sha256": sha256, "previous": previous[0] if previous else None, "report": report.canonical().decode()}
            made = self.connection.execute(sql.KEEP_RUN, {**kept, "reception": json.dumps(reception)}).fetchone()
            assert made is not None
            move_window(self.connection, self.plan.programme.id, day, Event.NETTED, run=(made[0], sha256))

    def _window_before(self, day: date) -> tuple[str | None, int | None]:
        """State and newest run of the window before; a window that was closed and never netted counts as none."""
        row = self.connection.execute(sql.RESTS_ON, (day,)).fetchone()
        return (row[0], row[1]) if row is not None and row[1] is not None else (None, None)
