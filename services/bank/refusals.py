"""Why a bank's file is refused as a whole, and why a line of it is put aside alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FileCode(StrEnum):
    """Why nothing of a file is taken."""

    UNREADABLE = "unreadable"
    WRONG_NAME = "wrong-name"
    NO_MANIFEST = "no-manifest"
    BAD_MANIFEST = "bad-manifest"
    WRONG_PROGRAMME = "wrong-programme"
    UNKNOWN_BANK = "unknown-bank"
    OVERSIZED = "oversized"
    WRONG_HASH = "wrong-hash"
    REPEATED_FILE = "repeated-file"
    WRONG_PREVIOUS = "wrong-previous-file"
    WRONG_ENCODING = "wrong-encoding"
    NUL_BYTE = "nul-byte"
    LINE_END = "line-end"
    NOT_CSV = "not-csv"
    UNKNOWN_COLUMNS = "unknown-columns"
    WRONG_WIDTH = "wrong-width"
    HUGE_FIELD = "huge-field"
    FORMULA = "formula"
    CARD_NUMBER = "card-number-in-clear"
    WRONG_COUNT = "wrong-count"
    WRONG_TOTAL = "wrong-total"
    TOO_MANY_BAD_LINES = "too-many-bad-lines"


class LineCode(StrEnum):
    """Why a line is put aside while the others are taken."""

    MISSING_FIELD = "missing-field"
    WRONG_VALUE = "wrong-value"
    LINE_NUMBER = "line-number"


class RefusedFile(Exception):
    """Nothing of the file is taken. `line` counts from 1, the header included; the sentence holds nothing of the file's cells."""

    def __init__(self, code: FileCode, reason: str, line: int | None = None, field: str | None = None) -> None:
        super().__init__(f"{reason} [{code}]")
        self.code: Final = code
        self.reason: Final = reason
        self.line: Final = line
        self.field: Final = field


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line put aside: where, which field, under which code and why. `line` counts from 1, the header included."""

    line: int
    field: str
    code: LineCode
    reason: str
