"""What is wrong with a message of the bank, or with what one would have to say."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class BankCode(StrEnum):
    """Why a message is not written, or not read."""

    NO_ACCOUNT = "no-account"
    BAD_IBAN = "bad-iban"
    ACCOUNT_CHANGED = "account-changed"
    SAME_ACCOUNT = "account-as-approved"
    OTHER_ACCOUNT = "account-differs"
    FILE_CHANGED = "file-changed"
    BAD_REFERENCE = "bad-reference"
    NOT_APPROVED = "not-approved"
    NOTHING_TO_PAY = "nothing-to-pay"
    BAD_XML = "bad-xml"
    NOT_VALID = "not-valid"
    CARD_DATA = "card-data"
    BAD_AMOUNT = "bad-amount"
    WRONG_SUM = "wrong-sum"
    WRONG_BALANCE = "wrong-balance"
    WRONG_ACCOUNT = "wrong-account"
    WRONG_CURRENCY = "wrong-currency"
    REPEATED_ID = "repeated-id"
    INCOMPLETE = "incomplete-statement"
    CONTRADICTS = "contradicts-earlier"
    NO_NUMBER = "no-number"
    BEFORE_FIRST = "before-first"
    NO_TRANSPORT = "no-transport"
    NOT_HANDED_OVER = "not-handed-over"
    NOTHING_TO_CORRECT = "nothing-to-correct"
    MAY_BE_PAID = "may-be-paid"
    TOO_MANY_ATTEMPTS = "too-many-attempts"
    CONTRADICTED = "bank-contradicts-itself"
    UNKNOWN_STATEMENT = "unknown-statement"
    SHOWS_PAYMENTS = "shows-payments"
    NOT_THE_LAST = "not-the-last"
    NOT_CONTRADICTED = "not-contradicted"
    NOTHING_NEW = "decided-already"
    ON_A_STATEMENT = "on-a-statement"
    UNKNOWN_PAYMENT = "unknown-payment"
    UNKNOWN_CREDIT = "unknown-credit"
    ASSIGNED = "assigned-already"
    OTHER_SUM = "other-sum"
    NOT_DECIDED = "not-decided"
    FINAL = "final-rests-on-it"
    NOT_RECALLABLE = "not-recallable"


class BankError(Exception):
    """Refused, for the reason in `code`; nothing has changed. `line` is that of the XML where there is one."""

    def __init__(self, code: BankCode, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence if line is None else f"line {line}: {sentence}")
        self.code = code
        self.line = line
