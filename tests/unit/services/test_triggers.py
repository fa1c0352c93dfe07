"""An event of every type can be triggered, and what is wished for stands in it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from schemas.events import EVENT_TYPES
from services.events.checking import check
from services.events.files import Line
from services.events.triggers import CannotTrigger, Wishes, trigger
from tests.coalition import as_line

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_every_type_gives_an_event_that_can_be_sent(kind: str) -> None:
    event = trigger(kind, Wishes(party="grocer"), NOW)
    assert check(Line(1, as_line(event))) is None
    assert (event["type"], event["time"], event["source"].split("/")[2]) == (kind, NOW.isoformat(), "grocer")
    assert event["id"] != trigger(kind, Wishes(), NOW)["id"]


def test_what_is_wished_for_stands_in_it() -> None:
    event = trigger(
        "purchase", Wishes("fuelco", "c-1", None, Decimal("12.5"), None, "USD", "fuel", None, "e-1", NOW, ("data.store=12", "data.lines.0.sku=s")), NOW
    )
    line = {"line": 1, "sku": "s", "category": "fuel", "quantity": "1", "amount_minor": 1250}
    assert event["data"]["lines"] == [line]
    assert (event["id"], event["subject"], event["data"]["card"], event["data"]["total_minor"]) == ("e-1", "c-1", "c-1", 1250)
    assert (event["data"]["currency"], event["data"]["store"]) == ("USD", 12)  # a number where text belongs: the house refuses it
    assert check(Line(1, as_line(event))) is not None
    redemption = trigger("redemption.v1", Wishes(card="c-1", points=70), NOW)
    assert (redemption["data"]["points"], redemption["subject"]) == (70, "c-1")
    enrolment = trigger("member-enrolled", Wishes(card="c-1", member="m-1"), NOW)
    assert (enrolment["data"]["cards"], enrolment["data"]["member"], enrolment["subject"]) == (["c-1"], "m-1", "m-1")
    back = trigger("return", Wishes(total=Decimal("2.50"), original="e-1"), NOW)
    assert (back["data"]["original_id"], back["data"]["total_minor"], len(back["data"]["lines"])) == ("e-1", 250, 1)
    assert trigger("card-transaction", Wishes(total=Decimal(3)), NOW)["data"]["amount_minor"] == 300


@pytest.mark.parametrize(
    ("kind", "wishes", "why"),
    [
        ("purchases", Wishes(), "there is no type purchases"),
        ("purchase", Wishes(points=1), "--points"),
        ("card-blocked", Wishes(total=Decimal(1)), "--total"),
        ("purchase", Wishes(total=Decimal("1.001")), "--total"),
        ("purchase", Wishes(original="x"), "--original"),
        ("purchase", Wishes(fields=("data.store",)), "--set"),
        ("purchase", Wishes(fields=("data.nothing.x=1",)), "--set"),
        ("purchase", Wishes(fields=("data.lines.7.sku=1",)), "--set"),
        ("purchase", Wishes(fields=("data.lines.x=1",)), "--set"),
    ],
)
def test_what_does_not_fit_is_said(kind: str, wishes: Wishes, why: str) -> None:
    with pytest.raises(CannotTrigger, match=why):
        trigger(kind, wishes, NOW)
