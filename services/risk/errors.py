"""What is refused about funds and defaults, each under a code with a line in docs/errors.md."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class RiskCode(StrEnum):
    """Why something is refused."""

    UNKNOWN_PARTY = "unknown-party"
    UNKNOWN_CURRENCY = "unknown-currency"
    REFERENCE_USED = "reference-used"
    REFERENCE_MISSING = "reference-missing"
    REFERENCE_NOT_PLAIN = "reference-not-plain"
    FUNDS_TOO_SMALL = "funds-too-small"
    OPERATOR_STAYS = "operator-stays"
    FUNDS_NEEDED = "funds-needed"
    FUNDS_ENTERED = "funds-entered"
    FUNDS_DIFFER = "funds-differ"
    BAD_AMOUNT = "bad-amount"
    NO_DEFAULT_RULE = "no-default-rule"
    NOT_UNPAID = "not-unpaid"
    OTHERS_UNPAID = "others-unpaid"
    PAYMENTS_UNDER_WAY = "payments-under-way"
    BEFORE_DEADLINE = "before-deadline"
    NOT_INSTRUCTED = "not-instructed"
    NOT_PROPOSED = "not-proposed"
    SECOND_PERSON = "second-person"
    DEFAULT_CHANGED = "default-changed"


class RiskError(Exception):
    """Refused, for the reason in `code`; nothing has changed."""

    def __init__(self, code: RiskCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
