"""The answer to a bank: a CSV file with a line for each line of the bank's and for each row that the bank lacks, and its manifest.

`ANS_{bank}_{programme}_{day}_{sequence}.csv`. A line has the keys of the bank's own line before what became of it. Units are whole minor units or points.
"""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

ANSWER_COLUMNS: Final = (
    "file_id", "line_no", "bank_txn_id", "event_type", "card_ref", "rrn", "auth_code", "arn", "rule_id", "reward_kind", "reward_ccy", "reward_units",
    "status", "break_code", "programme_units", "diff_units", "age_days", "note",
)  # fmt: skip
"""Keys of the line as the bank sent them (empty `file_id` and `line_no`: a row that the bank lacks), and the answer. `diff_units`: bank less house."""


@unique
class AnswerStatus(StrEnum):
    """What became of a line."""

    MATCHED = "matched"
    REPLAY = "replay"
    """The same line came before."""
    QUARANTINED = "quarantined"
    """The line was put aside alone when the file came; the note names field and code."""
    NOT_MATCHED = "not matched"
    """No run has looked at it yet, or nothing was given and nothing has to be reported."""
    OPEN = "open"
    INVESTIGATING = "investigating"
    AWAITING_BANK = "awaiting bank"
    """A question to the bank: the note asks it."""
    PROPOSED = "proposed"
    RESOLVED = "resolved"
    WRITTEN_OFF = "written off"


class AnswerTotal(BaseModel):
    """Lines of one status, code and unit: how many, and the units of both sides."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    status: str
    break_code: str
    reward_ccy: str
    count: int = Field(ge=0)
    bank_units: int
    programme_units: int


class AnswerManifest(BaseModel):
    """What stands beside the answer: whose it is, which files of the bank's it answers, the answer before it, and its control totals."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal["1"]
    file_id: str
    bank: str
    programme: str
    day: str
    sequence: int = Field(ge=1)
    answers: list[str]
    record_count: int = Field(ge=0)
    sha256: str
    previous_file: str | None
    totals: list[AnswerTotal]

    @property
    def file_name(self) -> str:
        """Name of the CSV."""
        return f"ANS_{self.bank}_{self.programme}_{self.day}_{self.sequence}.csv"
