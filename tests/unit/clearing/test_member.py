"""A member's state: what is owed, what can be spent, and in which order lots are spent (rules 8, 10, 15)."""

from datetime import date

from clearing.member import Debt, Lot, LotKey, Member
from schemas.ids import MemberId, MemberNo, PartyId
from tests.unit.clearing.baskets import day

GROCER, FUELCO, BAKER = PartyId("grocer"), PartyId("fuelco"), PartyId("baker")
NEVER = date(9999, 12, 31)
JANUARY, MARCH = day("2026-01-01"), day("2026-03-02")
SIX_MONTHS_IDLE = date(9000, 1, 7)


def member(**told: object) -> Member:
    return Member(MemberNo(1), MemberId("m1"), **told)  # type: ignore[arg-type]


def lot(sponsor: PartyId = GROCER, expiry: date = NEVER, earned: date = MARCH, contract: date = JANUARY, release_on: date | None = None) -> LotKey:
    return LotKey(sponsor, contract, expiry, earned, release_on)


def test_what_is_owed_is_the_sum_of_the_debts_and_lowers_what_can_be_spent() -> None:
    one = member(available=70, debts=[Debt(GROCER, 30), Debt(FUELCO, 50)])
    assert (one.owed, one.spendable) == (80, -10)
    assert (member(available=70).owed, member(available=70).spendable) == (0, 70)


def test_activity_moves_forward_only() -> None:
    one = member()
    one.active_on(MARCH)
    assert one.last_activity == MARCH
    one.active_on(JANUARY)
    assert one.last_activity == MARCH
    one.active_on(day("2026-03-03"))
    assert one.last_activity == day("2026-03-03")


def test_lots_are_spent_soonest_expiry_first_then_earliest_earned_then_by_sponsor_then_by_contract() -> None:
    soon, late = day("2026-06-30"), day("2026-12-31")
    order = [
        lot(GROCER, soon, earned=MARCH),
        lot(GROCER, late, earned=JANUARY),
        lot(BAKER, late, earned=MARCH),
        lot(FUELCO, late, earned=MARCH),
        lot(GROCER, late, earned=MARCH, contract=JANUARY),
        lot(GROCER, late, earned=MARCH, contract=day("2026-02-01")),
    ]
    for shuffled in (order[::-1], order[3:] + order[:3]):
        assert [key for key, _ in member(lots={key: Lot(1) for key in shuffled}).in_spending_order(None)] == order


def test_empty_and_pending_lots_are_not_spent() -> None:
    lots = {lot(GROCER): Lot(0), lot(FUELCO): Lot(5), lot(BAKER, release_on=day("2026-03-05")): Lot(7)}
    assert [key.sponsor for key, _ in member(lots=lots).in_spending_order(MARCH)] == ["fuelco"]
    assert [key.sponsor for key, _ in member(lots=lots).in_spending_order(None)] == ["fuelco"]


def test_a_lot_can_be_spent_up_to_and_including_its_expiry_day() -> None:
    one = member(lots={lot(expiry=MARCH): Lot(5)})
    assert len(one.in_spending_order(MARCH)) == 1
    assert one.in_spending_order(day("2026-03-03")) == []
    assert len(one.in_spending_order(None)) == 1


def test_inactive_lots_expire_by_the_members_last_activity() -> None:
    one = member(lots={lot(expiry=SIX_MONTHS_IDLE): Lot(5)}, last_activity=day("2026-04-10"))
    assert len(one.in_spending_order(day("2026-10-31"))) == 1
    assert one.in_spending_order(day("2026-11-01")) == []


def test_an_inactive_lot_is_spent_before_one_that_expires_later() -> None:
    idle, later, sooner = lot(GROCER, SIX_MONTHS_IDLE), lot(FUELCO, day("2026-10-01")), lot(BAKER, day("2026-09-29"))
    one = member(lots={later: Lot(1), idle: Lot(1), sooner: Lot(1)}, last_activity=MARCH)
    assert [key.sponsor for key, _ in one.in_spending_order(MARCH)] == ["baker", "grocer", "fuelco"]
