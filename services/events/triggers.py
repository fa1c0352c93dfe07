"""One event of any type, made from its example in the catalogue: with an id of its own, as if it happened now."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.events import EVENT_TYPES
from schemas.money import MoneyError, to_minor
from schemas.topics import example

HOLD = timedelta(minutes=10)
Data = dict[str, Any]


class CannotTrigger(ValueError):
    """What is asked for does not go into an event of this type; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to stand in the event instead of what the example says; None leaves the example's."""

    party: str | None = None
    card: str | None = None
    member: str | None = None
    total: Decimal | None = None
    points: int | None = None
    currency: str | None = None
    category: str | None = None
    original: str | None = None
    id: str | None = None
    time: datetime | None = None
    fields: Sequence[str] = ()
    """`path=value`, the path with dots (`data.store=330`), the value as JSON, or text where it is none."""


def event_type(name: str) -> str:
    """A type by its name, the version left out or not. Raises `CannotTrigger` where there is none."""
    full = name if "." in name else f"{name}.v1"
    if full not in EVENT_TYPES:
        raise CannotTrigger(f"there is no type {name}; there are: {', '.join(sorted(EVENT_TYPES))}")
    return full


def trigger(name: str, wishes: Wishes, now: datetime) -> Data:
    """The event. Raises `CannotTrigger`."""
    event = example(event_type(name))
    data: Data = event["data"]
    event["id"] = wishes.id or f"t-{secrets.token_hex(5)}"
    moment = wishes.time or now
    event["time"] = moment.isoformat(timespec="seconds")
    if wishes.party is not None:
        event["source"] = f"{event['source'].rpartition('/')[0]}/{wishes.party}"
    _fresh(event, data, moment)
    _who(event, data, wishes)
    if wishes.original is not None:
        _replace(event, data, "original_id", wishes.original, "--original")
    if wishes.points is not None:
        _replace(event, data, "points", wishes.points, "--points")
    if wishes.currency is not None:
        _replace(event, data, "currency", wishes.currency, "--currency")
    if wishes.total is not None:
        _total(event, data, wishes.total)
    if wishes.category is not None:
        for line in data.get("lines", ()):
            line["category"] = wishes.category
    for field in wishes.fields:
        _set(event, field)
    return event


def _fresh(event: Data, data: Data, moment: datetime) -> None:
    """What the example says of its own day and receipt is said of this one."""
    for name, value in (
        ("receipt", event["id"]),
        ("expires_at", (moment + HOLD).isoformat(timespec="seconds")),
        ("transacted_at", event["time"]),
        ("posted_on", moment.date().isoformat()),
        ("enrolled_on", moment.date().isoformat()),
    ):
        if name in data:
            data[name] = value
    data.pop("tenders", None)
    data.pop("original_source", None)
    for line in data.get("lines", ()):
        line.pop("discounts", None)


def _who(event: Data, data: Data, wishes: Wishes) -> None:
    """Card and member; the subject is the one that the event shows."""
    if wishes.card is not None:
        if "card" in data or "card_token" in data:
            data["card" if "card" in data else "card_token"] = wishes.card
        elif "cards" in data:
            data["cards"] = [wishes.card]
        if "member" not in data and event["source"].split("/")[1] != "operator":
            event["subject"] = wishes.card
    if wishes.member is not None:
        if "member" in data:
            data["member"] = wishes.member
        event["subject"] = wishes.member


def _total(event: Data, data: Data, total: Decimal) -> None:
    """The whole amount, on the first line."""
    try:
        amount_minor = to_minor(total, data.get("currency", "EUR"))
    except MoneyError as error:
        raise CannotTrigger(f"--total: {error.reason}") from None
    if "lines" in data:
        data["lines"] = [{**data["lines"][0], "amount_minor": amount_minor}]
        if "total_minor" in data:
            data["total_minor"] = amount_minor
    elif "amount_minor" in data:
        data["amount_minor"] = amount_minor
    elif "value_minor" in data:
        data["value_minor"] = amount_minor
    else:
        raise CannotTrigger(f"--total: a {event['type']} has no amount")


def _replace(event: Data, data: Data, name: str, value: object, option: str) -> None:
    if name not in data:
        raise CannotTrigger(f"{option}: a {event['type']} has no field {name}")
    data[name] = value


def _set(event: Data, field: str) -> None:
    path, equals, text = field.partition("=")
    *above, last = path.split(".")
    if not equals or not last:
        raise CannotTrigger(f"--set {field}: it is written as data.store=330")
    place: Any = event
    for step in above:
        place = (
            place[int(step)] if isinstance(place, list) and step.isdigit() and int(step) < len(place) else place.get(step) if isinstance(place, dict) else None
        )
        if not isinstance(place, dict | list):
            raise CannotTrigger(f"--set {field}: there is no {step} in the event")
    try:
        value: Any = json.loads(text)
    except ValueError:
        value = text
    if isinstance(place, list):
        if not last.isdigit() or int(last) >= len(place):
            raise CannotTrigger(f"--set {field}: there is no {last} in the list")
        place[int(last)] = value
    else:
        place[last] = value
