"""Who bears a default, and what the further run of its window still pays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing.checks import payments_cover_positions
from clearing.default_loss import Borne, Settled, Unpaid, borne, recovered, rest, shared
from clearing.entries import Code, LineKind
from clearing.lines import Obligation
from clearing.netting import Carried, Payment, net, positions
from schemas.ids import PartyId
from tests.unit.clearing.till import BASE, coalition

MONDAY = date(2026, 3, 2)
OPCO, GROCER, FUELCO, BAKER, DAIRYCO = map(PartyId, ("opco", "grocer", "fuelco", "baker", "dairyco"))
PARTIES = (OPCO, GROCER, FUELCO, BAKER, DAIRYCO)


def line(debtor: PartyId, creditor: PartyId, amount: int, kind: LineKind = LineKind.REDEMPTION) -> Obligation:
    return Obligation(MONDAY, kind, debtor, creditor, None, "EUR", None, None, amount, None, None)


LINES = [line(GROCER, FUELCO, 600), line(GROCER, BAKER, 300), line(GROCER, OPCO, 100), line(BAKER, GROCER, 50), line(FUELCO, BAKER, 40)]


def test_the_defaulters_own_funds_come_first_and_the_operator_bears_the_rest() -> None:
    found = borne("operator", OPCO, LINES, [Unpaid(GROCER, "EUR", 950, 400)])
    assert found == [Borne(Code.ADJUSTMENT, OPCO, GROCER, "EUR", 400), Borne(Code.DEFAULT_LOSS, OPCO, GROCER, "EUR", 550)]
    assert borne("operator", OPCO, LINES, [Unpaid(GROCER, "EUR", 950, 2000)]) == [Borne(Code.ADJUSTMENT, OPCO, GROCER, "EUR", 950)]
    assert borne("operator", OPCO, LINES, [Unpaid(GROCER, "EUR", 950, -5)]) == [Borne(Code.DEFAULT_LOSS, OPCO, GROCER, "EUR", 950)]


def test_others_share_the_loss_in_proportion_to_what_the_defaulter_owes_each() -> None:
    """Net it owes fuelco 600, the baker 250, the operator 100, together 950; of 101 these are 63.79, 26.58, 10.63: the two largest fractions get one more."""
    found = borne("shared", OPCO, LINES, [Unpaid(GROCER, "EUR", 101, 0)])
    assert {one.bearer: one.amount_minor for one in found} == {FUELCO: 64, BAKER: 26, OPCO: 11}


def test_who_defaults_too_bears_nothing_and_where_nobody_else_is_owed_the_operator_does() -> None:
    found = borne("shared", OPCO, LINES, [Unpaid(GROCER, "EUR", 100, 0), Unpaid(FUELCO, "EUR", 10, 0)])
    assert {(one.bearer, one.defaulter) for one in found} == {(BAKER, GROCER), (OPCO, GROCER), (BAKER, FUELCO)}
    assert borne("shared", OPCO, [], [Unpaid(GROCER, "EUR", 100, 0)]) == [Borne(Code.DEFAULT_LOSS, OPCO, GROCER, "EUR", 100)]


def test_a_loss_is_shared_by_what_is_owed_net_in_its_own_currency_and_who_owes_the_defaulter_bears_none_of_it() -> None:
    """It owes fuelco 10 + 20, the baker 5 less 5, dairyco 1, and the operator owes it 3: of 310 these are 300 and 10."""
    lines = [
        line(GROCER, FUELCO, 10), line(GROCER, FUELCO, 20), line(BAKER, GROCER, 5), line(GROCER, BAKER, 5), line(GROCER, DAIRYCO, 1), line(OPCO, GROCER, 3),
        replace(line(GROCER, OPCO, 1000), currency="CZK"), line(FUELCO, DAIRYCO, 700),
    ]  # fmt: skip
    assert shared(GROCER, "EUR", lines, {GROCER}, 310) == {DAIRYCO: 10, FUELCO: 300}
    assert shared(GROCER, "EUR", lines, {GROCER, FUELCO, DAIRYCO}, 31) == {}
    assert shared(GROCER, "CZK", lines, {GROCER}, 31) == {OPCO: 31}


def test_where_the_defaulter_owes_one_cent_to_each_they_share_and_who_owes_it_one_does_not() -> None:
    lines = [line(GROCER, FUELCO, 1), line(GROCER, BAKER, 1), line(DAIRYCO, GROCER, 1)]
    assert shared(GROCER, "EUR", lines, {GROCER}, 10) == {BAKER: 5, FUELCO: 5}


def test_the_further_run_of_pairs_pays_what_is_left_within_each_and_gives_back_what_was_too_much() -> None:
    lines = [
        line(GROCER, FUELCO, 600), line(FUELCO, GROCER, 50), line(BAKER, FUELCO, 40), line(FUELCO, DAIRYCO, 7), line(DAIRYCO, OPCO, 30),
        replace(line(GROCER, FUELCO, 5), currency="CZK"),
    ]  # fmt: skip
    paid = {("EUR", GROCER, FUELCO): 500, ("EUR", BAKER, FUELCO): 45, ("EUR", DAIRYCO, OPCO): 30}
    for netting in ("bilateral", "gross"):
        found = rest(MONDAY, coalition(BASE, netting=netting), lines, {}, Settled(paid, {}))
        assert found.payments == (
            Payment(MONDAY, "CZK", GROCER, FUELCO, 5), Payment(MONDAY, "EUR", FUELCO, BAKER, 5), Payment(MONDAY, "EUR", FUELCO, DAIRYCO, 7),
            Payment(MONDAY, "EUR", GROCER, FUELCO, 50),
        )  # fmt: skip


@pytest.mark.parametrize("netting", ["multilateral", "bilateral"])
def test_what_was_carried_in_is_paid_and_what_was_carried_on_stays_carried(netting: str) -> None:
    """The grocer was owed 30 from before and has 10 carried on: 20 are due; fuelco owed 9 from before, and 4 of it were carried on."""
    before = {("EUR", GROCER): Carried(30, MONDAY), ("EUR", FUELCO): Carried(-9, MONDAY)}
    on = {("EUR", GROCER): Carried(10, MONDAY), ("EUR", FUELCO): Carried(-4, MONDAY)}
    found = rest(MONDAY, coalition(BASE, netting=netting), [], before, Settled({("EUR", OPCO, GROCER): 1}, on))
    assert found.payments == (Payment(MONDAY, "EUR", FUELCO, OPCO, 5), Payment(MONDAY, "EUR", OPCO, GROCER, 19))
    assert found.carried == on


def test_late_money_goes_to_those_who_bore_the_loss_and_beyond_it_back_to_the_defaulter() -> None:
    losses = {BAKER: 26, FUELCO: 64, OPCO: 11}
    assert recovered(10, GROCER, losses) == {BAKER: 3, FUELCO: 6, OPCO: 1, GROCER: 0}  # 2.57, 6.34, 1.09
    assert recovered(101, GROCER, losses) == {**losses, GROCER: 0}
    assert recovered(111, GROCER, losses) == {**losses, GROCER: 10}
    assert recovered(-7, GROCER, losses) == {BAKER: 0, FUELCO: 0, OPCO: 0, GROCER: -7}
    assert recovered(7, GROCER, {}) == {GROCER: 7}


pairs = st.tuples(st.sampled_from(PARTIES), st.sampled_from(PARTIES)).filter(lambda pair: pair[0] != pair[1])


@pytest.mark.parametrize("rule", ["operator", "shared"])
@given(st.lists(st.tuples(pairs, st.integers(1, 9000)), min_size=1, max_size=12), st.integers(0, 5000), st.integers(0, 100))
def test_after_a_default_everybody_has_paid_and_got_what_the_further_run_says(rule: Any, owed: list[Any], funds: int, percent_paid: int) -> None:
    file = coalition(BASE)
    lines = [line(debtor, creditor, amount) for (debtor, creditor), amount in owed]
    first = net(MONDAY, file, lines, {})
    incoming = [one for one in first.payments if one.payee == OPCO]
    if not incoming:
        return
    unpaid = incoming[0]
    part = unpaid.amount_minor * percent_paid // 101
    paid = {(one.currency, one.payer, one.payee): one.amount_minor if one is not unpaid else part for one in first.payments}
    losses = borne(rule, OPCO, lines, [Unpaid(unpaid.payer, "EUR", unpaid.amount_minor - part, funds)])
    assert sum(one.amount_minor for one in losses) == unpaid.amount_minor - part
    again = [*lines, *(line(one.bearer, one.defaulter, one.amount_minor, LineKind.DEFAULT_LOSS) for one in losses)]
    further = rest(MONDAY, file, again, {}, Settled(paid, {}))
    assert payments_cover_positions(positions(again), further, {}, OPCO, paid).ok
    assert all(unpaid.payer not in (one.payer, one.payee) for one in further.payments), "the defaulter is out of it"
    assert {one.payee for one in further.payments} <= {OPCO}, "nothing that was paid is paid again"
    if rule == "operator":
        assert further.payments == ()
