"""`privilege`: a service rendered is worth its agreed cost, to the party that renders it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from clearing.mechanics import build
from tests.short import moment
from tests.unit.clearing.baskets import compiled, entry
from tests.unit.clearing.mechanics.units import unit

SERVICES = [{"id": "delivery", "provider": "fuelco", "cost": "4.99"}, {"id": "manager", "provider": "bank1", "cost": "25.00"}]


@pytest.mark.parametrize(
    ("provider", "service", "value"),
    [("fuelco", "delivery", 499), ("bank1", "manager", 2500), ("bank1", "delivery", 0), ("fuelco", "valet", 0), ("fuelco", None, 0)],
)
def test_the_agreed_cost_is_that_of_the_service_of_this_provider(provider: str, service: str | None, value: int) -> None:
    assert compiled("privilege", services=SERVICES).value(unit(provider, service), {}) == value


def test_no_service_is_named_twice() -> None:
    with pytest.raises(ValidationError, match="a service is named twice"):
        entry("privilege", services=[*SERVICES, {"id": "delivery", "provider": "grocer", "cost": "1.00"}])


def test_nothing_is_due_where_its_conditions_do_not_hold_and_for_a_service_that_was_cancelled() -> None:
    early = compiled("privilege", services=SERVICES, when={"hours": ["06:00", "09:00"], "stores": ["2"]})
    assert early.value(unit("fuelco", "delivery"), {}) == 0
    assert early.value(unit("fuelco", "delivery", at="08:00", store="2"), {}) == 499
    assert compiled("privilege", services=SERVICES).value(unit("fuelco", "delivery", gone=True), {}) == 0


def test_costs_are_in_the_programmes_first_currency() -> None:
    told = entry("privilege", services=[{"id": "delivery", "provider": "fuelco", "cost": "500"}])
    assert build(told, (), "JPY").value(unit("fuelco", "delivery"), {}) == 500


def test_it_leaves_nothing_with_the_member() -> None:
    assert compiled("privilege", services=SERVICES).remember({}, 499, moment().date()) == ()
