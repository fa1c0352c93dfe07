"""The sender's signature: `clh-signature: <key id>:<hex>`, HMAC-SHA-256 of the value with the sender's key."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path

from schemas.ids import PartyId


class NoKey(LookupError):
    """The key that should sign is not there; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one party."""

    key_id: str
    party: PartyId
    _secret: bytes = field(repr=False)

    @staticmethod
    def read(path: Path | None, key_id: str) -> Signer:
        """The key of that id in a file `{"key id": {"party": …, "secret": hex}}`. Raises `NoKey`."""
        if path is None:
            raise NoKey("CLH_SENDER_KEYS names no file of keys")
        try:
            keys = json.loads(path.read_text(encoding="utf-8"))
            key = keys[key_id]
            return Signer(key_id, PartyId(key["party"]), bytes.fromhex(key["secret"]))
        except OSError as error:
            raise NoKey(f"{path}: {error.strerror}") from None
        except KeyError:
            raise NoKey(f"{path} has no key {key_id} with a party and a secret") from None
        except (ValueError, TypeError, AttributeError):
            raise NoKey(f"{path} is not a file of keys") from None

    def sign(self, value: bytes) -> str:
        """The header for a record of this value."""
        return f"{self.key_id}:{hmac.new(self._secret, value, hashlib.sha256).hexdigest()}"
