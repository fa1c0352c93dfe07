"""What a booking says of itself: whom it has changed (only that is written), whose each row of the journal is, and why each effect came about."""

from __future__ import annotations

from typing import Any

import pytest

from clearing.entries import Code
from clearing.events import Decision, Hold, Pending, Sale, Spending
from schemas.ids import EventId
from tests.short import MONDAY, Json, adjust, back, capture, hold, line, purchase, redeem, release, reverse
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, Entry, Till, mechanic

TUESDAY = day("2026-03-03")
TEN_PERCENT = mechanic("card_discount", "gold", percent="10")
STAMPS = mechanic("stamp_card", "coffee", stamp_for="unit", rows=[2, 2], gift="coffee", gift_value="2.40")


def unwritten(till: Till) -> Till:
    """As after a batch: nothing is left to be written."""
    facts = till.books.facts
    for one in [*facts.members.values(), *facts.cards.values(), *facts.originals.values()]:
        if not isinstance(one, Pending):
            one.changed = False
    return till


def original(till: Till, event_id: str, partner: str = "fuelco") -> Any:
    return till.books.facts.originals[f"/partners/{partner}", EventId(event_id)]


# --- what is marked to be written --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    [BASE, STAMPS, {**TEN_PERCENT, "limit": {"amount": "5.00", "per": "month"}}, mechanic("fixed_bonus", "hello", points=1, pending_days=3)],
    ids=["points", "stamps", "limited discount", "pending points"],
)
def test_who_gets_something_or_loses_it_again_is_written(entry: Entry) -> None:
    till = unwritten(Till(entry))
    till.send(purchase("e1", [line(1, 1000, discounts={"gold": 100})]))
    assert till.member().changed
    unwritten(till).send(back("r1", "e1", {1: (1000, "1")}))
    assert till.member().changed


def test_a_purchase_that_brings_nothing_changes_nobody() -> None:
    till = unwritten(Till(BASE))
    till.send(purchase("e1", 99))
    assert not till.member().changed


@pytest.mark.parametrize("event", [back("r1", "e1", {1: 10}), adjust("a1", "e1", {1: 10})], ids=["return", "price adjustment"])
def test_what_is_left_of_a_purchase_is_written_after_a_return(event: Json) -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1099))
    sale = original(unwritten(till), "e1", "grocer")
    assert isinstance(sale, Sale)
    till.send(event)
    assert sale.changed
    assert sale.left[1].amount_minor == 1089


def test_a_hold_is_written_when_it_opens_and_when_it_closes() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 10_000), hold("h1", 30), hold("h2", 40))
    for event_id, closing in (("h1", capture("x1", "h1", 10)), ("h2", release("x2", "h2"))):
        held = original(till, event_id)
        assert isinstance(held, Hold)
        assert (held.open, held.changed) == (True, True)
        held.changed = False
        till.send(closing)
        assert (held.open, held.changed, held.lots) == (False, True, [])


def test_a_hold_that_ran_out_is_closed_for_good() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 10_000), hold("h1", 30))
    held = original(unwritten(till), "h1")
    till.night()
    assert (held.open, held.changed, held.lots) == (False, True, [])
    assert till.send(capture("x1", "h1", 30, day=TUESDAY)) == ["unknown-original /data/original_id"]


def test_what_was_spent_is_remembered_with_its_record_partner_and_contract() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 10_000), redeem("x1", 20), hold("h1", 30), capture("x2", "h1", 30))
    records = {decision.received.event.id: decision.received.record for history in till.books.decisions.values() for _, decision in history}
    for event_id, points in (("x1", 20), ("x2", 30)):
        spent = original(till, event_id)
        assert isinstance(spent, Spending)
        assert (spent.record, spent.partner, spent.contract, spent.changed) == (records[event_id], "fuelco", day("2026-01-01"), False)
        assert [part for _, part in spent.lots] == [points]
        till.send(reverse(f"v-{event_id}", event_id, 5))
        assert (spent.changed, [part for _, part in spent.lots]) == (True, [points - 5])
    assert original(till, "h1").record == records["h1"]


