"""How long the report of a large night takes in each form: 2,000 lines between forty-one parties, fourteen nights compared.

The limit beside the PDF: Typst setting a plain table of as many rows and columns as the report's lines have, with nothing but numbers in it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import typst

from services.report.csv_files import write_files
from services.report.page import report_page
from services.report.pdf import report_pdf
from services.report.sections import report_tables
from services.report.workbook import report_workbook
from tests.unit.services.report.many import large

LINES = 2_000
PLAIN = b"""#let rows = int(sys.inputs.rows)
#let columns = int(sys.inputs.columns)
#set page(paper: "a4", flipped: true)
#set text(size: 7pt)
#table(columns: columns, ..range(rows * columns).map(no => [#no]))
"""


def measure_rendering() -> dict[str, float]:
    """Seconds for each form of the report, and for the plain table."""
    shown = large(LINES)
    lines = max(report_tables(shown), key=lambda table: len(table.rows))
    inputs = {"rows": str(len(lines.rows)), "columns": str(len(lines.columns))}
    with tempfile.TemporaryDirectory() as folder:
        return {
            "pdf_s": _timed(lambda: report_pdf(shown)),
            "plain_table_s": _timed(lambda: typst.Compiler(PLAIN, ignore_system_fonts=True, sys_inputs=inputs).compile(format="pdf")),
            "xlsx_s": _timed(lambda: report_workbook(shown)),
            "html_s": _timed(lambda: report_page(shown)),
            "csv_s": _timed(lambda: write_files(report_tables(shown), Path(folder))),
        }


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: round(seconds, 2) for name, seconds in measure_rendering().items()}) + "\n")
