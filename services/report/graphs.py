"""Charts of a workbook, drawn by the spreadsheet from the figures of its sheets: in black and white, and told in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from services.report.charts import BARS_MAX, Step
from services.report.tables import Rank, Row, Table, for_page

FIGURES = {"positions": "net", "counterparties": "net", "nights": "obligations"}
"""Tables that are drawn, and which of their columns."""
BLACK = {"color": "black"}
SOLID: dict[str, Any] = {"fill": BLACK, "border": BLACK}
HATCHED: dict[str, Any] = {"pattern": {"pattern": "wide_upward_diagonal", "fg_color": "black", "bg_color": "white"}, "border": BLACK}
OUTLINED: dict[str, Any] = {"fill": {"color": "white"}, "border": BLACK}
UNSEEN: dict[str, Any] = {"fill": {"none": True}, "border": {"none": True}}
LABELS: dict[str, Any] = {"data_labels": {"value": True, "position": "inside_base", "font": {"color": "black"}, "fill": {"color": "white"}}}
DRAWN = ("step", "begins at", "total", "taken away", "added")
"""Columns from which waterfalls are drawn: each bar begins where the one above ends, on a part that is not seen."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A chart of the spreadsheet, its height, and what it shows in words."""

    chart: Any
    height: int
    told: str


def bars(book: Any, sheet: str, table: Table) -> Iterator[Graph]:
    """Bars for parties, columns for nights, one chart for each currency of a table that stands on the sheet of that name; none of other tables."""
    if table.name not in FIGURES:
        return
    keys = [column.key for column in table.columns]
    place, by = keys.index(FIGURES[table.name]), keys.index("currency")
    upright = table.name == "nights"
    for currency, every in groupby(enumerate(table.rows, start=1), key=lambda each: each[1].cells[by]):
        rows: list[tuple[int, Row]] = [(at, row) for at, row in every if row.rank is Rank.LINE]
        if len(rows) < 2:
            continue
        first, last = rows[0][0], rows[-1][0]
        chart = book.add_chart({"type": "column" if upright else "bar"})
        chart.add_series({
            "name": table.columns[place].title, "categories": [sheet, first, 0, last, 0], "values": [sheet, first, place, last, place], "gap": 40, **SOLID,
            "invert_if_negative": True, "invert_if_negative_color": "white", "data_labels": {"value": len(rows) <= BARS_MAX},
        })  # fmt: skip
        _framed(chart, f"{table.title}, {currency}", upright=upright)
        told = "; ".join(f"{for_page(row.cells[0])} {for_page(row.cells[place])}" for _, row in rows)
        yield Graph(chart, 300 if upright else 80 + 20 * len(rows), told)


def waterfall(book: Any, sheet: str, title: str, first: int, steps: Sequence[Step]) -> Graph:
    """From gross to net, from figures that stand on a sheet from that row on in the columns behind that of the currency."""
    chart = book.add_chart({"type": "bar", "subtype": "stacked"})
    last = first + len(steps) - 1
    for column, look in enumerate((UNSEEN, SOLID, HATCHED, OUTLINED), start=2):
        series: dict[str, Any] = {
            "name": DRAWN[column - 1],
            "categories": [sheet, first, 1, last, 1],
            "values": [sheet, first, column, last, column],
            "gap": 40,
        }
        chart.add_series(series | look | ({} if look is UNSEEN else LABELS))
    _framed(chart, title, upright=False)
    return Graph(chart, 80 + 30 * len(steps), "; ".join(f"{step.label} {step.shown}" for step in steps))


def parts(step: Step, places: int) -> tuple[Decimal | None, ...]:
    """A step in the columns of `DRAWN` after its name: where its bar begins, and how long it is as what it is."""
    size, begins = Decimal(abs(step.end - step.start)).scaleb(-places), Decimal(min(step.start, step.end)).scaleb(-places)
    less = step.end < step.start
    return begins, size if step.total else None, size if not step.total and less else None, None if step.total or less else size


def _framed(chart: Any, title: str, *, upright: bool) -> None:
    chart.set_title({"name": title, "name_font": {"size": 11}})
    chart.set_legend({"none": True})
    figures, names = {"visible": False, "major_gridlines": {"visible": False}}, {"label_position": "low", "major_gridlines": {"visible": False}}
    chart.set_x_axis(names if upright else figures)
    chart.set_y_axis(figures if upright else {**names, "reverse": True})
