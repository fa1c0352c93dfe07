"""How a message gets to the bank: dropped into a folder from which the bank's connection takes it, or handed over by HTTP.

Both may be done again with the same message: the folder then holds the same file, and the bank knows the message by its id. What was handed over is noted
by the caller, afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from services.bank.errors import BankCode, BankError

PATIENCE_S: Final = 60.0
DECIDED: Final = frozenset({409, 422})
"""Answers of a bank that has the message and will not execute it, or has had it before: its status report says so."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

Tell = Callable[[str], None]


class Transport(Protocol):
    """A way to the bank."""

    def expect(self) -> None:
        """Before anything is noted: whether it can be the bank's at all. Raises `BankError`: not-handed-over; nothing was handed over then."""

    def hand_over(self, message_id: str, content: bytes, tell: Tell) -> str:
        """Returns where the message went once the bank has it for certain. Raises `BankError`: not-handed-over; it may or may not have arrived then."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder: a file is there as a whole or not at all, whenever the process dies, and outlives a power failure."""

    path: Path

    def expect(self) -> None:
        """The folder is there, and may be written."""
        if not self.path.is_dir() or not os.access(self.path, os.W_OK):
            raise BankError(BankCode.NOT_HANDED_OVER, f"{self.path} is no folder that can be written: make it, or name the one from which the bank fetches")

    def hand_over(self, message_id: str, content: bytes, tell: Tell) -> str:
        """Writes `<message id>.xml`; does nothing where it is there already."""
        target = self.path / f"{message_id}.xml"
        try:
            if target.exists():
                if target.read_bytes() == content:
                    return str(target)
                raise BankError(BankCode.NOT_HANDED_OVER, f"{target} is there already, with another content: find out who wrote it")
            with NamedTemporaryFile(dir=self.path, prefix=f".{message_id}.", suffix=".part", delete=False) as part:
                part.write(content)
                part.flush()
                os.fsync(part.fileno())
            tell("written")
            Path(part.name).replace(target)
            folder = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise BankError(BankCode.NOT_HANDED_OVER, f"{target} cannot be written: {error.strerror or error}") from None
        return str(target)


@dataclass(frozen=True, slots=True)
class BankUrl:
    """The bank's own interface: the message is posted to it. Only https, but on this machine."""

    url: str

    def expect(self) -> None:
        """The address is https, or this machine's."""
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise BankError(BankCode.NOT_HANDED_OVER, "the bank's address begins with https://")

    def hand_over(self, message_id: str, content: bytes, tell: Tell) -> str:
        """Posts the message; any answer by which the bank has it is one."""
        self.expect()
        request = Request(self.url, content, {"Content-Type": "application/xml"})  # noqa: S310  # the scheme was looked at
        tell("written")
        try:
            with urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310  # as above
                answer.read()
        except HTTPError as refused:
            with refused:
                if refused.code not in DECIDED:
                    raise BankError(BankCode.NOT_HANDED_OVER, f"the bank answers {refused.code} to {message_id}: try again") from None
        except (URLError, OSError) as error:
            raise BankError(BankCode.NOT_HANDED_OVER, f"the bank cannot be reached: {error}; {message_id} can be handed over again") from None
        return self.url
