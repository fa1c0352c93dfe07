"""What settlement refuses, each under a code with a line in docs/errors.md. The codes of the policy are in `clearing.approval` and `clearing.window`."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class SettlementCode(StrEnum):
    """Why something was refused beside the rules of who may sign."""

    NO_RUN = "no-run"
    RUN_REPLACED = "run-replaced"
    REPORT_CHANGED = "report-changed"
    ACCOUNTS_CHANGED = "accounts-changed"
    CHECK_FAILED = "check-failed"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_PERSON = "unknown-person"
    KEY_REVOKED = "key-revoked"
    WRONG_KEY = "wrong-key"
    KEY_IN_USE = "key-in-use"
    PERSON_HAS_KEY = "person-has-key"
    UNKNOWN_COUNTRY = "unknown-country"
    BAD_NAME = "bad-name"
    BAD_KEY_FILE = "bad-key-file"
    WRONG_PASSPHRASE = "wrong-passphrase"  # noqa: S105  # a code, no secret
    FILE_EXISTS = "file-exists"
    NOT_ADMINISTRATOR = "not-administrator"


class SettlementError(Exception):
    """Refused, for the reason in `code`; nothing has changed. Trying the same again is refused again."""

    def __init__(self, code: SettlementCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
