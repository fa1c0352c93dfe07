"""Ed25519 keys in files: the private one in encrypted PEM, which never leaves its owner's machine, the public one in PEM, which is enrolled."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from services.bounded import TooLarge, read_bounded
from services.settlement.errors import SettlementCode, SettlementError

PASSPHRASE_CHARACTERS_MIN: Final = 12
FILE_BYTES_MAX: Final = 16_384
"""No key file is larger."""


def make_key(private: Path, public: Path, passphrase: str) -> str:
    """Writes a new key pair into two files that must not be there yet, the private one readable by its owner only; returns the key's fingerprint.

    Raises `SettlementError`: wrong-passphrase (too short), file-exists.
    """
    if len(passphrase) < PASSPHRASE_CHARACTERS_MIN:
        raise SettlementError(SettlementCode.WRONG_PASSPHRASE, f"a passphrase has {PASSPHRASE_CHARACTERS_MIN} characters or more")
    for path in (private, public):
        if path.exists():
            raise SettlementError(SettlementCode.FILE_EXISTS, f"{path} is there already: a key is never written over")
    key = Ed25519PrivateKey.generate()
    _write(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode())), 0o600)
    _write(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    return fingerprint(raw(key))


def _write(path: Path, content: bytes, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    except FileExistsError:
        raise SettlementError(SettlementCode.FILE_EXISTS, f"{path} is there already: a key is never written over") from None


def read_private(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """The private key in an encrypted PEM file. Raises `SettlementError`: bad-key-file (also for a key that is not encrypted), wrong-passphrase."""
    content = _read(path)
    if b"ENCRYPTED" not in content:
        raise SettlementError(SettlementCode.BAD_KEY_FILE, f"{path} holds no encrypted private key: clh people keygen makes one")
    try:
        key = load_pem_private_key(content, passphrase.encode())
    except UnsupportedAlgorithm:
        raise SettlementError(SettlementCode.BAD_KEY_FILE, f"{path} holds no Ed25519 key") from None
    except ValueError:
        raise SettlementError(SettlementCode.WRONG_PASSPHRASE, f"{path} cannot be opened with this passphrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettlementError(SettlementCode.BAD_KEY_FILE, f"{path} holds no Ed25519 key")
    return key


def read_public(path: Path) -> bytes:
    """The 32 bytes of the public key in a PEM file. Raises `SettlementError`: bad-key-file, for a private key too."""
    content = _read(path)
    if b"PRIVATE" in content:
        raise SettlementError(SettlementCode.BAD_KEY_FILE, f"{path} holds a private key: it stays with its owner; enrol the public one")
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise SettlementError(SettlementCode.BAD_KEY_FILE, f"{path} holds no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SettlementError(SettlementCode.BAD_KEY_FILE, f"{path} holds no Ed25519 key")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _read(path: Path) -> bytes:
    try:
        return read_bounded(path, FILE_BYTES_MAX)
    except OSError as error:
        raise SettlementError(SettlementCode.BAD_KEY_FILE, f"{path} cannot be read: {error.strerror}") from None
    except TooLarge:
        raise SettlementError(SettlementCode.BAD_KEY_FILE, f"{path} is larger than any key") from None


def raw(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public half of a private key."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def fingerprint(public_key: bytes) -> str:
    """What two people compare by telephone: the SHA-256 of the 32 bytes of a public key, in hexadecimal."""
    return hashlib.sha256(public_key).hexdigest()


def holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature of a message was made with the private half of a public key."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
