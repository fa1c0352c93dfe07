"""What a batch writes: rows in order, lots added up, totals with the number of distinct events behind them."""

from datetime import date

import pytest

from clearing.entries import POINTS, PURCHASES, Code, Total
from clearing.member import LotKey
from clearing.postings import Movement, Postings, Transfer
from schemas.ids import MechanicId, MemberNo, PartyId, RecordId
from tests.unit.clearing.baskets import day

GROCER, FUELCO = PartyId("grocer"), PartyId("fuelco")
M1, M2 = MemberNo(1), MemberNo(2)
V1, V2 = day("2026-01-01"), day("2026-02-01")
LOT = LotKey(GROCER, V1, date(9999, 12, 31), day("2026-03-02"), None)


def accrue(postings: Postings, points: int, contract: date = V1) -> None:
    postings.post(Movement(Code.ACCRUAL, POINTS, GROCER, contract, mechanic=MechanicId("base"), lot=LOT), points, M1)


def test_rows_belong_to_their_entry_and_are_numbered_in_it() -> None:
    postings = Postings()
    postings.begin(RecordId(7))
    accrue(postings, 5)
    redemption = Movement(Code.REDEMPTION, POINTS, GROCER, V1, counterparty=FUELCO, counter_contract=V2, lot=LOT, held=True)
    postings.post(redemption, 3, M1)
    postings.begin(RecordId(8))
    discount = Movement(Code.DISCOUNT, "EUR", GROCER, None, counterparty=FUELCO, mechanic=MechanicId("gold"))
    postings.post(discount, 50, M2)
    assert postings.transfers[1:] == [Transfer(RecordId(7), 1, 3, M1, redemption, first=True), Transfer(RecordId(8), 0, 50, M2, discount, first=True)]
    first = postings.transfers[0]
    assert (first.entry, first.line, first.amount, first.member, first.first) == (7, 0, 5, M1, True)
    assert (first.what.code, first.what.lot, first.what.mechanic, first.what.held) == (Code.ACCRUAL, LOT, "base", False)


def test_a_row_moves_something() -> None:
    postings = Postings()
    for amount in (0, -1):
        with pytest.raises(AssertionError):
            accrue(postings, amount)
    accrue(postings, 1)


def test_totals_count_each_event_once_under_each_key() -> None:
    postings = Postings()
    postings.begin(RecordId(7))
    accrue(postings, 5)
    accrue(postings, 6)
    accrue(postings, 2, V2)
    postings.begin(RecordId(8))
    accrue(postings, 1)
    assert [row.first for row in postings.transfers] == [True, False, True, True]
    assert list(postings.totals) == [
        Total(Code.ACCRUAL, GROCER, V1, None, None, POINTS, 12, 2),
        Total(Code.ACCRUAL, GROCER, V2, None, None, POINTS, 2, 1),
    ]


def test_an_event_that_comes_back_to_a_key_after_another_key_is_still_one() -> None:
    postings = Postings()
    postings.begin(RecordId(7))
    accrue(postings, 5)
    accrue(postings, 2, V2)
    accrue(postings, 3)
    assert [row.first for row in postings.transfers] == [True, True, False]
    assert [(total.quantity, total.events) for total in postings.totals] == [(8, 1), (2, 1)]


def test_every_part_of_the_key_makes_a_total_of_its_own() -> None:
    postings = Postings()
    postings.begin(RecordId(7))
    for code, unit, sponsor, counterparty, counter in (
        (Code.REDEMPTION, POINTS, GROCER, FUELCO, V1),
        (Code.REDEMPTION_REVERSAL, POINTS, GROCER, FUELCO, V1),
        (Code.REDEMPTION, "EUR", GROCER, FUELCO, V1),
        (Code.REDEMPTION, POINTS, FUELCO, FUELCO, V1),
        (Code.REDEMPTION, POINTS, GROCER, GROCER, V1),
        (Code.REDEMPTION, POINTS, GROCER, FUELCO, V2),
    ):
        postings.post(Movement(code, unit, sponsor, V1, counterparty=counterparty, counter_contract=counter), 1, M1)
    assert len(list(postings.totals)) == 6
    assert {total.counter_contract for total in postings.totals} == {V1, V2}


def test_what_the_night_books_counts_as_no_event() -> None:
    postings = Postings()
    postings.begin(RecordId(-5))
    accrue(postings, 5)
    accrue(postings, 5)
    assert [row.first for row in postings.transfers] == [False, False]
    assert [(total.quantity, total.events) for total in postings.totals] == [(10, 0)]
    postings.begin(RecordId(7))
    accrue(postings, 1)
    postings.begin(RecordId(-6))
    accrue(postings, 1)
    assert [row.first for row in postings.transfers] == [False, False, True, False]
    assert [(total.quantity, total.events) for total in postings.totals] == [(12, 1)]


def test_what_belongs_to_no_entry_counts_as_no_event() -> None:
    postings = Postings()
    accrue(postings, 5)
    postings.begin(RecordId(-5))
    accrue(postings, 5, V2)
    postings.begin(RecordId(0))
    accrue(postings, 5, V2)
    assert [(row.entry, row.line, row.first) for row in postings.transfers] == [(0, 0, False), (-5, 0, False), (0, 0, False)]
    assert [total.events for total in postings.totals] == [0, 0]


def test_the_first_entry_of_all_counts_as_an_event() -> None:
    postings = Postings()
    postings.begin(RecordId(1))
    for contract in (V1, V2, V1):
        accrue(postings, 5, contract)
    assert [(row.line, row.first) for row in postings.transfers] == [(0, True), (1, True), (2, False)]
    postings.begin(RecordId(-5))
    accrue(postings, 5)
    postings.begin(RecordId(1))
    accrue(postings, 5)
    assert postings.transfers[-1].first
    assert [total.events for total in postings.totals] == [2, 1]


def test_purchases_are_counted_without_a_row() -> None:
    postings = Postings()
    for record in (7, 8):
        postings.begin(RecordId(record))
        postings.count(Code.PURCHASE, 1, PURCHASES, GROCER, V1)
    postings.begin(RecordId(9))
    postings.count(Code.PURCHASE, 1, PURCHASES, GROCER, None)
    assert postings.transfers == []
    assert list(postings.totals) == [
        Total(Code.PURCHASE, GROCER, V1, None, None, PURCHASES, 2, 2),
        Total(Code.PURCHASE, GROCER, None, None, None, PURCHASES, 1, 1),
    ]


def test_changes_of_a_lot_are_added_up() -> None:
    postings = Postings()
    other = LOT._replace(release_on=day("2026-03-05"))
    postings.change_lot(M1, LOT, 5)
    postings.change_lot(M1, LOT, -2, 1)
    postings.change_lot(M1, LOT, 0, -3)
    postings.change_lot(M2, LOT, 7)
    postings.change_lot(M1, other, 4, 2)
    assert postings.lots == {(M1, LOT): [3, -2], (M2, LOT): [7, 0], (M1, other): [4, 2]}
