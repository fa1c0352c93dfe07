"""The life of a point: given, pending or available, spent, put back, taken back, owed, repaid (rules 7, 9, 10, 12, 14, 15)."""

from datetime import date
from typing import Any

import pytest

from clearing.entries import Code
from clearing.member import Debt, Lot, LotKey, Member
from clearing.points import Purse, accrual
from clearing.postings import Postings
from schemas.ids import MechanicId, MemberId, MemberNo, PartyId, RecordId
from tests.unit.clearing.baskets import day

GROCER, FUELCO, OPCO, BASE = PartyId("grocer"), PartyId("fuelco"), PartyId("opco"), MechanicId("base")
FIRST, MARCH, NEVER = day("2026-01-01"), day("2026-03-02"), date(9999, 12, 31)


def lot(sponsor: PartyId = GROCER, *, expiry: date = NEVER, earned: date = MARCH, release_on: date | None = None) -> LotKey:
    return LotKey(sponsor, FIRST, expiry, earned, release_on)


OPEN, PENDING = lot(), lot(release_on=day("2026-03-05"))


class One:
    """A purse over a member with some lots."""

    def __init__(self, lots: dict[LotKey, int | tuple[int, int]] | None = None, **told: Any) -> None:
        points = {key: Lot(*value) if isinstance(value, tuple) else Lot(value) for key, value in (lots or {}).items()}
        available = sum(one.points for key, one in points.items() if key.release_on is None)
        pending = sum(one.points for key, one in points.items() if key.release_on is not None)
        self.member = Member(MemberNo(1), MemberId("m1"), lots=points, available=available, pending=pending, **told)
        self.postings = Postings()
        self.postings.begin(RecordId(7))
        self.purse = Purse(self.postings, self.member)

    @property
    def rows(self) -> list[str]:
        return [
            f"{Code(what.code).name} {row.amount} {what.sponsor}{'>' + what.counterparty if what.counterparty else ''}{' held' if what.held else ''}"
            for row in self.postings.transfers
            for what in [row.what]
        ]

    @property
    def left(self) -> dict[LotKey, tuple[int, int]]:
        return {key: (one.points, one.expired) for key, one in (self.member.lots or {}).items()}

    @property
    def balance(self) -> tuple[int, int, int, int]:
        """Available, pending, held, owed."""
        return self.member.available, self.member.pending, self.member.held, self.member.owed


def test_new_points_go_into_their_lot_and_balance() -> None:
    one = One()
    one.purse.earn(accrual(BASE, OPEN), 54)
    one.purse.earn(accrual(BASE, OPEN), 6)
    one.purse.earn(accrual(BASE, PENDING), 20)
    assert one.left == {OPEN: (60, 0), PENDING: (20, 0)}
    assert one.balance == (60, 20, 0, 0)
    assert one.rows == ["ACCRUAL 54 grocer", "ACCRUAL 6 grocer", "ACCRUAL 20 grocer"]
    assert one.postings.lots == {(1, OPEN): [60, 0], (1, PENDING): [20, 0]}
    assert one.member.changed
    member, row = one.postings.transfers[0].member, one.postings.transfers[0].what
    assert (member, row.contract, row.mechanic, row.lot, row.unit, row.counterparty) == (1, FIRST, BASE, OPEN, "points", None)


def test_the_lots_of_a_member_need_not_be_read_to_earn() -> None:
    one = One()
    one.member.lots = None
    one.purse.earn(accrual(BASE, OPEN), 54)
    assert one.member.available == 54
    assert one.postings.lots == {(1, OPEN): [54, 0]}


def test_new_points_first_repay_what_is_owed_oldest_debt_first() -> None:
    one = One(debts=[Debt(OPCO, 30), Debt(FUELCO, 50)])
    one.purse.earn(accrual(BASE, OPEN), 40)
    assert one.rows == ["ACCRUAL 40 grocer", "REPAYMENT 30 grocer>opco", "REPAYMENT 10 grocer>fuelco"]
    assert one.member.debts == [Debt(FUELCO, 40)]
    assert one.balance == (0, 0, 0, 40)
    assert one.left == {OPEN: (0, 0)}
    one.purse.earn(accrual(BASE, OPEN), 100)
    assert one.member.debts == []
    assert one.balance == (60, 0, 0, 0)


def test_pending_points_repay_nothing() -> None:
    one = One(debts=[Debt(OPCO, 30)])
    one.purse.earn(accrual(BASE, PENDING), 40)
    assert one.rows == ["ACCRUAL 40 grocer"]
    assert one.balance == (0, 40, 0, 30)


def test_repayment_says_how_much_was_used_and_leaves_the_mechanic_out() -> None:
    one = One({OPEN: 25}, debts=[Debt(OPCO, 10)])
    assert one.purse.repay_from(OPEN, 25) == 10
    assert one.purse.repay_from(OPEN, 15) == 0
    assert one.left == {OPEN: (15, 0)}
    row = one.postings.transfers[0].what
    assert (row.mechanic, row.counter_contract, row.contract, row.lot, row.held) == (None, None, FIRST, OPEN, False)


