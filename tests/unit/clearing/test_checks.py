"""The checks that stand between pricing and approval: each holds where it should and says what is off where it does not."""

from dataclasses import replace
from datetime import date

import pytest

from clearing.checks import (
    NAMED_MAX,
    Balances,
    Check,
    PartitionCount,
    balances_equal_lots,
    every_event_once,
    journal_balanced,
    payments_cover_positions,
    positions_sum_to_zero,
    recomputed_equal,
)
from clearing.entries import Code
from clearing.netting import Carried, CarriedPositions, Netting, Payment, Positions
from schemas.ids import PartyId
from tests.unit.clearing.coalition import FIRST, MONDAY, total

OPCO, GROCER, FUELCO = PartyId("opco"), PartyId("grocer"), PartyId("fuelco")


def test_a_journal_is_balanced_when_each_units_debits_are_its_credits() -> None:
    assert journal_balanced({"points": 5, "EUR": 7}, {"EUR": 7, "points": 5}) == Check(
        "journal_balanced", ok=True, figures={"EUR": "debited 7, credited 7", "points": "debited 5, credited 5"}
    )
    assert journal_balanced({}, {}).ok
    assert journal_balanced({"points": 5, "EUR": 7}, {"points": 7, "EUR": 5}) == Check(
        "journal_balanced", ok=False, figures={"EUR": "debited 7, credited 5", "points": "debited 5, credited 7"}
    )
    assert journal_balanced({}, {"EUR": 1}) == Check("journal_balanced", ok=False, figures={"EUR": "debited 0, credited 1"})
    assert journal_balanced({"EUR": 1}, {}) == Check("journal_balanced", ok=False, figures={"EUR": "debited 1, credited 0"})


def test_what_members_have_is_what_lies_in_their_lots_and_open_holds() -> None:
    equal = Balances(available=70, pending=20, held=10, lots_available=70, lots_pending=20, open_holds=10)
    assert balances_equal_lots(equal) == Check(
        "balances_equal_lots",
        ok=True,
        figures={"available": "members 70, lots 70", "pending": "members 20, lots 20", "held": "members 10, open holds 10"},
    )
    for off in (replace(equal, lots_available=69), replace(equal, pending=21), replace(equal, open_holds=0), replace(equal, held=11, lots_available=69)):
        assert not balances_equal_lots(off).ok
    check = balances_equal_lots(replace(equal, open_holds=0))
    assert check.figures == {"available": "members 70, lots 70", "pending": "members 20, lots 20", "held": "members 10, open holds 0"}


def test_positions_add_up_to_zero_in_each_currency() -> None:
    assert positions_sum_to_zero({"EUR": {GROCER: -5, OPCO: 5}, "CZK": {}}) == Check("positions_sum_to_zero", ok=True, figures={"CZK": 0, "EUR": 0})
    off: Positions = {"EUR": {GROCER: -5, OPCO: 6}, "CZK": {GROCER: 1, OPCO: -2}}
    assert positions_sum_to_zero(off) == Check("positions_sum_to_zero", ok=False, figures={"CZK": -1, "EUR": 1})


def test_both_paths_to_the_totals_are_compared_key_by_key() -> None:
    accrual, other = total(Code.ACCRUAL, "grocer", 54, events=2), total(Code.REDEMPTION, "grocer", 50, "fuelco")
    batches = [replace(accrual, quantity=30, events=1), other, replace(accrual, quantity=24, events=1)]
    assert recomputed_equal(batches, [other, accrual]) == Check("recomputed_equal", ok=True, figures={"keys": 2, "differ": 0})
    check = recomputed_equal(batches, [replace(other, quantity=49), accrual])
    assert check == Check(
        "recomputed_equal",
        ok=False,
        figures={
            "keys": 2,
            "differ": 1,
            "REDEMPTION grocer 2026-01-01 fuelco 2026-01-01 points": "booked 50 in 1 events, recomputed 49 in 1 events",
        },
    )
    assert not recomputed_equal([accrual], [replace(accrual, events=3)]).ok
    assert not recomputed_equal([accrual], []).ok
    missing = recomputed_equal([], [replace(accrual, contract=None)])
    assert missing.figures["ACCRUAL grocer - - - points"] == "booked 0 in 0 events, recomputed 54 in 2 events"
    nothing = replace(accrual, quantity=0, events=0)
    assert recomputed_equal([nothing], []).ok  # a key without anything in it is no difference
    assert recomputed_equal([], [nothing]).ok
    several = [accrual, replace(accrual, contract=None), replace(other, counter_contract=None), other]
    assert list(recomputed_equal(several, []).figures)[2:] == [
        "ACCRUAL grocer - - - points", "ACCRUAL grocer 2026-01-01 - - points",
        "REDEMPTION grocer 2026-01-01 fuelco - points", "REDEMPTION grocer 2026-01-01 fuelco 2026-01-01 points",
    ]  # fmt: skip


