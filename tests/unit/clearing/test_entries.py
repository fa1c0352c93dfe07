"""Codes are stored as numbers, so the numbers stay what they are."""

from clearing.entries import Code, LineKind, add_up
from tests.unit.clearing.coalition import total

STORED = {
    "ACCRUAL": 1,
    "RELEASE": 2,
    "REDEMPTION": 3,
    "REPAYMENT": 4,
    "RETURN_UNSPENT": 5,
    "RETURN_SPENT": 6,
    "REDEMPTION_REVERSAL": 7,
    "EXPIRY": 8,
    "HOLD": 9,
    "HOLD_RELEASE": 10,
    "RETURN_SPENT_REVERSAL": 11,
    "DISCOUNT": 21,
    "DISCOUNT_REVERSAL": 22,
    "REWARD": 23,
    "REWARD_REVERSAL": 24,
    "CASH_BACK": 25,
    "CASH_BACK_REVERSAL": 26,
    "ROUND_UP_MATCH": 27,
    "ROUND_UP_MATCH_REVERSAL": 28,
    "PRIVILEGE": 29,
    "PRIVILEGE_REVERSAL": 30,
    "PASS": 31,
    "PASS_REVERSAL": 32,
    "PURCHASE": 41,
    "STAMP": 51,
    "STAMP_REVERSAL": 52,
    "ROUND_UP": 53,
}


def test_a_code_keeps_its_number_for_ever() -> None:
    assert {name: int(Code[name]) for name in STORED} == STORED


def test_all_kinds_of_lines_that_reports_know_are_there() -> None:
    with_reversal = ("discount_funding", "cash_back", "round_up_match", "reward", "privilege", "pass")
    others = (
        "issue",
        "issue_reversal",
        "redemption",
        "redemption_reversal",
        "fee",
        "vat",
        "unused_points",
        "alliance",
        "adjustment",
        "dispute",
        "default_loss",
    )
    assert {str(kind) for kind in LineKind} == {*others, *with_reversal, *(f"{kind}_reversal" for kind in with_reversal)}


def test_totals_add_up_by_everything_but_quantity_and_events() -> None:
    grocer, fuelco = total(Code.ACCRUAL, "grocer", 5, events=2), total(Code.ACCRUAL, "fuelco", 7)
    assert set(add_up([grocer, fuelco, grocer])) == {total(Code.ACCRUAL, "grocer", 10, events=4), fuelco}
    assert add_up([fuelco, grocer]) == add_up([grocer, fuelco])
    assert add_up([]) == ()
    different = [total(Code.ACCRUAL, "grocer", 5, at=None), total(Code.REWARD, "grocer", 5, "baker"), total(Code.REWARD, "grocer", 5, "baker", unit="CZK")]
    assert len(add_up([grocer, *different])) == 4