def test_debts_are_repaid_from_lots_in_the_order_of_spending() -> None:
    soon, late, gone = lot(expiry=day("2026-03-31")), lot(FUELCO, expiry=day("2026-04-30")), lot(expiry=day("2026-03-01"))
    one = One({late: 50, gone: 5, soon: 20}, debts=[Debt(OPCO, 30)])
    one.purse.repay_from_lots(MARCH)
    assert one.rows == ["REPAYMENT 20 grocer>opco", "REPAYMENT 10 fuelco>opco"]
    assert one.left == {late: (40, 0), gone: (5, 0), soon: (0, 0)}


def test_without_debts_lots_are_not_looked_at() -> None:
    one = One({OPEN: 20})
    one.purse.repay_from_lots(MARCH)
    assert one.rows == []
    assert not one.member.changed


def test_what_can_be_spent_is_what_has_not_expired_less_what_is_owed() -> None:
    soon = lot(expiry=MARCH)
    one = One({OPEN: 20, soon: 7, PENDING: 100}, debts=[Debt(OPCO, 5)])
    assert one.purse.can_spend(MARCH) == 22
    assert one.purse.can_spend(day("2026-03-03")) == 15


def test_redeeming_takes_the_soonest_to_expire_and_counts_as_activity() -> None:
    soon = lot(FUELCO, expiry=day("2026-03-31"))
    one = One({OPEN: 20, soon: 7})
    assert one.purse.redeem(10, MARCH, FUELCO, FIRST) == [(soon, 7), (OPEN, 3)]
    assert one.rows == ["REDEMPTION 7 fuelco>fuelco", "REDEMPTION 3 grocer>fuelco"]
    assert one.left == {OPEN: (17, 0), soon: (0, 0)}
    assert one.balance == (17, 0, 0, 0)
    assert one.member.last_activity == MARCH
    assert {row.what.counter_contract for row in one.postings.transfers} == {FIRST}


def test_exactly_what_is_there_can_be_redeemed_and_nothing_more() -> None:
    one = One({OPEN: 20})
    assert one.purse.redeem(20, MARCH, FUELCO, FIRST) == [(OPEN, 20)]
    with pytest.raises(AssertionError):
        One({OPEN: 20}).purse.redeem(21, MARCH, FUELCO, FIRST)


def test_held_points_lie_in_no_lot_until_they_are_captured_or_freed() -> None:
    one = One({OPEN: 20})
    held = one.purse.hold(15, MARCH)
    assert held == [(OPEN, 15)]
    assert one.balance == (5, 0, 15, 0)
    assert one.rows == ["HOLD 15 grocer"]
    assert one.purse.can_spend(MARCH) == 5
    assert one.member.last_activity is None
    one.purse.capture([(OPEN, 10)], MARCH, FUELCO, FIRST)
    assert one.balance == (5, 0, 5, 0)
    assert one.member.last_activity == MARCH
    assert one.rows[1:] == ["REDEMPTION 10 grocer>fuelco held"]
    assert one.postings.transfers[1].what.counter_contract == FIRST
    one.purse.free([(OPEN, 5)])
    assert one.balance == (10, 0, 0, 0)
    assert one.rows[2:] == ["HOLD_RELEASE 5 grocer"]
    assert one.left == {OPEN: (10, 0)}


def test_a_capture_alone_changes_the_member() -> None:
    one = One({OPEN: 20}, held=10)
    one.purse.capture([(OPEN, 10)], MARCH, FUELCO, FIRST)
    assert one.member.changed


def test_freed_points_repay_what_is_owed() -> None:
    one = One({OPEN: 0}, held=15, debts=[Debt(OPCO, 10)])
    one.purse.free([(OPEN, 15)])
    assert one.rows == ["HOLD_RELEASE 15 grocer", "REPAYMENT 10 grocer>opco"]
    assert one.balance == (5, 0, 0, 0)


def test_what_holds_give_back_at_night_repays_in_the_order_of_spending_whichever_hold_ran_out_first() -> None:
    soon = lot(FUELCO, expiry=day("2026-04-30"))
    one = One({OPEN: 0, soon: 7}, held=30, debts=[Debt(OPCO, 15)])
    one.purse.free_at_night([(OPEN, 10), (soon, 8), (OPEN, 10), (soon, 2)])
    released = ["HOLD_RELEASE 10 grocer", "HOLD_RELEASE 8 fuelco", "HOLD_RELEASE 10 grocer", "HOLD_RELEASE 2 fuelco"]
    assert one.rows == [*released, "REPAYMENT 10 fuelco>opco", "REPAYMENT 5 grocer>opco"]
    assert one.left == {OPEN: (15, 0), soon: (7, 0)}
    assert one.balance == (22, 0, 0, 0)


