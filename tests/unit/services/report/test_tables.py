"""Values as people and as programs read them, and CSV that a spreadsheet cannot be tricked by."""

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import to_text
from services.report.csv_files import NUMBER, begins_formula, cell, csv_line, csv_text, write_files
from services.report.tables import Money, Named, Price, Rank, Row, Table, Value, code, figure, for_people, for_programs, lines, text

VALUES: list[tuple[Value, str, str]] = [
    (None, "", ""),
    (0, "0", "0"),
    (-1234567, "-1,234,567", "-1234567"),
    (Money(-54, 2), "-0.54", "-0.54"),
    (Money(123456789, 2), "1,234,567.89", "1234567.89"),
    (Money(-1234, 0), "-1,234", "-1234"),
    (Money(5, 3), "0.005", "0.005"),
    (Price(Decimal(250), 2), "250.00", "250"),
    (Price(Decimal("0.00525"), 2), "0.00525", "0.00525"),
    (Price(Decimal("1E+2"), 0), "100", "100"),
    (Named("issue_reversal", "points issued, reversed"), "points issued, reversed", "issue_reversal"),
    (date(2026, 3, 2), "2026-03-02", "2026-03-02"),
    ("grocer", "grocer", "grocer"),
]


@pytest.mark.parametrize(("value", "people", "programs"), VALUES)
def test_a_value_is_shown_with_thousands_to_people_and_plain_to_programs(value: Value, people: str, programs: str) -> None:
    assert for_people(value) == people
    assert for_programs(value) == programs


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_an_amount_for_programs_is_the_text_that_money_has_everywhere(minor: int) -> None:
    assert for_programs(Money(minor, 2)) == to_text(minor, "EUR")
    assert for_programs(Money(minor, 0)) == to_text(minor, "JPY")
    assert for_people(Money(minor, 2)).replace(",", "") == to_text(minor, "EUR")


@pytest.mark.parametrize("dangerous", ["=1+1", "+cmd", "-cmd|' /C calc'!A0", "@SUM(A1)", "\r=1", "-1-1", "+1", "-", "-1,000", "-1.5.2"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(dangerous: str) -> None:
    assert cell(dangerous) == "'" + dangerous


@pytest.mark.parametrize("harmless", ["-0.54", "-12", "0", "54", "grocer", "2026-03-02", "a=b", "", "'x"])
def test_numbers_and_plain_words_stay_as_they_are(harmless: str) -> None:
    assert cell(harmless) == harmless


@given(st.text(max_size=20))
def test_no_cell_begins_as_a_formula_unless_it_is_a_number(words: str) -> None:
    shown = cell(words)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r")) or NUMBER.fullmatch(shown)


@pytest.mark.parametrize("before", ["", "\n", " ", "\u00a0", "\ufeff", "\u200b", "\u2028", "\x00", " \u200b\n"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66"])
def test_a_sign_of_a_formula_is_found_behind_what_is_not_seen_and_in_full_width(before: str, sign: str) -> None:
    assert cell(f"{before}{sign}1+cmd") == f"'{before}{sign}1+cmd"


@pytest.mark.parametrize("words", ["-1.50", "7", " grocer = dairy", "\u200bgrocer", "", " ", "\uff11"])
def test_other_words_and_numbers_stay_as_they_are(words: str) -> None:
    assert cell(words) == words


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("x;=1+1;y", "x;'=1+1;y"), ("x;y", "x;y"), ("x\t+cmd", "x\t'+cmd"), ("\t=1", "'\t'=1"), ("=1;@A1", "'=1;'@A1"), ("a;-5;b", "a;'-5;b"),
        ("a; =1", "a;' =1"), (";", ";"), ("x;'=1", "x;'=1"),
    ],
)  # fmt: skip
def test_a_part_that_would_be_a_cell_of_its_own_elsewhere_is_defused_too(words: str, shown: str) -> None:
    assert cell(words) == shown


@given(st.lists(st.text(alphabet="ab=+-@;,\"\t\r\n' 1", max_size=12), min_size=2, max_size=5))
def test_a_line_is_read_as_it_was_written_and_has_no_formula_wherever_it_is_divided(words: list[str]) -> None:
    cells = [cell(one) for one in words]
    line = csv_line(cells)
    assert list(csv.reader(io.StringIO(line, newline=""))) == [cells]
    for separator in ";\t":
        for part in line.removesuffix("\r\n").split(separator)[1:]:
            assert not begins_formula(part.lstrip("\t"))


def test_a_cell_that_others_would_divide_stands_in_quotes() -> None:
    assert csv_line(["x;y", "a\tb", "plain", "", "a,b", 'c"d']) == '"x;y","a\tb",plain,,"a,b","c""d"\r\n'


TABLE = Table(
    "some",
    "Some",
    (text("party"), code("detail"), figure("amount")),
    (*lines([("grocer", "monthly", Money(-54, 2)), ('=a,"b"', None, Money(100, 2))]), Row(("total", None, Money(46, 2)), Rank.TOTAL)),
)


def test_csv_has_a_header_and_the_lines_without_their_sums() -> None:
    assert csv_text(TABLE) == 'party,detail,amount\r\ngrocer,monthly,-0.54\r\n"\'=a,""b""",,1.00\r\n'
    assert list(csv.DictReader(io.StringIO(csv_text(TABLE)))) == [
        {"party": "grocer", "detail": "monthly", "amount": "-0.54"},
        {"party": '\'=a,"b"', "detail": "", "amount": "1.00"},
    ]


def test_a_folder_gets_one_file_for_each_table_byte_for_byte(tmp_path: Path) -> None:
    written = write_files([TABLE], tmp_path / "new" / "folder")
    assert written == [tmp_path / "new" / "folder" / "some.csv"]
    assert written[0].read_bytes() == csv_text(TABLE).encode()


def test_columns_for_programs_are_not_read_by_people() -> None:
    shown = TABLE.for_reading
    assert [column.key for column in shown.columns] == ["party", "amount"]
    assert [row.cells for row in shown.rows] == [("grocer", Money(-54, 2)), ('=a,"b"', Money(100, 2)), ("total", Money(46, 2))]
    assert [row.rank for row in shown.rows] == [Rank.LINE, Rank.LINE, Rank.TOTAL]


def test_a_row_has_a_cell_for_each_column() -> None:
    with pytest.raises(AssertionError, match="another number of cells"):
        Table("bad", "Bad", (text("one"), text("two")), lines([("only one",)]))
