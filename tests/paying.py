"""A window that is approved, and messages of its bank as the bank would write them: for tests of what is paid and what confirms it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg

from schemas.money import to_text
from services.bank.references import creditor_reference
from services.runtime.local import Addresses
from services.settlement.confirming import Matched, match
from services.settlement.instructing import Paid, Paying, pay
from services.settlement.payment_states import Standing, states_of
from services.settlement.runs import newest_run
from services.settlement.taking import Taken, take_message
from services.settlement.transport import Folder
from tests import bank_messages as bank
from tests.coalition import Coalition, coalition, event, purchase
from tests.signers import MONDAY, Signers, netted

OURS = bank.OURS
ACCOUNTS = (
    ("settlement: weekly", "settlement: daily"),
    ("settlement: monthly", "settlement: daily"),
    ("name: Fuel Company,", "name: Fuel Company, account: {iban: NL91ABNA0417164300},"),
    ("name: Cafe,", "name: Cafe, account: {iban: FR1420041010050500013M02606},"),
    ("name: Grocer,", "name: Grocer, account: {iban: GB82WEST12345698765432},"),
)
AGAIN = """
insert into run (day, sha256, previous, report, reception, replaces) select day, sha256, previous, report, reception, no from run where day = %s
"""
"""A further run of a window with the same report, after a default."""
NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)


@contextmanager
def approved(addresses: Addresses, *changes: tuple[str, str]) -> Iterator[Signers]:
    """Monday is approved: the grocer pays the operator, which pays the fuel company and the cafe. Tuesday is open."""
    with coalition(addresses, *ACCOUNTS, *changes, day=MONDAY) as one:
        spend(one)
        with netted(one, MONDAY) as signers:
            signers.approve()
            yield signers


def spend(one: Coalition) -> None:
    """Points of the grocer are spent at the fuel company and the cafe, which the operator pays for them."""
    one.enrol(("m-1", "card-1"))
    one.publish(purchase("p1", "card-1", 540000))
    one.book()
    for partner, points in (("fuelco", 1000), ("cafe", 500)):
        data = {"card": "card-1", "store": "1", "receipt": partner, "points": points}
        one.publish(event("redemption.v1", f"x-{partner}", "card-1", data, source=f"/partners/{partner}"))
    one.book()


@dataclass(slots=True)
class AtTheBank:
    """The books of one window with its bank; all in the transaction of the caller, where there is one."""

    books: psycopg.Connection
    programme: str
    folder: Path
    day: date = MONDAY
    now: datetime = NOW
    opening: int = 100_000_00
    sequence: int = 0
    names: int = field(default=0)

    def pay(self, *, corrected: bool = False) -> Paid:
        """Pays the window into the folder."""
        return pay(self.books, self.day, Paying(self.programme, "mia", self.now, Folder(self.folder)), corrected=corrected)

    def take(self, *contents: bytes) -> list[Taken]:
        """Takes messages as they come."""
        return [take_message(self.books, content, "a file", self.now) for content in contents]

    def match(self) -> Matched:
        """Lets statements count."""
        return match(self.books, self.programme, self.now)

    @property
    def run(self) -> int:
        """The newest run."""
        return newest_run(self.books, self.day).no

    def standings(self) -> dict[str, Standing]:
        """Of each payment, by the party that is not the operator."""
        return {one.payee if one.payer == "opco" else one.payer: one for one in states_of(self.books, self.run)}

    def states(self) -> dict[str, str]:
        """The same as words."""
        return {party: one.state.value for party, one in self.standings().items()}

    def window(self) -> str:
        """Where the window stands."""
        row = self.books.execute("select state from settlement_window where day = %s", (self.day,)).fetchone()
        assert row is not None
        return str(row[0])

    def corrections(self) -> list[tuple[str, str, int]]:
        """Who owes whom how much by adjustments that were booked, in the order of booking."""
        return self.books.execute("select debtor, creditor, amount from correction order by no").fetchall()

    def name(self, kind: str) -> str:
        """An id for a message."""
        self.names += 1
        return f"{kind}-{self.names}"

    def status(self, *lines: str, group: str = "", reason: str = "", file: str | None = None) -> bytes:
        """A status report on the newest file."""
        named = file or self.standings()["fuelco"].attempts[-1].message_id
        return bank.status_report(*lines, group=group, group_reason=reason, original=named).replace(b"SR-1", self.name("SR").encode())

    def debit(self, party: str, *, attempt: int = -1, minor: int | None = None) -> bank.Movement:
        """Our payment to a party leaves the account."""
        one = self.standings()[party]
        figure = "-" + to_text(one.amount_minor if minor is None else minor, "EUR")
        return bank.Movement(figure, self.name("B"), bank.transaction(figure, end_to_end=one.attempts[attempt].end_to_end_id))

    def back(self, party: str, *, minor: int | None = None, reason: str = "AC04", attempt: int = -1) -> bank.Movement:
        """Our payment to a party comes back."""
        one = self.standings()[party]
        figure = to_text(one.amount_minor if minor is None else minor, "EUR")
        why = f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>"
        return bank.Movement(figure, self.name("B"), bank.transaction(figure, end_to_end=one.attempts[attempt].end_to_end_id, more=why))

    def credit(self, party: str, minor: int | None = None, *, reference: str | None = None, text: str = "", sign: str = "") -> bank.Movement:
        """A party pays us, under its reference unless told; with the sign `-` the bank takes it back."""
        one = self.standings()[party]
        figure = sign + to_text(one.amount_minor if minor is None else minor, "EUR")
        named = creditor_reference(one.id) if reference is None else reference
        said = f"<RmtInf>{f'<Ustrd>{text}</Ustrd>' if text else ''}{f'<Strd><CdtrRefInf><Ref>{named}</Ref></CdtrRefInf></Strd>' if named else ''}</RmtInf>"
        return bank.Movement(figure, self.name("B"), bank.transaction(figure, end_to_end="NOTPROVIDED", more=said))

    def notification(self, *movements: bank.Movement) -> bytes:
        """What is booked, provisionally."""
        return bank.notification(*movements).replace(b"N-1", self.name("N").encode())

    def statement(self, *movements: bank.Movement, opening: int | None = None, sequence: int | None = None, name: str | None = None) -> bytes:
        """The next statement; another opening balance or number is as told, and then the one after it goes on as if it had not been."""
        begins = self.opening if opening is None else opening
        number = self.sequence + 1 if sequence is None else sequence
        ends = begins + sum(round(float(one.figure) * 100) for one in movements)
        if opening is None and sequence is None:
            self.opening, self.sequence = ends, number
        named = name or self.name("S")
        told = bank.statement(*movements, opening=to_text(begins, "EUR"), closing=to_text(ends, "EUR"), sequence=str(number), id_=named)
        return told.replace(b"M-7", f"M-{named}".encode())


@contextmanager
def at_the_bank(signers: Signers, folder: Path) -> Iterator[AtTheBank]:
    """The books in a transaction that is rolled back: what a test does is gone after it."""
    folder.mkdir(parents=True, exist_ok=True)
    with signers.one.books() as books, books.transaction(force_rollback=True):
        yield AtTheBank(books, signers.one.id, folder)
