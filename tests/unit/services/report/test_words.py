"""One table of words: amounts as amounts everywhere, kinds and codes alike in every output."""

import pytest

from clearing.entries import Code, LineKind
from services.report import words
from services.report.tables import Named


@pytest.mark.parametrize(
    ("of", "value", "plain", "people"),
    [
        ("USD", "debited 1147400, credited -5", "debited 11474.00, credited -0.05", "debited 11,474.00, credited -0.05"),
        ("JPY", -1234567, "-1234567", "-1,234,567"),
        ("EUR grocer", "due 12, paid and carried 130000", "due 0.12, paid and carried 1300.00", "due 0.12, paid and carried 1,300.00"),
        ("DISCOUNT - USD", "booked 100 in 1200 events", "booked 1.00 in 1200 events", "booked 1.00 in 1,200 events"),
        ("received", 12345, "12345", "12,345"),
        ("t.v1/0", "booked to 12345, cut at 3", "booked to 12345, cut at 3", "booked to 12,345, cut at 3"),
        ("", "", "", ""),
    ],
)
def test_figures_of_checks_are_amounts_where_they_are_about_a_currency(of: str, value: str | int, plain: str, people: str) -> None:
    assert words.check_figure(of, value) == Named(plain, people)


def test_quantities_of_a_currency_are_amounts_and_others_whole_numbers() -> None:
    assert words.in_unit(20, "USD") == "0.20"
    assert words.in_unit(-130732, "EUR") == "-1,307.32"
    assert words.in_unit(1307, "points") == "1,307"
    assert words.in_unit(1307, "JPY") == "1,307"


def test_every_code_of_the_journal_and_kind_of_line_has_words_without_underscores() -> None:
    assert {code.name.lower() for code in Code} == set(words.CODES)
    for kind in LineKind:
        assert "_" not in words.in_words(kind, None)
    assert words.in_words("fee", "per_transaction") == "fee: per transaction"
    assert words.in_words("vat", None) == "VAT"
