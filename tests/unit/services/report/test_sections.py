"""The settlement report as tables: its sums are those of its rows, and every figure of the canonical JSON is somewhere."""

import re
from collections import defaultdict

import pytest

from services.report.csv_files import csv_text
from services.report.sections import matrix_square, payment_ids, report_tables
from services.report.tables import Money, Named, Price, Rank, Table, for_people, for_programs
from services.report.words import Amounts
from tests.unit.services.report.sample import ALONE, SECOND, SHOWN, report

TABLES = {table.name: table for table in report_tables(SHOWN)}


def shown_rows(table: Table, rank: Rank | None = None) -> list[list[str]]:
    return [[for_people(value) for value in row.cells] for row in table.for_reading.rows if rank is None or row.rank is rank]


def test_all_parts_of_a_report_are_there_in_reading_order() -> None:
    assert list(TABLES) == [
        "waterfall", "positions", "matrix", "kinds", "obligations", "payments", "carried", "checks", "check_figures", "events", "rejected",
        "points", "nights", "nights_events", "nights_positions", "origin",
    ]  # fmt: skip
    assert [table.name for table in report_tables(ALONE)] == [name for name in TABLES if not name.startswith("nights")]


def test_positions_end_with_their_sum_in_each_currency_which_is_zero() -> None:
    assert shown_rows(TABLES["positions"]) == [
        ["fuelco", "EUR", "0.00", "0.05", "-0.05"],
        ["grocer", "EUR", "0.42", "1,334.60", "-1,334.18"],
        ["opco", "EUR", "1,334.65", "0.42", "1,334.23"],
        ["all parties", "EUR", "1,335.07", "1,335.07", "0.00"],
        ["fuelco", "JPY", "300", "0", "300"],
        ["opco", "JPY", "0", "300", "-300"],
        ["all parties", "JPY", "300", "300", "0"],
    ]


def test_an_obligation_shows_quantity_times_unit_price() -> None:
    rows = shown_rows(TABLES["obligations"])
    assert ["1", "fee: monthly", "grocer", "opco", "2026-01-01", "1", "100.00", "100.00", "EUR", ""] in rows
    assert ["0", "fee: percent of issue", "grocer", "opco", "2026-01-01", "", "", "0.04", "EUR", ""] in rows
    assert ["3", "points issued", "grocer", "opco", "2026-01-01", "12,345,600", "0.0001", "1,234.56", "EUR", "3"] in rows
    assert ["4", "points redeemed", "opco", "fuelco", "2026-01-01", "300", "1", "300", "JPY", "2"] in rows
    assert csv_text(TABLES["obligations"]).splitlines()[:3] == [
        "line,kind,detail,debtor,creditor,contract,quantity,unit_price,amount,currency,events",
        "0,fee,percent_of_issue,grocer,opco,2026-01-01,,,0.04,EUR,",
        "1,fee,monthly,grocer,opco,2026-01-01,1,100,100.00,EUR,",
    ]


@pytest.mark.parametrize("name", ["matrix", "kinds", "obligations", "payments"])
def test_each_sum_is_that_of_the_lines_of_its_currency(name: str) -> None:
    table = TABLES[name]
    currency = next(place for place, column in enumerate(table.columns) if column.key == "currency")
    amount = next(place for place, column in enumerate(table.columns) if column.key == "amount")
    sums: dict[str, int] = defaultdict(int)
    totals: dict[str, int] = {}
    for row in table.rows:
        value = row.cells[amount]
        assert isinstance(value, Money)
        if row.rank is Rank.LINE:
            sums[str(row.cells[currency])] += value.minor
        else:
            totals[str(row.cells[currency])] = value.minor
    assert totals == dict(sums)
    assert all("total" in row for row in shown_rows(table, Rank.TOTAL))
    assert set(totals) == {"EUR", "JPY"}


def test_who_owes_whom_is_a_square_whose_margins_are_its_sums() -> None:
    square = matrix_square(SECOND, Amounts(SECOND), "EUR")
    assert [column.title for column in square.columns] == ["who owes ↓ to whom →", "grocer", "opco", "owes"]
    assert shown_rows(square) == [
        ["fuelco", "", "0.05", "0.05"],
        ["grocer", "", "1,334.60", "1,334.60"],
        ["opco", "0.42", "", "0.42"],
        ["gets", "0.42", "1,334.65", "1,335.07"],
    ]
    assert matrix_square(ALONE.report, Amounts(ALONE.report), "JPY").rows == ()


