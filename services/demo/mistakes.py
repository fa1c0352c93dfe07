"""What senders get wrong every day, so that there is something to refuse: one of each kind, made from real purchases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from schemas.ids import CardId, EventId
from services.demo import messages
from services.demo.receipts import Receipt
from services.scenario.expand import Outgoing

TOO_MANY_POINTS = 100_000
STRANGER = "bakery"
"""A partner that has not joined yet."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A purchase that was sent with the household's own card."""

    receipt: Receipt
    card: CardId
    event: Outgoing


def mistakes_of(sent: list[Sent]) -> Iterator[Outgoing]:
    """The mistakes of a day, each made from another of its purchases; a day without enough purchases has fewer."""
    chosen = sorted(sent, key=lambda purchase: crc32(f"slip-{purchase.receipt.id}".encode()))
    for make, purchase in zip(MISTAKES, chosen, strict=False):
        yield make(purchase)


def _twice(purchase: Sent) -> Outgoing:
    """The same again: answered as before, and not booked."""
    return purchase.event


def _wrong_total(purchase: Sent) -> Outgoing:
    """`totals-mismatch`: a cent is missing."""
    return _changed(purchase, "total", lambda document: document["data"].update(total_minor=document["data"]["total_minor"] + 1))


def _amount_as_text(purchase: Sent) -> Outgoing:
    """`malformed`: an amount in dollars, as text."""
    return _changed(purchase, "text", lambda document: document["data"]["lines"][0].update(amount_minor="12.50"))


def _same_id(purchase: Sent) -> Outgoing:
    """`id-reused`: another store under the id of a purchase that was booked."""
    return _changed(purchase, None, lambda document: document["data"].update(store="0"))


def _stranger(purchase: Sent) -> Outgoing:
    """`unknown-partner`."""
    return _changed(purchase, "bread", lambda document: document.update(source=f"/partners/{STRANGER}"))


def _too_many_points(purchase: Sent) -> Outgoing:
    """`insufficient-points`."""
    receipt = purchase.receipt
    return messages.redemption(receipt.seller, f"{receipt.id}-all", receipt.at, purchase.card, receipt.store, receipt.basket, TOO_MANY_POINTS)


def _never_bought(purchase: Sent) -> Outgoing:
    """`unknown-original`: it waits for its purchase until the window is cut."""
    receipt = replace(purchase.receipt, id=EventId(f"{purchase.receipt.id}-lost"))
    return messages.goods_back(receipt, receipt.at, purchase.card, 1, 100, None)


MISTAKES = (_twice, _wrong_total, _amount_as_text, _same_id, _stranger, _too_many_points, _never_bought)


def _changed(purchase: Sent, suffix: str | None, change: Callable[[dict[str, Any]], None]) -> Outgoing:
    document = json.loads(purchase.event.value)
    if suffix is not None:
        document["id"] += f"-{suffix}"
    change(document)
    value = json.dumps(document, separators=(",", ":")).encode()
    return replace(purchase.event, value=value, event_id=EventId(document["id"]), source=document["source"])
