"""Tables as CSV (RFC 4180, UTF-8): the lines without their sums, for programs and spreadsheets."""

from __future__ import annotations

import csv
import io
import re
import string
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from schemas.unseen import UNSEEN
from services.report.tables import Table, Value, for_programs

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
PLAIN = frozenset(("", *string.ascii_letters, *string.digits))
"""How nearly all cells begin: a million lines of a bank spend no time on them."""


def csv_text(table: Table) -> str:
    """One table, its header row first."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([column.key for column in table.columns])
    writer.writerows([[cell(value) for value in row.cells] for row in table.lines])
    return written.getvalue()


def cell(value: Value) -> str:
    """One cell. A text that a spreadsheet would run as a formula gets an apostrophe before it; numbers stay numbers."""
    shown = for_programs(value)
    return "'" + shown if runs_as_formula(shown) else shown


def unmarked(shown: str) -> str:
    """The text of a cell that `cell` wrote, without the apostrophe before what a spreadsheet would run. Of texts that begin so themselves it cannot tell:
    no id does."""
    return shown[1:] if shown.startswith("'") and runs_as_formula(shown[1:]) else shown


def runs_as_formula(shown: str) -> bool:
    """Whether a spreadsheet could run a cell: it begins as a formula, and is no number. The one rule for what the house writes and what it takes."""
    return shown[:1] not in PLAIN and begins_formula(shown) and NUMBER.fullmatch(shown) is None


def begins_formula(shown: str) -> bool:
    """Whether a spreadsheet could run a text: it looks behind what is not seen, and takes full-width signs for the plain ones."""
    if shown.startswith(FORMULA):
        return True
    first = next((one for one in shown if unicodedata.category(one) not in UNSEEN), "")  # a spreadsheet may drop what is not seen before it
    return first != "" and unicodedata.normalize("NFKC", first).startswith(FORMULA)


def write_files(tables: Iterable[Table], folder: Path) -> list[Path]:
    """One file for each table, named as it; the folder is made where it is missing. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for table in tables:
        path = folder / f"{table.name}.csv"
        path.write_text(csv_text(table), encoding="utf-8", newline="")
        written.append(path)
    return written
