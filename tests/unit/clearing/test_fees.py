"""Rule 21: what parties pay the operator."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from clearing.entries import Code
from clearing.obligations import fees_paid, price
from schemas.ids import PartyId
from tests.unit.clearing.coalition import FIRST, MONDAY, MONTH_END, contract, priced, programme, text, total

MARCH = date(2026, 3, 1)


def per_transaction(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"kind": "per_transaction", "amount": amount, "currency": currency}


def of_issue(percent: str) -> dict[str, str]:
    return {"kind": "percent_of_issue", "percent": percent}


def of_redemption(percent: str) -> dict[str, str]:
    return {"kind": "percent_of_redemption", "percent": percent}


def monthly(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"kind": "monthly", "amount": amount, "currency": currency}


def minimum(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"kind": "monthly_minimum", "amount": amount, "currency": currency}


def fees(lines: list[str]) -> list[str]:
    return [line.removeprefix("fee/") for line in lines if line.startswith("fee/")]


def test_purchases_and_issue_and_redemption_and_the_month_each_have_a_line() -> None:
    file = programme(
        contract("grocer", "0.0100", fees=[per_transaction("0.02"), of_issue("5")]),
        contract("fuelco", None, "0.0085", fees=[of_redemption("10"), monthly("100.00"), minimum("250.00")]),
    )
    bought = priced(file, total(Code.PURCHASE, "grocer", 2, events=2), total(Code.ACCRUAL, "grocer", 390), day=date(2026, 3, 30))
    assert fees(bought) == ["per_transaction grocer>opco 2 x 0.02 = 0.04 EUR", "percent_of_issue grocer>opco 0.20 EUR"]  # 5 % of 3.90 = 0.195
    spent = priced(file, total(Code.REDEMPTION, "grocer", 200, "fuelco"), day=MONTH_END)
    assert fees(spent) == [
        "monthly fuelco>opco 1 x 100 = 100.00 EUR",
        "monthly_minimum fuelco>opco 149.83 EUR",  # 250.00 - 0.17 - 100.00
        "percent_of_redemption fuelco>opco 0.17 EUR",
    ]


def test_fee_lines_say_what_they_rest_on() -> None:
    file = programme(contract("grocer", "0.0100", fees=[per_transaction("0.02"), of_issue("5"), monthly("10.00"), minimum("90.00")]))
    lines = price(MONTH_END, file, [total(Code.PURCHASE, "grocer", 3, events=3), total(Code.ACCRUAL, "grocer", 390)], {})
    rests = {line.detail: (line.quantity, line.unit_price, line.events, line.contract) for line in lines if line.detail}
    assert rests == {
        "per_transaction": (3, Decimal("0.02"), 3, FIRST),
        "percent_of_issue": (None, None, None, FIRST),
        "monthly": (1, Decimal(10), None, FIRST),
        "monthly_minimum": (None, None, None, FIRST),
    }


def test_a_purchase_is_charged_by_the_senders_version_of_its_date() -> None:
    file = programme(contract("grocer", fees=[per_transaction("0.02")]), contract("grocer", fees=[per_transaction("0.03")], since=MARCH))
    totals = [total(Code.PURCHASE, "grocer", 2), total(Code.PURCHASE, "grocer", 5, at=MARCH), total(Code.PURCHASE, "grocer", 7, at=None)]
    assert priced(file, *totals) == [
        "fee/per_transaction grocer>opco 2 x 0.02 = 0.04 EUR",
        "fee/per_transaction grocer>opco 5 x 0.03 = 0.15 EUR @2026-03-01",
    ]


def test_a_fee_per_purchase_can_have_more_places_than_its_currency() -> None:
    file = programme(contract("grocer", fees=[per_transaction("0.005")]))
    assert priced(file, total(Code.PURCHASE, "grocer", 5)) == ["fee/per_transaction grocer>opco 5 x 0.005 = 0.02 EUR"]  # 0.025


def test_a_fee_can_be_in_another_currency_than_the_price() -> None:
    file = programme(contract("baker", "0.25", currency="CZK", fees=[per_transaction("0.02"), of_issue("10")]))
    assert fees(priced(file, total(Code.ACCRUAL, "baker", 40), total(Code.PURCHASE, "baker", 1))) == [
        "per_transaction baker>opco 1 x 0.02 = 0.02 EUR",
        "percent_of_issue baker>opco 1.00 CZK",
    ]


def test_a_percentage_is_of_the_exact_sum_of_a_version_and_not_of_its_rounded_lines() -> None:
    independent = programme(contract("grocer", "0.0049", fees=[of_issue("200")]))
    assert priced(independent, total(Code.ACCRUAL, "grocer", 1)) == [
        "fee/percent_of_issue grocer>opco 0.01 EUR",  # 200 % of 0.0049
        "issue grocer>opco 1 x 0.0049 = 0.00 EUR",
    ]
    hybrid = programme(contract("grocer", "0.0049", due_at_issue="0.5", fees=[of_issue("400")]), model="hybrid")
    assert priced(hybrid, total(Code.ACCRUAL, "grocer", 3), total(Code.RETURN_SPENT, "grocer", 1, "opco")) == [
        "fee/percent_of_issue grocer>opco 0.01 EUR",  # 400 % of 0.00735 - 0.0049; of the rounded lines it would be 0.04
        "issue grocer>opco 3 x 0.00245 = 0.01 EUR",
        "issue_reversal opco>grocer 1 x 0.0049 = 0.00 EUR",
    ]


def test_versions_have_percentages_of_their_own() -> None:
    file = programme(contract("grocer", "0.0100", fees=[of_issue("5")]), contract("grocer", "0.0110", fees=[of_issue("7")], since=MARCH))
    # a purchase of the new version, and one of the old that comes back: the old version's percentage comes back too
    assert fees(priced(file, total(Code.ACCRUAL, "grocer", 1000, at=MARCH), total(Code.RETURN_UNSPENT, "grocer", 1000))) == [
        "percent_of_issue grocer>opco 0.77 EUR @2026-03-01",
        "percent_of_issue opco>grocer 0.50 EUR",
    ]


def test_returned_points_lower_the_sponsors_fee_whoever_bears_them() -> None:
    file = programme(contract("grocer", "0.0100", fees=[of_issue("5")]), contract("fuelco", "0.0100", fees=[of_issue("5")]))
    totals = [total(Code.ACCRUAL, "grocer", 1000), total(Code.RETURN_SPENT, "grocer", 400, "fuelco")]
    assert fees(priced(file, *totals)) == ["percent_of_issue grocer>opco 0.30 EUR"]  # 5 % of 10.00 - 4.00; nothing for the bearer


def test_a_percentage_of_nothing_is_no_line_and_a_negative_one_goes_the_other_way() -> None:
    file = programme(contract("grocer", "0.0100", fees=[of_issue("5")]))
    assert fees(priced(file, total(Code.ACCRUAL, "grocer", 100), total(Code.RETURN_UNSPENT, "grocer", 100))) == []
    assert fees(priced(file, total(Code.ACCRUAL, "grocer", 100), total(Code.RETURN_UNSPENT, "grocer", 190))) == [
        "percent_of_issue opco>grocer 0.04 EUR"
    ]  # -0.045


def test_percent_of_redemption_counts_what_the_partner_gets_less_what_it_gives_back() -> None:
    file = programme(contract("grocer", "0.0100"), contract("fuelco", None, "0.0085", fees=[of_redemption("10")]))
    totals = [total(Code.REDEMPTION, "grocer", 300, "fuelco"), total(Code.REDEMPTION_REVERSAL, "grocer", 100, "fuelco")]
    assert fees(priced(file, *totals)) == ["percent_of_redemption fuelco>opco 0.17 EUR"]
    assert fees(priced(file, totals[1])) == ["percent_of_redemption opco>fuelco 0.08 EUR"]  # 0.085


def test_in_the_hybrid_model_a_reversed_redemption_lowers_the_redeemers_fee_and_not_the_issuers() -> None:
    file = programme(
        contract("grocer", "0.0100", due_at_issue="0.5", fees=[of_issue("10")]),
        contract("fuelco", None, "0.0080", fees=[of_redemption("10")]),
        model="hybrid",
    )
    totals = [total(Code.REDEMPTION, "grocer", 300, "fuelco"), total(Code.REDEMPTION_REVERSAL, "grocer", 100, "fuelco")]
    assert fees(priced(file, *totals)) == [
        "percent_of_issue grocer>opco 0.15 EUR",  # of 300 x 0.0050; the reversed 100 x 0.0050 change nothing
        "percent_of_redemption fuelco>opco 0.16 EUR",  # of 200 x 0.0080
    ]


def test_in_the_anchor_model_percent_of_redemption_follows_the_redeemers_version_at_the_sponsors_price() -> None:
    file = programme(
        contract("grocer", "0.0100"),
        contract("baker", "0.0200"),
        contract("fuelco", "0.0120", None, roles=["issuer", "redeemer"], fees=[of_redemption("10")]),
        contract("fuelco", "0.0120", None, roles=["issuer", "redeemer"], fees=[of_redemption("20")], since=MARCH),
        model="anchor",
    )
    totals = [
        total(Code.REDEMPTION, "grocer", 100, "fuelco"),  # 1.00 under the old version
        total(Code.REDEMPTION, "baker", 50, "fuelco"),  # 1.00 as well
        total(Code.REDEMPTION, "grocer", 100, "fuelco", counter_at=MARCH),  # 1.00 under the new one
        total(Code.REDEMPTION_REVERSAL, "baker", 10, "fuelco", counter_at=MARCH),  # -0.20
        total(Code.REDEMPTION, "fuelco", 900, "fuelco", counter_at=MARCH),  # its own points: no line, no fee
        total(Code.REPAYMENT, "grocer", 70, "fuelco"),  # repays: no fee
    ]
    assert fees(priced(file, *totals)) == ["percent_of_redemption fuelco>opco 0.20 EUR", "percent_of_redemption fuelco>opco 0.16 EUR @2026-03-01"]


def test_in_the_anchor_model_percentages_are_in_the_currency_of_the_sponsors_price() -> None:
    file = programme(
        contract("grocer", "0.0100"),
        contract("baker", "0.2000", currency="CZK"),
        contract("fuelco", None, None, roles=["redeemer"], fees=[of_redemption("10")]),
        model="anchor",
    )
    totals = [total(Code.REDEMPTION, "grocer", 100, "fuelco"), total(Code.REDEMPTION, "baker", 100, "fuelco")]
    assert fees(priced(file, *totals)) == ["percent_of_redemption fuelco>opco 2.00 CZK", "percent_of_redemption fuelco>opco 0.10 EUR"]


def test_the_operators_own_contract_brings_no_fee() -> None:
    file = programme(
        contract("opco", "0.0100", "0.0085", fees=[per_transaction("0.02"), of_issue("5"), of_redemption("5"), monthly("10.00"), minimum("50.00")])
    )
    totals = [total(Code.PURCHASE, "opco", 2), total(Code.ACCRUAL, "opco", 100), total(Code.REDEMPTION, "opco", 100, "opco")]
    assert priced(file, *totals, day=MONTH_END) == []


@pytest.mark.parametrize("day", [date(2026, 3, 30), date(2026, 4, 1), date(2026, 2, 27)])
def test_monthly_fees_come_on_the_months_last_day_only(day: date) -> None:
    file = programme(contract("grocer", fees=[monthly("100.00"), minimum("250.00")]))
    assert priced(file, day=day) == []
    assert priced(file, day=date(2026, 2, 28)) == [
        "fee/monthly grocer>opco 1 x 100 = 100.00 EUR",
        "fee/monthly_minimum grocer>opco 150.00 EUR",
    ]


def test_the_version_in_force_on_the_months_last_day_sets_the_monthly_fees() -> None:
    file = programme(
        contract("grocer", fees=[monthly("100.00")]),
        contract("grocer", fees=[monthly("80.00"), minimum("95.00")], since=MONTH_END),
        contract("grocer", fees=[monthly("1.00")], since=date(2026, 4, 1)),
        contract("fuelco", fees=[monthly("70.00")], to=date(2026, 3, 30)),
        contract("baker", fees=[monthly("60.00")], to=MONTH_END),
        contract("dairyco", fees=[monthly("50.00")]),
        contract("dairyco", fees=[monthly("40.00")], since=MARCH, to=date(2026, 3, 15)),  # ended: the one before does not come back
    )
    assert priced(file, day=MONTH_END) == [
        "fee/monthly baker>opco 1 x 60 = 60.00 EUR",
        "fee/monthly grocer>opco 1 x 80 = 80.00 EUR @2026-03-31",
        "fee/monthly_minimum grocer>opco 15.00 EUR @2026-03-31",
    ]


@pytest.mark.parametrize(
    ("fees_before", "missing"),
    [
        ({}, ["149.83"]),
        ({("fuelco", "EUR"): 10_000}, ["49.83"]),
        ({("fuelco", "EUR"): 14_982}, ["0.01"]),
        ({("fuelco", "EUR"): 14_983}, []),
        ({("fuelco", "EUR"): 99_999}, []),
        ({("fuelco", "EUR"): -500}, ["154.83"]),  # more came back than was paid
        ({("fuelco", "CZK"): 14_983, ("grocer", "EUR"): 14_983}, ["149.83"]),  # another currency, another party
    ],
)
def test_the_minimum_counts_all_fees_of_the_month_in_its_currency(fees_before: Mapping[tuple[PartyId, str], int], missing: list[str]) -> None:
    file = programme(contract("grocer", "0.0100"), contract("fuelco", None, "0.0085", fees=[of_redemption("10"), monthly("100.00"), minimum("250.00")]))
    lines = fees(priced(file, total(Code.REDEMPTION, "grocer", 200, "fuelco"), day=MONTH_END, fees_before=fees_before))
    assert [line for line in lines if line.startswith("monthly_minimum")] == [f"monthly_minimum fuelco>opco {amount} EUR" for amount in missing]


def test_without_any_other_fee_the_whole_minimum_is_missing() -> None:
    assert priced(programme(contract("grocer", fees=[minimum("250.00")])), day=MONTH_END) == ["fee/monthly_minimum grocer>opco 250.00 EUR"]


def test_the_minimum_counts_fees_of_an_earlier_version() -> None:
    file = programme(contract("grocer", "0.0100", fees=[of_issue("10")]), contract("grocer", "0.0100", fees=[minimum("5.00")], since=date(2026, 3, 20)))
    assert fees(priced(file, total(Code.ACCRUAL, "grocer", 1000), day=MONTH_END)) == [
        "monthly_minimum grocer>opco 4.00 EUR @2026-03-20",
        "percent_of_issue grocer>opco 1.00 EUR",
    ]


def test_what_a_party_has_paid_in_fees_leaves_the_minimum_out_and_counts_what_came_back() -> None:
    file = programme(contract("grocer", "0.0100", fees=[of_issue("5"), monthly("1.00"), minimum("9.00")]), contract("fuelco", "0.01", fees=[of_issue("5")]))
    lines = price(MONTH_END, file, [total(Code.RETURN_UNSPENT, "grocer", 1000), total(Code.ACCRUAL, "fuelco", 1000)], {})
    assert [text(line) for line in lines if line.kind == "fee"] == [
        "fee/monthly grocer>opco 1 x 1 = 1.00 EUR",
        "fee/monthly_minimum grocer>opco 8.50 EUR",
        "fee/percent_of_issue fuelco>opco 0.50 EUR",
        "fee/percent_of_issue opco>grocer 0.50 EUR",
    ]
    assert fees_paid(lines, PartyId("opco")) == {("grocer", "EUR"): 50, ("fuelco", "EUR"): 50}


def test_fees_may_come_without_any_event() -> None:
    assert priced(programme(contract("grocer", fees=[of_issue("5"), per_transaction("1.00")])), day=MONDAY) == []
