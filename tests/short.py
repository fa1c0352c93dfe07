"""Events for tests, each by one short call; everything that a test does not talk about has a plain value.

Amounts are minor units of EUR unless told, days are 2 March 2026 (a Monday), times 10:00 in Berlin.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events.decode import decode

MONDAY = date(2026, 3, 2)
BERLIN = ZoneInfo("Europe/Berlin")
Json = dict[str, Any]


def moment(day: date = MONDAY, at: str = "10:00") -> datetime:
    """A time of day in Berlin."""
    return datetime.combine(day, time.fromisoformat(at), BERLIN)


def envelope(kind: str, event_id: str, subject: str, data: Json, *, source: str, day: date = MONDAY, at: str = "10:00") -> Json:
    """The event around its data."""
    return {
        "specversion": "1.0", "id": event_id, "source": source, "type": f"{kind}.v1", "time": moment(day, at).isoformat(), "subject": subject, "data": data,
    }  # fmt: skip


def line(no: int, amount: int, category: str | None = None, *, quantity: str = "1", sku: str | None = None, discounts: Json | None = None) -> Json:
    """One line of a purchase; `discounts` by mechanic."""
    named = [{"mechanic": name, "amount_minor": minor} for name, minor in (discounts or {}).items()]
    told = {"category": category, "sku": sku, "discounts": named or None}
    return {"line": no, "quantity": quantity, "amount_minor": amount} | {name: value for name, value in told.items() if value is not None}


def purchase(
    event_id: str,
    bought: int | Sequence[Json],
    category: str | None = None,
    *,
    card: str = "c1",
    partner: str = "grocer",
    tenders: Json | None = None,
    currency: str = "EUR",
    store: str = "1",
    channel: str | None = None,
    total: int | None = None,
    day: date = MONDAY,
    at: str = "10:00",
) -> Json:
    """A purchase of some lines, or of one line of so much; `tenders` by kind."""
    lines = [line(1, bought, category)] if isinstance(bought, int) else list(bought)
    data: Json = {
        "store": store, "receipt": event_id, "card": card, "currency": currency, "lines": lines,
        "total_minor": sum(one["amount_minor"] for one in lines) if total is None else total,
    }  # fmt: skip
    if channel is not None:
        data["channel"] = channel
    if tenders is not None:
        data["tenders"] = [{"kind": kind, "amount_minor": minor} for kind, minor in tenders.items()]
    return envelope("purchase", event_id, card, data, source=f"/partners/{partner}", day=day, at=at)


def back(
    event_id: str,
    original: str,
    returned: dict[int, int | tuple[int, str]],
    *,
    card: str = "c1",
    partner: str = "grocer",
    original_source: str | None = None,
    currency: str = "EUR",
    total: int | None = None,
    day: date = MONDAY,
    at: str = "12:00",
) -> Json:
    """A return: by line the amount that comes back, or amount and quantity."""
    lines = []
    for no, value in returned.items():
        amount, quantity = value if isinstance(value, tuple) else (value, None)
        lines.append({"line": no, "amount_minor": amount} | ({"quantity": quantity} if quantity is not None else {}))
    data: Json = {
        "original_id": original, "store": "1", "receipt": event_id, "currency": currency, "lines": lines,
        "total_minor": sum(one["amount_minor"] for one in lines) if total is None else total,
    }  # fmt: skip
    if original_source is not None:
        data["original_source"] = original_source
    return envelope("return", event_id, card, data, source=f"/partners/{partner}", day=day, at=at)


def adjust(event_id: str, original: str, paid_back: dict[int, int], *, card: str = "c1", day: date = MONDAY, at: str = "12:00") -> Json:
    """A price adjustment: by line the money paid back."""
    lines = [{"line": no, "amount_minor": amount} for no, amount in paid_back.items()]
    data = {"original_id": original, "currency": "EUR", "lines": lines}
    return envelope("price-adjustment", event_id, card, data, source="/partners/grocer", day=day, at=at)


def redeem(event_id: str, points: int, *, card: str = "c1", partner: str = "fuelco", day: date = MONDAY, at: str = "11:00") -> Json:
    """A redemption."""
    data = {"card": card, "store": "1", "receipt": event_id, "points": points}
    return envelope("redemption", event_id, card, data, source=f"/partners/{partner}", day=day, at=at)


def reverse(event_id: str, original: str, points: int, *, card: str = "c1", partner: str = "fuelco", day: date = MONDAY, at: str = "12:00") -> Json:
    """The reversal of a redemption."""
    data = {"original_id": original, "points": points}
    return envelope("redemption-reversal", event_id, card, data, source=f"/partners/{partner}", day=day, at=at)


def hold(
    event_id: str, points: int, *, until: datetime | None = None, card: str = "c1", partner: str = "fuelco", day: date = MONDAY, at: str = "11:00"
) -> Json:
    """Points held at a till, until 11:30 of the day unless told."""
    runs_out = (until or moment(day, "11:30")).isoformat()
    data = {"card": card, "store": "1", "receipt": event_id, "points": points, "expires_at": runs_out}
    return envelope("redemption-hold", event_id, card, data, source=f"/partners/{partner}", day=day, at=at)


def capture(event_id: str, original: str, points: int, *, card: str = "c1", partner: str = "fuelco", day: date = MONDAY, at: str = "11:10") -> Json:
    """Held points are spent."""
    data = {"original_id": original, "points": points}
    return envelope("redemption-capture", event_id, card, data, source=f"/partners/{partner}", day=day, at=at)


def release(event_id: str, original: str, *, card: str = "c1", partner: str = "fuelco", day: date = MONDAY, at: str = "11:10") -> Json:
    """Held points are freed."""
    return envelope("redemption-release", event_id, card, {"original_id": original}, source=f"/partners/{partner}", day=day, at=at)


def card(
    event_id: str,
    amount: int,
    mcc: str = "5411",
    *,
    kind: str = "clearing",
    original: str | None = None,
    token: str = "c1",  # noqa: S107  # a card's, as banks call it
    bank: str = "bank1",
    currency: str = "EUR",
    day: date = MONDAY,
    at: str = "10:00",
) -> Json:
    """A transaction of a bank's card: a clearing unless told."""
    data: Json = {
        "card_token": token, "kind": kind, "amount_minor": amount, "currency": currency, "mcc": mcc,
        "transacted_at": moment(day, at).isoformat(), "posted_on": day.isoformat(),
    }  # fmt: skip
    if original is not None:
        data["original_id"] = original
    return envelope("card-transaction", event_id, token, data, source=f"/banks/{bank}", day=day, at=at)


