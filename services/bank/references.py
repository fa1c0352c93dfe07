"""What banks call things: account numbers with check digits, creditor references, names in the letters that every bank takes."""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import Final
from uuid import UUID

from services.bank.errors import BankCode, BankError

LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
NAME_CHARACTERS_MAX: Final = 70


def _mod97(text: str) -> int:
    """ISO 7064 MOD 97-10: letters count from 10 on."""
    return int("".join(str(int(letter, 36)) for letter in text)) % 97


def checked_iban(iban: str, party: str) -> str:
    """The number itself. Raises `BankError`: bad-iban, where its check digits are wrong (ISO 13616)."""
    if _mod97(iban[4:] + iban[:4]) != 1:
        raise BankError(BankCode.BAD_IBAN, f"the account of {party} has wrong check digits")
    return iban


def creditor_reference(text: str) -> str:
    """`RF` with check digits and up to 21 letters and digits (ISO 11649), so that a payment finds its way back."""
    body = "".join(letter for letter in text.upper() if letter.isalnum() and letter.isascii())[-21:]
    return f"RF{98 - _mod97(body + 'RF00'):02}{body}"


def name_for_bank(name: str) -> str:
    """A name in the letters of the SEPA rules: accents go, what is left over becomes a full stop; 70 characters at most."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    letters = "".join(letter if letter in LETTERS else "." for letter in plain if not unicodedata.combining(letter))
    return letters[:NAME_CHARACTERS_MAX].strip() or "."


def transaction_uuid(message: str, payment: str) -> str:
    """The UETR of a payment in a message: a UUID of version 4, the same whenever the same file is written."""
    return str(UUID(bytes=sha256(f"{message} {payment}".encode()).digest()[:16], version=4))


def is_creditor_reference(text: str) -> bool:
    """Whether this is a reference of ISO 11649: `RF`, two check digits that are right, up to 21 letters and digits. Spaces between are taken as print."""
    plain = text.replace(" ", "").upper()
    if not (plain.startswith("RF") and 5 <= len(plain) <= 25 and plain.isascii() and plain.isalnum() and plain[2:4].isdigit()):
        return False
    return _mod97(plain[4:] + plain[:4]) == 1


def checked_reference(text: str) -> str:
    """The reference without spaces, in capitals. Raises `BankError`: bad-reference, where it is none of ISO 11649."""
    if not is_creditor_reference(text):
        raise BankError(BankCode.BAD_REFERENCE, "this is no creditor reference of ISO 11649: RF, check digits, up to 21 letters and digits")
    return text.replace(" ", "").upper()