def test_points_put_back_repay_there_even_if_their_day_has_passed() -> None:
    gone, other = lot(expiry=day("2026-02-28")), lot(FUELCO)
    one = One({gone: 0, other: 0}, debts=[Debt(OPCO, 10)])
    one.purse.put_back([(gone, 6), (other, 9)], FUELCO, FIRST)
    assert one.rows == ["REDEMPTION_REVERSAL 6 grocer>fuelco", "REDEMPTION_REVERSAL 9 fuelco>fuelco", "REPAYMENT 6 grocer>opco", "REPAYMENT 4 fuelco>opco"]
    assert one.left == {gone: (0, 0), other: (5, 0)}
    assert [row.what.counter_contract for row in one.postings.transfers] == [FIRST, FIRST, None, None]


def test_points_are_taken_back_from_the_lot_they_went_into_pending_before_available() -> None:
    one = One({OPEN: 30, PENDING: 20, lot(FUELCO): 100})
    assert one.purse.take_back(35, PENDING, BASE, OPCO, owed=True) == 35
    assert one.rows == ["RETURN_UNSPENT 20 grocer", "RETURN_UNSPENT 15 grocer"]
    assert [row.what.lot for row in one.postings.transfers] == [PENDING, OPEN]
    assert {row.what.mechanic for row in one.postings.transfers} == {BASE}
    assert one.left == {OPEN: (15, 0), PENDING: (0, 0), lot(FUELCO): (100, 0)}
    assert one.member.debts == []


def test_pending_points_of_the_lot_go_first_the_soonest_released_first_whoever_gave_them() -> None:
    later, other_day = lot(release_on=day("2026-03-09")), lot(earned=day("2026-03-01"), release_on=day("2026-03-03"))
    one = One({OPEN: 30, later: 20, PENDING: 15, other_day: 50})
    assert one.purse.take_back(70, OPEN, BASE, OPCO, owed=False) == 70
    assert one.rows == ["RETURN_UNSPENT 15 grocer", "RETURN_UNSPENT 20 grocer", "RETURN_UNSPENT 30 grocer", "RETURN_SPENT 5 grocer>opco"]
    assert [row.what.lot for row in one.postings.transfers] == [PENDING, later, OPEN, OPEN]
    assert one.left == {OPEN: (0, 0), later: (0, 0), PENDING: (0, 0), other_day: (50, 0)}
    assert one.balance == (0, 50, 0, 0)


def test_what_is_missing_and_was_spent_is_owed_or_borne() -> None:
    owing = One({OPEN: 10})
    assert owing.purse.take_back(30, OPEN, BASE, OPCO, owed=True) == 30
    assert owing.rows == ["RETURN_UNSPENT 10 grocer", "RETURN_SPENT 20 grocer>opco held"]
    assert owing.member.debts == [Debt(OPCO, 20)]
    assert owing.postings.transfers[1].what.lot == OPEN
    assert owing.postings.transfers[1].what.mechanic == BASE
    borne = One({OPEN: 10})
    assert borne.purse.take_back(30, OPEN, BASE, FUELCO, owed=False) == 30
    assert borne.rows == ["RETURN_UNSPENT 10 grocer", "RETURN_SPENT 20 grocer>fuelco"]
    assert borne.member.debts == []


def test_what_is_missing_and_has_expired_is_forgotten_before_anything_counts_as_spent() -> None:
    one = One({OPEN: (10, 15)})
    assert one.purse.take_back(30, OPEN, BASE, OPCO, owed=True) == 15
    assert one.rows == ["RETURN_UNSPENT 10 grocer", "RETURN_SPENT 5 grocer>opco held"]
    assert one.left == {OPEN: (0, 0)}
    assert one.postings.lots == {(1, OPEN): [-10, -15]}


def test_what_expired_is_forgotten_once() -> None:
    one = One({OPEN: (0, 15)})
    assert one.purse.take_back(10, OPEN, BASE, OPCO, owed=True) == 0
    assert one.left == {OPEN: (0, 5)}
    assert one.purse.take_back(10, OPEN, BASE, OPCO, owed=True) == 5
    assert one.rows == ["RETURN_SPENT 5 grocer>opco held"]


def test_what_expired_while_pending_is_forgotten_first() -> None:
    one = One({PENDING: (0, 6), OPEN: (0, 8)})
    assert one.purse.take_back(10, PENDING, BASE, OPCO, owed=True) == 0
    assert one.left == {PENDING: (0, 0), OPEN: (0, 4)}
    assert one.rows == []


def test_points_of_a_lot_that_is_not_there_any_more_were_spent() -> None:
    one = One({})
    assert one.purse.take_back(10, OPEN, BASE, OPCO, owed=True) == 10
    assert one.rows == ["RETURN_SPENT 10 grocer>opco held"]
    assert one.member.changed


def test_debts_with_one_bearer_in_a_row_are_one_debt() -> None:
    one = One({})
    for bearer in (OPCO, OPCO, GROCER, OPCO):
        one.purse.take_back(10, OPEN, BASE, bearer, owed=True)
    assert one.member.debts == [Debt(OPCO, 20), Debt(GROCER, 10), Debt(OPCO, 10)]
