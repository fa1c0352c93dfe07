"""Plays the demo of money: a month of purchases, and what becomes of it at the bank, from top to bottom.

Every night is approved by two people beside the maker, paid and settled. Four things go wrong, by fixed rules: a payment comes back (`RETURNED_IN`), a line
is disputed (`DISPUTED_IN`), the co-brand bank's file of a day is full of mistakes (`MISTAKES_ON`), and a party that was late before never pays (`SILENT`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg

from clearing.night import run_night
from clearing.plan import Plan
from clearing.window import State
from schemas.ids import PartyId
from schemas.report import SettlementReport
from services.bank.detail import Detail
from services.bank.importing import publish, take
from services.bank.reading import open_file
from services.demo.bank.cards import BANK, CardStory
from services.demo.bank.keeping import Kept
from services.demo.bank.mock_bank import OURS, MockBank, mock_bank
from services.demo.bank.reward_file import file_id, write_file
from services.demo.bank.settling import SPEAKER, Settling, morning_after
from services.demo.run import Clock, Played, Stopped, demo_programme, play
from services.demo.source import Purchases
from services.demo.story import ZONE, DemoDay, Story
from services.disputes.life import Wanted, lines_of
from services.events.sending import Sender
from services.house import House
from services.journal.migrate import connect, schema_of
from services.recon.report import ReconReport, recon_report
from services.recon.run import run_matching
from services.runtime.progress import Progress, silent

PROGRAMME_FILE: Final = Path(__file__).parents[3] / "examples" / "demo-bank.yaml"
SETTLING = "sign, pay, settle"
MATCHING = "match the bank's files"

RETURNED: Final = "fuel"
RETURNED_IN: Final = date(2017, 1, 8)
"""Window whose payment to RETURNED comes back on the next bank day: the account was closed. It goes out again when the bank has put that right."""
LATE: Final = "grocer"
LATE_ON: Final = date(2017, 1, 11)
"""On this day, its last, the late payer pays for that window: until then nothing of it is final."""
DISPUTED_IN: Final = date(2017, 1, 15)
DISPUTES: Final = PartyId("drugstore")
"""Who disputes the first fee of that window, and is right."""
MISTAKES_ON: Final = date(2017, 1, 24)
SILENT: Final = LATE
SILENT_IN: Final = date(2017, 1, 29)
"""The last weekly window, which SILENT never pays: who was late before. It owes several others, so that a shared loss has several bearers."""
DAYS_AFTER: Final = 14
"""So many days after the month at most until all is settled."""


@dataclass(frozen=True, slots=True)
class BankPlayed:
    """What the demo has done, beside what the demo of purchases has."""

    played: Played
    dispute: int | None
    """Number of the dispute."""
    returned: str | None
    """Id of the payment that came back."""
    defaulted: date | None
    """The window in which a party was in default."""
    states: dict[date, State]
    """Where every window stands."""
    recon: ReconReport
    """Of the day whose file had mistakes."""
    kept: Kept | None = None
    """Keys and messages that were left."""


@dataclass(slots=True)
class _Month:
    """The mornings after the nights."""

    house: House
    connection: psycopg.Connection
    plan: Plan
    settling: Settling
    folder: Path
    clock: Clock
    last_file: str | None = None
    unmatched: list[date] = field(default_factory=list)
    dispute: int | None = None
    returned: str | None = None

    @property
    def bank(self) -> MockBank:
        """The settlement bank."""
        return self.settling.bank

    def morning(self, report: SettlementReport) -> int:
        """What happens between a night and the next; returns how many events were published."""
        day, now = report.window, morning_after(report.window)
        with self.clock(SETTLING):
            self.settling.approve(day, now)
            if day == RETURNED_IN:
                self.bank.behave(OURS, "return-later", days=1, reason="AC04", end_to_end_id=self.settling.payment_to(day, RETURNED))
            self.settling.pay(day, now)
            self.settling.pay_in(day, without=LATE if day == RETURNED_IN else None)
            self.send_again(now)
            self.dispute_line(day, now)
            self.evening(day + timedelta(days=2), now)
        with self.clock(MATCHING):
            self.match(now)
            return self.reward_file(day, now)

    def evening(self, midnight: date, now: datetime) -> None:
        """The bank's day ends; its messages are taken."""
        self.bank.until(midnight)
        self.settling.collect(now + timedelta(hours=14))

    def send_again(self, now: datetime) -> None:
        """What came back goes out once more, in a corrected file: the account is open again. The late payer pays."""
        if self.returned is None and now.date() > RETURNED_IN:
            self.returned = self.settling.came_back(RETURNED_IN)
            if self.returned is not None:
                self.bank.behave(OURS, "accept")
                self.settling.pay(RETURNED_IN, now, corrected=True)
        if now.date() == LATE_ON:
            self.settling.pay_in(RETURNED_IN)

    def dispute_line(self, day: date, now: datetime) -> None:
        """A party disputes a fee on the morning after its window; two days later a second person finds that it is right."""
        if day == DISPUTED_IN:
            fee = next(line for line in lines_of(self.connection, day, DISPUTES) if line["kind"] == "fee")
            wanted = Wanted(day, fee["line"], DISPUTES, "the fee was waived for January", SPEAKER, days=5)
            self.dispute = self.settling.dispute(wanted, now)
        elif self.dispute is not None and day == DISPUTED_IN + timedelta(days=2):
            self.settling.uphold(self.dispute, "the letter of waiver is there", now)

    def default(self, now: datetime) -> None:
        """The deadline has passed: the silent party is in default, and a further run says who bears what it owed. Two people approve that one too."""
        self.settling.default(SILENT_IN, PartyId(SILENT), now)
        night = self.house.night(self.plan.programme.id, lambda _night, _day: None, by_hand=True)
        with closing(night.connection):
            run_night(SILENT_IN, self.plan.file, night)
        self.settling.approve(SILENT_IN, now)
        self.settling.pay(SILENT_IN, now)
        self.settling.pay_in(SILENT_IN)

    def match(self, now: datetime) -> None:
        """Files that were taken yesterday are matched: their transactions are booked by now."""
        for day in self.unmatched:
            run_matching(self.connection, self.plan, BANK, day, seen=now.date(), now=now)
        self.unmatched.clear()

    def reward_file(self, day: date, now: datetime) -> int:
        """The co-brand bank's file of the window is taken; its transactions are published once more, and answered as before."""
        detail = Detail(self.connection, self.plan, BANK, day)
        path = write_file(detail, self.folder, previous=self.last_file, mistakes=day == MISTAKES_ON)
        taken = take(self.connection, open_file(path), now)
        published = publish(self.connection, taken, BANK, Sender(self.house.kafka_bootstrap, self.plan.programme.id, None))
        self.last_file = file_id(day)
        self.unmatched.append(day)
        return published


