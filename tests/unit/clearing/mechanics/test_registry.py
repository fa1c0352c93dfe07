"""The registry: kinds that are booked, and those that a programme can name but not apply."""

import pytest

from clearing.mechanics import REGISTRY, UnsupportedMechanic, build, not_decided, sums_of_stamps
from tests.short import Json
from tests.unit.clearing.baskets import EURO, compiled, entry

BOOKED: dict[str, Json] = {
    "points_on_spend": {"points": 1, "per": EURO},
    "multiplier": {"factor": "2"},
    "fixed_bonus": {"points": 1},
    "card_discount": {"percent": "5"},
    "stamp_card": {"stamp_for": "unit", "rows": [10], "gift": "coffee"},
    "card_points": {"rates": [{"mcc": "5411", "points": 1, "per": EURO}]},
    "cash_back": {"percent": "1"},
    "round_up": {"multiple": "1.00"},
    "pass": {"visits": 2, "price": EURO, "partners": [{"party": "fuelco", "per_visit": "5.00"}], "months": 1},
    "privilege": {"services": [{"id": "delivery", "provider": "fuelco", "cost": "4.99"}]},
}


def test_every_kind_in_the_registry_is_compiled_by_its_own_class() -> None:
    assert frozenset(BOOKED) == REGISTRY
    classes = {type(compiled(kind, **terms)).__name__ for kind, terms in BOOKED.items()}
    assert classes == {"PointsOnSpend", "Multiplier", "FixedBonus", "CardDiscount", "StampCard", "CardPoints", "CashBack", "RoundUp", "VisitPass", "Privilege"}


@pytest.mark.parametrize(
    ("kind", "terms", "field", "what"),
    [
        ("privilege", {"banks": ["bank1"]}, "banks", "a privilege on card transactions"),
        ("privilege", {"when": {"mcc": ["5411"]}}, "when", "a privilege with conditions on articles or sums"),
        ("privilege", {"when": {"minimum": EURO}}, "when", "a privilege with conditions on articles or sums"),
        ("pass", {"when": {"except": {"skus": ["a1"]}}}, "when", "a pass with conditions on articles or sums"),
        ("pass", {"group": "best"}, "group", "a pass in a group"),
        ("pass", {"limit": {"times": 9, "per": "day", "of": "programme"}}, "limit", "a pass with a limit of the whole programme"),
        ("pass", {"budget": {"amount": "9.00", "at_end": "stop"}}, "budget", "a pass with a limit of the whole programme"),
    ],
)
def test_what_means_nothing_for_events_that_name_their_mechanic_is_refused(kind: str, terms: Json, field: str, what: str) -> None:
    told = entry(kind, **BOOKED[kind], **terms)
    lacking = not_decided(told)
    assert lacking is not None
    assert (lacking.field, lacking.what) == (field, what)
    with pytest.raises(UnsupportedMechanic, match=f"{what} is not booked yet"):
        build(told, (), "EUR")


def test_times_and_places_of_services_and_visits_can_be_asked_for_and_privileges_limited_for_all() -> None:
    when = {"stores": ["1"], "channels": ["web"], "weekdays": ["sat"], "hours": ["08:00", "12:00"], "days": ["2026-03-07"]}
    budget = {"amount": "9.00", "at_end": "stop"}
    assert not_decided(entry("privilege", **BOOKED["privilege"], when=when, budget=budget)) is None
    assert not_decided(entry("pass", **BOOKED["pass"], when=when, budget=budget | {"at_end": "warn"}, limit={"amount": "9.00", "per": "day"})) is None


def test_sums_without_a_currency_are_in_the_programmes_first() -> None:
    stamps = entry("stamp_card", stamp_for={"amount": "500"}, rows=[10], gift="coffee", gift_value="240")
    assert vars(build(stamps, (), "JPY"))["stamp_minor"] == 500
    assert vars(build(stamps, (), "EUR"))["stamp_minor"] == 50_000
    assert vars(build(stamps, (), "JPY"))["gifts"] == (("coffee", 240),)


def test_a_kind_that_is_not_booked_is_named() -> None:
    with pytest.raises(UnsupportedMechanic, match="mechanic gift: the kind gift is not booked yet") as refused:
        compiled("gift", gift="bag")
    assert (refused.value.mechanic, refused.value.what) == ("gift", "the kind gift")


def test_a_sum_of_money_cannot_cut_stamps_off_and_is_refused_and_not_passed_over() -> None:
    money = {"limit": [{"times": 3, "per": "day"}, {"amount": "9.00", "per": "day"}], "budget": {"amount": "9.00", "at_end": "stop"}}
    for field, place in (("limit", ("limit", 1, "amount")), ("budget", ("budget", "amount"))):
        terms = {"stamp_for": "purchase", "rows": [4], "gift": "coffee", field: money[field]}
        with pytest.raises(UnsupportedMechanic, match="mechanic stamp_card: a stamp card with a limit or budget in money is not booked yet") as refused:
            compiled("stamp_card", **terms)
        assert refused.value.mechanic == "stamp_card"
        assert sums_of_stamps(entry("stamp_card", **terms)) == (place,)


def test_stamps_and_purchases_can_be_limited_for_all_and_a_budget_may_warn_of_money() -> None:
    for shared in (
        {"limit": {"points": 100, "per": "day", "of": "programme"}},
        {"limit": {"times": 100, "per": "day", "of": "programme"}},
        {"budget": {"points": 100, "at_end": "stop"}},
        {"budget": {"amount": "9.00", "at_end": "warn"}},
    ):
        told = entry("stamp_card", stamp_for="purchase", rows=[4], gift="coffee", **shared)
        assert sums_of_stamps(told) == ()
        assert build(told, (), "EUR").effect == "stamp"
    assert sums_of_stamps(entry("card_discount", percent="5", budget={"amount": "9.00", "at_end": "stop"})) == ()
