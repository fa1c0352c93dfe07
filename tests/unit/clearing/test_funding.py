"""The night's funding: as far as there is room, for whom, and what goes on waiting."""

from __future__ import annotations

from datetime import date

from clearing.entries import Code
from clearing.funding import NightFunding, Waiting
from clearing.member import Lot, LotKey, Member, unfunded
from clearing.postings import Postings
from clearing.terms import Terms
from schemas.ids import MechanicId, MemberId, MemberNo, PartyId
from tests.short import MONDAY
from tests.unit.clearing.till import BASE, coalition, contract

GROCER, FUELCO = PartyId("grocer"), PartyId("fuelco")
BASE_ID = MechanicId("base")
LOT = unfunded(LotKey(GROCER, date(2026, 1, 1), date(2028, 3, 31), MONDAY, None))
EURO_EACH = [{**contract(party, "0.0100", "0.0085"), "limit": {"net_debit_cap": "1.00", "currency": "EUR"}} for party in ("grocer", "fuelco")]


def night(owes: dict[tuple[PartyId, str], int]) -> NightFunding:
    """Grocer and fuelco may each owe 1.00, a point costs 0.01."""
    return NightFunding(Terms(coalition(BASE, contracts=tuple(EURO_EACH))), MONDAY, {}, owes)


def member(points: int) -> Member:
    """Somebody with so many unfunded points."""
    return Member(MemberNo(1), MemberId("m1"), "consumer", False, {}, pending=points, lots={LOT: Lot(points)} if points else {})


def waiting(points: int) -> Waiting[int]:
    return Waiting(7, MemberNo(1), LOT, BASE_ID, points)


def test_what_has_no_room_goes_on_waiting_and_stops_all_that_comes_later() -> None:
    funding, postings = night({(GROCER, "EUR"): 40}), Postings()
    assert funding.fund(waiting(50), member(50), postings) == 0
    assert funding.fund(waiting(50), member(50), postings) == 40
    assert funding.fund(waiting(1), member(1), postings) == 1
    assert funding.open_next(MONDAY, 2)[GROCER].room_minor == 0


def test_of_what_was_taken_back_or_expired_nothing_is_funded_and_nothing_waits() -> None:
    funding, postings = night({}), Postings()
    assert funding.fund(waiting(50), member(30), postings) == 0
    assert funding.fund(waiting(50), member(0), postings) == 0
    assert funding.headroom.used == {(GROCER, -1): 30}
    opened = funding.open_next(MONDAY, 1)
    assert (opened[GROCER].owed_minor, opened[GROCER].room_minor) == (30, 70)
    assert (opened[FUELCO].owed_minor, opened[FUELCO].room_minor) == (0, 100)


def test_points_are_given_under_the_mechanic_that_earned_them() -> None:
    postings = Postings()
    night({}).fund(waiting(5), member(5), postings)
    assert {(row.what.code, row.what.mechanic) for row in postings.transfers} == {(Code.UNFUNDED_REVERSAL, BASE_ID), (Code.ACCRUAL, BASE_ID)}