def play_bank(
    house: House,
    purchases: Purchases,
    folder: Path,
    *,
    clock: Clock,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress = silent,
    on_night: Callable[[SettlementReport], None] = lambda _: None,
    keep: bool = False,
) -> BankPlayed:
    """Plays the purchases with their bank. `folder`: for logs and files; `keep`: keys of people and messages of the bank are left there too.

    Raises what `play` raises, and `BankRefused`.
    """
    file, _ = demo_programme(PROGRAMME_FILE)
    months: list[_Month] = []
    kept = Kept.anew(folder) if keep else None

    def story(bought: Purchases) -> Iterator[DemoDay]:
        return CardStory(Story(bought), ZONE).days()

    with mock_bank(purchases.first + timedelta(days=1), file) as bank:

        def night(report: SettlementReport) -> int:
            if not months:
                connection = house.books(file.programme.id)
                owner = connect(house.postgres_uri, schema_of(file.programme.id), role=None, autocommit=True)
                settling = Settling(connection, owner, file, bank, frozenset({(SILENT_IN, SILENT)}), kept)
                settling.enrol(morning_after(report.window))
                months.append(_Month(house, connection, Plan(file), settling, folder / "bank-files", clock))
            on_night(report)
            return months[0].morning(report)

        played = play(house, purchases, folder / "logs", clock=clock, stop=stop, progress=progress, on_night=night, story=story, programme_file=PROGRAMME_FILE)
        with closing(months[0].connection), closing(months[0].settling.owner), clock(SETTLING):
            return _until_settled(months[0], played, stop)


def _until_settled(month: _Month, played: Played, stop: Callable[[], bool]) -> BankPlayed:
    """Days go by until every window is settled. Raises `Stopped`."""
    day = played.reports[-1].window
    defaulted = None
    for _ in range(DAYS_AFTER):
        if stop():
            raise Stopped
        day += timedelta(days=1)
        now = morning_after(day)
        month.match(now)
        if month.settling.states().get(SILENT_IN) is State.INSTRUCTED and month.settling.past_deadline(SILENT_IN, SILENT, now.date()):
            month.default(now)
            defaulted = SILENT_IN
        month.evening(day + timedelta(days=2), now)
        if set(month.settling.states().values()) <= {State.SETTLED, State.OPEN}:
            break
    report = recon_report(month.connection, BANK, MISTAKES_ON, day)
    return BankPlayed(played, month.dispute, month.returned, defaulted, month.settling.states(), report, month.settling.kept)
