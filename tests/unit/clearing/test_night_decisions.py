"""What the night's decision on a purchase says and marks: the member, the balance, the day, and what has to be written."""

from __future__ import annotations

from typing import Any

from clearing.events import Decision, Sale
from schemas.ids import EventId
from tests.short import MONDAY, Json, back, purchase, redeem
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, Till, answer, contract, mechanic

TUESDAY = day("2026-03-03")


def hello(gift: int, **limit: Any) -> Json:
    """A bonus for each purchase, under a limit of the whole programme."""
    return mechanic("fixed_bonus", "hello", points=gift, each="event", limit={**limit, "of": "programme"})


def last(till: Till, event_id: str) -> Decision:
    """The latest decision about an event of the grocer's."""
    return next(of[-1][1] for of in till.books.decisions.values() if of[-1][1].received.event.id == event_id)


def sale(till: Till, event_id: str) -> Sale:
    found = till.books.facts.originals["/partners/grocer", EventId(event_id)]
    assert isinstance(found, Sale)
    return found


def test_a_single_point_is_given_at_night_too() -> None:
    till = Till(hello(1, points=2, per="day"))
    till.send(purchase("e1", 100), purchase("e2", 100), purchase("e3", 100))
    till.night()
    assert [answer(last(till, one)) for one in ("e1", "e2", "e3")] == ["accepted: hello points 1 grocer", "accepted: hello points 1 grocer", "accepted"]


def test_the_decision_names_the_member_and_its_balance_and_is_final() -> None:
    till = Till(hello(30, points=70, per="day"))
    till.send(purchase("e1", 100), purchase("e2", 100))
    till.night()
    decision = last(till, "e1")
    assert (decision.member, decision.balance, decision.applied) == (till.member(), (30, 0), ("hello",))
    assert last(till, "e2").balance == (60, 0)
    assert (sale(till, "e1").undecided, sale(till, "e1").applied) == (False, ("hello",))


def test_a_return_in_the_same_window_is_decided_at_its_own_place() -> None:
    till = Till(hello(30, points=30, per="day"))
    till.send(purchase("e1", 100, at="00:30"), back("r1", "e1", {1: (100, "1")}, at="00:40"), purchase("e2", 100))  # Sunday 23:30 in UTC
    sale(till, "e1").changed = False
    till.night()
    assert (till.balance(), till.books.shared) == ((30, 0), {"hello:0:2026-03-02": 30})
    assert (last(till, "r1").balance, last(till, "r1").member) == ((0, 0), till.member())
    assert sale(till, "e1").changed


def test_room_that_comes_back_later_is_written_with_its_member() -> None:
    till = Till(hello(30, points=30, per="ever"))
    till.send(purchase("e1", 100))
    till.night()
    till.send(back("r1", "e1", {1: (100, "1")}, day=TUESDAY))
    till.member().changed = False
    till.night()
    assert till.books.shared == {}
    assert till.member().changed
    assert MONDAY in till.books.runs


def test_nobody_gives_at_night_what_room_that_came_back_would_allow_a_seller_without_a_contract() -> None:
    ended = {**contract("grocer", "0.0100", "0.0085"), "to": MONDAY.isoformat()}
    limits = [{"times": 1, "per": "ever"}, {"times": 9, "per": "ever", "of": "programme"}]
    till = Till(mechanic("fixed_bonus", "hello", points=30, limit=limits), contracts=(ended,))
    till.send(purchase("e1", 100))
    till.night()
    assert till.send(back("r1", "e1", {1: (100, "1")}, day=TUESDAY), purchase("e2", 100, day=TUESDAY)) == ["accepted: hello points -30 grocer", "accepted"]
    till.night()
    assert answer(last(till, "e2")) == "accepted"
    assert (till.balance(), till.books.shared) == ((0, 0), {})


def test_what_the_night_takes_back_is_numbered_behind_what_the_return_took_at_once() -> None:
    till = Till(BASE, {**BASE, "id": "more", "limit": {"points": 1000, "per": "ever", "of": "programme"}})
    till.send(purchase("e1", 1000))
    till.mark()
    till.send(back("r1", "e1", {1: 400}))
    till.night()
    returned = [(row.line, row.what.mechanic, row.first) for row in till.rows() if row.entry & 0xFF == 1]
    assert returned == [(0, "base", True), (1, "more", False)]


def more(**terms: Any) -> Json:
    """Points that the night decides, from whoever sells."""
    return {**BASE, "id": "more", "limit": {"points": 1000, "per": "ever", "of": "programme"}, **terms}


def test_what_the_night_takes_back_is_repaid_from_the_members_other_lots() -> None:
    till = Till({**BASE, "to": MONDAY.isoformat()}, more(**{"from": TUESDAY.isoformat()}))
    till.send(purchase("e0", 1000), redeem("s0", 10))
    till.night()
    events = [back("r0", "e0", {1: 1000}), purchase("e1", 1000, day=TUESDAY), purchase("e2", 1000, partner="fuelco", day=TUESDAY)]
    till.send(*events, back("r1", "e1", {1: 1000}, day=TUESDAY))
    assert till.debts() == ["10 opco"]
    till.night()  # e1 repays the debt; taken back, it is owed again, and e2 repays it
    assert (till.balance(), till.debts(), till.lots()) == ((0, 0), [], [])


def test_a_lot_that_had_expired_on_the_day_of_the_return_repays_nothing_though_the_books_still_have_it() -> None:
    wednesday = day("2026-03-04")
    soon = {"expiry": {"kind": "fixed", "month": 3, "day": 3}}
    till = Till(
        {**BASE, "to": "2026-03-01"}, more(**{"from": MONDAY.isoformat()}, partners=["grocer"]), more(id="soon", partners=["fuelco"], **soon), day=wednesday
    )
    early = day("2026-03-01")
    events = [purchase("e0", 1000, day=early), redeem("s0", 10, day=early), back("r0", "e0", {1: 1000}), purchase("e1", 1000)]
    till.send(*events, purchase("e2", 1000, partner="fuelco"), back("r1", "e1", {1: 1000}, day=wednesday))
    till.night()
    assert (till.debts(), till.lots(), till.balance()) == (["10 opco"], [], (-10, 0))
