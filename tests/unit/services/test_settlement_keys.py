"""Keys in files: what is written can be read by its owner only, and nothing else is taken for a key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import fingerprint, holds, make_key, raw, read_private, read_public

PASSPHRASE = "correct horse battery"
PKCS8, SPKI = PrivateFormat.PKCS8, PublicFormat.SubjectPublicKeyInfo


def code(work: object, *values: object) -> SettlementCode:
    with pytest.raises(SettlementError) as refusal:
        work(*values)  # type: ignore[operator]
    return refusal.value.code


def test_a_key_pair_is_written_and_read_and_only_its_owner_can_read_the_private_half(tmp_path: Path) -> None:
    private, public = tmp_path / "mia.pem", tmp_path / "mia.pem.pub"
    shown = make_key(private, public, PASSPHRASE)
    key = read_private(private, PASSPHRASE)
    assert read_public(public) == raw(key)
    assert shown == fingerprint(raw(key))
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in private.read_bytes()
    signature = key.sign(b"said")
    assert holds(raw(key), b"said", signature)
    assert not holds(raw(key), b"said otherwise", signature)
    assert not holds(raw(key), b"said", bytes(64))
    assert not holds(raw(key), b"said", b"")
    assert not holds(b"short", b"said", signature)


def test_keys_are_never_written_over_and_short_passphrases_refused(tmp_path: Path) -> None:
    for there in ("a.pem", "a.pem.pub"):
        (tmp_path / there).write_text("mine", encoding="utf-8")
        assert code(make_key, tmp_path / "a.pem", tmp_path / "a.pem.pub", PASSPHRASE) is SettlementCode.FILE_EXISTS
        assert (tmp_path / there).read_text(encoding="utf-8") == "mine"
        (tmp_path / there).unlink()
    assert code(make_key, tmp_path / "b.pem", tmp_path / "b.pem.pub", "eleven char") is SettlementCode.WRONG_PASSPHRASE
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_passphrase_and_what_is_no_encrypted_ed25519_key_are_refused(tmp_path: Path) -> None:
    file, ours, other = tmp_path / "key", Ed25519PrivateKey.generate(), generate_private_key(SECP256R1())
    locked = BestAvailableEncryption(PASSPHRASE.encode())
    for content, expected in (
        (ours.private_bytes(Encoding.PEM, PKCS8, BestAvailableEncryption(b"another one here")), SettlementCode.WRONG_PASSPHRASE),
        (ours.private_bytes(Encoding.PEM, PKCS8, NoEncryption()), SettlementCode.BAD_KEY_FILE),
        (other.private_bytes(Encoding.PEM, PKCS8, locked), SettlementCode.BAD_KEY_FILE),
        (ours.public_key().public_bytes(Encoding.PEM, SPKI), SettlementCode.BAD_KEY_FILE),
        (b"", SettlementCode.BAD_KEY_FILE),
        (b"ENCRYPTED" * 2000, SettlementCode.BAD_KEY_FILE),
    ):
        file.write_bytes(content)
        assert code(read_private, file, PASSPHRASE) is expected
    assert code(read_private, tmp_path / "nothing", PASSPHRASE) is SettlementCode.BAD_KEY_FILE


def test_only_a_public_ed25519_key_is_enrolled(tmp_path: Path) -> None:
    file, ours, other = tmp_path / "key", Ed25519PrivateKey.generate(), generate_private_key(SECP256R1())
    for content in (
        ours.private_bytes(Encoding.PEM, PKCS8, NoEncryption()),
        other.public_key().public_bytes(Encoding.PEM, SPKI),
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"\x00" * 20_000,
    ):
        file.write_bytes(content)
        assert code(read_public, file) is SettlementCode.BAD_KEY_FILE
    assert code(read_public, tmp_path) is SettlementCode.BAD_KEY_FILE