def test_of_many_differences_the_first_are_named_and_all_are_counted() -> None:
    many = [total(Code.ACCRUAL, f"party{number:03}", 1, at=FIRST) for number in range(NAMED_MAX + 5)]
    check = recomputed_equal(many, [])
    assert check.figures["differ"] == NAMED_MAX + 5
    assert len(check.figures) == NAMED_MAX + 2


COUNT = PartitionCount("harvest.partner.transactions.v1", 3, 100, 100, 50, accepted=40, rejected=5, held=3, duplicates=2)


def test_every_event_has_one_outcome_in_every_partition() -> None:
    other = replace(COUNT, partition=4, next_offset=120)
    assert every_event_once([COUNT, other]) == Check(
        "every_event_once",
        ok=True,
        figures={"partitions": 2, "incomplete": 0, "received": 100, "accepted": 80, "rejected": 10, "held": 6, "duplicates": 4},
    )
    assert every_event_once([]).ok


@pytest.mark.parametrize(
    ("count", "says"),
    [
        (replace(COUNT, next_offset=99), "booked to 99, cut at 100; received 50, outcomes 50"),
        (replace(COUNT, received=51), "booked to 100, cut at 100; received 51, outcomes 50"),
        (replace(COUNT, accepted=41), "booked to 100, cut at 100; received 50, outcomes 51"),
        (replace(COUNT, rejected=4), "booked to 100, cut at 100; received 50, outcomes 49"),
        (replace(COUNT, held=4), "booked to 100, cut at 100; received 50, outcomes 51"),
        (replace(COUNT, duplicates=0), "booked to 100, cut at 100; received 50, outcomes 48"),
    ],
)
def test_a_partition_that_is_not_booked_or_not_accounted_for_is_named(count: PartitionCount, says: str) -> None:
    check = every_event_once([COUNT, count])
    assert not check.ok
    assert check.figures["incomplete"] == 1
    assert check.figures["harvest.partner.transactions.v1/3"] == says


def test_two_partitions_that_are_off_do_not_make_up_for_each_other() -> None:
    assert not every_event_once([replace(COUNT, received=51), replace(COUNT, partition=4, received=49)]).ok


POSITIONS: Positions = {"EUR": {GROCER: -60, FUELCO: 42, OPCO: 18}}
BEFORE: CarriedPositions = {("EUR", GROCER): Carried(-54, date(2026, 2, 27)), ("EUR", FUELCO): Carried(-48, MONDAY)}
NETTING = Netting((Payment(MONDAY, "EUR", GROCER, OPCO, 114),), {("EUR", FUELCO): Carried(-6, MONDAY)})


def test_payments_and_what_is_carried_cover_positions_and_what_was_carried() -> None:
    assert payments_cover_positions(POSITIONS, NETTING, BEFORE, OPCO) == Check("payments_cover_positions", ok=True, figures={"accounts": 3, "off": 0})
    assert payments_cover_positions({}, Netting((), {}), {}, OPCO).ok


def test_a_payment_that_is_off_is_named_with_the_party() -> None:
    wrong = Netting((Payment(MONDAY, "EUR", GROCER, OPCO, 113),), NETTING.carried)
    assert payments_cover_positions(POSITIONS, wrong, BEFORE, OPCO) == Check(
        "payments_cover_positions",
        ok=False,
        figures={"accounts": 3, "off": 2, "EUR grocer": "due -114, paid and carried -113", "EUR opco": "due 120, paid and carried 119"},
    )


@pytest.mark.parametrize(
    "wrong",
    [
        Netting((), NETTING.carried),
        Netting(NETTING.payments, {}),
        Netting(NETTING.payments * 2, NETTING.carried),
        Netting((Payment(MONDAY, "EUR", OPCO, GROCER, 114),), NETTING.carried),
        Netting((Payment(MONDAY, "CZK", GROCER, OPCO, 114),), NETTING.carried),
        Netting(NETTING.payments, {("EUR", FUELCO): Carried(6, MONDAY)}),
        Netting((*NETTING.payments, Payment(MONDAY, "EUR", FUELCO, OPCO, 1)), {("EUR", FUELCO): Carried(-6, MONDAY)}),
    ],
)
def test_any_other_netting_is_found(wrong: Netting) -> None:
    assert not payments_cover_positions(POSITIONS, wrong, BEFORE, OPCO).ok


def test_a_payment_in_a_currency_without_positions_is_off_on_both_sides() -> None:
    check = payments_cover_positions({}, Netting((Payment(MONDAY, "CZK", GROCER, OPCO, 1),), {}), {}, OPCO)
    assert check.figures == {"accounts": 2, "off": 2, "CZK grocer": "due 0, paid and carried -1", "CZK opco": "due 0, paid and carried 1"}
    check = payments_cover_positions({"CZK": {GROCER: -1, OPCO: 1}}, Netting((), {}), {}, OPCO)
    assert check.figures == {"accounts": 2, "off": 2, "CZK grocer": "due -1, paid and carried 0", "CZK opco": "due 1, paid and carried 0"}
