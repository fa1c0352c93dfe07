"""Rules 26 to 28: positions, payments, what waits."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from clearing.entries import LineKind
from clearing.lines import Obligation
from clearing.netting import Carried, Netting, OperatorCarriesError, net, positions
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from tests.unit.clearing.coalition import MONDAY, contract, paid, programme

SATURDAY, SUNDAY = date(2026, 3, 7), date(2026, 3, 8)


def owes(debtor: str, creditor: str, amount_minor: int, currency: str = "EUR") -> Obligation:
    return Obligation(MONDAY, LineKind.ADJUSTMENT, PartyId(debtor), PartyId(creditor), None, currency, None, None, amount_minor, None, None)


def carried(netting: Netting) -> dict[str, int]:
    return {f"{party} {currency}": waiting.amount_minor for (currency, party), waiting in netting.carried.items()}


def waiting(amounts: Mapping[str, int], since: date = MONDAY) -> dict[tuple[str, PartyId], Carried]:
    return {("EUR", PartyId(party)): Carried(amount_minor, since) for party, amount_minor in amounts.items()}


ANCHOR_LINES = [
    owes("baker", "fuelco", 40),
    owes("baker", "grocer", 120),
    owes("fuelco", "baker", 60),
    owes("fuelco", "grocer", 120),
    owes("grocer", "fuelco", 60),
    owes("grocer", "opco", 2),
    owes("baker", "dairyco", 0),
]


def test_a_position_is_what_a_party_gets_less_what_it_owes() -> None:
    assert positions([*ANCHOR_LINES, owes("grocer", "opco", 5, "CZK"), owes("opco", "grocer", 5, "CZK")]) == {
        "EUR": {"baker": -100, "fuelco": -80, "grocer": 178, "opco": 2},
    }
    assert positions([]) == {}


def test_multilateral_payments_go_through_the_operator() -> None:
    netting = net(MONDAY, programme(), ANCHOR_LINES, {})
    assert paid(netting.payments) == ["baker>opco 1.00 EUR", "fuelco>opco 0.80 EUR", "opco>grocer 1.78 EUR"]
    assert netting.carried == {}
    assert all(payment.window == MONDAY for payment in netting.payments)


def test_bilateral_payments_are_the_difference_of_each_pair() -> None:
    netting = net(MONDAY, programme(netting="bilateral"), ANCHOR_LINES, {})
    assert paid(netting.payments) == ["baker>grocer 1.20 EUR", "fuelco>baker 0.20 EUR", "fuelco>grocer 0.60 EUR", "grocer>opco 0.02 EUR"]
    assert {payment.window for payment in netting.payments} == {MONDAY}


def test_gross_payments_are_one_for_each_line_that_does_not_round_to_zero() -> None:
    lines = [*ANCHOR_LINES, owes("grocer", "opco", 2)]
    netting = net(MONDAY, programme(netting="gross"), lines, {})
    assert {payment.window for payment in netting.payments} == {MONDAY}
    assert paid(netting.payments) == [
        "baker>fuelco 0.40 EUR",
        "baker>grocer 1.20 EUR",
        "fuelco>baker 0.60 EUR",
        "fuelco>grocer 1.20 EUR",
        "grocer>fuelco 0.60 EUR",
        "grocer>opco 0.02 EUR",
        "grocer>opco 0.02 EUR",
    ]


def test_each_currency_is_netted_by_itself() -> None:
    lines = [owes("grocer", "opco", 60), owes("opco", "baker", 900, "CZK"), owes("baker", "opco", 2)]
    assert paid(net(MONDAY, programme(), lines, {}).payments) == ["opco>baker 9.00 CZK", "baker>opco 0.02 EUR", "grocer>opco 0.60 EUR"]


def test_a_pair_or_party_that_comes_to_zero_pays_nothing() -> None:
    lines = [owes("grocer", "fuelco", 60), owes("fuelco", "grocer", 60)]
    for how in ("multilateral", "bilateral"):
        assert net(MONDAY, programme(netting=how), lines, {}) == Netting((), {})


def test_a_position_below_the_minimum_waits_whichever_way_it_goes() -> None:
    file = programme(minimum_settlement={"EUR": "1.00"})
    first = net(MONDAY, file, [owes("grocer", "opco", 54), owes("fuelco", "opco", 48)], {})
    assert (paid(first.payments), carried(first)) == ([], {"grocer EUR": -54, "fuelco EUR": -48})
    second = net(MONDAY + timedelta(days=1), file, [owes("grocer", "opco", 60), owes("opco", "fuelco", 42)], first.carried)
    assert (paid(second.payments), carried(second)) == (["grocer>opco 1.14 EUR"], {"fuelco EUR": -6})
    third = net(MONDAY + timedelta(days=2), file, [owes("opco", "fuelco", 85)], second.carried)
    assert (paid(third.payments), carried(third)) == ([], {"fuelco EUR": 79})
    assert third.carried["EUR", PartyId("fuelco")].since == MONDAY  # carried without a break, though the sign has changed


@pytest.mark.parametrize(("amount_minor", "is_paid"), [(99, False), (100, True), (101, True)])
def test_the_minimum_itself_is_paid(amount_minor: int, is_paid: bool) -> None:
    file = programme(minimum_settlement={"EUR": "1.00"})
    assert bool(net(MONDAY, file, [owes("grocer", "opco", amount_minor)], {}).payments) is is_paid
    assert bool(net(MONDAY, file, [owes("opco", "grocer", amount_minor)], {}).payments) is is_paid
    assert bool(net(MONDAY, file, [owes("opco", "grocer", amount_minor, "CZK")], {}).payments)  # no minimum is named for CZK


def test_a_minimum_has_the_places_of_its_currency() -> None:
    file = programme(minimum_settlement={"JPY": "100", "EUR": "0.01"})
    netting = net(MONDAY, file, [owes("grocer", "opco", 99, "JPY"), owes("fuelco", "opco", 100, "JPY"), owes("grocer", "opco", 1)], {})
    assert paid(netting.payments) == ["grocer>opco 0.01 EUR", "fuelco>opco 100 JPY"]
    assert carried(netting) == {"grocer JPY": -99}


def test_what_was_carried_waits_on_without_any_line() -> None:
    netting = net(SUNDAY, programme(minimum_settlement={"EUR": "1.00"}), [], waiting({"grocer": -54}))
    assert netting == Netting((), waiting({"grocer": -54}))


def test_a_carried_position_that_comes_to_zero_is_neither_paid_nor_carried_and_its_waiting_ends() -> None:
    file = programme(minimum_settlement={"EUR": "1.00"}, maximum_carry_days=10)
    netting = net(SUNDAY, file, [owes("opco", "grocer", 54)], waiting({"grocer": -54}))
    assert netting == Netting((), {})
    again = net(SUNDAY + timedelta(days=5), file, [owes("grocer", "opco", 7)], netting.carried)
    assert again.carried["EUR", PartyId("grocer")] == Carried(-7, SUNDAY + timedelta(days=5))


WEEKLY = programme(contract("grocer", settlement="weekly"), contract("baker", settlement="monthly"), contract("fuelco"), minimum_settlement={"EUR": "0.50"})


def test_each_party_settles_on_its_day() -> None:
    lines = [owes("grocer", "opco", 100), owes("baker", "opco", 240), owes("fuelco", "opco", 240), owes("dairyco", "opco", 240)]
    saturday = net(SATURDAY, WEEKLY, lines, {})
    assert (paid(saturday.payments), carried(saturday)) == (["dairyco>opco 2.40 EUR", "fuelco>opco 2.40 EUR"], {"grocer EUR": -100, "baker EUR": -240})
    sunday = net(SUNDAY, WEEKLY, [owes("opco", "grocer", 22)], saturday.carried)
    assert (paid(sunday.payments), carried(sunday)) == (["grocer>opco 0.78 EUR"], {"baker EUR": -240})
    month_end = net(date(2026, 3, 31), WEEKLY, [owes("baker", "opco", 40), owes("grocer", "opco", 60)], sunday.carried)
    assert (paid(month_end.payments), carried(month_end)) == (["baker>opco 2.80 EUR"], {"grocer EUR": -60})


def test_on_its_day_too_a_small_position_waits() -> None:
    assert carried(net(SUNDAY, WEEKLY, [owes("grocer", "opco", 49)], {})) == {"grocer EUR": -49}


def test_the_contract_in_force_on_the_windows_day_sets_the_settlement_day() -> None:
    file = programme(contract("grocer", settlement="monthly"), contract("grocer", settlement="weekly", since=SUNDAY, to=SUNDAY))
    lines = [owes("grocer", "opco", 100)]
    assert not net(SATURDAY, file, lines, {}).payments
    assert net(SUNDAY, file, lines, {}).payments
    assert net(SUNDAY + timedelta(days=1), file, lines, {}).payments  # its contract has ended: daily


def carry(maximum_carry_days: int | None, settlement: str = "daily") -> ProgrammeFile:
    return programme(contract("grocer", settlement=settlement), minimum_settlement={"EUR": "1.00"}, maximum_carry_days=maximum_carry_days)


@pytest.mark.parametrize(("days", "is_paid"), [(89, False), (90, True), (91, True)])
def test_after_the_longest_time_of_carrying_it_is_paid_however_small(days: int, is_paid: bool) -> None:
    netting = net(MONDAY + timedelta(days=days), carry(90), [], waiting({"grocer": -1}))
    assert paid(netting.payments) == (["grocer>opco 0.01 EUR"] if is_paid else [])
    assert carried(netting) == ({} if is_paid else {"grocer EUR": -1})


def test_without_a_longest_time_it_waits_for_ever() -> None:
    assert not net(date(2036, 3, 2), carry(None), [], waiting({"grocer": -1})).payments


def test_it_is_paid_on_the_partys_next_settlement_day_after_the_longest_time() -> None:
    file = carry(90, settlement="weekly")
    over = MONDAY + timedelta(days=90)  # a Sunday
    assert over.weekday() == 6
    since = MONDAY + timedelta(days=1)
    on_sunday = net(over, file, [], waiting({"grocer": -1}, since))
    assert not on_sunday.payments  # 89 days
    on_monday = net(over + timedelta(days=1), file, [owes("grocer", "opco", 500)], on_sunday.carried)
    assert not on_monday.payments  # 90 days, but no Sunday
    next_sunday = net(over + timedelta(days=7), file, [owes("opco", "grocer", 500)], on_monday.carried)
    assert paid(next_sunday.payments) == ["grocer>opco 0.01 EUR"]


def test_what_an_earlier_multilateral_window_carried_is_paid_when_nothing_is_carried_any_more() -> None:
    lines = [owes("grocer", "fuelco", 40), owes("opco", "grocer", 10)]
    before = waiting({"grocer": -54, "baker": 30})
    bilateral = net(MONDAY, programme(netting="bilateral"), lines, before)
    assert (paid(bilateral.payments), bilateral.carried) == (["grocer>fuelco 0.40 EUR", "grocer>opco 0.44 EUR", "opco>baker 0.30 EUR"], {})
    gross = net(MONDAY, programme(netting="gross"), lines, before)
    assert paid(gross.payments) == ["grocer>fuelco 0.40 EUR", "grocer>opco 0.54 EUR", "opco>baker 0.30 EUR", "opco>grocer 0.10 EUR"]


def test_the_operator_carries_nothing() -> None:
    netting = net(MONDAY, programme(minimum_settlement={"EUR": "1.00"}), [owes("grocer", "opco", 54)], {})
    assert set(netting.carried) == {("EUR", "grocer")}
    with pytest.raises(OperatorCarriesError, match="opco is the operator"):
        net(MONDAY, programme(), [], waiting({"opco": 1}))
