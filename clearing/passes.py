"""Passes: visits that a member has paid for at a seller, used at any partner of the pass, and settled visit by visit (rule 23).

The price was paid at the seller and is no matter of clearing. What is unused when a pass ends is the seller's: nobody owes anything for it.
"""

from collections.abc import Iterator
from datetime import date

from clearing.by_name import ask_contract, ask_stays, cancelled_sale, gone, unit_basket
from clearing.events import Decision, Effect, EventKey, Original, Outcome, Pending, Received, Refused, Sale
from clearing.mechanics.conditions import in_audience
from clearing.mechanics.visit_pass import PassKey, VisitPass, enter, passes
from clearing.member import Member
from clearing.plan import Plan, Rule
from clearing.postings import Postings
from clearing.privileges import cancel
from clearing.purchases import give, whole
from schemas.events.answers import RejectionCode
from schemas.ids import MechanicId, PartyId

Originals = dict[EventKey, Original]
SOLD, VISITED, CANCELLED = "pass sold", "visit", "cancellation"
"""Reasons in answers."""


def book_pass(plan: Plan, received: Received, originals: Originals, member: Member, decision: Decision) -> Sale | Pending:
    """Books a pass that the sender has sold, or the return of one; returns what its cancellation may name.

    Raises `Refused`: `malformed` for a pass that is not for sale to this member on the event date, `member-closed`, `no-contract` for the seller;
    for a return `returned-too-much` where no visit is left, and what `cancelled_sale` raises.
    """
    data, seller, day = received.event.data, received.sender, decision.day
    if data.original_id is not None:
        return _take_off(plan, received, originals, member, decision)
    rule = plan.named(data.mechanic, seller, day)
    if rule is None or not isinstance(rule.mechanic, VisitPass):
        raise Refused(RejectionCode.MALFORMED, f"there is no pass of that name on {day}", "/data/mechanic")
    ask_stays(member)
    if rule.personal and not in_audience(rule.entry.audience, member.id, member.kind, member.attributes):
        raise Refused(RejectionCode.MALFORMED, f"the pass {rule.mechanic.id} is not for this member", "/data/mechanic")
    ask_contract(plan, seller, decision, "who sells the pass")
    decision.applied = (rule.mechanic.id,)
    _count(member, decision, rule.mechanic.id, rule.mechanic.key(day, seller, received.event.id), rule.mechanic.visits, SOLD)
    return Sale(received.record, received, member.no, decision.applied, [], {})


def _take_off(plan: Plan, received: Received, originals: Originals, member: Member, decision: Decision) -> Pending:
    """Takes a pass back with the visits left on it; what was used stays settled, what has ended is the seller's already."""
    sale = cancelled_sale(received, originals, member)
    sold = sale.received
    name, day = sold.event.data.mechanic, sold.event.time.astimezone(plan.zone).date()
    rule = plan.named(name, sold.sender, day)
    assert rule is not None and isinstance(rule.mechanic, VisitPass), "it was sold under it"
    key = rule.mechanic.key(day, sold.sender, sold.event.id)
    left = int(member.memory.get(name, {}).get(key.text, 0))
    if not left or decision.day >= key.end:
        raise Refused(RejectionCode.RETURNED_TOO_MUCH, f"no visit is left on the pass on {decision.day}", "/data/original_id")
    sale.left, sale.changed = gone(), True
    _count(member, decision, name, key, -left, CANCELLED)
    return Pending(received.record, Outcome.ACCEPTED, None)


def book_visit(plan: Plan, postings: Postings, received: Received, originals: Originals, member: Member, decision: Decision) -> Sale | Pending:
    """Books a visit at the sender, or its cancellation; returns what a cancellation may name.

    It is taken from the member's pass that ends first, of those whose conditions and limits allow it. Where none does, the event is accepted and brings
    nothing; no visit is used for it.
    Raises `Refused`: `malformed` for a pass that the sender never takes, `insufficient-points` where no visit is left that it takes on the event date,
    `no-contract` for a partner that may not be owed; for cancellations see `cancelled_sale`.
    """
    data, partner, day = received.event.data, received.sender, decision.day
    if data.original_id is not None:
        return _give_visit_back(plan, postings, received, originals, member, decision)
    if not _takes(plan, data.mechanic, partner):
        raise Refused(RejectionCode.MALFORMED, f"{partner} takes no pass of that name", "/data/mechanic")
    sale = Sale(received.record, received, member.no, (), [], {})
    basket = unit_basket(plan, received, decision.local, whole(received))
    found = list(_passes_for(plan, data.mechanic, partner, member, day))
    if not found:
        detail = f"the member has no visit left on {day} on a pass {data.mechanic} that {partner} takes"
        raise Refused(RejectionCode.INSUFFICIENT_POINTS, detail, "/data/mechanic")
    for key, rule, mechanic in found:
        worth = mechanic.value(basket, {})
        value = worth if rule.limits is None or not worth else rule.limits.cut(worth, member.used, day)
        if not mechanic.holds(basket) or (worth and not value):
            continue
        if value:
            ask_contract(plan, partner, decision, "who is visited")
        sale.on_pass, sale.changed, sale.applied = key.text, True, (mechanic.id,)
        originals[received.key] = sale
        _count(member, decision, mechanic.id, key, -1, VISITED)
        if value:
            give(plan, postings, rule, value, basket, member, decision, sale.given)
        break
    decision.applied = sale.applied
    return sale


def _passes_for(plan: Plan, name: MechanicId, partner: PartyId, member: Member, day: date) -> Iterator[tuple[PassKey, Rule, VisitPass]]:
    """The member's passes with visits left that the partner takes on the event date: first those that end first, then the first sold."""
    for key in passes(member.memory.get(name, {})):
        rule = plan.named(name, key.seller, key.sold)
        assert rule is not None and isinstance(rule.mechanic, VisitPass), "it was sold under it"
        if key.sold <= day < key.end and partner in rule.mechanic.per_visit_minor:
            yield key, rule, rule.mechanic


def _takes(plan: Plan, name: MechanicId, partner: PartyId) -> bool:
    """Whether a partner takes the pass of that name in any of its versions."""
    return any(mechanic.id == name and isinstance(mechanic, VisitPass) and partner in mechanic.per_visit_minor for _, _, mechanic in plan.mechanics)


def _give_visit_back(plan: Plan, postings: Postings, received: Received, originals: Originals, member: Member, decision: Decision) -> Pending:
    """A visit is on its pass again, and the partner gives back what it got for it. It can be used while the pass lasts."""
    sale = cancelled_sale(received, originals, member)
    if sale.on_pass:
        _count(member, decision, sale.received.event.data.mechanic, PassKey.read(sale.on_pass), 1, CANCELLED)
    return cancel(plan, postings, received, originals, member, decision)


def _count(member: Member, decision: Decision, name: MechanicId, key: PassKey, change: int, reason: str) -> None:
    """Enters visits on a pass; the answer says how many came or went, for which nobody owes anything."""
    memory = member.memory.setdefault(name, {})
    enter(memory, key, change)
    if not memory:
        del member.memory[name]
    member.changed = True
    decision.effects.append(Effect(name, "pass_visit", change, None, reason))
