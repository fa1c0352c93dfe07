"""In which field of an event a payment card number stands in clear.

Looked at are cards, subjects, tokens, references, attributes and free text. Ids, receipts, stores and article
numbers are not: one in ten of those with 13 to 19 digits would pass by chance.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from schemas.card_numbers import DIGITS_MIN, holds_card_number
from schemas.pointer import Path, pointer_to

if TYPE_CHECKING:
    from schemas.events import Event
    from schemas.events.member import MemberAttributes, MemberEnrolled
    from schemas.events.purchase import Purchase


@functools.lru_cache(maxsize=4096)
def _word_holds_card_number(word: str) -> bool:
    """The same of words that come again and again: categories, channels, kinds."""
    return holds_card_number(word)


def card_number_pointer(event: Event) -> str | None:
    """JSON pointer to the first field that holds what passes for a payment card number, or None.

    The pointer itself holds no part of the number: of an attribute whose name holds one, it names all attributes.
    """
    data: Any = event.data
    card = getattr(data, "card", None)
    if card is not None and len(card) >= DIGITS_MIN and holds_card_number(card):
        return "/data/card"
    if len(event.subject) >= DIGITS_MIN and event.subject != card and holds_card_number(event.subject):
        return "/subject"
    find = _FINDERS.get(event.type)
    path = None if find is None else find(data)
    return None if path is None else pointer_to(("data", *path))


def _in_purchase(purchase: Purchase) -> Path | None:
    for index, tender in enumerate(purchase.tenders or ()):
        if tender.card_token is not None and holds_card_number(tender.card_token):
            return ("tenders", index, "card_token")
    channel = purchase.channel
    if channel is not None and len(channel) >= DIGITS_MIN and _word_holds_card_number(channel):
        return ("channel",)
    for index, line in enumerate(purchase.lines):
        category = line.category
        if category is not None and len(category) >= DIGITS_MIN and _word_holds_card_number(category):
            return ("lines", index, "category")
    return None


def _in_fields(*names: str) -> Callable[[Any], Path | None]:
    def find(data: Any) -> Path | None:
        for name in names:
            text = getattr(data, name)
            if text is not None and holds_card_number(text):
                return (name,)
        return None

    return find


def _in_enrolment(data: MemberEnrolled) -> Path | None:
    for index, card in enumerate(data.cards):
        if holds_card_number(card):
            return ("cards", index)
    if holds_card_number(data.kind):
        return ("kind",)
    return _in_attributes(data) or next((("consents",) for name in data.consents or () if holds_card_number(name)), None)


def _in_attributes(data: MemberEnrolled | MemberAttributes) -> Path | None:
    for name, value in (data.attributes or {}).items():
        if holds_card_number(name):
            return ("attributes",)
        texts = value if isinstance(value, list) else [str(value)]
        if any(holds_card_number(text) for text in texts):
            return ("attributes", name)
    return None


_FINDERS: dict[str, Callable[[Any], Path | None]] = {
    "purchase.v1": _in_purchase,
    "redemption.v1": _in_fields("reward"),
    "redemption-hold.v1": _in_fields("reward"),
    "activity.v1": _in_fields("reference", "activity"),
    "stamp-choice.v1": _in_fields("mechanic"),
    "pass-sold.v1": _in_fields("mechanic"),
    "pass-visit.v1": _in_fields("mechanic", "channel"),
    "privilege-rendered.v1": _in_fields("mechanic", "service", "channel"),
    "card-transaction.v1": _in_fields("card_token", "rrn", "arn", "auth_code"),
    "member-enrolled.v1": _in_enrolment,
    "card-linked.v1": _in_fields("replaces"),
    "card-blocked.v1": _in_fields("reason"),
    "member-attributes.v1": _in_attributes,
    "consent-changed.v1": _in_fields("consent"),
    "member-closed.v1": _in_fields("reason"),
}
