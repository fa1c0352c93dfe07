"""Tables for a terminal: figures to the right, sums set off, a bar beside each net position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, RenderableType
from rich.text import Text

from schemas.report import SettlementReport
from services.report.after_default import replaced_in_words
from services.report.fitting import Field, Fitted, Line
from services.report.sections import matrix_square
from services.report.stored import Shown
from services.report.tables import Money, Rank, Row, Table, Value, for_people
from services.report.words import Amounts

SQUARE_MAX = 7
"""More creditors than this do not fit side by side; the pairs are listed then."""
BAR_HALF = 12
EMPTY = " " * (2 * BAR_HALF + 1)
STYLES = {Rank.LINE: "", Rank.SUBTOTAL: "italic", Rank.TOTAL: "bold"}


def print_report(console: Console, shown: Shown, tables: Iterable[Table]) -> None:
    """Prints the tables of a settlement report under a headline."""
    report = shown.report
    console.print(headline(report), highlight=False)
    if replaced := replaced_in_words(report, Amounts(report)):
        console.print(Text(replaced, style="bold"), highlight=False)
    for table in tables:
        console.print()
        if table.name == "matrix":
            for renderable in _matrix(report, table):
                console.print(renderable, crop=False)
        elif table.name == "positions" and table.rows:
            console.print(_with_bars(table), crop=False)
        else:
            console.print(rendered(table), crop=False)


def headline(report: SettlementReport) -> Text:
    """What report it is, and whether all checks hold."""
    failed = [check.name for check in report.checks if not check.ok]
    verdict = f"checks that do not hold: {', '.join(failed)}" if failed else f"all {len(report.checks)} checks hold"
    return Text(f"Settlement report of {report.programme}, window {report.window}: {verdict}", style="bold red" if failed else "bold")


def rendered(table: Table, bars: Sequence[str] = ()) -> RenderableType:
    """One table, with a bar beside each row where there are some; a sentence where it has no rows."""
    table = table.for_reading
    if not table.rows:
        return Text(f"{table.title}: {table.empty}")
    fields = [Field(column.title, right=column.right, optional=column.optional) for column in table.columns]
    if bars:
        fields.append(Field(f"{'owes':>{BAR_HALF}}│receives{'':{BAR_HALF - 8}}", whole=True, optional=True))
    lines = []
    for place, row in enumerate(table.rows):
        after = table.rows[place + 1].rank if place + 1 < len(table.rows) else Rank.LINE
        ends = row.rank is not Rank.LINE or after is Rank.TOTAL
        lines.append(Line((*map(for_people, row.cells), *(bars[place : place + 1])), style=STYLES[row.rank], ends=ends, sums=row.rank is not Rank.LINE))
    return Fitted(fields, lines, title=table.title, note=table.note)


def _matrix(report: SettlementReport, table: Table) -> Iterator[RenderableType]:
    amounts = Amounts(report)
    squares = [matrix_square(report, amounts, currency) for currency in amounts.currencies]
    if any(len(square.columns) - 2 > SQUARE_MAX for square in squares) or not table.rows:
        yield rendered(table)
    else:
        yield from (rendered(square) for square in squares if square.rows)


def _with_bars(table: Table) -> RenderableType:
    """The positions, with a bar to the left for what is owed and to the right for what is received."""
    most: dict[Value, int] = {}
    for row in table.lines:
        most[row.cells[1]] = max(most.get(row.cells[1], 0), abs(_net(row)))
    return rendered(table, [_bar(_net(row), most[row.cells[1]]) if row.rank is Rank.LINE else EMPTY for row in table.rows])


def _net(row: Row) -> int:
    net = row.cells[-1]
    assert isinstance(net, Money)
    return net.minor


def _bar(minor: int, most: int) -> str:
    length = -(-abs(minor) * BAR_HALF // most) if most else 0
    return f"{'█' * length if minor < 0 else '':>{BAR_HALF}}│{'█' * length if minor > 0 else '':<{BAR_HALF}}"
