"""mock-bank on loopback: its server, and a client that speaks to it. The demo's bank and that of the tests are each made of these."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Thread
from typing import Any, ClassVar, Final

BANK_ANSWERS_S: Final = 30.0


class NoMockBank(RuntimeError):
    """The bank of the demo is not installed."""

    def __init__(self) -> None:
        super().__init__("the demo's bank is not installed: `make demo-bank` brings it, or pip install 'coalition-clearing-house[demo]'")


class BankRefused(RuntimeError):
    """The bank did not take what was asked of it."""


@dataclass(frozen=True, slots=True)
class LoopbackClient:
    """Speaks to a bank by its port on loopback."""

    ANSWERS: ClassVar[frozenset[int]] = frozenset()
    """Statuses from 400 on that are answers as well."""

    port: int

    def call(self, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> Any:
        """Its answer, read from JSON; a body that is no file goes out as JSON. Raises `BankRefused`."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=BANK_ANSWERS_S)
        try:
            connection.request(method, path, json.dumps(body) if isinstance(body, dict) else body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 400 and answer.status not in self.ANSWERS:
            raise BankRefused(content.decode(errors="replace"))
        return json.loads(content)


@contextmanager
def serving(clock: str) -> Iterator[int]:
    """A bank whose clock begins there, such as `2026-03-02T09:00`: its port. It ends with the block. Raises `NoMockBank`."""
    try:
        from mockbank.server import Config, make_server  # type: ignore[import-untyped]  # it has no types
    except ModuleNotFoundError:
        raise NoMockBank from None

    server = make_server(Config(port=0, quiet=True, clock=clock))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
