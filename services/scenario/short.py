"""The data of full events from the short form in which scenarios write them (scenario.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from schemas import scenario_events as short
from schemas.money import MoneyError, to_minor

Data = dict[str, Any]
ONE_LINE = 1
"""Number of the line of a purchase that has only a total."""


class ShortEventError(ValueError):
    """A short event that cannot become a full one: `field` is the path in it, `reason` one sentence."""

    def __init__(self, field: tuple[str | int, ...], reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def data_of(event: short.AnyShortEvent, currency: str, day: dt.date) -> Data:
    """The `data` of a full event. `currency` is the programme's first, `day` the event date. Raises ShortEventError."""
    match event:
        case short.ShortPurchase():
            return _purchase(event, event.currency or currency)
        case short.ShortReturn():
            return _return(event, event.currency or currency)
        case short.ShortPriceAdjustment():
            code = event.currency or currency
            lines = [{"line": line.line, "amount_minor": _sum(line, "amount", code, ("lines", at))} for at, line in enumerate(event.lines)]
            return {"original_id": event.original_id, "currency": code, "lines": lines}
        case short.ShortRedemptionHold():
            return {**_redemption(event, currency), "expires_at": event.expires_at}
        case short.ShortRedemption():
            return _redemption(event, currency)
        case short.ShortRedemptionReversal() | short.ShortRedemptionCapture():
            return {"original_id": event.original_id, "points": event.points}
        case short.ShortRedemptionRelease() | short.ShortMembersUnmerged():
            return {"original_id": event.original_id}
        case short.ShortActivity():
            named = {"card": event.card, "activity": event.activity, "quantity": event.quantity}
            return {**named, **_value(event, currency), **_given(reference=event.reference)}
        case short.ShortStampChoice():
            return {"card": event.card, "mechanic": event.mechanic, "choice": event.choice}
        case short.ShortPassSold() | short.ShortPassVisit() | short.ShortPrivilegeRendered():
            named = _given(mechanic=event.mechanic, service=getattr(event, "service", None), original_id=event.original_id)
            where = {"store": event.store, **_given(channel=getattr(event, "channel", None)), "receipt": event.receipt or event.id}
            return {"card": event.card, "kind": event.kind, **named, **where}
        case short.ShortCardTransaction():
            return _card_transaction(event, event.currency or currency, day)
        case _:
            return _member_data(event, day)


def _member_data(event: short.AnyShortEvent, day: dt.date) -> Data:
    match event:
        case short.ShortMemberEnrolled():
            return {
                "member": event.member,
                "cards": list(event.cards),
                "kind": event.kind,
                "enrolled_on": (event.enrolled_on or day).isoformat(),
                **_given(attributes=event.attributes, consents=event.consents, household=event.household),
            }
        case short.ShortCardLinked():
            return {"member": event.member, "card": event.card, **_given(replaces=event.replaces)}
        case short.ShortCardBlocked():
            return {"card": event.card, "reason": event.reason}
        case short.ShortMemberAttributes():
            return {"member": event.member, "attributes": event.attributes}
        case short.ShortConsentChanged():
            return {"member": event.member, "consent": event.consent, "given": event.given}
        case short.ShortMemberClosed():
            return {"member": event.member, "reason": event.reason, "erase": event.erase}
        case short.ShortMembersMerged():
            return {"member": event.member, "into": event.into}
        case _:
            raise AssertionError(f"a short event of the type {event.type} has no full form")


def _purchase(event: short.ShortPurchase, currency: str) -> Data:
    lines = [_only_line(event, currency)] if event.lines is None else [_line(line, currency, ("lines", at)) for at, line in enumerate(event.lines)]
    total_minor = _total(event, lines, currency)
    data: Data = {"store": event.store, **_given(terminal=event.terminal), "receipt": event.receipt or event.id, "card": event.card}
    data |= {**_given(channel=event.channel), "currency": currency, "total_minor": total_minor, "lines": lines}
    if event.tenders is not None:
        data["tenders"] = [_tender(tender, currency, at) for at, tender in enumerate(event.tenders)]
    return data


