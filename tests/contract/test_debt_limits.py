"""Limits of debts on both books: a cap is never passed, what waits is funded in order of receipt, and every step does its work once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing.headroom import Headroom, limits_on, opened, point_cost
from clearing.member import LotKey, funded, is_unfunded, unfunded
from clearing.terms import Terms
from schemas.ids import PartyId, RecordId
from services.journal.verify import verified
from tests.contract.houses import MemoryHouse, PgHouse, on_postgres
from tests.contract.test_night_books import Build, booked, cut, netted, twice
from tests.short import MONDAY, back, enrol, purchase
from tests.unit.clearing.till import BASE, coalition, contract

TUESDAY = MONDAY + timedelta(days=1)
GROCER = PartyId("grocer")
FUELCO = contract("fuelco", "0.0100", "0.0085")
ONE_EURO = {**contract("grocer", "0.0100", "0.0085"), "limit": {"net_debit_cap": "1.00", "currency": "EUR"}}
LIFTED = {**contract("grocer", "0.0100", "0.0085"), "from": "2026-03-03", "limit": {"net_debit_cap": "9.00", "currency": "EUR"}}


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def build(request: pytest.FixtureRequest) -> Iterator[Build]:
    """Makes books whose grocer may give 100 points; m1 has c1, m2 has c2."""
    with ExitStack() as stack:

        def make(*contracts: Any, partitions: int = 1, **terms: Any) -> Any:
            file = coalition(BASE, contracts=(ONE_EURO, FUELCO, *contracts), **terms)
            if request.param == "memory":
                return MemoryHouse(file, partitions)
            return stack.enter_context(on_postgres(request.getfixturevalue("addresses").postgres_uri, file, partitions))

        yield make


def gave(house: Any, day: date = MONDAY) -> dict[str, int]:
    """Points of the grocer in a window, by code."""
    sums: dict[str, int] = {}
    for code, amount, sponsor, _ in house.rows(day):
        if sponsor == "grocer":
            sums[code] = sums.get(code, 0) + amount
    return sums


def sound(house: Any) -> None:
    """The books on PostgreSQL are what their journal says."""
    if isinstance(house, PgHouse):
        assert [one.differences for one in verified(house.connection) if one.differing] == []


def test_a_cap_is_not_passed_within_one_batch(build: Build) -> None:
    house = booked(build(), *(purchase(f"e{no}", 3000) for no in range(5)))
    assert gave(house) == {"ACCRUAL": 100, "UNFUNDED": 50}
    points = house.points("m1")
    assert (points.available, points.pending) == (100, 50)
    sound(netted(house))
    assert gave(house) == {"ACCRUAL": 100, "UNFUNDED": 50}


def test_partitions_have_their_own_room_and_the_night_pools_it_in_order_of_receipt(build: Build) -> None:
    house = build(partitions=2)
    house.send(purchase("e1", 8000), partition=0)
    house.send(purchase("e2", 7000, card="c2"), partition=1)
    house.book()
    assert (house.points("m1").available, house.points("m2").available) == (50, 50)
    sound(netted(house))
    assert (house.points("m1").available, house.points("m2").available) == (50, 50)
    assert (house.points("m1").pending, house.points("m2").pending) == (30, 20)


def test_room_that_one_partition_did_not_use_is_there_for_the_other_in_the_night(build: Build) -> None:
    house = build(partitions=2)
    house.send(purchase("e1", 8000), partition=0)
    house.book()
    assert house.points("m1").available == 50
    sound(netted(house))
    assert (house.points("m1").available, house.points("m1").pending) == (80, 0)
    assert gave(house) == {"ACCRUAL": 80, "UNFUNDED": 30, "UNFUNDED_REVERSAL": 30}


def test_what_was_held_waits_for_the_night_though_there_is_room(build: Build) -> None:
    house = booked(build(), purchase("e1", 4000, card="c9"), enrol("e2", "m9", "c9"))
    assert house.points("m9").available == 0
    sound(netted(house))
    assert house.points("m9").available == 40


def test_a_higher_limit_funds_what_waits_once_and_its_room_is_opened_by_the_night_before(build: Build) -> None:
    house = booked(build(LIFTED), purchase("e1", 15000))
    netted(house)
    assert house.points("m1").available == 100
    booked(house, purchase("e2", 70000, day=TUESDAY))
    assert house.points("m1").available == 800
    twice(cut(house, TUESDAY), "fund_points", TUESDAY)
    assert (house.points("m1").available, house.points("m1").pending) == (850, 0)
    house.books.close(TUESDAY)
    sound(netted(house, TUESDAY))
    (given_,) = house.books.given_under_limits(TUESDAY)
    assert (int(given_.at_once), given_.room, int(given_.at_night), given_.room_at_night, given_.unfunded) == (700, 800, 50, 100, 0)


def test_returns_take_unfunded_points_first_and_nobody_owes_for_them(build: Build) -> None:
    house = booked(build(), purchase("e1", 12000), back("e2", "e1", {1: 3000}))
    assert gave(house) == {"ACCRUAL": 100, "UNFUNDED": 20, "UNFUNDED_REVERSAL": 20, "RETURN_UNSPENT": 10}
    sound(netted(house))
    assert (house.points("m1").available, house.points("m1").pending) == (90, 0)


def test_unfunded_points_expire_and_nothing_comes_back_for_them(build: Build) -> None:
    house = booked(build(expiry={"kind": "fixed", "month": 3, "day": 3}), purchase("e1", 12000))
    netted(house)
    sound(netted(house, TUESDAY))
    assert (house.points("m1").available, house.points("m1").pending) == (0, 0)
    assert gave(house, TUESDAY) == {"EXPIRY": 100, "UNFUNDED_REVERSAL": 20}


def test_the_check_names_debt_and_room_and_a_programme_without_limits_has_none(build: Build) -> None:
    house = netted(booked(build(), purchase("e1", 12000)))
    (given_,) = house.books.given_under_limits(MONDAY)
    assert (given_.party, given_.most_minor, given_.owed_minor, int(given_.at_once), given_.room, given_.unfunded) == (GROCER, 100, 100, 100, 100, 20)
    assert given_.within
    free = MemoryHouse(coalition(BASE), 1)
    assert netted(booked(free, purchase("e1", 12000))).books.given_under_limits(MONDAY) == []


def test_the_database_refuses_more_than_the_room_that_was_opened(request: pytest.FixtureRequest) -> None:
    import psycopg

    with on_postgres(request.getfixturevalue("addresses").postgres_uri, coalition(BASE, contracts=(ONE_EURO, FUELCO)), 1) as house:
        booked(house, purchase("e1", 6000))
        with pytest.raises(psycopg.errors.CheckViolation):
            house.connection.execute("update headroom_use set used = used + 41")


@given(st.dates(date(2000, 1, 1), date(4999, 12, 31)) | st.none())
def test_a_lot_of_unfunded_points_knows_where_they_go_when_they_are_funded(release_on: date | None) -> None:
    key = LotKey(GROCER, MONDAY, date.max, MONDAY, release_on)
    assert is_unfunded(unfunded(key))
    assert not is_unfunded(key)
    assert funded(unfunded(key)) == key


@given(st.integers(0, 500), st.lists(st.integers(1, 90), max_size=12), st.integers(1, 4))
def test_what_is_given_at_once_never_costs_more_than_the_room(cap: int, gifts: list[int], parts: int) -> None:
    taxed = {**ONE_EURO, "fees": [{"kind": "percent_of_issue", "percent": "5"}], "vat": {"percent": "19", "applies_to": ["fees", "issue"]}}
    terms = Terms(coalition(BASE, contracts=({**taxed, "limit": {"net_debit_cap": f"{cap / 100:.2f}", "currency": "EUR"}}, FUELCO)))
    limits = limits_on(terms, MONDAY, {})
    room = opened(limits, {}, parts)[GROCER]
    left = {(GROCER, part): room.room_minor + 0 * point_cost(terms.version(GROCER, date(2026, 1, 1)), terms)[1] for part in range(parts)}
    headroom = Headroom(terms, limits, left)
    lot = LotKey(GROCER, date(2026, 1, 1), date.max, MONDAY, None)
    total = sum(headroom.take(lot, points, RecordId(((no % parts) << 40) + 1)) for no, points in enumerate(gifts))
    _, cost = point_cost(terms.version(GROCER, date(2026, 1, 1)), terms)
    assert total * cost <= cap
    assert total <= sum(gifts)
