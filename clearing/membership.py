"""Members: enrolment, cards linked, replaced and blocked, attributes, consent, leaving."""

from typing import Any

from clearing.events import Card, Decision, Facts, Received, Refused
from clearing.member import Member
from schemas.events.answers import RejectionCode
from schemas.ids import CardId, MemberId


def book_membership(received: Received, facts: Facts, decision: Decision) -> list[CardId]:
    """Books one member event; returns the cards whose owner has become known by it. Raises `Refused`."""
    data = received.event.data
    match received.event.type:
        case "member-enrolled.v1":
            return _enrol(data, facts, decision)
        case "card-linked.v1":
            return _link(data, facts, decision)
        case "card-blocked.v1":
            card = _card(facts, data.card)
            if card.member is None:
                raise Refused(RejectionCode.UNKNOWN_CARD, "the card belongs to nobody", "/data/card")
            decision.member = facts.members[card.member]
            card.blocked = card.changed = True
        case "member-attributes.v1":
            decision.member = _member(facts, data.member)
            decision.member.attributes.update(data.attributes)
        case "consent-changed.v1":
            decision.member = _member(facts, data.member)
            consents = dict(decision.member.attributes.get("consents") or {})
            decision.member.attributes["consents"] = consents | {data.consent: data.given}
        case "member-closed.v1":
            decision.member = _member(facts, data.member)
            decision.member.closed = True
            if data.erase:
                decision.member.attributes.clear()
        case other:
            raise AssertionError(f"{other} is no member event")
    decision.member.changed = True
    return []


def _enrol(data: Any, facts: Facts, decision: Decision) -> list[CardId]:
    member = facts.by_id.get(data.member)
    if member is not None and member.closed:
        raise Refused(RejectionCode.MEMBER_CLOSED, "the member has left", "/data/member")
    owners = [_card(facts, card).member for card in data.cards]
    for place, owner in enumerate(owners):
        if owner is not None and (member is None or owner != member.no):
            raise Refused(RejectionCode.ORIGINAL_OF_OTHER_CARD, "the card belongs to another member", f"/data/cards/{place}")
    if member is None:
        member = Member(next(facts.numbers), data.member, lots={})
        facts.members[member.no] = facts.by_id[member.id] = member
    member.kind = data.kind
    member.attributes.update(data.attributes or {})
    member.attributes |= {"enrolled_on": data.enrolled_on.isoformat()}
    if data.consents:
        member.attributes["consents"] = data.consents if isinstance(data.consents, dict) else dict.fromkeys(data.consents, True)
    if data.household:
        member.attributes["household"] = data.household
    member.changed = True
    decision.member = member
    return [card for card in data.cards if _own(facts, card, member)]


def _link(data: Any, facts: Facts, decision: Decision) -> list[CardId]:
    member = _member(facts, data.member)
    if member.closed:
        raise Refused(RejectionCode.MEMBER_CLOSED, "the member has left", "/data/member")
    owner = _card(facts, data.card).member
    if owner is not None and owner != member.no:
        raise Refused(RejectionCode.ORIGINAL_OF_OTHER_CARD, "the card belongs to another member", "/data/card")
    if data.replaces is not None:
        old = _card(facts, data.replaces)
        if old.member != member.no:
            raise Refused(RejectionCode.ORIGINAL_OF_OTHER_CARD, "the replaced card belongs to somebody else", "/data/replaces")
        old.blocked = old.changed = True
    member.changed = True
    decision.member = member
    return [data.card] if _own(facts, data.card, member) else []


def _own(facts: Facts, card_id: CardId, member: Member) -> bool:
    card = _card(facts, card_id)
    known = card.member is not None
    card.member, card.changed = member.no, True
    return not known


def _card(facts: Facts, card_id: CardId) -> Card:
    return facts.cards.setdefault(card_id, Card(card_id, None))


def _member(facts: Facts, member_id: MemberId) -> Member:
    member = facts.by_id.get(member_id)
    if member is None:
        raise Refused(RejectionCode.UNKNOWN_CARD, "nobody is enrolled under this member id", "/data/member")
    return member
