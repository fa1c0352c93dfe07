"""The report on a terminal: figures to the right, sums set off, bars that show the direction."""

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from schemas.ids import PartyId
from services.report.sections import report_tables
from services.report.statement import statement_tables
from services.report.tables import for_people
from services.report.terminal import BAR_HALF, headline, print_report, rendered
from tests.unit.services.report.sample import ALONE, SHOWN, line, pairs, positions, report


def printed(shown: object = SHOWN, *, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    assert isinstance(shown, SHOWN.__class__)
    print_report(console, shown, report_tables(shown))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def row(text: str, *words: str) -> str:
    """The first row that begins with a cell."""
    return next(line for line in text.splitlines() if line.startswith("│") and line.split("│")[1].strip() == words[0])


def test_the_headline_says_which_night_and_whether_its_checks_hold() -> None:
    assert str(headline(SHOWN.report)) == "Settlement report of harvest, window 2026-03-03: all 2 checks hold"
    broken = report(checks=[{"name": "recomputed_equal", "ok": False, "figures": {}}])
    assert str(headline(broken)).endswith("checks that do not hold: recomputed_equal")


def test_amounts_stand_under_each_other_to_the_right() -> None:
    text = printed()
    ends = {row(text, party).index(amount) + len(amount) for party, amount in (("grocer", "-1,334.18"), ("opco", "1,334.23"), ("fuelco", "-0.05"))}
    assert len(ends) == 1


def test_bars_go_left_for_what_is_owed_and_right_for_what_is_received() -> None:
    text = printed()
    assert row(text, "grocer").rstrip("│ ").endswith("█" * BAR_HALF)
    assert row(text, "opco").rstrip("│ ").endswith("│" + "█" * BAR_HALF)
    assert "█" * BAR_HALF + "│" not in row(text, "opco")


def test_what_has_no_rows_is_said_in_a_sentence() -> None:
    text = printed(ALONE)
    assert "Payments: Nothing is paid." in text
    assert "Rejected events: Nothing was rejected." in text


def test_the_square_becomes_a_list_where_it_would_not_fit() -> None:
    lines = [line("issue", "opco", f"party-{number}", 1) for number in range(9)]
    wide = report(obligations=lines, positions=positions(lines), matrix=pairs(lines), payments=[], carried=[])
    assert "who owes ↓" not in printed(SHOWN.__class__(wide, wide.sha256()))
    assert "who owes ↓" in printed()


def test_names_that_look_like_markup_are_printed_as_they_are() -> None:
    odd = report(checks=[{"name": "[bold]x[/bold]", "ok": True, "figures": {"[red]": 1}}])
    text = printed(SHOWN.__class__(odd, odd.sha256()))
    assert "[bold]x[/bold]" in text
    assert "[red]" in text


def test_columns_for_programs_are_left_out() -> None:
    kinds = next(table for table in report_tables(SHOWN) if table.name == "kinds")
    console = Console(file=io.StringIO(), width=160)
    console.print(rendered(kinds))
    assert isinstance(console.file, io.StringIO)
    assert "detail" not in console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 119, 200])
def test_at_any_width_figures_and_ids_stay_whole_and_nothing_is_wider(width: int) -> None:
    text = printed(width=width)
    assert max(map(cell_len, text.splitlines())) <= max(width, 90)  # a hash with its title takes 90
    words = re.split(r"[\s│┃]+", text)
    for table in report_tables(SHOWN):
        for row in table.for_reading.rows:
            for word in " ".join(map(for_people, row.cells)).split():
                assert word in words, (width, table.name, word)


def test_a_table_that_is_too_wide_becomes_two_that_both_name_their_rows() -> None:
    lines = [line.split() for line in printed(width=80).splitlines()]
    assert ["│", "3", "│", "points", "issued", "│", "grocer", "│", "opco", "│", "12,345,600", "│", "0.0001", "│"] in lines
    assert ["│", "3", "│", "points", "issued", "│", "grocer", "│", "opco", "│", "1,234.56", "│", "EUR", "│", "3", "│"] in lines
    assert ["in", "every", "row:", "contract", "from", "2026-01-01"] in lines


def test_below_a_tables_width_each_row_is_a_block_of_named_values() -> None:
    text = printed(width=50)
    assert "line 3 · kind points issued · who owes grocer\n  to whom opco" in text
    assert "quantity 12,345,600\n  unit price 0.0001 · amount 1,234.56\n  currency EUR · events 3" in text
    assert "in every row: contract from 2026-01-01" in text
    assert "owes│receives" not in text


def test_subtotals_of_a_statement_are_set_off_by_rules() -> None:
    lines = next(table for table in statement_tables(SHOWN, PartyId("opco")) if table.name == "lines")
    console = Console(file=io.StringIO(), width=160)
    console.print(rendered(lines))
    assert isinstance(console.file, io.StringIO)
    rows = console.file.getvalue().splitlines()
    sum_of_kind = next(place for place, row in enumerate(rows) if "1,234.61" in row)
    assert rows[sum_of_kind + 1].startswith("├")
