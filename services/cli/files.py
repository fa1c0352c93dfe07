"""What commands write into files or to standard output, and how they say so."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from services.cli.output import Format, fail, print_json, say

if TYPE_CHECKING:
    from services.report.tables import Table

STANDARD_OUTPUT: Final = "-"


def expect_one_stream(target: str | None, output: Format) -> None:
    """Ends the command as wrong usage where standard output is asked for twice: for the file, and for JSON about it."""
    if target == STANDARD_OUTPUT and output is Format.JSON:
        raise typer.BadParameter("the file itself goes to standard output: name another place, or leave out --output", param_hint="--to")


def write(content: bytes, target: str, output: Format) -> None:
    """Writes a file and says where, with its size, or as JSON with its SHA-256 too; or standard output, byte for byte."""
    if target == STANDARD_OUTPUT:
        typer.get_binary_stream("stdout").write(content)
        return
    try:
        Path(target).write_bytes(content)
    except OSError as error:
        raise fail(f"{target} cannot be written: {error.strerror}") from None
    if output is Format.JSON:
        print_json({"path": target, "bytes": len(content), "sha256": sha256(content).hexdigest()})
    else:
        say(f"{target}: {len(content):,} bytes")


def write_csv(tables: Sequence[Table], target: str, output: Format, *, single: bool) -> None:
    """Writes a CSV file for each table into a folder; the one of a `single` table by itself, or to standard output."""
    from services.report.csv_files import csv_text, write_files

    if single or target == STANDARD_OUTPUT:
        if len(tables) != 1:
            raise typer.BadParameter("one table goes to standard output: name it with --section", param_hint="--to")
        write(csv_text(tables[0]).encode(), target if target == STANDARD_OUTPUT or target.endswith(".csv") else f"{target}.csv", output)
        return
    try:
        written = write_files(tables, Path(target))
    except OSError as error:
        raise fail(f"{target} cannot be written: {error.strerror}") from None
    if output is Format.JSON:
        print_json({"path": target, "files": [path.name for path in written]})
    else:
        say(f"{len(written)} files in {target}: {', '.join(path.name for path in written)}")
