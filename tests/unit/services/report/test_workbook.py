"""The workbook: the exact figures of the canonical JSON as numbers, text as text whatever it begins with, the same bytes each time."""

import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import PartyId
from schemas.report import SettlementReport
from services.report.cells import Cells, exact
from services.report.paper import Paper, report_paper, statement_paper
from services.report.stored import Shown
from services.report.tables import Money, Price, Value, for_people
from services.report.workbook import as_data, report_workbook, statement_workbook
from tests.unit.services.report.many import large
from tests.unit.services.report.sample import ALONE, SECOND, SHOWN, report

GROCER = PartyId("grocer")
PLACES = {"EUR": 2, "JPY": 0}
FILE = report_workbook(SHOWN)


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def lines(book: Any, sheet: str) -> list[list[Any]]:
    """The rows below the titles."""
    return [list(row) for row in book[sheet].iter_rows(min_row=2, values_only=True)]


def xml(content: bytes, name: str) -> Iterator[str]:
    """All parts whose names match."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        for each in parts.namelist():
            if re.fullmatch(name, each):
                yield parts.read(each).decode()


def minor(value: Any, currency: str) -> int:
    """A number of a cell in minor units; more than their places is a defect."""
    assert isinstance(value, int | float)
    scaled = Decimal(repr(value)).scaleb(PLACES[currency])
    assert scaled == int(scaled)
    return int(scaled)


def test_the_figures_of_the_sheets_are_those_of_the_canonical_json() -> None:
    found, book = SettlementReport.model_validate_json(SECOND.canonical()), opened(FILE)
    positions = [(row[1], row[0], *(minor(value, row[1]) for value in row[2:])) for row in lines(book, "Net positions") if row[0] != "all parties"]
    assert positions == [(p.currency, p.party, p.receives_minor, p.owes_minor, p.net_minor) for p in found.positions]
    obligations = [
        (number, row[2], row[3], row[4].date(), row[5], None if row[6] is None else Decimal(repr(row[6])), minor(row[7], row[8]), row[8], row[9])
        for number, row in enumerate(lines(book, "Obligations"))
        if row[0] == number
    ]
    assert obligations == [
        (number, o.debtor, o.creditor, o.contract, o.quantity, o.unit_price, o.amount_minor, o.currency, o.events) for number, o in enumerate(found.obligations)
    ]
    paid = [(row[2], row[0], row[1], minor(row[3], row[2])) for row in lines(book, "Payments") if row[0] != "total"]
    assert paid == [(p.currency, p.payer, p.payee, p.amount_minor) for p in found.payments]
    carried = [(row[1], row[0], minor(row[2], row[1]), row[3].date()) for row in lines(book, "Carried forward")]
    assert carried == [(c.currency, c.party, c.amount_minor, c.since) for c in found.carried]


def test_the_bilateral_matrix_is_a_square_of_the_pairs_with_its_sums() -> None:
    book = opened(FILE)
    pairs = []
    for currency in ("EUR", "JPY"):
        sheet = book[f"Who owes whom, {currency}"]
        titles = [cell.value for cell in sheet[1]]
        rows = lines(book, f"Who owes whom, {currency}")
        for row in rows[:-1]:
            own = {creditor: minor(value, currency) for creditor, value in zip(titles[1:-1], row[1:-1], strict=True) if value is not None}
            assert sum(own.values()) == minor(row[-1], currency)
            pairs += [(currency, row[0], creditor, amount) for creditor, amount in own.items()]
    assert pairs == [(m.currency, m.debtor, m.creditor, m.amount_minor) for m in SECOND.matrix]


PAPERS: dict[str, tuple[Callable[[], bytes], Paper]] = {
    "report": (lambda: FILE, report_paper(SHOWN)),
    "first night": (lambda: report_workbook(ALONE), report_paper(ALONE)),
    "statement": (lambda: statement_workbook(SHOWN, GROCER), statement_paper(SHOWN, GROCER)),
    "operator": (lambda: statement_workbook(SHOWN, PartyId("opco")), statement_paper(SHOWN, PartyId("opco"))),
}


@pytest.mark.parametrize("which", PAPERS)
def test_every_cell_of_every_table_stands_on_its_sheet(which: str) -> None:
    content, paper = PAPERS[which][0](), PAPERS[which][1]
    book = opened(content)
    sheets = iter(book.sheetnames[1:])
    for table in (as_data(table) for section in paper.sections for table in section.tables if table.rows):
        sheet = book[next(sheets)]
        assert [cell.value for cell in sheet[1]] == [column.title for column in table.columns]
        for row, cells in zip(table.rows, sheet.iter_rows(min_row=2), strict=True):
            for value, cell in zip(row.cells, cells, strict=True):
                assert as_read(cell) == as_told(value), (table.name, cell.coordinate)


def test_lines_of_a_statement_can_be_added_up_by_kind_without_counting_twice() -> None:
    rows = lines(opened(statement_workbook(SHOWN, PartyId("opco"))), "Lines")
    count = sum(1 for one in SECOND.obligations if "opco" in (one.debtor, one.creditor))
    assert all(isinstance(row[0], int) for row in rows[:count])
    assert all(row[0] is None for row in rows[count:])
    assert sum(minor(row[7], "EUR") for row in rows[:count] if row[8] == "EUR" and row[2] == "points issued") == 123461
    assert [row for row in rows if row[0] is None and row[2] is not None] == [], "no subtotal of a kind"


def as_told(value: Value) -> object:
    """What a cell should hold."""
    number = exact(value)
    if number is not None:
        return number[0]
    return value if isinstance(value, date) or value is None else for_people(value) or None


def as_read(cell: Any) -> object:
    """What a cell holds."""
    if isinstance(cell.value, datetime):
        return cell.value.date()
    return Decimal(repr(cell.value)) if isinstance(cell.value, int | float) else cell.value


def test_sums_are_bold_and_amounts_have_the_places_of_their_currency() -> None:
    sheet = opened(FILE)["Net positions"]
    total = next(row for row in sheet.iter_rows() if row[0].value == "all parties")
    assert all(cell.font.b for cell in total)
    assert total[2].number_format == "#,##0.00"
    assert next(row for row in sheet.iter_rows() if row[1].value == "JPY")[2].number_format == "#,##0"
    assert sheet["C1"].alignment.horizontal == "right"
    assert opened(FILE)["Obligations"]["G4"].number_format == "#,##0.0000"


DANGEROUS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")', "{=1}", "http://example.com", "internal:'Points'!A1", "12", "_x0041_"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_is_text_whatever_it_begins_with(text: str) -> None:
    checked = report(checks=[{"name": text, "ok": False, "figures": {text: text}}])
    shown = Shown(checked, checked.sha256(), (), {GROCER: text})
    for content in (report_workbook(shown), statement_workbook(shown, GROCER)):
        assert not any("<f>" in sheet or "<f " in sheet for sheet in xml(content, r"xl/worksheets/sheet\d+\.xml"))
        told = text.replace("\r", "\\u000d")
        names = [row for row in opened(content)["Names of the parties"].iter_rows(min_row=2) if row[0].value == GROCER]
        assert [(row[1].value, row[1].data_type, row[1].quotePrefix) for row in names] == [(told, "s", told.startswith(("=", "+", "-", "@", "\t")))]
    cells = [cell for row in opened(report_workbook(shown))["Figures of the checks"].iter_rows(min_row=2) for cell in row]
    assert {(cell.value, cell.data_type) for cell in cells} == {(text.replace("\r", "\\u000d"), "s")}
    assert not any("http" in part for part in xml(content, r"xl/worksheets/_rels/.*"))


def test_what_steers_is_shown_and_a_text_longer_than_a_cell_is_cut_visibly() -> None:
    shown = replace(SHOWN, names={GROCER: "a\x00b\u202ec", PartyId("opco"): "x" * 40_000})
    told = {row[0]: row[1] for row in lines(opened(report_workbook(shown)), "Names of the parties")}
    assert told[GROCER] == "a\\u0000b\\u202ec"
    assert told["opco"] == "x" * 32_766 + "…"


@given(st.lists(st.tuples(st.integers(min_value=-(10**20), max_value=10**20), st.integers(min_value=0, max_value=4)), min_size=1, max_size=20))
def test_no_digit_of_an_amount_is_lost(amounts: list[tuple[int, int]]) -> None:
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True})
    sheet, cells = book.add_worksheet(), Cells(book)
    values = [Money(minor, places) for minor, places in amounts]
    for row, value in enumerate(values):
        cells.value(sheet, row, 0, value, right=True)
    book.close()
    for value, (cell,) in zip(values, opened(written.getvalue()).active.iter_rows(), strict=True):
        if cell.data_type == "s":
            assert cell.value == for_people(value)
            assert len(str(abs(value.minor)).strip("0")) > 15
        else:
            assert Decimal(repr(cell.value)) == Decimal(value.minor).scaleb(-value.places)


def test_a_price_shows_all_its_places() -> None:
    assert exact(Price(Decimal("0.00525"), 2)) == (Decimal("0.00525"), "#,##0.00000")
    assert exact(Price(Decimal(250), 2)) == (Decimal(250), "#,##0.00")
    assert exact(Price(Decimal("0.1234567890123456"), 2)) is None
    assert for_people(Price(Decimal("0.1234567890123456"), 2)) == "0.1234567890123456"


def test_the_same_report_has_the_same_bytes_and_no_time_of_its_making() -> None:
    assert report_workbook(SHOWN) == FILE
    assert statement_workbook(SHOWN, GROCER) == statement_workbook(SHOWN, GROCER)
    (core,) = xml(FILE, r"docProps/core\.xml")
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core)) == {"2026-03-03T00:00:00Z"}
    with zipfile.ZipFile(io.BytesIO(FILE)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_two_thousand_lines_take_less_than_five_seconds_and_every_sheet_prints_its_hash_approval_and_number() -> None:
    """Measured by the processor's clock, so that a busy machine changes nothing."""
    shown = large()
    begin = time.process_time()
    content = report_workbook(shown)
    assert time.process_time() - begin < 5
    book = opened(content)
    assert [row[0] for row in lines(book, "Obligations") if row[0] is not None] == list(range(2000))
    for sheet in book:
        foot = sheet.oddFooter
        assert foot.left.text.replace("_x000a_", "\n").endswith(f"SHA-256 {shown.sha256}\nApproval: not approved yet")
        assert foot.right.text == "page &[Page] of &N" or "&P of &N" in foot.right.text
        assert shown.report.programme in sheet.oddHeader.left.text


