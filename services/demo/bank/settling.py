"""The days after each night: three people sign, the operator pays, parties pay in, the bank's messages come, its reward file is matched.

Time is the demo's: whatever is signed, sent or taken says the day on which it happened there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clearing.approval import Action
from clearing.disputes import DisputeEvent
from clearing.payment_states import PaymentKind, PaymentState
from clearing.window import State
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from services.demo.bank.keeping import Kept
from services.demo.bank.mock_bank import MockBank
from services.disputes.life import Wanted, decide, open_dispute, to_decide, to_open
from services.risk.default import deadline_of, declare, propose, to_declare, to_propose
from services.settlement.confirming import Matched, match
from services.settlement.instructing import Paid, Paying, pay
from services.settlement.keys import raw
from services.settlement.payment_states import Standing, states_of
from services.settlement.people import enrol
from services.settlement.runs import newest_run
from services.settlement.signing import record, to_sign
from services.settlement.taking import take_message
from services.settlement.transport import BankUrl

MAKER, CHECKERS, SPEAKER = "mia", ("carl", "dora"), "dan"


@dataclass(slots=True)
class Settling:
    """Settles windows with people and a bank. `silent`: payments that are not made, by window and payer."""

    connection: psycopg.Connection
    owner: psycopg.Connection
    file: ProgrammeFile
    bank: MockBank
    silent: frozenset[tuple[date, str]] = frozenset()
    kept: Kept | None = None
    """Where keys and messages are left for those who go on by hand; None: nowhere."""
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)
    first_statement: bool = True

    def enrol(self, now: datetime) -> None:
        """The people who sign: one who submits, two who approve, and one who speaks for a partner."""
        for name in (MAKER, *CHECKERS, SPEAKER):
            self.keys[name] = Ed25519PrivateKey.generate() if self.kept is None else self.kept.key(name)
            enrol(self.owner, name, raw(self.keys[name]), now)

    def approve(self, day: date, now: datetime) -> None:
        """Three signatures over the report of a window."""
        for seconds, (action, name) in enumerate([(Action.SUBMIT, MAKER), *((Action.APPROVE, checker) for checker in CHECKERS)]):
            statement = to_sign(self.connection, day, action, name, now + timedelta(seconds=seconds))
            record(self.connection, self.file.programme.id, statement, self.keys[name].sign(statement.canonical()))

    def dispute(self, wanted: Wanted, now: datetime) -> int:
        """Opens a dispute with the signature of the person who wants it; returns its number."""
        programme, today = self.file.programme.id, now.date()
        said = to_open(self.connection, programme, wanted, now, today)
        return open_dispute(self.connection, programme, wanted, today, (said, self.keys[said.person].sign(said.signed())))

    def uphold(self, dispute: int, note: str, now: datetime) -> None:
        """A second person decides for the disputing party."""
        programme, today, who = self.file.programme.id, now.date(), CHECKERS[0]
        said = to_decide(self.connection, programme, dispute, DisputeEvent.UPHOLD, who, note, now, today)
        decide(self.connection, programme, dispute, who, today, (said, self.keys[who].sign(said.signed())))

    def default(self, day: date, party: PartyId, now: datetime) -> None:
        """One person proposes that a party has not paid, another declares it."""
        today = now.date()
        proposed = to_propose(self.connection, self.file, day, [party], MAKER, now, today)
        propose(self.connection, self.file, today, proposed, self.keys[MAKER].sign(proposed.signed()))
        said = to_declare(self.connection, self.file, day, [party], CHECKERS[0], now, today)
        declare(self.connection, self.file, today, said, self.keys[CHECKERS[0]].sign(said.signed()))

    def pay(self, day: date, now: datetime, *, corrected: bool = False) -> Paid:
        """The operator's file goes to the bank."""
        how = Paying(self.file.programme.id, MAKER, now, BankUrl(self.bank.payments_url))
        return pay(self.connection, day, how, corrected=corrected)

    def pay_in(self, day: date, *, without: str | None = None) -> None:
        """Parties that owe pay the operator, each under the reference of its statement; those that are silent do not, nor who pays later."""
        parties = {party.id: party for party in self.file.parties}
        for one in self._payments(day):
            if one.kind is PaymentKind.INCOMING and one.missing_minor and one.payer != without and (day, one.payer) not in self.silent:
                self.bank.credit(parties[PartyId(one.payer)], one.missing_minor, one.reference)

    def collect(self, now: datetime) -> Matched:
        """What the bank has sent is taken, and counts."""
        for name, content in self.bank.messages():
            if self.kept is not None:
                self.kept.message(name, content)
            first = self.first_statement and name.startswith("camt.053")
            take_message(self.connection, content, name, now, first=first)
            self.first_statement = self.first_statement and not first
        return match(self.connection, self.file.programme.id, now)

    def _payments(self, day: date) -> list[Standing]:
        return states_of(self.connection, newest_run(self.connection, day).no)

    def past_deadline(self, day: date, payer: str, today: date) -> bool:
        """Whether a party could still pay in a window yesterday, and has not."""
        return any(one.payer == payer and one.missing_minor and today > deadline_of(one, self.file) for one in self._payments(day))

    def payment_to(self, day: date, payee: str) -> str:
        """Id of what the operator pays a party in a window."""
        return next(one.id for one in self._payments(day) if one.payee == payee)

    def came_back(self, day: date) -> str | None:
        """The payment of a window that the bank has given back, where there is one."""
        return next((one.id for one in self._payments(day) if one.state is PaymentState.RETURNED), None)

    def states(self) -> dict[date, State]:
        """Where every window stands."""
        return {day: State(state) for day, state in self.connection.execute("select day, state from settlement_window order by day")}


def morning_after(day: date) -> datetime:
    """Nine o'clock after a night."""
    return datetime.combine(day + timedelta(days=1), time(9), UTC)
