"""What the demo leaves for those who go on by hand: the keys of the people who sign, and what the bank has sent."""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.settlement.keys import make_key, read_private


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder with `people/NAME.pem` and `people/passphrase`, readable by their owner only, and `bank-messages/`, numbered as they came."""

    folder: Path

    @classmethod
    def anew(cls, folder: Path) -> Self:
        """An empty one: what an earlier demo left there is removed, for its keys are in no books any more."""
        kept = cls(folder)
        for one in (kept.people, kept.messages):
            shutil.rmtree(one, ignore_errors=True)
            one.mkdir(parents=True, mode=0o700)
        with os.fdopen(os.open(kept.passphrase, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(16) + "\n")
        return kept

    @property
    def people(self) -> Path:
        """The folder of the keys."""
        return self.folder / "people"

    @property
    def messages(self) -> Path:
        """The folder of the bank's messages."""
        return self.folder / "bank-messages"

    @property
    def passphrase(self) -> Path:
        """The file with the passphrase of all of them."""
        return self.people / "passphrase"

    def key(self, name: str) -> Ed25519PrivateKey:
        """A new key of a person, written down."""
        private, words = self.people / f"{name}.pem", self.passphrase.read_text(encoding="utf-8").strip()
        make_key(private, private.with_name(f"{name}.pem.pub"), words)
        return read_private(private, words)

    def message(self, name: str, content: bytes) -> None:
        """A message as it came, under a number that says when."""
        number = sum(1 for _ in self.messages.iterdir()) + 1
        (self.messages / f"{number:04d}-{name}").write_bytes(content)