def test_what_is_printed_at_the_margin_is_cut_where_it_is_too_long() -> None:
    content = statement_workbook(replace(SHOWN, names={GROCER: "&" * 128}), GROCER)
    for sheet in xml(content, r"xl/worksheets/sheet\d+\.xml"):
        (head,) = re.findall("<oddHeader>(.*?)</oddHeader>", sheet)
        text = head.replace("&amp;", "&")
        assert len(text) <= 255
        assert text.endswith(tuple(f"&R&8{name}" for name in opened(content).sheetnames))
        assert "…&R" in text
        assert text.split("&&")[-1].startswith("…&R")


def test_the_first_sheet_says_what_it_is_and_leads_to_the_others() -> None:
    front = opened(FILE)["Report"]
    told = {row[0].value: row[1].value for row in reversed(list(front.iter_rows(max_col=2)))}
    assert front["A1"].value == "Settlement report, harvest, 2026-03-03"
    assert told["Approval"] == "not approved yet"
    assert told["SHA-256 of the canonical report"] == SECOND.sha256()
    assert told["Checks"] == "All 2 checks hold."
    assert told["Paid, EUR"] == 1334.18
    led = {cell.value: cell.hyperlink.location.split("'")[1] for row in front.iter_rows(max_col=1) for cell in row if cell.hyperlink}
    assert set(led.values()) < set(opened(FILE).sheetnames)
    assert {"Obligations", "Payments", "From gross to net"} < led.keys()
    assert led["Nights: money"] == "Nights money"


