"""Rule 22: tax on rounded lines, less their reversals."""

from datetime import date
from typing import Any

import pytest

from clearing.entries import Code, LineKind
from clearing.obligations import price
from schemas.programme import ProgrammeFile
from tests.unit.clearing.coalition import FIRST, MONDAY, MONTH_END, contract, priced, programme, total

MARCH = date(2026, 3, 1)


def vat(percent: str, *applies_to: str) -> dict[str, Any]:
    return {"percent": percent, "applies_to": list(applies_to)}


def taxes(lines: list[str]) -> list[str]:
    return [line.removeprefix("vat ") for line in lines if line.startswith("vat ")]


FEES: list[dict[str, str]] = [{"kind": "per_transaction", "amount": "0.02", "currency": "EUR"}, {"kind": "percent_of_issue", "percent": "5"}]


def test_tax_is_on_the_sum_of_the_rounded_fees() -> None:
    file = programme(contract("grocer", "0.0100", fees=FEES, vat=vat("19", "fees")))
    totals = [total(Code.PURCHASE, "grocer", 2), total(Code.ACCRUAL, "grocer", 390)]
    assert taxes(priced(file, *totals)) == ["grocer>opco 0.05 EUR"]  # 19 % of 0.04 + 0.20; of the exact 0.235 it would be 0.04


def test_a_tax_line_has_neither_quantity_nor_events_and_names_the_version() -> None:
    file = programme(contract("grocer", "0.0100", vat=vat("19", "issue")))
    (_, line) = price(MONDAY, file, [total(Code.ACCRUAL, "grocer", 390)], {})
    assert (line.kind, line.detail, line.quantity, line.unit_price, line.events, line.contract) == (LineKind.VAT, None, None, None, None, FIRST)


def test_monthly_fees_are_taxed_too() -> None:
    fees = [{"kind": "monthly", "amount": "100.00", "currency": "EUR"}, {"kind": "monthly_minimum", "amount": "250.00", "currency": "EUR"}]
    assert taxes(priced(programme(contract("fuelco", fees=fees, vat=vat("19", "fees"))), day=MONTH_END)) == ["fuelco>opco 47.50 EUR"]


def test_what_goes_the_same_way_under_one_version_is_one_line() -> None:
    file = programme(contract("grocer", "0.0100", "0.0080", fees=FEES, vat=vat("10", "fees", "issue", "redemption")))
    totals = [total(Code.PURCHASE, "grocer", 50), total(Code.ACCRUAL, "grocer", 1000), total(Code.REDEMPTION, "grocer", 500, "grocer")]
    assert taxes(priced(file, *totals)) == [
        "grocer>opco 1.15 EUR",  # 10 % of 1.00 + 0.50 + 10.00
        "opco>grocer 0.40 EUR",  # 10 % of 4.00: the operator pays for the points and their tax
    ]


def test_versions_and_currencies_have_tax_lines_of_their_own() -> None:
    file = programme(
        contract("grocer", "0.0100", vat=vat("19", "issue")),
        contract("grocer", "0.0100", vat=vat("21", "issue"), since=MARCH),
        contract("baker", "0.2500", currency="CZK", fees=FEES, vat=vat("21", "fees", "issue")),
    )
    totals = [
        total(Code.ACCRUAL, "grocer", 1000),
        total(Code.ACCRUAL, "grocer", 1000, at=MARCH),
        total(Code.ACCRUAL, "baker", 40),
        total(Code.PURCHASE, "baker", 100),
    ]
    assert taxes(priced(file, *totals)) == ["baker>opco 2.20 CZK", "baker>opco 0.42 EUR", "grocer>opco 1.90 EUR", "grocer>opco 2.10 EUR @2026-03-01"]


@pytest.mark.parametrize(("applies_to", "tax"), [("fees", "grocer>opco 1.00 EUR"), ("issue", "grocer>opco 1.00 EUR"), ("redemption", "opco>grocer 0.40 EUR")])
def test_tax_applies_to_what_the_contract_names(applies_to: str, tax: str) -> None:
    file = programme(contract("grocer", "0.0100", "0.0080", fees=FEES[:1], vat=vat("10", applies_to)))
    totals = [total(Code.PURCHASE, "grocer", 500), total(Code.ACCRUAL, "grocer", 1000), total(Code.REDEMPTION, "grocer", 500, "grocer")]
    assert taxes(priced(file, *totals)) == [tax]


def test_points_that_come_back_unused_or_discounts_bear_no_tax() -> None:
    file = programme(contract("grocer", "0.0100", unused_points_share="1", vat=vat("10", "fees", "issue", "redemption")))
    assert taxes(priced(file, total(Code.EXPIRY, "grocer", 500), total(Code.REWARD, "grocer", 500, "fuelco"))) == []


def test_reversals_lower_tax_and_more_of_them_turn_it_round() -> None:
    file = programme(contract("grocer", "0.0100", vat=vat("19", "issue")))
    issue = total(Code.ACCRUAL, "grocer", 1000)
    assert taxes(priced(file, issue, total(Code.RETURN_UNSPENT, "grocer", 400))) == ["grocer>opco 1.14 EUR"]
    assert taxes(priced(file, issue, total(Code.RETURN_UNSPENT, "grocer", 1000))) == []
    assert taxes(priced(file, issue, total(Code.RETURN_UNSPENT, "grocer", 1400))) == ["opco>grocer 0.76 EUR"]
    assert taxes(priced(file, issue, total(Code.RETURN_SPENT, "grocer", 1500, "opco"))) == ["opco>grocer 0.95 EUR"]  # 0.95