def test_a_reversal_is_priced_under_the_contract_of_what_was_spent() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 10_000), hold("h1", 30), capture("x1", "h1", 30), redeem("x2", 10))
    till.mark()
    till.send(reverse("v1", "x1", 30), reverse("v2", "x2", 10))
    assert till.journal() == ["redemption_reversal 30 grocer>fuelco", "redemption_reversal 10 grocer>fuelco"]
    assert [row.what.counter_contract for row in till.rows()] == [day("2026-01-01")] * 2


# --- whose rows they are -----------------------------------------------------------------------------------------------------------------


def test_every_row_of_the_journal_is_the_members() -> None:
    later = mechanic("fixed_bonus", "later", points=5, pending_days=1, partners=["fuelco"])
    till = Till(BASE, TEN_PERCENT, STAMPS, later)
    till.enrol("m2", "c2")
    goods = [line(1, 4000, quantity="4", discounts={"gold": 400})]
    till.send(purchase("e1", goods, card="c2"), purchase("e2", 2000, partner="fuelco", card="c2"), redeem("x1", 50, card="c2"), hold("h1", 5, card="c2"))
    till.send(reverse("v1", "x1", 10, card="c2"), back("r1", "e1", {1: (4000, "4")}, card="c2"))
    till.night(TUESDAY)
    assert {row.member for row in till.rows()} == {till.member("m2").no}
    assert {row.what.code for row in till.rows()} == {
        Code.ACCRUAL, Code.RELEASE, Code.REDEMPTION, Code.REDEMPTION_REVERSAL, Code.REPAYMENT, Code.RETURN_UNSPENT, Code.RETURN_SPENT,
        Code.HOLD, Code.HOLD_RELEASE, Code.DISCOUNT, Code.DISCOUNT_REVERSAL, Code.REWARD, Code.STAMP, Code.STAMP_REVERSAL,
    }  # fmt: skip


# --- why an effect came about ------------------------------------------------------------------------------------------------------------


def reasons(decision: Decision) -> list[tuple[str, str]]:
    return [(effect.kind, effect.reason) for effect in decision.effects]


def test_every_effect_says_why() -> None:
    till = Till(BASE, TEN_PERCENT, STAMPS, mechanic("stamp_card", "tea", stamp_for="purchase", rows=[1], gift="tea"))
    bought = till.one(purchase("e1", [line(1, 4000, quantity="2", discounts={"gold": 400})]))
    assert reasons(bought) == [
        ("points", "purchase"), ("discount", "purchase"), ("stamp", "purchase"), ("gift", "purchase"), ("stamp", "purchase"), ("gift", "purchase"),
    ]  # fmt: skip
    assert reasons(till.one(redeem("x1", 10))) == [("points", "redemption")]
    assert reasons(till.one(reverse("v1", "x1", 4))) == [("points", "redemption reversal")]
    till.send(hold("h1", 10))
    assert reasons(till.one(capture("x2", "h1", 10))) == [("points", "redemption")]
    assert reasons(till.one(back("r1", "e1", {1: (4000, "2")}))) == [("points", "return"), ("discount", "return"), ("stamp", "return"), ("stamp", "return")]


def test_the_day_of_a_purchase_is_that_of_the_programmes_time_zone_when_it_is_returned_too() -> None:
    double = mechanic("multiplier", "double", factor="2") | {"from": MONDAY}
    till = Till(BASE, double)
    assert till.send(purchase("e1", 1000, at="00:30")) == ["accepted: base points 10 grocer, double points 10 grocer"]  # Sunday 23:30 in UTC
    assert till.send(back("r1", "e1", {1: 400})) == ["accepted: base points -4 grocer, double points -4 grocer"]