def test_charts_are_told_in_words_and_differ_without_colour() -> None:
    (drawing,) = xml(FILE, r"xl/drawings/drawing1\.xml")
    told = re.findall(r'descr="([^"]*)"', drawing)
    minus = "\N{MINUS SIGN}"
    assert told[0] == f"gross owed 1,335.07; gross due 1,335.07; netted away {minus}0.84; waits {minus}0.05; paid 1,334.18"
    assert len(told) == len(list(xml(FILE, r"xl/charts/chart\d+\.xml"))) >= 5
    falling = next(xml(FILE, r"xl/charts/chart1\.xml"))
    assert "wdUpDiag" in falling
    assert set(re.findall(r'srgbClr val="(\w+)"', falling)) == {"000000", "FFFFFF"}
    drawn = lines(opened(FILE), "Figures of the charts")
    assert [row[1:] for row in drawn if row[0] == "EUR"] == [
        ["gross owed", 0, 1335.07, None, None], ["gross due", 0, 1335.07, None, None], ["netted away", 1334.23, None, 0.84, None],
        ["waits", 1334.18, None, 0.05, None], ["paid", 0, 1334.18, None, None],
    ]  # fmt: skip


def test_sheets_have_names_that_a_spreadsheet_takes() -> None:
    names = opened(FILE).sheetnames
    assert all(0 < len(name) <= 31 and not set("[]:*?/\\'") & set(name) for name in names)
    assert len({name.casefold() for name in names}) == len(names)
    assert names[0] == "Report"
    assert "Nights money" in names