def test_a_negative_fee_lowers_tax_on_fees() -> None:
    file = programme(contract("grocer", "0.0100", fees=FEES, vat=vat("10", "fees")))
    assert taxes(priced(file, total(Code.PURCHASE, "grocer", 100), total(Code.RETURN_UNSPENT, "grocer", 2000))) == ["grocer>opco 0.10 EUR"]  # 2.00 - 1.00
    assert taxes(priced(file, total(Code.RETURN_UNSPENT, "grocer", 2000))) == ["opco>grocer 0.10 EUR"]


def test_a_seller_that_bears_spent_points_pays_the_sponsor_their_tax_too() -> None:
    file = programme(contract("grocer", "0.0100", vat=vat("50", "issue")), contract("dairyco", "0.0090", vat=vat("20", "issue")))
    assert taxes(priced(file, total(Code.RETURN_SPENT, "dairyco", 400, "grocer"))) == ["grocer>dairyco 0.72 EUR"]  # 20 % of 3.60: the sponsor's percent


def test_tax_on_redemption_is_by_the_redeemers_version() -> None:
    file = programme(
        contract("grocer", "0.0100", vat=vat("50", "redemption")),
        contract("fuelco", None, "0.0080", vat=vat("20", "redemption")),
        contract("fuelco", None, "0.0080", vat=vat("25", "redemption"), since=MARCH),
    )
    totals = [
        total(Code.REDEMPTION, "grocer", 1000, "fuelco"),
        total(Code.REDEMPTION_REVERSAL, "grocer", 500, "fuelco"),
        total(Code.REDEMPTION, "grocer", 1000, "fuelco", counter_at=MARCH),
    ]
    assert taxes(priced(file, *totals)) == ["opco>fuelco 0.80 EUR", "opco>fuelco 2.00 EUR @2026-03-01"]


def anchor(*applies_to: str) -> ProgrammeFile:
    sponsor = contract("grocer", "0.0100", vat=vat("20", *applies_to))
    return programme(sponsor, contract("fuelco", None, "0.0080", vat=vat("50", "redemption", "issue")), model="anchor")


def test_in_the_anchor_model_tax_on_redemption_is_by_the_sponsors_version() -> None:
    totals = [total(Code.REDEMPTION, "grocer", 1000, "fuelco"), total(Code.REPAYMENT, "grocer", 100, "fuelco")]
    assert taxes(priced(anchor("redemption"), *totals)) == ["grocer>fuelco 2.20 EUR"]
    assert taxes(priced(anchor("redemption"), *totals, total(Code.REDEMPTION_REVERSAL, "grocer", 1500, "fuelco"))) == ["fuelco>grocer 0.80 EUR"]
    assert taxes(priced(anchor("issue", "fees"), *totals)) == []


def hybrid(sponsor_vat: dict[str, Any], redeemer_vat: dict[str, Any]) -> ProgrammeFile:
    sponsor = contract("grocer", "0.0100", due_at_issue="0.4", vat=sponsor_vat)
    return programme(sponsor, contract("fuelco", None, "0.0080", vat=redeemer_vat), model="hybrid")


def test_in_the_hybrid_model_a_reversed_redemption_lowers_tax_on_both_its_parts() -> None:
    file = hybrid(vat("20", "issue"), vat("10", "redemption"))
    totals = [total(Code.REDEMPTION, "grocer", 1000, "fuelco"), total(Code.REDEMPTION_REVERSAL, "grocer", 500, "fuelco")]
    assert taxes(priced(file, *totals)) == [
        "grocer>opco 0.60 EUR",  # 20 % of (1000 - 500) x 0.0060
        "opco>fuelco 0.40 EUR",  # 10 % of (1000 - 500) x 0.0080
    ]
    assert taxes(priced(file, totals[1])) == ["fuelco>opco 0.40 EUR", "opco>grocer 0.60 EUR"]


def test_in_the_hybrid_model_each_part_of_a_reversed_redemption_is_taxed_as_what_it_is() -> None:
    file = hybrid(vat("20", "redemption", "fees"), vat("10", "issue", "fees"))
    assert taxes(priced(file, total(Code.REDEMPTION, "grocer", 1000, "fuelco"), total(Code.REDEMPTION_REVERSAL, "grocer", 500, "fuelco"))) == []


def test_equal_days_of_two_parties_versions_are_not_mixed_up() -> None:
    # the operator sponsors points as well: the seller that bears them owes it their price back; the operator owes the seller for redemptions
    file = programme(contract("opco", "0.0100", vat=vat("20", "issue")), contract("grocer", None, "0.0080", vat=vat("10", "redemption")))
    totals = [total(Code.RETURN_SPENT, "opco", 1000, "grocer"), total(Code.REDEMPTION, "opco", 1000, "grocer")]
    assert taxes(priced(file, *totals)) == ["grocer>opco 2.00 EUR", "opco>grocer 0.80 EUR"]
