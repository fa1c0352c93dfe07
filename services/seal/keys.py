"""Keys of the house: Ed25519, from a file or from whatever else signs (a KMS) behind the same small interface.

A private key is a PKCS #8 PEM file that only its owner reads. Public keys are lines of 64 hexadecimal digits with a remark behind them, one for each key
that the house ever sealed with: a key is rotated by putting a new one beside it, never by taking an old one away.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

from clearing.seal import key_id
from services.seal.errors import BadKey
from services.settlement.keys import holds

LINE = re.compile(r"([0-9a-fA-F]{64})(?:\s.*)?", re.ASCII)


class Signer(Protocol):
    """Signs for the house. A KMS that holds an Ed25519 key implements this; the private key need not be here."""

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes (RFC 8032, pure Ed25519)."""
        ...


class FileSigner:
    """Signs with a private key from a file."""

    def __init__(self, path: Path) -> None:
        """Raises `BadKey` where the file cannot be read, is no Ed25519 key, or can be read by others."""
        try:
            text = path.read_bytes()
            open_to = path.stat().st_mode & 0o077
        except OSError as error:
            raise BadKey(path, error.strerror or "cannot be read") from None
        if open_to:
            raise BadKey(path, "others than its owner can read it: chmod 600")
        try:
            key = load_pem_private_key(text, password=None)
        except (ValueError, TypeError):
            raise BadKey(path, "it is no private key in PEM without a password") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise BadKey(path, "it is no Ed25519 key")
        self._key = key

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes."""
        return self._key.sign(message)


def generate(private: Path, public: Path, remark: str) -> str:
    """Makes a key: the private one into a new file, the public one as a new line of the file of all of them. Returns its id.

    Raises `BadKey` where the private file is there already: a key is never written over.
    """
    key = Ed25519PrivateKey.generate()
    try:
        with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except OSError as error:
        raise BadKey(private, error.strerror or "cannot be written") from None
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    with public.open("a", encoding="ascii") as lines:
        lines.write(f"{raw.hex()} {key_id(raw)} {remark}\n")
    return key_id(raw)


def public_keys(path: Path) -> dict[str, bytes]:
    """The keys of a file by their ids. Empty lines, and those that begin with #, say nothing. Raises `BadKey`."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError):
        raise BadKey(path, "it cannot be read as a file of public keys") from None
    keys = {}
    for line in map(str.strip, lines):
        if not line or line.startswith("#"):
            continue
        found = LINE.fullmatch(line)
        if found is None:
            raise BadKey(path, "a public key is a line that begins with 64 hexadecimal digits")
        raw = bytes.fromhex(found[1])
        keys[key_id(raw)] = raw
    if not keys:
        raise BadKey(path, "it holds no public key")
    return keys


def signed_by(keys: Mapping[str, bytes], key: str, signature: bytes, message: bytes) -> bool:
    """Whether one of the keys, named by its id, signed the message."""
    return key in keys and holds(keys[key], message, signature)
