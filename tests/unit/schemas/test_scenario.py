"""Scenario files: the short form, and what is refused of it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.scenario import Scenario
from schemas.scenario_events import ShortPurchase
from tests.unit.schemas.golden import GOLDEN, read


def scenario() -> dict[str, Any]:
    return read(GOLDEN / "independent-basics.yaml")


def with_event(**fields: Any) -> dict[str, Any]:
    document = scenario()
    document["days"][0]["events"] = [{"id": "x1", "time": "2026-03-02T10:00:00+01:00"} | fields]
    return document


EVENTS: list[dict[str, Any]] = [
    {
        "type": "purchase",
        "partner": "grocer",
        "card": "c1",
        "total": "1.00",
        "category": "dairy",
        "sku": "milk",
        "quantity": "2",
        "channel": "web",
        "terminal": "3",
    },
    {"type": "purchase", "partner": "grocer", "card": "c1", "lines": [{"line": 1, "amount": "1.00", "discounts": [{"mechanic": "m", "amount": "0.10"}]}]},
    {
        "type": "purchase",
        "source": "/partners/grocer",
        "subject": "c2",
        "card": "c1",
        "total": "1.00",
        "tenders": [{"kind": "cash", "amount": "1.00"}],
        "repeat": 2,
    },
    {"type": "return", "partner": "grocer", "card": "c1", "original_id": "e1", "lines": [{"line": 1, "amount": "1.00"}]},
    {"type": "price-adjustment", "partner": "grocer", "original_id": "e1", "lines": [{"line": 1, "amount": "1.00"}]},
    {"type": "redemption", "partner": "grocer", "card": "c1", "points": 50, "value": "0.42", "reward": "coffee", "store": "2", "receipt": "r"},
    {"type": "redemption-reversal", "partner": "grocer", "card": "c1", "original_id": "e1", "points": 50},
    {"type": "redemption-hold", "partner": "grocer", "card": "c1", "points": 50, "expires_at": "2026-03-02T10:15:00+01:00"},
    {"type": "redemption-capture", "partner": "grocer", "original_id": "e1", "points": 50},
    {"type": "redemption-release", "partner": "grocer", "original_id": "e1"},
    {"type": "activity", "partner": "grocer", "card": "c1", "activity": "review"},
    {"type": "stamp-choice", "partner": "cafe", "card": "c1", "mechanic": "coffee-card", "choice": "save"},
    {"type": "pass-sold", "partner": "cafe", "card": "c1", "mechanic": "ten"},
    {"type": "pass-visit", "partner": "cafe", "card": "c1", "kind": "cancelled", "original_id": "v1"},
    {"type": "privilege-rendered", "partner": "cafe", "card": "c1", "mechanic": "gold", "service": "delivery"},
    {"type": "card-transaction", "bank": "bank1", "card": "tok1", "kind": "clearing", "amount": "1.00", "mcc": "5411"},
    {"type": "member-enrolled", "member": "m9", "cards": ["c9"]},
    {"type": "card-linked", "member": "m9", "card": "c9", "replaces": "c8"},
    {"type": "card-blocked", "card": "c9", "reason": "lost"},
    {"type": "member-attributes", "member": "m9", "attributes": {"birthday": "1990-05-01", "children": 2, "segments": ["a"]}},
    {"type": "consent-changed", "member": "m9", "consent": "mail", "given": False},
    {"type": "member-closed", "member": "m9"},
    {"type": "members-merged", "member": "m9", "into": "m1"},
    {"type": "members-unmerged", "original_id": "x0"},
]


@pytest.mark.parametrize("fields", EVENTS, ids=lambda fields: fields["type"])
def test_every_short_event_is_read(fields: dict[str, Any]) -> None:
    (event,) = Scenario.model_validate(with_event(**fields)).days[0].events
    assert event.type == fields["type"]


def test_what_is_not_told_is_filled_in() -> None:
    (event,) = Scenario.model_validate(with_event(type="purchase", partner="grocer", card="c1", total="1.00")).days[0].events
    assert isinstance(event, ShortPurchase)
    assert (event.store, event.receipt, event.repeat, event.currency) == ("1", None, 1, None)


PURCHASE = {"type": "purchase", "partner": "grocer", "card": "c1", "total": "1.00"}
WRONG: dict[str, dict[str, Any]] = {
    "an unknown field": PURCHASE | {"totl": "1"},
    "a sum as a number": PURCHASE | {"total": 1.5},
    "a whole sum as a number": PURCHASE | {"total": 1},
    "a time without offset": PURCHASE | {"time": "2026-03-02T10:00:00"},
    "two senders": PURCHASE | {"bank": "bank1"},
    "a type with its version": PURCHASE | {"type": "purchase.v1"},
    "lines and the fields of one": PURCHASE | {"category": "dairy", "lines": [{"line": 1, "amount": "1.00"}]},
    "neither total nor lines": {"type": "purchase", "partner": "grocer", "card": "c1"},
    "a card as a number": PURCHASE | {"card": 4},
    "a repetition of nothing": PURCHASE | {"repeat": 0},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_event_is_refused(what: str) -> None:
    with pytest.raises(ValidationError):
        Scenario.model_validate(with_event(**WRONG[what]))


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an unknown part of the report": lambda s: s["expect"].update(balance={}),
    "an unknown key in a line": lambda s: s["expect"]["obligations"][0].update(sum="1"),
    "a figure that is none": lambda s: s["expect"]["obligations"][0].update(amount="0,54"),
    "a truth value as a figure": lambda s: s["expect"]["obligations"][0].update(amount=True),
    "a fraction of a point": lambda s: s["expect"]["obligations"][0].update(quantity="54.5"),
    "a number without end": lambda s: s["expect"]["obligations"][0].update(amount=float("inf")),
    "events and a file of them": lambda s: s["days"][0].update(events_file="x.jsonl"),
    "days out of order": lambda s: s["days"].reverse(),
    "no days": lambda s: s.update(days=[]),
    "a member twice": lambda s: s["members"].append(s["members"][0]),
    "a card of two members": lambda s: s["members"].append(s["members"][0] | {"id": "m2"}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_wrong_scenario_is_refused(what: str) -> None:
    document = scenario()
    CHANGES[what](document)
    with pytest.raises(ValidationError):
        Scenario.model_validate(document)


def test_a_programme_may_be_a_path() -> None:
    assert Scenario.model_validate(scenario() | {"programme": "harvest.yaml"}).programme == "harvest.yaml"


def test_a_mistake_in_the_programme_is_the_only_thing_said() -> None:
    document = scenario()
    document["programme"]["programme"]["cutof"] = "02:00"
    with pytest.raises(ValidationError) as refused:
        Scenario.model_validate(document)
    (error,) = refused.value.errors()
    assert (error["loc"][0], error["loc"][-1]) == ("programme", "cutof")


def test_days_in_attributes_become_text() -> None:
    document = scenario()
    document["members"][0]["attributes"] = {"birthday": dt.date(1990, 5, 1)}
    assert Scenario.model_validate(document).members[0].attributes == {"birthday": "1990-05-01"}
