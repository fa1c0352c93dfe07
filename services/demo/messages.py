"""Events of the demo as records for Kafka: CloudEvents of events.md, keyed by their subject."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from schemas.ids import CardId, EventId, MemberId, PartyId
from schemas.topics import TOPIC_OF_TYPE
from services.demo.partners import OPERATOR
from services.demo.receipts import Receipt
from services.scenario.expand import Outgoing

CURRENCY = "USD"
CLUB_PRICE = "club-price"
"""The mechanic of examples/demo.yaml that named discounts belong to."""


def event(kind: str, source: str, event_id: str, at: datetime, subject: str, data: Mapping[str, Any]) -> Outgoing:
    """One event; the topic follows from its kind."""
    document = {"specversion": "1.0", "id": event_id, "source": source, "type": kind, "time": at.isoformat(), "subject": subject, "data": data}
    value = json.dumps(document, separators=(",", ":")).encode()
    return Outgoing(TOPIC_OF_TYPE[kind], subject.encode(), value, EventId(event_id), source)


def purchase_data(receipt: Receipt, card: CardId, points_minor: int = 0) -> dict[str, Any]:
    """The data of `purchase.v1`; `points_minor`: what was paid with points, in cents."""
    total = receipt.total_minor
    data: dict[str, Any] = {
        "store": str(receipt.store), "receipt": str(receipt.basket), "card": card, "channel": "store", "currency": CURRENCY, "total_minor": total,
    }  # fmt: skip
    data["lines"] = [
        {"line": line.number, "sku": line.sku, "category": line.category, "quantity": line.quantity, "amount_minor": line.amount_minor}
        | ({"discounts": [{"mechanic": CLUB_PRICE, "amount_minor": line.discount_minor}]} if line.discount_minor else {})
        for line in receipt.lines
    ]
    if points_minor:
        paid = [("points", points_minor), ("payment_card", total - points_minor)]
        data["tenders"] = [{"kind": kind, "amount_minor": amount} for kind, amount in paid if amount]
    return data


def purchase(receipt: Receipt, card: CardId, points_minor: int = 0) -> Outgoing:
    """A receipt as a purchase."""
    return event("purchase.v1", f"/partners/{receipt.seller}", receipt.id, receipt.at, card, purchase_data(receipt, card, points_minor))


def redemption(seller: PartyId, event_id: str, at: datetime, card: CardId, store: int, basket: int, points: int) -> Outgoing:
    """Points that are spent."""
    data = {"card": card, "store": str(store), "receipt": str(basket), "points": points}
    return event("redemption.v1", f"/partners/{seller}", event_id, at, card, data)


def goods_back(receipt: Receipt, at: datetime, card: CardId, line: int, amount_minor: int, quantity: str | None) -> Outgoing:
    """One line of a receipt that comes back, or one unit of it."""
    back: dict[str, Any] = {"line": line, "amount_minor": amount_minor} | ({"quantity": quantity} if quantity is not None else {})
    number = f"{receipt.basket}-back"
    data = {"original_id": receipt.id, "store": str(receipt.store), "receipt": number, "currency": CURRENCY, "total_minor": amount_minor, "lines": [back]}
    return event("return.v1", f"/partners/{receipt.seller}", f"{receipt.id}-back", at, card, data)


def enrolment(member: MemberId, card: CardId, at: datetime) -> Outgoing:
    """A household becomes a member."""
    data = {"member": member, "cards": [card], "kind": "consumer", "enrolled_on": at.date().isoformat()}
    return event("member-enrolled.v1", f"/operator/{OPERATOR}", f"enrol-{member}", at, member, data)


def second_card(member: MemberId, card: CardId, at: datetime) -> Outgoing:
    """A member gets one more card."""
    return event("card-linked.v1", f"/operator/{OPERATOR}", f"link-{card}", at, member, {"member": member, "card": card})


def morning(day: date, zone: Any, hour: int) -> datetime:
    """A full hour of a day, local time."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=zone)
