"""`pass`: what a visit is worth to the partner visited, and how visits are kept by pass."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from clearing.mechanics.base import Memory
from clearing.mechanics.visit_pass import PassKey, VisitPass, enter, passes, visits_left
from schemas.ids import EventId, PartyId
from tests.short import Json
from tests.unit.clearing.baskets import EURO, compiled, day, entry
from tests.unit.clearing.mechanics.units import unit

TERMS: Json = {"visits": 10, "price": EURO, "months": 3, "partners": [{"party": "grocer", "per_visit": "9.00"}, {"party": "fuelco", "per_visit": "0.00"}]}
GROCER = PartyId("grocer")


def visits(**terms: object) -> VisitPass:
    made = compiled("pass", **{**TERMS, **terms})
    assert isinstance(made, VisitPass)
    return made


def key(end: str, sold: str = "2026-03-02", seller: str = "grocer", event: str = "s1") -> PassKey:
    return PassKey(day(end), day(sold), PartyId(seller), EventId(event))


def test_a_visit_is_worth_what_its_partner_was_promised_if_its_conditions_hold() -> None:
    early = visits(when={"hours": ["06:00", "09:00"]})
    told = [
        (early.value(one, {}), early.holds(one))
        for one in (unit("grocer", at="08:59"), unit("grocer", at="09:00"), unit("fuelco", at="08:00"), unit("baker", at="08:00"))
    ]
    assert told == [(900, True), (0, False), (0, True), (0, False)]
    assert not early.holds(unit("grocer", at="08:00", gone=True))


def test_no_partner_is_named_twice() -> None:
    with pytest.raises(ValidationError, match="a partner of a pass is named twice"):
        entry("pass", **{**TERMS, "partners": [*TERMS["partners"], {"party": "grocer", "per_visit": "1.00"}]})


def test_a_pass_lives_until_the_same_day_so_many_months_later_and_not_on_it() -> None:
    made = visits().key(day("2026-11-30"), GROCER, EventId("s1"))
    assert made == key("2027-02-28", "2026-11-30")
    memory: Memory = {made.text: 4}
    assert [visits_left(memory, day(on)) for on in ("2026-11-30", "2027-02-27", "2027-02-28")] == [4, 4, 0]


def test_a_pass_is_found_again_by_its_name() -> None:
    one = key("2026-06-02", seller="a.b_c-d", event="x:1.2_3-4")
    assert one.text == "2026-06-02/2026-03-02/a.b_c-d/x:1.2_3-4"
    assert PassKey.read(one.text) == one


def test_passes_are_used_by_end_then_by_sale_then_by_seller_and_id() -> None:
    order = [
        key("2026-05-01", "2026-04-01"),
        key("2026-06-01", "2026-03-01", "zoo"),
        key("2026-06-01", "2026-03-02", "baker", "s9"),
        key("2026-06-01", "2026-03-02", "grocer", "s1"),
        key("2026-06-01", "2026-03-02", "grocer", "s2"),
    ]
    assert passes({one.text: 1 for one in reversed(order)}) == order


def test_visits_come_and_go_and_of_an_empty_pass_nothing_is_kept() -> None:
    memory: Memory = {}
    enter(memory, key("2026-06-02"), 2)
    enter(memory, key("2026-06-02"), -1)
    assert memory == {"2026-06-02/2026-03-02/grocer/s1": 1}
    enter(memory, key("2026-06-02"), -1)
    assert memory == {}
    enter(memory, key("2026-06-02"), 1)
    assert memory == {"2026-06-02/2026-03-02/grocer/s1": 1}


def test_only_by_pass_are_visits_remembered() -> None:
    memory: Memory = {}
    assert visits().remember(memory, 10, day("2026-03-02")) == ()
    assert memory == {}
