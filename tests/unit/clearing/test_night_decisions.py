"""What the night's decision on a purchase says and marks: the member, the balance, the day, and what has to be written."""

from __future__ import annotations

from typing import Any

from clearing.events import Decision, Sale
from schemas.ids import EventId
from tests.short import MONDAY, Json, back, purchase
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import Till, answer, mechanic

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
