"""A party whose contracts have all ended: refused where a contract is needed, with `no-contract`; what needs none is booked, or members would keep too much."""

from __future__ import annotations

from tests.short import MONDAY, adjust, back, purchase, redeem, reverse
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, BOTH, Till

TUESDAY = day("2026-03-03")


def ended() -> Till:
    """The grocer and fuelco have been partners until Monday; m1 bought for 40.00 and spent 10 points."""
    until_monday = tuple({**one, "to": MONDAY.isoformat()} if one["party"] in ("grocer", "fuelco") else one for one in BOTH)
    till = Till(BASE, contracts=until_monday)
    assert till.send(purchase("e1", 4000), redeem("s1", 10)) == ["accepted: base points 40 grocer", "accepted: - points -10 grocer"]
    till.night()
    return till


def test_what_needs_a_contract_is_refused_as_where_there_never_was_one() -> None:
    till = ended()
    assert till.send(purchase("e2", 100, day=TUESDAY), redeem("s2", 10, day=TUESDAY)) == ["no-contract /source", "no-contract /source"]
    assert till.balance() == (30, 0)


def test_what_needs_no_contract_is_booked() -> None:
    till = ended()
    events = [
        purchase("e3", 99, day=TUESDAY),
        back("r1", "e1", {1: 1000}, day=TUESDAY),
        adjust("a1", "e1", {1: 500}, day=TUESDAY),
        reverse("v1", "s1", 10, day=TUESDAY),
    ]
    assert till.send(*events) == ["accepted", "accepted: base points -10 grocer", "accepted: base points -5 grocer", "accepted: - points 10 grocer"]
    assert till.balance() == (25, 0)
    till.night()
    assert till.lines(TUESDAY) == ["issue_reversal opco>grocer 15 x 0.01 = 0.15 EUR", "redemption_reversal fuelco>opco 10 x 0.0085 = 0.08 EUR"]
