"""mock-bank on loopback, for a test: an account of ours at it, files sent to it, its messages fetched, its clock moved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Thread
from typing import Any

from mockbank.server import Config, make_server  # type: ignore[import-untyped]  # it has no types


@dataclass(frozen=True)
class LoopbackBank:
    """A bank whose day begins on 2 March 2026; port of its server."""

    port: int

    def call(self, method: str, path: str, body: bytes | dict[str, Any] = b"") -> Any:
        """Its answer as JSON. A refusal (from 400 on, but for 422, a payment file that it rejects) fails the test."""
        sent = json.dumps(body).encode() if isinstance(body, dict) else body
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, sent)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        assert answer.status < 400 or answer.status == 422, content.decode()
        return json.loads(content)

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
    server = make_server(Config(port=0, quiet=True, clock="2026-03-02T09:00"))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield LoopbackBank(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
