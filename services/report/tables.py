"""What a report shows, before anybody decides how: tables of values, which the terminal, CSV and HTML print each in their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum, auto

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of a currency that has so many decimal places."""

    minor: int
    places: int


@dataclass(frozen=True, slots=True)
class Price:
    """An exact price of a unit; people see at least so many decimal places."""

    amount: Decimal
    places: int


@dataclass(frozen=True, slots=True)
class Named:
    """A code for programs and what people call it."""

    code: str
    words: str


Value = str | int | date | Money | Price | Named | None


class Rank(Enum):
    """What a row is: a line, or a sum of lines above it."""

    LINE = auto()
    SUBTOTAL = auto()
    TOTAL = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name for programs, its title for people, and whether it holds figures (aligned to the right).

    What people read in another column already is for programs only; what a narrow terminal may leave out is optional.
    """

    key: str
    title: str
    right: bool = False
    programs_only: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `Rank.LINE` rows are the data, the others are sums that programs make for themselves."""

    cells: tuple[Value, ...]
    rank: Rank = Rank.LINE


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report. `name` is that of its CSV file, `empty` what is said where it has no rows."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    empty: str = "None."

    def __post_init__(self) -> None:
        assert all(len(row.cells) == len(self.columns) for row in self.rows), f"{self.name}: a row has another number of cells than there are columns"

    @property
    def for_reading(self) -> Table:
        """The table without the columns that are for programs only."""
        shown = [place for place, column in enumerate(self.columns) if not column.programs_only]
        rows = tuple(Row(tuple(row.cells[place] for place in shown), row.rank) for row in self.rows)
        return replace(self, columns=tuple(self.columns[place] for place in shown), rows=rows)

    @property
    def lines(self) -> tuple[Row, ...]:
        """The rows that are no sums."""
        return tuple(row for row in self.rows if row.rank is Rank.LINE)


def text(key: str, title: str | None = None) -> Column:
    """A column of words."""
    return Column(key, title if title is not None else key.replace("_", " "))


def figure(key: str, title: str | None = None) -> Column:
    """A column of figures."""
    return Column(key, title if title is not None else key.replace("_", " "), right=True)


def code(key: str) -> Column:
    """A column for programs only."""
    return Column(key, key.replace("_", " "), programs_only=True)


def lines(rows: Sequence[Sequence[Value]]) -> tuple[Row, ...]:
    """Rows that are no sums."""
    return tuple(Row(tuple(cells)) for cells in rows)


def for_people(value: Value) -> str:
    """A value as people read it: thousands apart, an amount with its places."""
    match value:
        case None:
            return ""
        case Money(minor, places):
            return _grouped(minor, places)
        case Named(_, words):
            return words
        case int():
            return f"{value:,}"
        case Price(amount, places):
            _, _, decimals = format(amount, "f").partition(".")
            return f"{amount:.{max(places, len(decimals))}f}"
        case _:
            return str(value)


def for_page(value: Value) -> str:
    """A value on a page: as people read it, with a minus sign that is read as one."""
    shown = for_people(value)
    return MINUS + shown[1:] if shown.startswith("-") and not isinstance(value, str) else shown


def for_programs(value: Value) -> str:
    """A value as programs read it: plain digits, an amount with its places, an ISO day."""
    match value:
        case Money(minor, places):
            return _grouped(minor, places).replace(",", "")
        case Price(amount, _):
            return format(amount, "f")
        case Named(code, _):
            return code
        case int():
            return str(value)
        case _:
            return for_people(value)


def _grouped(minor: int, places: int) -> str:
    whole, rest = divmod(abs(minor), 10**places)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:,}.{rest:0{places}d}" if places else f"{sign}{whole:,}"
