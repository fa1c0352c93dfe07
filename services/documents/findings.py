"""What is found in a file: where, what, why, and the way out. Codes are explained in docs/errors.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error keeps the file from being used; a warning is known to go wrong, but may be meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. Lines and columns count from 1; both are None where the file as a whole is meant."""

    file: str
    line: int | None
    column: int | None
    field: str
    code: str
    reason: str
    way_out: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """One line in the form that editors jump to: file:line:column."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        field = f"{self.field}: " if self.field else ""
        return f"{place}: {self.severity}: {field}{self.reason} [{self.code}]"

    def as_json(self) -> dict[str, object]:
        """The finding as plain values, for `--output json`."""
        return asdict(self)


class FileError(Exception):
    """A file that cannot be used, with everything that was found wrong in it (at least one finding)."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = tuple(findings)


class UnusableFileError(FileError):
    """The file cannot be read at all: missing, not UTF-8, not YAML, or nothing of what was expected."""
