"""A report as XLSX: a first sheet that leads to the others, a sheet for each table, no formula anywhere, and the same bytes each time."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import xlsxwriter

from schemas.ids import PartyId
from schemas.report import SettlementReport
from services.cli.escaping import visible
from services.report.cells import Cells
from services.report.graphs import DRAWN, Graph, bars, parts, waterfall
from services.report.paper import Paper, report_paper, statement_paper
from services.report.stored import Shown
from services.report.tables import Rank, Table, for_people
from services.report.waterfall import falls, steps
from services.report.words import Amounts

NOTHING_RUNS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
NAME_MAX = 31
"""Letters that the name of a sheet may have."""
NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
MARGIN_MAX = 255
"""Letters that a spreadsheet prints above or below a page."""
WIDE = 60
CHARTS_AT = 4
"""Column of the first sheet at which the charts stand."""
ROW_PIXELS = 20
STEPS = frozenset({"waterfall", "settlement"})
"""Tables that are read from top to bottom, with their sums in between; the others hold data."""


def report_workbook(shown: Shown) -> bytes:
    """The settlement report."""
    return _Book(report_paper(shown), "Report", shown.report.window).content(shown.report)


def statement_workbook(shown: Shown, party: PartyId) -> bytes:
    """The statement of one party. Raises `UnknownParty`."""
    return _Book(statement_paper(shown, party), "Statement", shown.report.window).content()


class _Book:
    """One workbook that is being written."""

    def __init__(self, paper: Paper, front: str, window: date) -> None:
        self._paper = paper
        self._bytes = io.BytesIO()
        self._book: Any = xlsxwriter.Workbook(self._bytes, {"in_memory": True, **NOTHING_RUNS})
        # The format asks for a time of making. It is the window's, so that the same report has the same bytes.
        told = {"title": visible(paper.title), "comments": f"SHA-256 {paper.sha256}; {paper.approvals}", "created": datetime.combine(window, time())}
        self._book.set_properties(told)
        self._cells = Cells(self._book)
        self._names: set[str] = set()
        self._front = self._sheet(front)

    def content(self, report: SettlementReport | None = None) -> bytes:
        """The finished file; of a whole report also the way from gross to net as charts."""
        written: list[tuple[Table, str]] = []
        for section in (*self._paper.sections, *self._paper.named):
            written += [(table, self._table(table) if table.rows else "") for table in map(as_data, section.tables)]
        graphs = [*(self._waterfalls(report) if report else ()), *(graph for table, sheet in written if sheet for graph in bars(self._book, sheet, table))]
        self._cover(written, graphs)
        self._book.close()
        return self._bytes.getvalue()

    def _sheet(self, title: str) -> Any:
        """A new sheet, named as its title as far as names allow; in print the hash, the approval and a number stand on each of its pages."""
        plain = NOT_IN_NAMES.sub("", visible(title)).strip()[:NAME_MAX] or "Sheet"
        name, number = plain, 1
        while name.casefold() in self._names:
            number += 1
            name = f"{plain[: NAME_MAX - len(str(number)) - 1]} {number}"
        self._names.add(name.casefold())
        sheet = self._book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_header(_margin("&L&8", self._paper.title, f"&R&8{name.replace('&', '&&')}"))
        sheet.set_footer(_margin(f"&L&8SHA-256 {self._paper.sha256}\nApproval: ", self._paper.approvals, "&R&8page &P of &N"))
        return sheet

    def _table(self, table: Table) -> str:
        """A table on a sheet of its own; returns the sheet's name."""
        sheet = self._sheet(table.title)
        for place, column in enumerate(table.columns):
            self._cells.text(sheet, 0, place, column.title, bold=True, bottom=2, align="right" if column.right else "left", valign="top")
            longest = max(len(column.title) + 1, *(len(for_people(row.cells[place])) for row in table.rows))
            sheet.set_column(place, place, min(longest, WIDE) + 2)
        for at, row in enumerate(table.rows, start=1):
            for place, (column, value) in enumerate(zip(table.columns, row.cells, strict=True)):
                self._cells.value(sheet, at, place, value, right=column.right, rank=row.rank)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        count = len(table.lines)
        if all(row.rank is Rank.LINE for row in table.rows[:count]):  # sums among the lines would be sorted and filtered with them
            sheet.autofilter(0, 0, count, len(table.columns) - 1)
        name: str = sheet.get_name()
        return name

    def _waterfalls(self, report: SettlementReport) -> Iterator[Graph]:
        """From gross to net, from figures on a sheet of their own."""
        sheet, at = None, 1
        amounts = Amounts(report)
        for fall in falls(report):
            if sheet is None:
                sheet = self._sheet("Figures of the charts")
                for place, title in enumerate(("currency", *DRAWN)):
                    self._cells.text(sheet, 0, place, title, bold=True, bottom=2)
                sheet.set_column(0, len(DRAWN), 22)
            every = steps(fall, amounts)
            places = amounts(0, fall.currency).places
            for row, step in enumerate(every, start=at):
                self._cells.text(sheet, row, 0, fall.currency)
                self._cells.text(sheet, row, 1, step.label)
                for place, number in enumerate(parts(step, places), start=2):
                    if number is not None:
                        sheet.write_number(row, place, number, self._cells.look(num_format="#,##0" + ("." + "0" * places if places else "")))
            yield waterfall(self._book, sheet.get_name(), f"From gross to net, {fall.currency}", at, every)
            at += len(every)

    def _cover(self, written: Sequence[tuple[Table, str]], graphs: Sequence[Graph]) -> None:
        """The first sheet: what is looked at first, where the rest stands, and the charts beside it."""
        sheet, cells, paper = self._front, self._cells, self._paper
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 26)
        sheet.set_column(2, 2, WIDE)
        cells.text(sheet, 0, 0, paper.title, bold=True, font_size=16)
        row = 2
        for name, told in (
            ("Checks", paper.verdict),
            ("Default", paper.default),
            ("Approval", paper.approvals),
            ("SHA-256 of the canonical report", paper.sha256),
        ):
            if told:
                cells.text(sheet, row, 0, name)
                cells.text(sheet, row, 1, told, bold=True)
                row += 1
        for name, value in paper.lead:
            cells.text(sheet, row, 0, name)
            cells.value(sheet, row, 1, value, right=False, rank=Rank.LINE)
            row += 1
        row += 1
        for place, title in enumerate(("sheet", "lines", "what to know of it")):
            cells.text(sheet, row, place, title, bold=True, bottom=2)
        for table, name in written:
            row += 1
            if name:
                sheet.write_url(row, 0, f"internal:'{name}'!A1", cells.look(underline=1), table.title)
                cells.value(sheet, row, 1, len(table.lines), right=False)
            else:
                cells.text(sheet, row, 0, table.title)
            cells.text(sheet, row, 2, table.note if name else table.empty, text_wrap=True, valign="top")
        down = 2 * ROW_PIXELS
        for graph in graphs:
            graph.chart.set_size({"width": 720, "height": graph.height})
            sheet.insert_chart(0, CHARTS_AT, graph.chart, {"y_offset": down, "description": visible(graph.told)})
            down += graph.height + ROW_PIXELS


def as_data(table: Table) -> Table:
    """The table for a sheet that is filtered and counted: its lines first, then its totals; a subtotal among them would be counted twice."""
    if table.name in STEPS:
        return table
    sums = [row for row in table.rows if row.rank is not Rank.LINE]
    totals = [row for row in sums if row.rank is Rank.TOTAL] or sums
    return replace(table, rows=(*table.lines, *totals))


def _margin(before: str, words: str, after: str) -> str:
    """What is printed above or below a page; `&` in words is doubled, and what is too long is cut."""
    room = MARGIN_MAX - len(before) - len(after)
    shown = visible(words).replace("\n", " ")
    kept = shown
    while kept and len(kept) + kept.count("&") + (kept != shown) > room:
        kept = kept[:-1]
    return before + kept.replace("&", "&&") + ("…" if kept != shown else "") + after
