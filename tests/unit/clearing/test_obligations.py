"""Rules 16 to 20 and 23 to 25 on hand-computed windows."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from clearing.entries import Code, LineKind, Total, add_up
from clearing.errors import ClearingError
from clearing.lines import Obligation
from clearing.obligations import OWED_BY_NOBODY, PRICED, SUMS, UnpricedTotalError, price
from clearing.terms import MissingTermsError
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from tests.unit.clearing.coalition import FIRST, MONDAY, contract, euros, priced, programme, total

MARCH = date(2026, 3, 1)

GROCER = contract("grocer", "0.0100", "0.0085")
FUELCO = contract("fuelco", "0.0120", "0.0085")
INDEPENDENT = programme(GROCER, FUELCO)
HYBRID = programme({**GROCER, "due_at_issue": "0.5"}, {**FUELCO, "due_at_issue": "0.5", "unused_points_share": "0.5"}, model="hybrid")
ANCHOR = programme(GROCER, FUELCO, model="anchor")


def test_independent_sponsors_pay_at_issue_and_the_operator_pays_at_redemption() -> None:
    totals = (total(Code.ACCRUAL, "grocer", 54), total(Code.REDEMPTION, "grocer", 50, "fuelco"))
    assert priced(INDEPENDENT, *totals) == [
        "issue grocer>opco 54 x 0.01 = 0.54 EUR",
        "redemption opco>fuelco 50 x 0.0085 = 0.42 EUR",  # 0.425, half-even
    ]
    assert euros(price(MONDAY, INDEPENDENT, totals, {})) == {"fuelco": "0.42", "grocer": "-0.54", "opco": "0.12"}


def test_a_line_says_all_that_reports_need() -> None:
    (line,) = price(MONDAY, INDEPENDENT, [total(Code.ACCRUAL, "grocer", 54, events=3)], {})
    assert (line.window, line.kind, line.debtor, line.creditor, line.detail, line.currency) == (MONDAY, LineKind.ISSUE, "grocer", "opco", None, "EUR")
    assert (line.quantity, line.unit_price, line.amount_minor, line.events, line.contract) == (54, Decimal("0.01"), 54, 3, FIRST)
    assert line.sources == (total(Code.ACCRUAL, "grocer", 54, events=3),)
    assert not line.events_may_overlap


def test_hybrid_sponsors_pay_a_part_at_issue_and_the_rest_when_the_point_is_spent() -> None:
    assert priced(HYBRID, total(Code.ACCRUAL, "fuelco", 40), total(Code.REDEMPTION, "grocer", 50, "fuelco")) == [
        "issue fuelco>opco 40 x 0.006 = 0.24 EUR",
        "issue grocer>opco 50 x 0.005 = 0.25 EUR",
        "redemption opco>fuelco 50 x 0.0085 = 0.42 EUR",
    ]


def test_anchor_sponsors_pay_the_redeeming_partner_their_own_price_and_nothing_before() -> None:
    assert priced(ANCHOR, total(Code.ACCRUAL, "grocer", 54), total(Code.REDEMPTION, "grocer", 50, "fuelco")) == [
        "redemption grocer>fuelco 50 x 0.01 = 0.50 EUR",
    ]


def test_nobody_owes_himself() -> None:
    assert priced(ANCHOR, total(Code.REDEMPTION, "grocer", 4, "grocer"), total(Code.REDEMPTION, "fuelco", 26, "grocer")) == [
        "redemption fuelco>grocer 26 x 0.012 = 0.31 EUR",
    ]


def test_an_anchor_redeemer_needs_no_redeem_price() -> None:
    file = programme(GROCER, {**contract("fuelco"), "roles": ["redeemer"]}, model="anchor")
    assert priced(file, total(Code.REDEMPTION, "grocer", 50, "fuelco")) == ["redemption grocer>fuelco 50 x 0.01 = 0.50 EUR"]


def test_the_contract_version_of_the_event_date_prices_each_point() -> None:
    file = programme(GROCER, {**GROCER, "issue": {"price": "0.0110", "currency": "EUR"}, "from": MARCH})
    assert priced(file, total(Code.ACCRUAL, "grocer", 37), total(Code.ACCRUAL, "grocer", 40, at=MARCH)) == [
        "issue grocer>opco 37 x 0.01 = 0.37 EUR",
        "issue grocer>opco 40 x 0.011 = 0.44 EUR @2026-03-01",
    ]


def test_versions_with_the_same_price_are_lines_of_their_own() -> None:
    file = programme(GROCER, {**GROCER, "from": MARCH})
    assert priced(file, total(Code.ACCRUAL, "grocer", 25), total(Code.ACCRUAL, "grocer", 25, at=MARCH)) == [
        "issue grocer>opco 25 x 0.01 = 0.25 EUR",
        "issue grocer>opco 25 x 0.01 = 0.25 EUR @2026-03-01",
    ]


def test_a_redemption_is_priced_by_the_redeemers_version_and_its_rest_by_the_lots() -> None:
    file = programme(
        {**GROCER, "due_at_issue": "0.5"},
        {**GROCER, "due_at_issue": "0.25", "from": MARCH},
        {**FUELCO, "due_at_issue": "0"},
        {**FUELCO, "due_at_issue": "0", "redeem": {"price": "0.0090", "currency": "EUR"}, "from": MARCH},
        model="hybrid",
    )
    assert priced(file, total(Code.REDEMPTION, "grocer", 100, "fuelco", counter_at=MARCH), total(Code.REDEMPTION, "grocer", 100, "fuelco", at=MARCH)) == [
        "issue grocer>opco 100 x 0.005 = 0.50 EUR",
        "issue grocer>opco 100 x 0.0075 = 0.75 EUR @2026-03-01",
        "redemption opco>fuelco 100 x 0.0085 = 0.85 EUR",
        "redemption opco>fuelco 100 x 0.009 = 0.90 EUR @2026-03-01",
    ]


def test_an_ended_version_still_prices_its_points() -> None:
    file = programme({**GROCER, "to": date(2026, 1, 31)}, FUELCO)
    assert priced(file, total(Code.RETURN_UNSPENT, "grocer", 60)) == ["issue_reversal opco>grocer 60 x 0.01 = 0.60 EUR"]


def test_points_of_several_sponsors_taken_by_one_partner_are_one_line() -> None:
    totals = (total(Code.REDEMPTION, "grocer", 10, "fuelco"), total(Code.REDEMPTION, "fuelco", 40, "fuelco"))
    lines = price(MONDAY, INDEPENDENT, totals, {})
    assert [(line.kind, line.quantity, line.amount_minor) for line in lines] == [(LineKind.REDEMPTION, 50, 42)]
    assert set(lines[0].sources) == set(totals)
    assert lines[0].events_may_overlap


def test_a_line_is_rounded_once() -> None:
    file = programme(contract("dairyco", "0.0090"), contract("bank1", "0.0080"))
    assert priced(file, total(Code.ACCRUAL, "dairyco", 27), total(Code.ACCRUAL, "bank1", 54)) == [
        "issue bank1>opco 54 x 0.008 = 0.43 EUR",
        "issue dairyco>opco 27 x 0.009 = 0.24 EUR",
    ]


def test_what_rounds_to_zero_stays_and_what_is_exactly_zero_is_left_out() -> None:
    file = programme(contract("grocer", "0.0001"), contract("fuelco", "0"))
    assert priced(file, total(Code.ACCRUAL, "grocer", 1), total(Code.ACCRUAL, "fuelco", 100), total(Code.RETURN_UNSPENT, "grocer", 0)) == [
        "issue grocer>opco 1 x 0.0001 = 0.00 EUR",
    ]


@pytest.mark.parametrize(
    ("currency", "price_text", "quantity", "amount"),
    [("JPY", "0.5", 5, "2 JPY"), ("JPY", "0.5", 7, "4 JPY"), ("CZK", "0.25", 1, "0.25 CZK"), ("EUR", "123456.123456789012", 10**9, "123456123456789.01 EUR")],
)
def test_amounts_have_the_places_of_their_currency(currency: str, price_text: str, quantity: int, amount: str) -> None:
    file = programme(contract("grocer", price_text, currency=currency))
    assert priced(file, total(Code.ACCRUAL, "grocer", quantity)) == [f"issue grocer>opco {quantity} x {price_text} = {amount}"]


def test_each_line_is_in_the_currency_of_its_price() -> None:
    obchod = contract("baker", "0.25", "0.20", currency="CZK")
    assert priced(programme(GROCER, obchod), total(Code.REDEMPTION, "grocer", 50, "baker"), total(Code.REDEMPTION, "baker", 50, "grocer")) == [
        "redemption opco>baker 50 x 0.2 = 10.00 CZK",
        "redemption opco>grocer 50 x 0.0085 = 0.42 EUR",
    ]


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        (INDEPENDENT, []),  # everything was due at issue
        (HYBRID, ["issue grocer>opco 50 x 0.005 = 0.25 EUR"]),
    ],
)
def test_points_that_repay_count_as_spent_without_a_redemption_price(file: ProgrammeFile, lines: list[str]) -> None:
    assert priced(file, total(Code.REPAYMENT, "grocer", 50, "opco")) == lines


def test_in_the_anchor_model_points_that_repay_are_paid_to_the_bearer() -> None:
    assert priced(ANCHOR, total(Code.REPAYMENT, "fuelco", 50, "grocer")) == ["redemption fuelco>grocer 50 x 0.012 = 0.60 EUR"]
    assert priced(ANCHOR, total(Code.REPAYMENT, "grocer", 50, "grocer")) == []


def test_a_hybrid_rest_and_a_new_issue_at_the_same_price_are_one_line() -> None:
    assert priced(HYBRID, total(Code.ACCRUAL, "fuelco", 80), total(Code.REPAYMENT, "fuelco", 50, "opco")) == ["issue fuelco>opco 130 x 0.006 = 0.78 EUR"]


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        (INDEPENDENT, ["issue_reversal opco>grocer 60 x 0.01 = 0.60 EUR"]),
        (HYBRID, ["issue_reversal opco>grocer 10 x 0.005 = 0.05 EUR", "issue_reversal opco>grocer 50 x 0.01 = 0.50 EUR"]),
    ],
)
def test_what_is_taken_back_is_paid_back_spent_points_at_the_full_price(file: ProgrammeFile, lines: list[str]) -> None:
    assert priced(file, total(Code.RETURN_UNSPENT, "grocer", 10), total(Code.RETURN_SPENT, "grocer", 50, "opco")) == lines


def test_in_the_anchor_model_the_sponsor_bears_its_own_spent_points() -> None:
    assert priced(ANCHOR, total(Code.RETURN_UNSPENT, "grocer", 10), total(Code.RETURN_SPENT, "grocer", 50, "grocer")) == []


def test_in_the_anchor_model_another_bearer_pays_the_full_price() -> None:
    assert priced(ANCHOR, total(Code.RETURN_SPENT, "grocer", 50, "opco")) == ["issue_reversal opco>grocer 50 x 0.01 = 0.50 EUR"]


def test_the_seller_bears_spent_points_of_other_sponsors_only() -> None:
    totals = (total(Code.RETURN_UNSPENT, "grocer", 50), total(Code.RETURN_SPENT, "grocer", 10, "grocer"), total(Code.RETURN_SPENT, "fuelco", 40, "grocer"))
    assert priced(HYBRID, *totals) == ["issue_reversal grocer>fuelco 40 x 0.012 = 0.48 EUR", "issue_reversal opco>grocer 50 x 0.005 = 0.25 EUR"]


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        (INDEPENDENT, ["redemption_reversal fuelco>opco 50 x 0.0085 = 0.42 EUR"]),
        (HYBRID, ["redemption_reversal fuelco>opco 50 x 0.0085 = 0.42 EUR", "redemption_reversal opco>grocer 50 x 0.005 = 0.25 EUR"]),
        (ANCHOR, ["redemption_reversal fuelco>grocer 50 x 0.01 = 0.50 EUR"]),
    ],
)
def test_a_redemption_goes_backwards_in_all_its_parts(file: ProgrammeFile, lines: list[str]) -> None:
    assert priced(file, total(Code.REDEMPTION_REVERSAL, "grocer", 50, "fuelco")) == lines


@pytest.mark.parametrize("model", ["independent", "hybrid", "anchor"])
def test_a_redemption_and_its_reversal_leave_every_position_at_zero(model: str) -> None:
    due = {"due_at_issue": "0.3"} if model == "hybrid" else {}
    file = programme({**GROCER, **due}, {**FUELCO, **due}, model=model)
    totals = [total(code, sponsor, 77, "fuelco") for code in (Code.REDEMPTION, Code.REDEMPTION_REVERSAL) for sponsor in ("grocer", "fuelco")]
    assert euros(price(MONDAY, file, totals, {})) == {}


def test_of_expired_points_the_agreed_share_comes_back() -> None:
    file = programme({**GROCER, "unused_points_share": "0.6"}, FUELCO)
    assert priced(file, total(Code.EXPIRY, "grocer", 50), total(Code.EXPIRY, "fuelco", 50)) == ["unused_points opco>grocer 50 x 0.006 = 0.30 EUR"]
    assert priced(HYBRID, total(Code.EXPIRY, "fuelco", 30)) == ["unused_points opco>fuelco 30 x 0.003 = 0.09 EUR"]  # 0.0120 x 0.5 x 0.5
    anchor = programme({**GROCER, "unused_points_share": "0.6"}, model="anchor")
    assert priced(anchor, total(Code.EXPIRY, "grocer", 50)) == []  # nothing was due at issue


@pytest.mark.parametrize("file", [INDEPENDENT, HYBRID, ANCHOR], ids=["independent", "hybrid", "anchor"])
def test_what_a_bearer_paid_for_spent_points_comes_back_to_it_at_the_full_issue_price(file: ProgrammeFile) -> None:
    assert priced(file, total(Code.RETURN_SPENT_REVERSAL, "grocer", 50, "bank1")) == ["issue grocer>bank1 50 x 0.01 = 0.50 EUR"]
    assert priced(file, total(Code.RETURN_SPENT_REVERSAL, "grocer", 50, "grocer")) == []


def test_a_line_without_events_behind_it_has_no_number_of_events() -> None:
    (line,) = price(MONDAY, HYBRID, [total(Code.EXPIRY, "fuelco", 30, events=0)], {})
    assert line.events is None
    assert len(line.sources) == 1


def test_an_operator_that_is_a_partner_too_owes_nothing_to_itself() -> None:
    opco = contract("opco", "0.0100", "0.0085")
    independent = programme(opco, FUELCO)
    totals = [
        total(Code.ACCRUAL, "opco", 54),
        total(Code.REDEMPTION, "fuelco", 50, "opco"),
        total(Code.REDEMPTION, "opco", 20, "fuelco"),
        total(Code.RETURN_UNSPENT, "opco", 10),
    ]
    assert priced(independent, *totals) == ["redemption opco>fuelco 20 x 0.0085 = 0.17 EUR"]
    anchor = programme(opco, FUELCO, model="anchor")
    assert priced(anchor, *totals) == ["redemption fuelco>opco 50 x 0.012 = 0.60 EUR", "redemption opco>fuelco 20 x 0.01 = 0.20 EUR"]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (Code.DISCOUNT, "discount_funding bank1>grocer 1.47 EUR"),
        (Code.DISCOUNT_REVERSAL, "discount_funding_reversal grocer>bank1 1.47 EUR"),
        (Code.REWARD, "reward bank1>grocer 1.47 EUR"),
        (Code.REWARD_REVERSAL, "reward_reversal grocer>bank1 1.47 EUR"),
        (Code.CASH_BACK, "cash_back bank1>grocer 1.47 EUR"),
        (Code.CASH_BACK_REVERSAL, "cash_back_reversal grocer>bank1 1.47 EUR"),
        (Code.ROUND_UP_MATCH, "round_up_match bank1>grocer 1.47 EUR"),
        (Code.ROUND_UP_MATCH_REVERSAL, "round_up_match_reversal grocer>bank1 1.47 EUR"),
        (Code.PRIVILEGE, "privilege bank1>grocer 1.47 EUR"),
        (Code.PRIVILEGE_REVERSAL, "privilege_reversal grocer>bank1 1.47 EUR"),
        (Code.PASS, "pass bank1>grocer 1.47 EUR"),
        (Code.PASS_REVERSAL, "pass_reversal grocer>bank1 1.47 EUR"),
        (Code.ADJUSTMENT, "adjustment bank1>grocer 1.47 EUR"),
        (Code.DISPUTE, "dispute bank1>grocer 1.47 EUR"),
        (Code.DEFAULT_LOSS, "default_loss bank1>grocer 1.47 EUR"),
    ],
)
def test_amounts_go_from_funder_to_partner_and_reversals_back(code: Code, line: str) -> None:
    assert priced(INDEPENDENT, total(code, "bank1", 147, "grocer")) == [line]
    assert priced(INDEPENDENT, total(code, "grocer", 147, "grocer")) == []


def test_amounts_are_one_line_for_each_pair_and_currency_whatever_the_contract() -> None:
    totals = [
        total(Code.DISCOUNT, "bank1", 147, "grocer", events=2),
        total(Code.DISCOUNT, "bank1", 3, "grocer", at=None),
        total(Code.DISCOUNT, "bank1", 500, "grocer", unit="CZK"),
    ]
    assert priced(INDEPENDENT, *totals) == ["discount_funding bank1>grocer 5.00 CZK", "discount_funding bank1>grocer 1.50 EUR"]
    (_, in_eur) = price(MONDAY, INDEPENDENT, totals, {})
    assert (in_eur.quantity, in_eur.unit_price, in_eur.contract, in_eur.events) == (None, None, None, 3)


@pytest.mark.parametrize("code", sorted(OWED_BY_NOBODY))
def test_moves_within_a_members_account_are_owed_for_by_nobody(code: Code) -> None:
    assert priced(INDEPENDENT, total(code, "grocer", 100)) == []


def test_every_code_has_exactly_one_rule() -> None:
    rules = [*PRICED, *SUMS, *OWED_BY_NOBODY]
    assert sorted(rules) == sorted(Code)


def test_lines_are_sorted_as_reports_sort_them() -> None:
    file = programme(
        {**GROCER, "fees": [{"kind": "per_transaction", "amount": "0.02", "currency": "EUR"}, {"kind": "percent_of_issue", "percent": "5"}]}, FUELCO
    )
    totals = [
        total(Code.REWARD, "grocer", 5, "baker"),
        total(Code.ACCRUAL, "grocer", 100),
        total(Code.ACCRUAL, "fuelco", 100),
        total(Code.PURCHASE, "grocer", 2),
    ]
    assert [line.split(" ")[0:2] for line in priced(file, *totals)] == [
        ["fee/per_transaction", "grocer>opco"],
        ["fee/percent_of_issue", "grocer>opco"],
        ["issue", "fuelco>opco"],
        ["issue", "grocer>opco"],
        ["reward", "grocer>baker"],
    ]


def test_in_the_order_of_lines_what_is_not_there_comes_first() -> None:
    (issue,) = price(MONDAY, INDEPENDENT, [total(Code.ACCRUAL, "grocer", 54)], {})
    bare = replace(issue, detail=None, unit_price=None, contract=None)
    full = replace(issue, detail="a")
    cheap = replace(issue, unit_price=Decimal("0.001"))
    later = replace(issue, window=MARCH.replace(day=3), detail=None)
    assert sorted([later, full, issue, cheap, bare], key=Obligation.order) == [bare, cheap, issue, full, later]


def test_totals_with_equal_keys_are_added_up_first() -> None:
    halves = [total(Code.ACCRUAL, "grocer", 27, events=2), total(Code.ACCRUAL, "grocer", 27, events=1)]
    assert add_up(halves) == (total(Code.ACCRUAL, "grocer", 54, events=3),)
    assert price(MONDAY, INDEPENDENT, halves, {}) == price(MONDAY, INDEPENDENT, [total(Code.ACCRUAL, "grocer", 54, events=3)], {})


@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        (total(Code.ACCRUAL, "grocer", -1), UnpricedTotalError, "below zero"),
        (total(Code.ACCRUAL, "grocer", 1, at=MARCH), MissingTermsError, "contract version of grocer from 2026-03-01"),
        (total(Code.ACCRUAL, "grocer", 1, at=None), MissingTermsError, "contract version of grocer from None"),
        (total(Code.ACCRUAL, "baker", 1), MissingTermsError, "contract version of baker"),
        (total(Code.ACCRUAL, "bank1", 1), MissingTermsError, "issue price of bank1 from 2026-01-01"),
        (total(Code.REDEMPTION, "grocer", 1, "bank1"), MissingTermsError, "redeem price of bank1 from 2026-01-01"),
        (total(Code.REDEMPTION, "grocer", 1, "fuelco", counter_at=None), MissingTermsError, "contract version of fuelco"),
        (total(Code.REDEMPTION, "grocer", 1), UnpricedTotalError, ": it names no counterparty$"),
        (total(Code.RETURN_SPENT, "grocer", 1), UnpricedTotalError, "no counterparty"),
        (total(Code.DISCOUNT, "grocer", 1), UnpricedTotalError, "no counterparty"),
        (Total(Code.DISCOUNT, None, None, PartyId("grocer"), None, "EUR", 1, 1), UnpricedTotalError, ": it names no sponsor$"),
    ],
)
def test_what_cannot_be_priced_stops_the_run_instead_of_being_lost(bad: Total, error: type[ClearingError], says: str) -> None:
    file = programme(GROCER, FUELCO, {**contract("bank1"), "roles": []})
    with pytest.raises(error, match=says) as raised:
        price(MONDAY, file, [bad], {})
    if isinstance(raised.value, UnpricedTotalError):
        assert raised.value.total == bad
    if isinstance(raised.value, MissingTermsError):
        assert f"{raised.value.missing} of {raised.value.party} from {raised.value.valid_from}" in str(raised.value)
        assert raised.value.party in {bad.sponsor, bad.counterparty}


def test_a_code_that_no_rule_names_stops_the_run_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearing.obligations.OWED_BY_NOBODY", frozenset())
    moved = total(Code.HOLD, "grocer", 5)
    with pytest.raises(UnpricedTotalError, match=r"of grocer: no rule says who owes for it$") as raised:
        price(MONDAY, INDEPENDENT, [moved], {})
    assert raised.value.total == moved
