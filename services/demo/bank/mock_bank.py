"""The settlement bank of the demo: the operator's account at it, payments in, its messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

from schemas.contracts import Party
from schemas.programme import ProgrammeFile
from services.demo.bank.loopback import LoopbackClient, serving

OURS: Final = "OPCO"
"""The operator's account at the bank."""
BALANCE_MINOR: Final = 1_000_000_00


class MockBank(LoopbackClient):
    """Its clock is moved by hand. What it refuses is a mistake of the demo."""

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
    with serving(f"{first}T09:00") as port:
        bank = MockBank(port)
        operator = next(party for party in file.parties if party.id == file.programme.operator.party)
        bank.open_account(OURS, operator, balance=BALANCE_MINOR)
        yield bank
