"""The PDF: every figure of the canonical JSON, hash and number on every page, tags for a screen reader, the same bytes each time, text as nothing but text."""

import io
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from schemas.ids import PartyId
from schemas.report import SettlementReport
from services.report.approvals import Approval, approvals_in_words
from services.report.paper import report_paper, statement_paper
from services.report.pdf import report_pdf, statement_pdf
from services.report.stored import Shown
from services.report.tables import for_page
from tests.unit.services.report.many import large
from tests.unit.services.report.sample import ALONE, SECOND, SHOWN, report

PLACES = {"EUR": 2, "JPY": 0}
GROCER = PartyId("grocer")


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def rows_of(pdf: bytes) -> list[str]:
    """The lines of all pages."""
    return [text for page in pages(pdf) for text in page.splitlines()]


def amount(minor: int, currency: str) -> str:
    """An amount as it should stand on paper, worked out anew."""
    places = PLACES[currency]
    digits = f"{abs(minor):0{places + 1}d}"
    whole, rest = (digits[:-places], "." + digits[-places:]) if places else (digits, "")
    return ("\N{MINUS SIGN}" if minor < 0 else "") + f"{int(whole):,}{rest}"


def price(exact: Decimal | None, currency: str) -> str:
    """A price of a unit: all its places, and at least those of the currency."""
    if exact is None:
        return ""
    whole, _, places = str(exact).partition(".")
    places = places.ljust(PLACES[currency], "0")
    return f"{whole}.{places}" if places else whole


PDF = report_pdf(SHOWN)
ROWS = rows_of(PDF)


def test_the_figures_on_paper_are_those_of_the_canonical_json() -> None:
    found = SettlementReport.model_validate_json(SECOND.canonical())
    for p in found.positions:
        assert f"{p.party} {p.currency} " + " ".join(amount(minor, p.currency) for minor in (p.receives_minor, p.owes_minor, p.net_minor)) in ROWS
    for paid in found.payments:
        assert f"{paid.payer} {paid.payee} {paid.currency} {amount(paid.amount_minor, paid.currency)} {SHOWN.value_date}" in ROWS
    for number, o in enumerate(found.obligations):
        (row,) = (row for row in ROWS if row.startswith(f"{number} ") and f" {o.debtor} {o.creditor} {o.contract}" in row)
        parts = [f"{o.quantity:,}" if o.quantity is not None else "", price(o.unit_price, o.currency), amount(o.amount_minor, o.currency), o.currency, o.events]
        assert row.split(f" {o.contract} ")[1].split() == [str(part) for part in parts if part not in ("", None)]
    for c in found.carried:
        assert f"{c.party} {c.currency} {amount(c.amount_minor, c.currency)} {c.since}" in ROWS


PAPERS = {
    "report": (PDF, report_paper(SHOWN)),
    "first night": (report_pdf(ALONE), report_paper(ALONE)),
    "statement": (statement_pdf(SHOWN, GROCER), statement_paper(SHOWN, GROCER)),
    "operator": (statement_pdf(SHOWN, PartyId("opco")), statement_paper(SHOWN, PartyId("opco"))),
}


@pytest.mark.parametrize("which", PAPERS)
def test_every_row_of_every_table_stands_on_paper_in_its_order(which: str) -> None:
    pdf, paper = PAPERS[which]
    rows = iter(rows_of(pdf))
    for section in paper.sections:
        for table in section.tables:
            for row in table.rows:
                wanted = " ".join(shown for value in row.cells if (shown := for_page(value)))
                assert any(found == wanted for found in rows), (table.name, wanted)


def test_totals_stand_below_their_rows() -> None:
    assert f"all parties EUR {amount(133507, 'EUR')} {amount(133507, 'EUR')} {amount(0, 'EUR')}" in ROWS
    assert f"total {amount(133507, 'EUR')} EUR" in ROWS
    assert f"paid {amount(133418, 'EUR')} EUR" in ROWS


def test_two_thousand_lines_take_less_than_five_seconds_and_every_page_has_its_number_the_hash_and_the_approval() -> None:
    """Measured by the processor's clock, all threads together, so that a busy machine changes nothing."""
    shown = large()
    begin = time.process_time()
    pdf = report_pdf(shown)
    assert time.process_time() - begin < 5
    found = pages(pdf)
    assert len(found) > 40
    for number, text in enumerate(found, start=1):
        foot = text.splitlines()[-3:]
        assert f"page {number} of {len(found)}" in " ".join(foot)
        assert shown.sha256 in " ".join(foot)
        assert "Approval: not approved yet" in foot
    lines = [text for page in found for text in page.splitlines() if " 2026-01-" in text]
    assert [int(text.split()[0].replace(",", "")) for text in lines] == list(range(2000))


SIGNED = (
    Approval("ann", "submit", datetime(2026, 3, 4, 8, 1, tzinfo=UTC)),
    Approval("bob", "approve", datetime(2026, 3, 4, 9, 2, tzinfo=UTC)),
    Approval("eve", "approve", datetime(2026, 3, 4, 9, 30, tzinfo=UTC)),
)