def refund(event_id: str, original: str, amount: int, **terms: Any) -> Json:
    """A refund of a card transaction."""
    return card(event_id, amount, kind="refund", original=original, **terms)


def chargeback(event_id: str, original: str, amount: int, **terms: Any) -> Json:
    """A chargeback of a card transaction."""
    return card(event_id, amount, kind="chargeback", original=original, **terms)


def recharge(event_id: str, original: str, amount: int, **terms: Any) -> Json:
    """The reversal of a chargeback, which names it or its card transaction."""
    return card(event_id, amount, kind="chargeback-reversal", original=original, **terms)


def choose(event_id: str, mechanic: str, choice: str, *, card: str = "c1", partner: str = "grocer", day: date = MONDAY, at: str = "12:00") -> Json:
    """A stamp card's gift, or saving on."""
    data = {"card": card, "mechanic": mechanic, "choice": choice}
    return envelope("stamp-choice", event_id, card, data, source=f"/partners/{partner}", day=day, at=at)


def rendered(
    event_id: str, mechanic: str, service: str, *, card: str = "c1", partner: str = "fuelco", day: date = MONDAY, at: str = "12:00", **data: Any
) -> Json:
    """A service of a privilege."""
    told = {"card": card, "mechanic": mechanic, "service": service, **data}
    return envelope("privilege-rendered", event_id, card, told, source=f"/partners/{partner}", day=day, at=at)


def sold(event_id: str, mechanic: str, *, card: str = "c1", partner: str = "grocer", day: date = MONDAY, at: str = "08:00", **data: Any) -> Json:
    """A pass."""
    told = {"card": card, "mechanic": mechanic, **data}
    return envelope("pass-sold", event_id, card, told, source=f"/partners/{partner}", day=day, at=at)


def visit(event_id: str, mechanic: str, *, card: str = "c1", partner: str = "fuelco", day: date = MONDAY, at: str = "12:00", **data: Any) -> Json:
    """A visit on a pass."""
    told = {"card": card, "mechanic": mechanic, **data}
    return envelope("pass-visit", event_id, card, told, source=f"/partners/{partner}", day=day, at=at)


def cancel(event_id: str, type_: str, original: str, *, card: str = "c1", partner: str = "fuelco", day: date = MONDAY, at: str = "18:00") -> Json:
    """A service, pass or visit taken back: `type_` is that of what is cancelled."""
    return envelope(type_, event_id, card, {"card": card, "kind": "cancelled", "original_id": original}, source=f"/partners/{partner}", day=day, at=at)


def of_member(type_: str, event_id: str, member: str, *, day: date = MONDAY, at: str = "09:00", **data: Any) -> Json:
    """A member event of the operator: `card-linked`, `card-blocked`, `member-closed` and the like."""
    told = data if type_ == "card-blocked" else {"member": member, **data}
    return envelope(type_, event_id, member, told, source="/operator/opco", day=day, at=at)


def enrol(event_id: str, member: str, *cards: str, kind: str = "consumer", day: date = MONDAY, at: str = "09:00", **data: Any) -> Json:
    """An enrolment by the operator."""
    return of_member("member-enrolled", event_id, member, day=day, at=at, cards=list(cards), kind=kind, enrolled_on=day.isoformat(), **data)


def read(event: Json) -> Any:
    """The event as the house reads it."""
    return decode(value_of(event))


def value_of(event: Json) -> bytes:
    """The bytes of its record."""
    return json.dumps(event).encode()
