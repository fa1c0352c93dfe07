"""After a default every form of the report and of each statement says it: who had not paid, how much, to whom, and what the reader bears of it."""

import io
from dataclasses import replace

import openpyxl
import pypdf
import pytest
from rich.console import Console

from schemas.ids import PartyId
from services.report.after_default import default_in_words
from services.report.nights import nights_tables
from services.report.page import report_page, statement_page
from services.report.pdf import report_pdf, statement_pdf
from services.report.pictures import waterfall_charts
from services.report.sections import report_tables
from services.report.statement import statement_tables
from services.report.stored import Shown
from services.report.tables import for_people
from services.report.terminal import print_report
from services.report.waterfall import falls, waterfall_table
from services.report.words import Amounts
from services.report.workbook import report_workbook, statement_workbook
from tests.unit.services.report.sample import line, pairs, positions, report

GROCER, FUELCO, CAFE, OPCO = map(PartyId, ("grocer", "fuelco", "cafe", "opco"))
LINES = [
    line("adjustment", "opco", "grocer", 1000),
    line("default_loss", "cafe", "grocer", 2000),
    line("default_loss", "fuelco", "grocer", 3000),
    line("issue", "grocer", "opco", 6000),
    line("redemption", "opco", "cafe", 5000),
    line("redemption", "opco", "fuelco", 2000),
]
PAID = [{"currency": "EUR", "from": "opco", "to": payee, "amount_minor": minor} for payee, minor in (("cafe", 5500), ("fuelco", 2000))]
"""With 5.00 that the window before had carried to the cafe."""
BACK = [{"currency": "EUR", "from": payer, "to": "opco", "amount_minor": minor} for payer, minor in (("cafe", 2000), ("fuelco", 3000))]
UNPAID = {"currency": "EUR", "party": "grocer", "amount_minor": 6000, "funds_minor": 1000}
BORNE = [{"currency": "EUR", "bearer": bearer, "defaulter": "grocer", "amount_minor": minor} for bearer, minor in (("cafe", 2000), ("fuelco", 3000))]
REPORT = report(
    positions=positions(LINES), obligations=LINES, matrix=pairs(LINES), payments=BACK, carried=[], previous_sha256=None,
    after_default=[{"sha256": "a" * 64, "paid": PAID, "unpaid": [UNPAID], "borne": BORNE}],
)  # fmt: skip
SHOWN = Shown(REPORT, REPORT.sha256())
TOLD = {
    GROCER: "grocer is in default: by the deadline it had not paid 60.00 EUR to opco in window 2026-03-03. 10.00 EUR of it was taken from its funds.",
    FUELCO: "grocer is in default: by the deadline it had not paid 60.00 EUR to opco in window 2026-03-03. You bear 30.00 EUR of it.",
    OPCO: "grocer is in default: by the deadline it had not paid 60.00 EUR to opco in window 2026-03-03. You bear nothing of it.",
}
REPLACES = "This report replaces an earlier one of window 2026-03-03: grocer is in default, 60.00 EUR to opco not paid."


def flat(words: str) -> str:
    return " ".join(words.split())


def first_page(pdf: bytes) -> str:
    return flat(pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text())


@pytest.mark.parametrize("party", TOLD)
def test_a_statement_begins_with_the_default_in_every_form(party: PartyId) -> None:
    told = TOLD[party]
    assert default_in_words(REPORT, party, Amounts(REPORT)).startswith(told)
    pdf = first_page(statement_pdf(SHOWN, party))
    assert told in pdf
    assert "who had not paid" in pdf
    assert told in statement_page(SHOWN, party)
    book = openpyxl.load_workbook(io.BytesIO(statement_workbook(SHOWN, party)))
    assert [row[1].value for row in book["Statement"].iter_rows() if row[0].value == "Default" and str(row[1].value).startswith(told)]
    assert "Default" in book.sheetnames


def test_the_defaulter_reads_that_the_lines_of_others_bring_it_no_money() -> None:
    assert default_in_words(REPORT, GROCER, Amounts(REPORT)).endswith(
        "no money comes to it by these lines, and what it pays late goes to those who bore the loss first."
    )


def shares(party: PartyId) -> list[tuple[str, str]]:
    (table,) = (table for table in statement_tables(SHOWN, party) if table.name == "default")
    return [(for_people(row.cells[3]), for_people(row.cells[5])) for row in table.rows if row.cells[2] == "loss"]


def test_a_bearer_reads_its_own_share_and_those_of_others_as_one_sum() -> None:
    assert shares(FUELCO) == [("fuelco", "-30.00"), ("others", "-20.00")]
    assert shares(GROCER) == shares(OPCO) == [("cafe", "-20.00"), ("fuelco", "-30.00")]


def test_a_report_without_a_default_says_nothing_of_one() -> None:
    plain = REPORT.model_copy(update={"after_default": ()})
    shown = replace(SHOWN, report=plain)
    assert default_in_words(plain, GROCER, Amounts(plain)) == ""
    assert "default:" not in statement_page(shown, GROCER)
    assert "default" not in {table.name for table in statement_tables(shown, GROCER)}


def test_the_report_says_below_its_checks_what_it_replaces_and_why() -> None:
    assert REPLACES in first_page(report_pdf(SHOWN))
    assert REPLACES in report_page(SHOWN)
    assert REPLACES in [row[1].value for row in openpyxl.load_workbook(io.BytesIO(report_workbook(SHOWN)))["Report"].iter_rows()]
    console = Console(file=io.StringIO(), width=160)
    print_report(console, SHOWN, report_tables(SHOWN))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines()[1] == REPLACES


def test_a_position_that_is_not_paid_is_not_called_paid() -> None:
    (table,) = (table for table in report_tables(SHOWN) if table.name == "positions")
    assert table.note == "Positive: the party is to receive. Negative: it is to pay. The sum over all parties is zero."


def test_the_way_from_gross_to_net_keeps_windows_before_apart_from_the_default() -> None:
    (fall,) = falls(REPORT)
    assert (fall.net, fall.earlier, fall.again, fall.before, fall.paid) == (4000, 500, 8000, 7500, 5000)
    assert fall.net - fall.waits + fall.earlier + fall.again == fall.before + fall.paid
    table = waterfall_table(REPORT, Amounts(REPORT))
    named = {row.cells[0]: for_people(row.cells[1]) for row in table.rows}
    assert (named["from windows before"], named["paid and paid back"], named["paid before the default"]) == ("5.00", "80.00", "-75.00")
    assert "less all that was paid before it, is what is paid." in table.note
    (chart,) = waterfall_charts(REPORT, Amounts(REPORT))
    assert "from windows before 5.00; paid and paid back 80.00; paid before the default" in chart.told
    assert "…" not in chart.svg


def test_the_nights_say_that_what_is_paid_has_what_was_paid_before_the_default_with_it() -> None:
    (money,) = (table for table in nights_tables(replace(SHOWN, before=(REPORT,))) if table.name == "nights")
    assert [column.title for column in money.columns][4] == "paid, with before the default"
