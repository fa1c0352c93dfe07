"""A report as a tagged PDF (PDF/UA-1): set by Typst from data, so that no text in a report is ever taken for markup. The same report has the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import typst

from schemas.ids import PartyId
from services.cli.escaping import visible
from services.report.charts import standalone
from services.report.columns import Fit, fitted
from services.report.paper import Paper, report_paper, statement_paper
from services.report.stored import Shown
from services.report.tables import Rank, for_page

Json = dict[str, Any]
FONT = "Libertinus Serif"
SQUARE_MOST = 12
"""Who owes whom is a square for so many creditors at most; a list for more."""
MISSING = "could not be displayed"
"""What Typst says of a letter that no font has."""
RANKS = {Rank.LINE: "line", Rank.SUBTOTAL: "subtotal", Rank.TOTAL: "total"}
BEYOND = 0x0530
"""Behind Latin, Greek and Cyrillic."""
TYPOGRAPHY = frozenset("\N{MINUS SIGN}…–—×→↓“”‘’€")


def report_pdf(shown: Shown) -> bytes:
    """The settlement report."""
    return _set(report_paper(shown, square_most=SQUARE_MOST))


def statement_pdf(shown: Shown, party: PartyId) -> bytes:
    """The statement of one party. Raises `UnknownParty`."""
    return _set(statement_paper(shown, party))


def _set(paper: Paper) -> bytes:
    """The pages, in the fonts that Typst brings.

    Letters that these lack are looked for in the fonts of the machine; where nothing has them they are written as JSON escapes them.
    """
    source = files("services.report").joinpath("templates", "report.typ").read_bytes()
    data = _with(visible, _plain(paper))
    for own_fonts in (True, False):
        try:
            return _compiled(source, data, own_fonts=own_fonts)
        except typst.TypstError as error:
            if MISSING not in str(error):
                raise
    return _compiled(source, _with(_escaped, data), own_fonts=True)


def _compiled(source: bytes, paper: Json, *, own_fonts: bool) -> bytes:
    compiler = typst.Compiler(source, ignore_system_fonts=own_fonts, sys_inputs={"paper": json.dumps(paper, ensure_ascii=False)})
    pdf = compiler.compile(format="pdf", pdf_standards="ua-1")
    assert isinstance(pdf, bytes)
    return pdf


def _escaped(words: str) -> str:
    """The text, with everything beyond the letters of Europe as an escape of JSON."""
    return "".join(letter if ord(letter) < BEYOND or letter in TYPOGRAPHY else json.dumps(letter)[1:-1] for letter in words)


def _with(change: Callable[[str], str], value: Any) -> Any:
    """The same data, every text changed."""
    match value:
        case str():
            return change(value)
        case list() | tuple():
            return [_with(change, item) for item in value]
        case dict():
            return {key: _with(change, item) for key, item in value.items()}
        case _:
            return value


def _plain(paper: Paper) -> Json:
    """All that the page says, as JSON."""
    return {
        "title": paper.title,
        "verdict": paper.verdict,
        "failed": bool(paper.failed),
        "default": paper.default,
        "approvals": paper.approvals,
        "sha256": paper.sha256,
        "lead": [[name, for_page(value)] for name, value in paper.lead],
        "sections": [
            {
                "heading": section.heading,
                "charts": [{"title": chart.title, "told": chart.told, "svg": standalone(chart, FONT)} for chart in section.charts],
                "tables": [_table(fit) for table in section.tables for fit in fitted(table)],
            }
            for section in (*paper.sections, *paper.named)
        ],
    }


def _table(fit: Fit) -> Json:
    table = fit.table
    return {
        "title": table.title,
        "note": table.note,
        "empty": f"{table.title}: {table.empty}",
        "size": fit.size,
        "widths": fit.widths,
        "figures": [column.right for column in table.columns],
        "titles": [column.title for column in table.columns],
        "rows": [[RANKS[row.rank], *map(for_page, row.cells)] for row in table.rows],
    }
