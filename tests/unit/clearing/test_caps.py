"""What limits cut off a card transaction's rewards, and why one brought nothing: what its bank is told beside what was given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from clearing.caps import Cap, caps_of, why_nothing
from clearing.events import Received
from clearing.plan import Plan
from schemas.events.decode import decode
from schemas.ids import MechanicId, PartyId, RecordId
from tests.short import card, moment, value_of
from tests.unit.clearing.baskets import EURO
from tests.unit.clearing.cards import BACK, POINTS, UP
from tests.unit.clearing.till import BASE, Entry, coalition, mechanic

LIMITED: Entry = {**POINTS, "limit": [{"points": 100, "per": "month", "of": "member"}, {"points": 60, "per": "event", "of": "member"}]}
SHARED: Entry = {**BACK, "limit": [{"amount": "5.00", "per": "day", "of": "programme"}, {"times": 3, "per": "year", "of": "member"}]}
AT: datetime = moment(at="10:00")


def received(amount_minor: int = 3000, mcc: str = "5411") -> Received:
    return Received(RecordId(1), AT, decode(value_of(card("t1", amount_minor, mcc))), PartyId("bank1"))


def caps(*mechanics: Entry, applied: frozenset[str] | None = None, given: Mapping[str, int] | None = None, **spent: Any) -> dict[str, Cap]:
    known = {MechanicId(name): units for name, units in (given or {}).items()}
    return {str(name): cap for name, cap in caps_of(Plan(coalition(*mechanics)), received(**spent), AT, applied, known).items()}


def test_of_what_a_transaction_was_worth_a_limit_cut_what_was_not_given() -> None:
    assert caps(LIMITED, given={"miles": 60}) == {"miles": Cap("miles:0:2026-03 miles:1:event", 0)}
    assert caps(LIMITED, given={"miles": 29}) == {"miles": Cap("miles:0:2026-03 miles:1:event", 31)}
    assert caps(LIMITED) == {"miles": Cap("miles:0:2026-03 miles:1:event", 60)}


def test_more_than_it_is_worth_was_never_cut_by_less_than_nothing() -> None:
    """The rule was changed for the better and back: nothing is below zero in a file."""
    assert caps(LIMITED, given={"miles": 61})["miles"].cut_units == 0


def test_limits_of_the_whole_programme_stand_behind_those_of_the_member() -> None:
    assert caps(SHARED, given={"back": 59}) == {"back": Cap("back:0:2026 back:0:2026-03-02", 1)}


def test_only_a_limited_mechanic_that_applied_and_was_worth_something_has_caps() -> None:
    assert caps(POINTS, BACK) == {}
    assert caps(LIMITED, {**BACK, "id": "plain"}, UP).keys() == {"miles"}
    assert caps(LIMITED, SHARED).keys() == {"miles", "back"}
    assert caps(LIMITED, SHARED, applied=frozenset({"back"})).keys() == {"back"}
    assert caps(LIMITED, SHARED, applied=frozenset()) == {}
    assert caps(LIMITED, SHARED, amount_minor=24).keys() == set()
    assert caps(LIMITED, {**UP, "limit": [{"times": 1, "per": "day", "of": "member"}]}, amount_minor=0) == {}


def test_what_it_was_worth_is_asked_for_the_time_at_which_it_was_spent() -> None:
    mornings = {**LIMITED, "when": {"hours": ["09:00", "11:00"]}}
    assert caps(mornings, given={"miles": 60}).keys() == {"miles"}
    assert caps({**LIMITED, "when": {"hours": ["11:00", "12:00"]}}) == {}


def test_a_multiplier_was_worth_what_the_bases_that_applied_make_it() -> None:
    base = mechanic("points_on_spend", "plain", points=1, per=EURO, banks=["bank1"])
    other = mechanic("points_on_spend", "other", points=2, per=EURO, banks=["bank1"])
    double = mechanic("multiplier", "double", factor="2", banks=["bank1"], limit=[{"points": 10, "per": "ever", "of": "member"}])
    assert caps(base, other, double, given={"double": 10}) == {"double": Cap("double:0:", 80)}
    assert caps(base, other, double, applied=frozenset({"plain", "double"}), given={"double": 10}) == {"double": Cap("double:0:", 20)}


EXCLUDING: Entry = {**POINTS, "exclude_mcc": ["6011", "9311-9399"]}


@pytest.mark.parametrize(
    ("mechanics", "mcc", "why"),
    [
        ([EXCLUDING], "9311", "MCC"),
        ([EXCLUDING], "9310", "NO_RULE"),
        ([EXCLUDING, {**BACK, "exclude_mcc": ["6011"]}], "6011", "MCC"),
        ([EXCLUDING, {**BACK, "exclude_mcc": ["6011"]}], "9311", "NO_RULE"),
        ([EXCLUDING, UP], "6011", "MCC"),
        ([UP], "6011", "NO_RULE"),
        ([BASE], "6011", "NO_RULE"),
        ([{**EXCLUDING, "banks": ["bank2"]}], "6011", "NO_RULE"),
        ([{**EXCLUDING, "banks": ["bank1"]}], "6011", "MCC"),
    ],
)
def test_a_transaction_brought_nothing_because_every_rule_excludes_its_category_or_none_fits(mechanics: list[Entry], mcc: str, why: str) -> None:
    plan = Plan(coalition(*mechanics))
    assert why_nothing(plan, received(mcc=mcc), AT, left=False) == why
    assert why_nothing(plan, received(mcc=mcc), AT, left=True) == "LEFT"
