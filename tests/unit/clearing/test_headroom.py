"""The check of limits can fail, and funding keeps to the order of receipt whatever the points cost."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from clearing.checks import limits_respected
from clearing.headroom import Given
from schemas.ids import PartyId
from tests.contract.houses import MemoryHouse
from tests.contract.test_night_books import booked, netted
from tests.short import MONDAY, enrol, purchase
from tests.unit.clearing.coalition import contract
from tests.unit.clearing.till import BASE, coalition

TUESDAY = MONDAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("at_once", "at_night", "night_room", "ok"),
    [("100", "50", 50, True), ("100.001", "0", 50, False), ("0", "50.001", 50, False), ("0", "0", -20, True), ("0", "0.001", -20, False)],
)
def test_points_beyond_the_room_that_was_opened_or_found_fail_the_check(at_once: str, at_night: str, night_room: int, ok: bool) -> None:
    given = Given(PartyId("grocer"), "EUR", 500, 450, Fraction(at_once), 100, Fraction(at_night), night_room, 7)
    check = limits_respected([given])
    assert (check.name, check.ok) == ("limits_respected", ok)
    assert check.figures["grocer points unfunded"] == 7


def test_a_point_without_room_stops_those_received_after_it_though_they_are_cheaper() -> None:
    """Points of Monday's version cost 2 cents, of Tuesday's 1. Of Monday's five one is given for the 3 cents there are. Tuesday's limit leaves 3 cents more
    than what is owed: a second of Monday's is given, and the cent that is left is not for Tuesday's, which were held until their card was known.
    """
    limit = {"currency": "EUR", "net_debit_cap": "0.03"}
    dear = contract("grocer", "0.0200", "0.0085", limit=limit)
    cheap = contract("grocer", "0.0100", "0.0085", since=TUESDAY, limit={**limit, "net_debit_cap": "0.05"})
    house = MemoryHouse(coalition(BASE, contracts=(dear, cheap)), 4)
    netted(booked(house, purchase("e1", 500)))
    assert (house.points("m1").available, house.points("m1").pending) == (1, 4)
    netted(booked(house, purchase("e2", 1000, card="c9", day=TUESDAY), enrol("e3", "m9", "c9", day=TUESDAY)), TUESDAY)
    assert (house.points("m1").available, house.points("m9").available) == (2, 0)
    assert house.points("m9").pending == 10
