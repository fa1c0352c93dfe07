"""The days after each night: three people sign, the operator pays, parties pay in, the bank's messages come, its reward file is matched.

Time is the demo's: whatever is signed, sent or taken says the day on which it happened there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from http.client import HTTPConnection
from threading import Thread
from typing import Any, Final

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clearing.approval import Action
from clearing.disputes import DisputeEvent
from clearing.payment_states import PaymentKind, PaymentState
from clearing.window import State
from schemas.contracts import Party
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from services.demo.bank.keeping import Kept
from services.demo.run import NoMockBank
from services.disputes.life import Wanted, decide, open_dispute, to_decide, to_open
from services.risk.default import deadline_of, declare, propose, to_declare, to_propose
from services.settlement.confirming import Matched, match
from services.settlement.instructing import Paid, Paying, pay
from services.settlement.keys import raw
from services.settlement.payment_states import states_of
from services.settlement.people import enrol
from services.settlement.runs import newest_run
from services.settlement.signing import record, to_sign
from services.settlement.taking import take_message
from services.settlement.transport import BankUrl

MAKER, CHECKERS, SPEAKER = "mia", ("carl", "dora"), "dan"
OURS: Final = "OPCO"
"""The operator's account at the bank."""
BALANCE_MINOR: Final = 1_000_000_00
BANK_ANSWERS_S: Final = 30.0


class BankRefused(RuntimeError):
    """The demo's bank did not take what the demo asked of it: the demo itself is wrong."""


@dataclass(frozen=True, slots=True)
class MockBank:
    """The settlement bank of the demo, on loopback; its clock is moved by hand."""

    port: int

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Its answer. Raises `BankRefused`."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=BANK_ANSWERS_S)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise BankRefused(content.decode(errors="replace"))
        return json.loads(content)

    @property
    def payments_url(self) -> str:
        """Where payment files are handed over."""
        return f"http://127.0.0.1:{self.port}/payments"

    def open_account(self, name: str, party: Party, **more: Any) -> None:
        """An account in dollars."""
        assert party.account is not None, "every party of the demo has an account"
        about = {"id": name, "name": party.name, "iban": party.account.iban, "bic": "MOCKNL2A", "currency": "USD", "balance": 0} | more
        self.call("POST", "/_mock/accounts", about)

    def behave(self, name: str, behaviour: str, **parameters: Any) -> None:
        """What the bank does with what an account pays, from now on."""
        self.call("PATCH", f"/_mock/accounts/{name}", {"behaviour": behaviour, "parameters": parameters})

    def credit(self, payer: Party, amount_minor: int, reference: str) -> None:
        """A party pays the operator, under a reference."""
        assert payer.account is not None
        debtor = {"name": payer.name, "iban": payer.account.iban}
        self.call("POST", "/_mock/credits", {"account": OURS, "amount": amount_minor, "reference": reference, "debtor": debtor})

    def until(self, day: date) -> None:
        """Midnight of a day has come."""
        self.call("POST", f"/_mock/advance?to={day}")

    def messages(self) -> list[tuple[str, bytes]]:
        """What it has sent since it was asked last, with a name for each."""
        return [(f"{one['type']}-{one['id']}.xml", one["body"].encode()) for one in self.call("GET", "/_mock/mailbox") if one["account"] in (OURS, None)]


@contextmanager
def mock_bank(first: date, file: ProgrammeFile) -> Iterator[MockBank]:
    """The bank, with an account for the operator; those of the parties are elsewhere. It ends with the block. Its first day is `first`. Raises `NoMockBank`."""
    try:
        from mockbank.server import Config, make_server  # type: ignore[import-untyped]  # it has no types
    except ModuleNotFoundError:
        raise NoMockBank from None

    server = make_server(Config(port=0, quiet=True, clock=f"{first}T09:00"))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        bank = MockBank(server.server_address[1])
        operator = next(party for party in file.parties if party.id == file.programme.operator.party)
        bank.open_account(OURS, operator, balance=BALANCE_MINOR)
        yield bank
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
        for one in states_of(self.connection, newest_run(self.connection, day).no):
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

    def past_deadline(self, day: date, payer: str, today: date) -> bool:
        """Whether a party could still pay in a window yesterday, and has not."""
        standing = states_of(self.connection, newest_run(self.connection, day).no)
        return any(one.payer == payer and one.missing_minor and today > deadline_of(one, self.file) for one in standing)

    def payment_to(self, day: date, payee: str) -> str:
        """Id of what the operator pays a party in a window."""
        return next(one.id for one in states_of(self.connection, newest_run(self.connection, day).no) if one.payee == payee)

    def came_back(self, day: date) -> str | None:
        """The payment of a window that the bank has given back, where there is one."""
        standing = states_of(self.connection, newest_run(self.connection, day).no)
        return next((one.id for one in standing if one.state is PaymentState.RETURNED), None)

    def states(self) -> dict[date, State]:
        """Where every window stands."""
        return {day: State(state) for day, state in self.connection.execute("select day, state from settlement_window order by day")}


def morning_after(day: date) -> datetime:
    """Nine o'clock after a night."""
    return datetime.combine(day + timedelta(days=1), time(9), UTC)
