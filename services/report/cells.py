"""Values in the cells of a spreadsheet: text stays text whatever it begins with, amounts are exact numbers in the places of their currency."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from services.cli.escaping import visible
from services.report.csv_files import begins_formula
from services.report.tables import Money, Price, Rank, Value, for_people

DIGITS = 15
"""Significant digits that a spreadsheet keeps of a number."""
TEXT_MAX = 32767
"""Letters that a cell holds."""
RANKS: dict[Rank, dict[str, Any]] = {Rank.LINE: {}, Rank.SUBTOTAL: {"italic": True, "top": 4}, Rank.TOTAL: {"bold": True, "top": 1}}
"""How a row looks: legible without colour."""


class Cells:
    """Writes cells into sheets of one workbook, and keeps its formats: one for each look."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def look(self, **properties: Any) -> Any:
        """The format with these properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(properties)
        return self._formats[key]

    def text(self, sheet: Any, row: int, column: int, words: str, **look: Any) -> None:
        """Text, and nothing else. What a spreadsheet would run when somebody edits the cell is marked as text for it."""
        shown = visible(words)
        if begins_formula(shown):
            look["quote_prefix"] = True
        cut = shown if len(shown) <= TEXT_MAX else shown[: TEXT_MAX - 1] + "…"
        sheet.write_string(row, column, cut, self.look(**look))

    def value(self, sheet: Any, row: int, column: int, value: Value, *, right: bool, rank: Rank = Rank.LINE) -> None:
        """A value as a number, a day or text; an empty cell where there is none."""
        look = RANKS[rank] | {"valign": "top"} | ({"align": "right"} if right else {})
        number = exact(value)
        if number is not None:
            sheet.write_number(row, column, number[0], self.look(**look, num_format=number[1]))
        elif isinstance(value, date):
            sheet.write_datetime(row, column, datetime.combine(value, time()), self.look(**look, num_format="yyyy-mm-dd", align="left"))
        elif value is None or value == "":
            sheet.write_blank(row, column, None, self.look(**look))
        else:
            self.text(sheet, row, column, for_people(value), **look)


def exact(value: Value) -> tuple[Decimal, str] | None:
    """A figure as an exact number, and how it is shown; None for what is no figure, or has more digits than a spreadsheet keeps."""
    match value:
        case Money(minor, places):
            number, shown = Decimal(minor).scaleb(-places), places
        case Price(amount, _):
            number, shown = amount, len(for_people(value).partition(".")[2])
        case int():
            number, shown = Decimal(value), 0
        case _:
            return None
    if len(number.normalize().as_tuple().digits) > DIGITS:
        return None
    return number, "#,##0" + ("." + "0" * shown if shown else "")
