"""mock-bank on loopback, for a test: an account of ours at it, files sent to it, its messages fetched, its clock moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from services.demo.bank.loopback import LoopbackClient, serving


class LoopbackBank(LoopbackClient):
    """A bank whose day begins on 2 March 2026. A payment file that it rejects (422) is an answer; what else it refuses fails the test."""

    ANSWERS = frozenset([422])

    def open_account(self, iban: str, *, currency: str = "EUR", balance_minor: int = 100_000_000, name: str = "OURS", **more: Any) -> None:
        """An account; `behaviour` and `parameters` say what goes wrong on it."""
        self.call("POST", "/_mock/accounts", {"id": name, "name": name, "iban": iban, "bic": "MOCKNL2A", "currency": currency, "balance": balance_minor} | more)

    def send(self, payment_file: bytes) -> Any:
        """A payment file; what the bank decided."""
        return self.call("POST", "/payments", payment_file)

    def advance(self, days: int = 1) -> None:
        """Moves its clock by calendar days."""
        self.call("POST", f"/_mock/advance?days={days}")

    def fetch(self, kind: str = "", account: str = "OURS") -> list[bytes]:
        """The messages for an account that were not fetched before, in order; `kind` as `pain.002`."""
        waiting = self.call("GET", "/_mock/mailbox" + (f"?type={kind}" if kind else ""))
        return [one["body"].encode() for one in waiting if one["account"] in {account, None}]


@contextmanager
def loopback_bank() -> Iterator[LoopbackBank]:
    """A bank of its own for a test; it ends with it."""
    with serving("2026-03-02T09:00") as port:
        yield LoopbackBank(port)
