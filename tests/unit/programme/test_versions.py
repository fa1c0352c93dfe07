"""What applied to booked events cannot be changed, only ended."""

import datetime as dt

import pytest

from schemas.ids import MechanicId, PartyId
from services.programme.versions import refuse_changes
from tests.unit.programme.harvest import programme

FROM = dt.date(2026, 1, 1)
LAST = dt.date(2026, 3, 31)
CONTRACTS = {(PartyId("grocer"), FROM): LAST, (PartyId("fuelco"), FROM): LAST}
MECHANICS = {(MechanicId("base"), FROM): LAST}


def refused(*changes: tuple[str, str]) -> list[tuple[tuple[str | int, ...], str]]:
    found = refuse_changes(programme(), programme(*changes), CONTRACTS, MECHANICS)
    assert all(advice.code == "applied-already" and advice.way_out for advice in found)
    return [(advice.place, advice.reason) for advice in found]


GROCER_END = ("  - party: grocer\n    from: 2026-01-01 ", "  - party: grocer\n    to: {day}\n    from: 2026-01-01 ")
BASE_END = ("    kind: points_on_spend\n", "    kind: points_on_spend\n    to: {day}\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: Cafe", "name: Coffee House"),
        ('redeem: {price: "0.0088"', 'redeem: {price: "0.0087"'),  # a contract that has not applied
        ('{price: "0.0105"', '{price: "0.0104"'),  # the next version of one that has
        ("rows: [10]", "rows: [8]"),  # a mechanic that has not applied
        ("netting: multilateral", "netting: gross"),
        ("months: 24", "months: 36"),
        ("currencies: [EUR]", "currencies: [EUR, CZK]"),
        (GROCER_END[0], GROCER_END[1].format(day="2026-03-31")),
        (BASE_END[0], BASE_END[1].format(day="2026-03-31")),
        ("    to: 2026-06-30", "    to: 2026-05-31"),
    ],
)
def test_what_has_not_applied_may_change_and_what_has_may_end(old: str, new: str) -> None:
    assert refused((old, new)) == []


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ('price: "0.0100"', 'price: "0.0101"', ("contracts", 0, "issue", "price"), "issue.price was 0.0100 and cannot become 0.0101"),
        ("settlement: daily", "settlement: weekly", ("contracts", 0, "settlement"), "was daily"),
        ('percent: "5"}', 'percent: "6"}', ("contracts", 0, "fees"), "fees was"),
        ('{price: "0.0110"', '{price: "0.0111"', ("contracts", 1, "issue", "price"), "fuelco"),
        ("    points: 1\n", "    points: 2\n", ("mechanics", 0, "points"), "points was 1 and cannot become 2"),
        ("    partners: [grocer, fuelco]", "    partners: [grocer]", ("mechanics", 0, "partners"), "cannot become"),
        (GROCER_END[0], GROCER_END[1].format(day="2026-03-30"), ("contracts", 0, "to"), "an event of 2026-03-31 and cannot end before that day"),
        (BASE_END[0], BASE_END[1].format(day="2026-03-30"), ("mechanics", 0, "to"), "cannot end before that day"),
        ("    to: 2026-06-30\n", "", ("contracts", 1, "to"), "cannot go on longer"),
        ("    to: 2026-06-30", "    to: 2026-07-31", ("contracts", 1, "to"), "was to end on 2026-06-30"),
        ("model: independent", "model: anchor", ("programme", "operator", "model"), "was independent"),
        ("operator: {party: opco", "operator: {party: bank1", ("programme", "operator", "party"), "cannot become bank1"),
        ("Europe/Berlin", "Europe/Prague", ("programme", "timezone"), "cannot become Europe/Prague"),
        ("currencies: [EUR]", "currencies: [CZK, EUR]", ("programme", "currencies"), "EUR, in this order"),
    ],
)
def test_what_has_applied_stays(old: str, new: str, place: tuple[str | int, ...], reason: str) -> None:
    extra = [('    due_at_issue: "1"', "   ")] if new == "model: anchor" else []

    found = refused((old, new), *extra)

    assert place in [each for each, _ in found]
    assert any(reason in words for _, words in found), found


@pytest.mark.parametrize(
    ("old", "new", "place", "name"),
    [
        ("  - party: grocer\n    from: 2026-01-01", "  - party: grocer\n    from: 2026-01-02", ("contracts",), "the contract of grocer from 2026-01-01"),
        ("kind: points_on_spend\n    from: 2026-01-01", "kind: points_on_spend\n    from: 2026-01-02", ("mechanics",), "the mechanic base from 2026-01-01"),
    ],
)
def test_a_version_that_applied_cannot_be_taken_out(old: str, new: str, place: tuple[str | int, ...], name: str) -> None:
    ((found, reason),) = refused((old, new))

    assert found == place
    assert reason.startswith(name)
    assert "taken out" in reason


def test_before_the_first_booking_everything_may_change() -> None:
    new = programme(("model: independent", "model: anchor"), ('    due_at_issue: "1"', "   "), ("Europe/Berlin", "Asia/Tokyo"))

    assert refuse_changes(programme(), new, {}, {}) == []