def _line(line: short.ShortLine, currency: str, place: tuple[str | int, ...]) -> Data:
    named = {"line": line.line, **_given(sku=line.sku, category=line.category), "quantity": line.quantity}
    named["amount_minor"] = _sum(line, "amount", currency, place)
    return {**named, **_discounts(line.discounts, currency, place)}


def _only_line(event: short.ShortPurchase, currency: str) -> Data:
    """A purchase with only a total (and what else is said of it) has one line."""
    named = {"line": ONE_LINE, **_given(sku=event.sku, category=event.category), "quantity": event.quantity or "1"}
    named["amount_minor"] = _sum(event, "total", currency)
    return {**named, **_discounts(event.discounts or (), currency, ())}


def _discounts(discounts: Iterable[short.ShortDiscount], currency: str, place: tuple[str | int, ...]) -> Data:
    named = [{"mechanic": each.mechanic, "amount_minor": _sum(each, "amount", currency, (*place, "discounts", at))} for at, each in enumerate(discounts)]
    return {"discounts": named} if named else {}


def _tender(tender: short.ShortTender, currency: str, at: int) -> Data:
    return {"kind": tender.kind, **_given(card_token=tender.card_token), "amount_minor": _sum(tender, "amount", currency, ("tenders", at))}


def _return(event: short.ShortReturn, currency: str) -> Data:
    if event.lines is not None:
        lines = [
            {"line": line.line, **_given(quantity=line.quantity), "amount_minor": _sum(line, "amount", currency, ("lines", at))}
            for at, line in enumerate(event.lines)
        ]
    else:
        lines = [{"line": ONE_LINE, "amount_minor": _sum(event, "total", currency)}]
    total_minor = _total(event, lines, currency)
    named = {"original_id": event.original_id, **_given(original_source=event.original_source), "store": event.store, "receipt": event.receipt or event.id}
    return {**named, "currency": currency, "total_minor": total_minor, "lines": lines}


def _redemption(event: short.ShortRedemption, currency: str) -> Data:
    named = {"card": event.card, "store": event.store, "receipt": event.receipt or event.id, "points": event.points}
    return {**named, **_given(reward=event.reward), **_value(event, currency)}


def _card_transaction(event: short.ShortCardTransaction, currency: str, day: dt.date) -> Data:
    return {
        "card_token": event.card,
        "kind": event.kind,
        **_given(original_id=event.original_id),
        "amount_minor": _sum(event, "amount", currency),
        "currency": currency,
        "mcc": event.mcc,
        **_given(acceptor=event.acceptor, rrn=event.rrn, auth_code=event.auth_code, arn=event.arn),
        "transacted_at": event.transacted_at or event.time,
        "posted_on": (event.posted_on or day).isoformat(),
    }


def _value(event: short.ShortRedemption | short.ShortActivity, otherwise: str) -> Data:
    """A value and its currency stand beside each other or not at all; a currency alone is passed on, for the house to refuse."""
    if event.value is None and event.value_minor is None:
        return _given(currency=event.currency)
    currency = event.currency or otherwise
    return {"value_minor": _sum(event, "value", currency), "currency": currency}


def _total(event: short.ShortPurchase | short.ShortReturn, lines: Iterable[Data], currency: str) -> int:
    """What is said of the total, or else the sum of the lines."""
    if event.total is None and event.total_minor is None:
        return sum(line["amount_minor"] for line in lines)
    return _sum(event, "total", currency)


def _given(**fields: object) -> Data:
    return {name: value for name, value in fields.items() if value is not None}


def _sum(part: Any, name: str, currency: str, place: tuple[str | int, ...] = ()) -> int:
    """A sum in minor units: its decimal text, the field `…_minor`, or both where they agree. `place`: the path to the part. Raises ShortEventError."""
    amount: Decimal | None = getattr(part, name)
    minor: int | None = getattr(part, f"{name}_minor")
    if amount is None:
        assert minor is not None, "the schema asks for one of the two"
        return minor
    try:
        told = to_minor(amount, currency)
    except MoneyError as error:
        raise ShortEventError((*place, name), error.reason) from None
    if minor not in (None, told):
        raise ShortEventError((*place, f"{name}_minor"), f"says {minor:,}, but {name} says {told:,} minor units of {currency}")
    return told