def test_who_approved_stands_on_every_page() -> None:
    told = "Approval: submitted by ann, 2026-03-04 08:01 UTC; approved by bob, 2026-03-04 09:02 UTC; approved by eve, 2026-03-04 09:30 UTC"
    assert all(told in text for text in pages(report_pdf(replace(SHOWN, approvals=SIGNED))))


def test_one_approval_is_none() -> None:
    assert approvals_in_words(()) == "not approved yet"
    assert approvals_in_words(SIGNED[:2]).startswith("not approved yet: submitted by ann")
    refused = (SIGNED[0], Approval("bob", "reject", datetime(2026, 3, 4, 9, 2, tzinfo=UTC)))
    assert approvals_in_words(refused).startswith("submitted by ann, 2026-03-04 08:01 UTC; rejected by bob")


def test_the_same_report_has_the_same_bytes_and_no_time_of_its_making() -> None:
    assert report_pdf(SHOWN) == PDF
    assert statement_pdf(SHOWN, GROCER) == statement_pdf(SHOWN, GROCER)
    assert report_pdf(replace(SHOWN, sha256="0" * 64)) != PDF
    reader = PdfReader(io.BytesIO(PDF))
    assert reader.metadata is not None
    assert not {"/CreationDate", "/ModDate"} & set(reader.metadata)
    assert b"CreateDate" not in PDF


def parts(element: Any, kind: str) -> list[Any]:
    """All elements of one kind in the tree of tags."""
    found = [element] if element.get("/S") == kind else []
    below = element.get("/K", [])
    for each in below if isinstance(below, list) else [below]:
        child = each.get_object()
        if isinstance(child, dict):
            found += parts(child, kind)
    return found


@pytest.mark.parametrize("which", ["report", "statement"])
def test_a_screen_reader_finds_title_language_headings_headers_of_tables_and_what_charts_show(which: str) -> None:
    pdf, _ = PAPERS[which]
    reader = PdfReader(io.BytesIO(pdf))
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert "harvest, 2026-03-03" in str(reader.metadata.title)
    tree = root["/StructTreeRoot"]
    tables, figures = parts(tree, "/Table"), parts(tree, "/Figure")
    assert len(tables) >= 5
    assert all(parts(table, "/TH") for table in tables)
    assert len(parts(tree, "/H1")) >= 5
    assert figures
    assert all(figure["/Alt"] for figure in figures)
    assert b"pdfuaid" in pdf


def test_what_a_chart_shows_is_told_in_words() -> None:
    root: Any = PdfReader(io.BytesIO(PDF)).trailer["/Root"]
    told = [str(figure["/Alt"]) for figure in parts(root["/StructTreeRoot"], "/Figure")]
    assert any("netted away \N{MINUS SIGN}0.84" in each for each in told)


NASTY = "#panic(1) *bold* _it_ $x$ [a] `r` <b> @ref \\ // -- ~ = + 'q' \"d\""


def named(name: str) -> Shown:
    """The report, with such a name for a party."""
    return replace(SHOWN, names={GROCER: name})


def test_signs_of_markup_are_set_as_they_are() -> None:
    assert f"grocer {NASTY}" in rows_of(report_pdf(named(NASTY)))
    assert f"Statement of grocer ({NASTY})" in " ".join(rows_of(statement_pdf(named(NASTY), GROCER)))
    nasty = report(checks=[{"name": "#panic(2)", "ok": False, "figures": {"*of*": "$y$ [b]"}}])
    rows = rows_of(report_pdf(Shown(nasty, nasty.sha256())))
    assert "#panic(2) *of* $y$ [b]" in rows
    assert "Checks that do not hold: #panic(2)" in rows


@pytest.mark.parametrize(("name", "shown"), [("Ünïcødé Ελλάδα Україна", "Ünïcødé Ελλάδα Україна"), ("a\x00b\x1bc\u202ed", "a\\u0000b\\u001bc\\u202ed")])
def test_letters_of_europe_are_set_and_what_steers_is_shown(name: str, shown: str) -> None:
    assert f"grocer {shown}" in rows_of(report_pdf(named(name)))


def test_a_letter_that_no_font_has_is_written_as_an_escape() -> None:
    rows = rows_of(report_pdf(named("x\U0010fffdy")))
    assert "grocer x\\udbff\\udffdy" in rows
    assert f"fuelco EUR {amount(0, 'EUR')} {amount(5, 'EUR')} {amount(-5, 'EUR')}" in rows


def test_who_owes_whom_is_a_list_where_a_square_would_not_fit() -> None:
    few, many = report_paper(large(20, 0), square_most=12), report_paper(large(60, 0), square_most=12)
    assert [table.name for section in few.sections if section.id == "matrix" for table in section.tables] == ["matrix_EUR"]
    assert [table.name for section in many.sections if section.id == "matrix" for table in section.tables] == ["matrix"]


def test_only_tables_of_ten_rows_and_more_have_rules_between_sums() -> None:
    def thin(pdf: bytes) -> int:
        drawn = [page.get_contents() for page in PdfReader(io.BytesIO(pdf)).pages]
        return sum(one.get_data().split().count(b"0.2") for one in drawn if one is not None)

    assert thin(statement_pdf(ALONE, PartyId("fuelco"))) == 0
    assert thin(PDF) > 0
