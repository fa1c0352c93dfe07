"""Solvency in figures worked by hand: room under limits, reserve against liability, cost of an exit, failures of the largest debtors."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from clearing.entries import LineKind
from clearing.headroom import Limit, funds_in
from clearing.lines import Obligation
from clearing.risk import Points, Room, Solvency, solvency
from schemas.ids import PartyId

OPCO, GROCER, FUELCO, BAKER = map(PartyId, ("opco", "grocer", "fuelco", "baker"))


def line(debtor: PartyId, creditor: PartyId, amount: int) -> Obligation:
    return Obligation(date(2026, 3, 2), LineKind.REDEMPTION, debtor, creditor, None, "EUR", None, None, amount, None, None)


def found(rule: str = "operator") -> Solvency:
    """The grocer owes 900 of at most 1,000 (cap 700, 300 prefunded), fuelco 500 without a limit; the baker is owed 400."""
    limits = {GROCER: Limit(GROCER, "EUR", 700, 300), BAKER: Limit(BAKER, "CZK", 5, 0)}
    points = {GROCER: Points(750, 600, 700, 9), FUELCO: Points(250, 100, 50)}
    lines = [line(GROCER, BAKER, 600), line(GROCER, OPCO, 300), line(FUELCO, OPCO, 500)]
    owes, funds = {GROCER: 900, FUELCO: 500, BAKER: -400, OPCO: -1000}, {(GROCER, "EUR"): 300}
    return solvency("EUR", owes, limits, points, lines, OPCO, rule, funds=funds)  # type: ignore[arg-type]


def test_parties_stand_by_what_they_owe_with_room_share_and_cost_of_exit() -> None:
    grocer, fuelco, baker = found().parties
    assert (grocer.party, grocer.headroom_minor, grocer.room, grocer.share, grocer.points.unfunded) == (GROCER, 100, Room.LOW, Fraction(3, 4), 9)
    assert grocer.exit_minor == (700 - 600) + (900 - 300)
    assert (fuelco.room, fuelco.headroom_minor, fuelco.exit_minor) == (Room.NO_LIMIT, None, 500)
    assert (baker.limit, baker.owes_minor, baker.exit_minor) == (None, -400, 0)


def test_reserve_stands_against_liability() -> None:
    assert (found().reserve_minor, found().liability_minor, found().coverage) == (700, 750, Fraction(14, 15))
    assert solvency("EUR", {}, {}, {}, [], OPCO, "operator").coverage is None


def test_the_largest_debtor_fails_and_the_two_largest_fail() -> None:
    """Of the grocer's 900 its funds cover 300; the rest falls on the operator, or 400 on the baker and 200 on the operator, whom it owes 600 and 300."""
    one, two = found().failures
    assert (one.parties, one.owed_minor, one.funds_minor, dict(one.losses)) == ((GROCER,), 900, 300, {OPCO: 600})
    assert (two.parties, two.owed_minor, two.funds_minor, dict(two.losses)) == ((GROCER, FUELCO), 1400, 300, {OPCO: 1100})
    one, two = found("shared").failures
    assert dict(one.losses) == {BAKER: 400, OPCO: 200}
    assert dict(two.losses) == {BAKER: 400, OPCO: 700}


def test_a_party_that_only_has_points_or_funds_owes_nothing_and_fails_nobody() -> None:
    """The baker has points, fuelco paid in euros beforehand, and what the grocer paid in in another currency makes it no party of this one."""
    funds = {(FUELCO, "EUR"): 70, (GROCER, "CZK"): 50, (OPCO, "EUR"): 5, (PartyId("dairyco"), "EUR"): 0}
    one = solvency("EUR", {}, {}, {BAKER: Points(10)}, [], OPCO, "operator", funds=funds)
    found = [(party.party, party.owes_minor, party.share, party.funds_minor) for party in one.parties]
    assert found == [
        (BAKER, 0, Fraction(1), 0),
        (FUELCO, 0, Fraction(0), 70),
    ]
    assert (one.currency, one.failures) == ("EUR", [])


def test_funds_of_a_party_with_a_limit_are_those_of_the_limit_in_its_currency_and_else_what_it_paid_in() -> None:
    limits, funds = {GROCER: Limit(GROCER, "EUR", 700, 300)}, {(GROCER, "EUR"): 1, (GROCER, "CZK"): 40, (FUELCO, "EUR"): 70}
    assert funds_in(GROCER, "EUR", limits, funds) == 300
    assert funds_in(GROCER, "CZK", limits, funds) == 40
    assert funds_in(FUELCO, "EUR", limits, funds) == 70
    assert funds_in(BAKER, "EUR", limits, funds) == 0


def test_who_owes_one_cent_is_a_debtor_and_what_its_windows_carried_on_shares_its_loss() -> None:
    carried = {GROCER: [line(GROCER, BAKER, 1)], BAKER: [line(GROCER, FUELCO, 100)]}
    (one,) = solvency("EUR", {GROCER: 1, FUELCO: 0}, {}, {}, [], OPCO, "shared", waiting=carried).failures
    assert (one.parties, dict(one.losses)) == ((GROCER,), {BAKER: 1})


def test_room_is_low_from_four_fifths_on_and_used_up_at_the_limit() -> None:
    for owes, room in ((799, Room.AMPLE), (800, Room.LOW), (999, Room.LOW), (1000, Room.USED_UP)):
        (one,) = solvency("EUR", {GROCER: owes}, {GROCER: Limit(GROCER, "EUR", 1000, 0)}, {}, [], OPCO, "operator").parties
        assert one.room is room
