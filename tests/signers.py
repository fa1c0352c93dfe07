"""People of a test with keys of their own, who submit, approve and reject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from clearing.approval import Action
from clearing.disputes import DisputeEvent
from schemas.ids import PartyId
from services.disputes.life import Wanted, decide, open_dispute, to_decide, to_open
from services.journal.programmes import load
from services.risk.default import Default, declare, propose, to_declare, to_propose
from services.risk.funds import Entry
from services.risk.signed_funds import confirm, to_confirm
from services.risk.signed_funds import propose as propose_funds
from services.risk.signed_funds import to_propose as to_propose_funds
from services.settlement.keys import raw
from services.settlement.people import PersonKey, enrol, revoke
from services.settlement.signing import Recorded, record, to_sign
from tests.coalition import Coalition, purchase

MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
PASSPHRASE: Final = "a passphrase of a test"
MORNING = datetime(2026, 3, 5, 7, 0, tzinfo=UTC)


@dataclass(slots=True)
class Signers:
    """The people of one coalition. Their clock goes on by a second with each signature."""

    one: Coalition
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)
    now: datetime = MORNING

    def enrol(self, *names: str) -> None:
        """Gives each a new key, and enrols it."""
        with self.one.books(owner=True) as owner:
            for name in names:
                self.keys[name] = Ed25519PrivateKey.generate()
                enrol(owner, name, raw(self.keys[name]), self.now)

    def revoke(self, name: str) -> PersonKey:
        """The key counts no more."""
        with self.one.books(owner=True) as owner:
            return revoke(owner, name, "lost", self.now)

    def say(self, action: Action, name: str, day: date = MONDAY, *, reason: str | None = None, connection: psycopg.Connection | None = None) -> Recorded:
        """Signs and hands in; on a connection of its own unless told."""
        self.now += timedelta(seconds=1)
        if connection is None:
            with self.one.books() as own:
                return self.say(action, name, day, reason=reason, connection=own)
        statement = to_sign(connection, day, action, name, self.now, reason=reason)
        return record(connection, self.one.id, statement, self.keys[name].sign(statement.canonical()))

    def approve(self, day: date = MONDAY) -> None:
        """All that an approval needs."""
        for action, name in ((Action.SUBMIT, "mia"), (Action.APPROVE, "carl"), (Action.APPROVE, "dora")):
            self.say(action, name, day)

    def pem(self, *names: str) -> None:
        """Writes keys into the current folder, as `<name>.pem`, and their passphrase beside them, for commands that sign."""
        for name in names:
            content = self.keys[name].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode()))
            Path(f"{name}.pem").write_bytes(content)
        Path("passphrase").write_text(PASSPHRASE + "\n", encoding="utf-8")

    def dispute(self, connection: psycopg.Connection, wanted: Wanted, today: date, now: datetime) -> int:
        """Opens a dispute, signed by who wants it."""
        said = to_open(connection, self.one.id, wanted, now, today)
        return open_dispute(connection, self.one.id, wanted, today, (said, self.keys[wanted.who].sign(said.signed())))

    def decide(self, connection: psycopg.Connection, no: int, event: DisputeEvent, who: str, today: date, now: datetime) -> str:
        """Decides a dispute."""
        said = to_decide(connection, self.one.id, no, event, who, "because", now, today)
        return decide(connection, self.one.id, no, who, today, (said, self.keys[who].sign(said.signed())))

    def propose_default(self, connection: psycopg.Connection, parties: Sequence[str], today: date, now: datetime, who: str = "mia", day: date = MONDAY) -> None:
        """One person says who has not paid."""
        file = load(connection)
        said = to_propose(connection, file, day, [PartyId(party) for party in parties], who, now, today)
        propose(connection, file, today, said, self.keys[who].sign(said.signed()))

    def declare_default(
        self, connection: psycopg.Connection, parties: Sequence[str], today: date, now: datetime, who: str = "carl", day: date = MONDAY
    ) -> Default:
        """Another person declares it."""
        file = load(connection)
        said = to_declare(connection, file, day, [PartyId(party) for party in parties], who, now, today)
        return declare(connection, file, today, said, self.keys[who].sign(said.signed()))

    def default(self, connection: psycopg.Connection, parties: Sequence[str], today: date, now: datetime, day: date = MONDAY) -> Default:
        """Two people say that parties have not paid."""
        self.propose_default(connection, parties, today, now, day=day)
        return self.declare_default(connection, parties, today, now, day=day)

    def fund(self, connection: psycopg.Connection, entry: Entry, now: datetime, maker: str = "mia", checker: str = "carl") -> int:
        """Two people enter funds, or pay them out; the party's balance."""
        said = to_propose_funds(connection, self.one.id, entry, maker, now)
        propose_funds(connection, said, self.keys[maker].sign(said.signed()))
        agreed = to_confirm(connection, self.one.id, entry, checker, now)
        return confirm(connection, agreed, self.keys[checker].sign(agreed.signed()))

    def states(self) -> list[str]:
        """Of all windows."""
        with self.one.books() as connection:
            return [state for (state,) in connection.execute("select state from settlement_window order by day")]


def shop(one: Coalition) -> None:
    """Two purchases that somebody owes for."""
    one.enrol(("m-1", "card-1"))
    one.publish(purchase("p1", "card-1", 5400), purchase("p2", "card-1", 1999, source="/partners/fuelco"))


@contextmanager
def netted(one: Coalition, *days: date) -> Iterator[Signers]:
    """Clears windows, and enrols four people who may sign."""
    for day in days:
        one.close(day)
    signers = Signers(one)
    signers.enrol("mia", "carl", "dora", "emil")
    yield signers
