"""Merchant category codes: codes, ranges with both ends, and the list of what stands for money."""

import pytest

from clearing.mechanics.mcc import QUASI_CASH, MccList


@pytest.mark.parametrize(
    ("code", "inside"), [("5411", True), ("5412", False), ("5499", False), ("5500", True), ("5541", True), ("5599", True), ("5600", False), ("6011", False)]
)
def test_a_code_is_named_by_itself_or_lies_in_a_range_whose_ends_belong_to_it(code: str, inside: bool) -> None:
    assert (code in MccList(["5411", "5500-5599"])) is inside


def test_quasi_cash_stands_for_transfers_cash_securities_stored_value_and_bets() -> None:
    named = MccList(["quasi_cash", "9399"])
    assert all(code in named for code in ("4829", "6010", "6011", "6012", "6051", "6211", "6540", "7800", "7801", "7995", "9399"))
    assert not any(code in named for code in ("4828", "6013", "6050", "7802", "7994", "quasi_cash"))
    assert len(QUASI_CASH) == 10


def test_a_list_that_names_nothing_holds_nothing_and_no_code_lies_in_none() -> None:
    assert not MccList([])
    assert MccList(["5411"])
    assert MccList(["5500-5599"])
    assert "5411" not in MccList([])
    assert None not in MccList(["0000-9999"])