def test_each_payment_has_an_id_that_stays_the_same_and_is_its_own() -> None:
    assert csv_text(TABLES["payments"]).splitlines()[:2] == [
        "payment_id,from,to,currency,amount,value_date",
        "20260303-EUR-22XSV7S74OAQG7R2CLTC,grocer,opco,EUR,1334.18,2026-03-04",
    ]
    twice = report(netting="gross", payments=[{"currency": "EUR", "from": "grocer", "to": "opco", "amount_minor": minor} for minor in (4, 5)])
    assert payment_ids(twice) == ["20260303-EUR-22XSV7S74OAQG7R2CLTC", "20260303-EUR-AJBANTJMZV4F74C53ELE"]
    assert {len(one) for one in payment_ids(twice)} == {33}  # the messages of banks take 35
    assert not set(payment_ids(twice)) & set(payment_ids(twice, 1))
    assert not set(payment_ids(twice, 1)) & set(payment_ids(twice, 2))
    assert {len(one) for one in payment_ids(twice, 11)} == {33}


def test_a_check_says_in_a_sentence_what_it_checked_and_loudly_that_it_does_not_hold() -> None:
    assert shown_rows(TABLES["checks"]) == [
        ["journal_balanced", "holds", "All that was debited in the journal was credited too."],
        ["recomputed_equal", "holds", "What booking added up is what the journal adds up to again."],
    ]
    assert shown_rows(TABLES["check_figures"]) == [
        ["journal_balanced", "points", "debited 5, credited 5"],
        ["recomputed_equal", "keys", "6"],
        ["recomputed_equal", "differ", "0"],
    ]
    broken = report(checks=[{"name": "recomputed_equal", "ok": False, "figures": {}}])
    tables = {table.name: table for table in report_tables(SHOWN.__class__(broken, broken.sha256()))}
    assert [row[:2] for row in shown_rows(tables["checks"])] == [["recomputed_equal", "DOES NOT HOLD"]]
    assert tables["check_figures"].rows == ()


def test_rejected_events_are_counted_by_sender_and_code() -> None:
    assert shown_rows(TABLES["rejected"]) == [
        ["(sender not proven)", "malformed", "2"],
        ["grocer", "insufficient-points", "1"],
        ["grocer", "too-old", "2"],
        ["all senders", "", "5"],
    ]
    assert csv_text(TABLES["rejected"]).splitlines()[1] == ",malformed,2"
    assert shown_rows(TABLES["events"])[-1] == ["all senders", "1,004", "5", "1"]


def test_what_members_owe_stands_between_the_sponsors_points_and_their_sum() -> None:
    assert shown_rows(TABLES["points"]) == [
        ["fuelco", "5", "0", "7", "0", "40"],
        ["grocer", "12,345,600", "350", "0", "0", "900"],
        ["owed by members", "", "", "", "", "-40"],
        ["all sponsors", "12,345,605", "350", "7", "0", "900"],
    ]


def test_a_night_is_compared_with_the_nights_before_oldest_first() -> None:
    assert shown_rows(TABLES["nights"]) == [
        ["2026-03-02", "EUR", "1", "0.06", "0.00", "0.06"],
        ["2026-03-03", "EUR", "5", "1,335.07", "1,334.18", "0.11"],
        ["change", "EUR", "4", "1,335.01", "1,334.18", "0.05"],
        ["2026-03-02", "JPY", "0", "0", "0", "0"],
        ["2026-03-03", "JPY", "1", "300", "300", "0"],
        ["change", "JPY", "1", "300", "300", "0"],
    ]
    assert shown_rows(TABLES["nights_events"])[0] == ["2026-03-02", "0", "0", "0", "5", "0", "0", "0", "5"]
    assert shown_rows(TABLES["nights_events"])[-1] == ["change", "1,004", "5", "1", "12,345,600", "350", "7", "0", "895"]
    assert shown_rows(TABLES["nights_positions"])[0] == ["fuelco", "EUR", "-0.06", "-0.05", "-0.11"]


def test_the_report_says_where_it_is_from() -> None:
    told = dict(shown_rows(TABLES["origin"]))
    assert told["SHA-256 of this report"] == SECOND.sha256()
    assert told["SHA-256 of the run before"] == ALONE.sha256
    first = {table.name: table for table in report_tables(ALONE)}["origin"]
    assert dict(shown_rows(first))["SHA-256 of the run before"] == "none: it is the first"


def test_no_two_values_of_a_table_look_alike_to_programs_by_grouping() -> None:
    for table in TABLES.values():
        for row in table.lines:
            for value in row.cells:
                if isinstance(value, int | Money | Price | Named):
                    assert not re.search("[0-9],[0-9]", for_programs(value))
