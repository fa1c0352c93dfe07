"""Tables on a page: nothing is wider than the page, no column is lost, figures are never narrower than they are."""

import pytest

from services.report.columns import INSET, LETTER, PAGE, fitted
from services.report.tables import Column, Money, Table, figure, for_page, lines, text
from tests.unit.services.report.many import large


def wide(figures: int, minor: int = 123_456_789) -> Table:
    columns: tuple[Column, ...] = (text("party"), *(figure(f"f{no}") for no in range(figures)), text("note"))
    rows = lines([(f"party-{row}", *(Money(minor + no, 2) for no in range(figures)), "a note of some words") for row in range(3)])
    return Table("wide", "Wide", columns, rows)


@pytest.mark.parametrize("figures", [0, 1, 10, 11, 12, 13, 24, 60])
def test_a_table_fits_the_page_in_as_many_parts_as_it_needs(figures: int) -> None:
    table = wide(figures)
    parts = list(fitted(table))
    assert all(sum(part.widths) <= PAGE + 0.1 for part in parts)
    shown = [column.key for part in parts for column in part.table.columns if column.right]
    assert shown == [f"f{no}" for no in range(figures)]
    assert all([column.key for column in part.table.columns if not column.right] == ["party", "note"] for part in parts)
    counts = [sum(column.right for column in part.table.columns) for part in parts]
    assert max(counts) - min(counts) <= 1
    assert [part.table.title for part in parts] == (["Wide"] if len(parts) == 1 else [f"Wide ({no} of {len(parts)})" for no in range(1, len(parts) + 1)])


def test_a_small_table_keeps_its_columns_and_large_letters() -> None:
    (part,) = fitted(wide(2))
    assert part.table == wide(2)
    assert part.size == 8.5


@pytest.mark.parametrize("minor", [1, 10**15, -(10**15)])
def test_a_column_of_figures_has_room_for_its_longest(minor: int) -> None:
    for part in fitted(wide(8, minor)):
        for place, (column, width) in enumerate(zip(part.table.columns, part.widths, strict=True)):
            if column.right:
                longest = max(len(for_page(row.cells[place])) for row in part.table.rows)
                assert width >= longest * part.size * LETTER + INSET - 0.01


def test_fourteen_nights_of_forty_parties_stand_side_by_side_on_a_page() -> None:
    from services.report.sections import report_tables

    compared = next(table for table in report_tables(large(100, 14)) if table.name == "nights_positions")
    assert len(list(fitted(compared))) == 1
