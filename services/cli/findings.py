"""How commands print what was found in a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text

from services.cli.output import err, out
from services.documents.findings import FileError, Finding, Severity, UnusableFileError

FOUND = 1
UNUSABLE = 2

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def print_findings(findings: Iterable[Finding], *, to_stderr: bool = False) -> None:
    """One line for each finding, in the form that editors jump to, and its way out below it."""
    console = err if to_stderr else out
    for finding in findings:
        console.print(Text(str(finding), style=_STYLES[finding.severity]), soft_wrap=True)
        console.print(Text(f"    {finding.way_out}", style="dim"), soft_wrap=True)


def exit_code(error: FileError) -> int:
    """2 for a file that cannot be read at all, 1 for one in which something was found."""
    return UNUSABLE if isinstance(error, UnusableFileError) else FOUND


def as_json(file: str, findings: Sequence[Finding]) -> dict[str, object]:
    """The findings of one file as a JSON document."""
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    return {"file": file, "ok": errors == 0, "errors": errors, "warnings": len(findings) - errors, "findings": [finding.as_json() for finding in findings]}
