"""A purchase, read the quick way.

Nearly all events are purchases, and to build their pydantic models takes longer than anything else that booking them does. Here msgspec reads
what is plainly right, ten times faster, into types with the same attributes. Whatever it does not accept the models judge, and say why; nothing
is accepted here that they refuse, or read otherwise (a test holds the two against each other).
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from schemas.events.fields import LINES_MAX
from schemas.events.purchase import ONE
from schemas.ids import CardId, EventId, MechanicId
from schemas.money import MINOR_MAX

Amount = Annotated[int, msgspec.Meta(ge=0, le=MINOR_MAX)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch
_SOURCE = re.compile(r"/(?:partners|banks|operator)/[A-Za-z0-9][A-Za-z0-9._-]{0,63}").fullmatch
_CURRENCY = re.compile(r"[A-Z]{3}").fullmatch
_QUANTITY = re.compile(r"0{0,8}[1-9][0-9]{0,8}(?:\.[0-9]{1,6})?|0{1,9}\.[0-9]{0,5}[1-9][0-9]{0,5}").fullmatch
_TIME = re.compile(
    r"(?:19[7-9]|2[0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
).fullmatch


class QuickDiscount(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A discount that the seller gave on a line."""

    mechanic: Annotated[MechanicId, msgspec.Meta(min_length=1, max_length=64)]
    amount_minor: Amount


class QuickLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One line of the receipt."""

    line: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    amount_minor: Amount
    sku: Name | None = None
    category: Name | None = None
    quantity_text: str | None = msgspec.field(default=None, name="quantity")
    discounts: Annotated[list[QuickDiscount], msgspec.Meta(max_length=100)] | None = None

    @property
    def quantity(self) -> Decimal:
        """Units."""
        found = ONE if self.quantity_text is None else quantity_of(self.quantity_text)
        assert found is not None, "judged when it was read"
        return found


class QuickTender(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A part of the payment."""

    kind: Literal["cash", "payment_card", "gift_card", "points", "pass", "trade_in", "other"]
    amount_minor: Amount
    card_token: Annotated[CardId, msgspec.Meta(min_length=1, max_length=128)] | None = None


class QuickPurchase(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A sale to a member."""

    store: Name
    receipt: Name
    card: Annotated[CardId, msgspec.Meta(min_length=1, max_length=128)]
    currency: str
    total_minor: Amount
    lines: Annotated[list[QuickLine], msgspec.Meta(min_length=1, max_length=LINES_MAX)]
    terminal: Name | None = None
    channel: Name | None = None
    tenders: Annotated[list[QuickTender], msgspec.Meta(max_length=100)] | None = None


class QuickPurchaseEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A purchase in its envelope."""

    specversion: Literal["1.0"]
    id: EventId
    source: str
    type: Literal["purchase.v1"]
    time_text: str = msgspec.field(name="time")
    subject: Annotated[CardId, msgspec.Meta(min_length=1, max_length=128)]
    data: QuickPurchase
    datacontenttype: Literal["application/json"] | None = None

    @property
    def time(self) -> datetime:
        """When it happened."""
        found = time_of(self.time_text)
        assert found is not None, "judged when it was read"
        return found


_read = msgspec.json.Decoder(QuickPurchaseEvent).decode


def read_purchase(value: bytes) -> QuickPurchaseEvent | None:
    """The purchase in a record's value, or None where the models have to judge it: always where a backslash stands in it."""
    try:
        event = _read(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if _ID(event.id) is None or not is_source(event.source) or time_of(event.time_text) is None or not is_currency(event.data.currency):
        return None
    texts = texts_in_order(event)
    return event if texts and value.count(b'"') == 2 * texts and b"\\" not in value else None


def texts_in_order(event: QuickPurchaseEvent) -> int:
    """How many texts, keys among them, it was read from; 0 where a line is out of order or its quantity is none.

    More in the record mean that a key stood twice, or with null.
    """
    data = event.data
    texts = 23
    if event.datacontenttype is not None:
        texts += 2
    if data.terminal is not None:
        texts += 2
    if data.channel is not None:
        texts += 2
    last = -1
    for line in data.lines:
        if line.line <= last:
            return 0
        last = line.line
        texts += 2
        if line.sku is not None:
            texts += 2
        if line.category is not None:
            texts += 2
        if line.quantity_text is not None:
            if quantity_of(line.quantity_text) is None:
                return 0
            texts += 2
        if line.discounts is not None:
            texts += 1 + 3 * len(line.discounts)
    if data.tenders is not None:
        texts += 1
        for tender in data.tenders:
            texts += 3 if tender.card_token is None else 5
    return texts


def is_id(text: str) -> bool:
    """Whether it has the form of an event's id."""
    return _ID(text) is not None


@lru_cache(maxsize=4096)
def is_source(text: str) -> bool:
    """Whether it has the form of a source. Senders are few."""
    return _SOURCE(text) is not None


@lru_cache(maxsize=4096)
def is_currency(text: str) -> bool:
    """Whether it has the form of a currency's code."""
    return _CURRENCY(text) is not None


@lru_cache(maxsize=16_384)
def quantity_of(text: str) -> Decimal | None:
    """A quantity above zero, or None. Most are a few small numbers."""
    return Decimal(text) if _QUANTITY(text) is not None else None


@lru_cache(maxsize=65_536)
def time_of(text: str) -> datetime | None:
    """A time with offset, or None. Those of live events lie within a few seconds of each other."""
    if _TIME(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
