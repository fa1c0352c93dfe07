"""What is wrong with a message of the bank, or with what one would have to say."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class BankCode(StrEnum):
    """Why a message is not written, or not read."""

    NO_ACCOUNT = "no-account"
    BAD_IBAN = "bad-iban"
    NOT_APPROVED = "not-approved"
    NOTHING_TO_PAY = "nothing-to-pay"
    BAD_XML = "bad-xml"
    NOT_VALID = "not-valid"


class BankError(Exception):
    """Refused, for the reason in `code`; nothing has changed."""

    def __init__(self, code: BankCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
