"""Privileges: services without a price for the member, whose agreed cost the provider claims from those who fund them (rule 23)."""

from clearing.basket import Basket
from clearing.by_name import ask_contract, ask_stays, cancelled_sale, gone, unit_basket
from clearing.events import Decision, EventKey, Original, Outcome, Pending, Received, Refused, Sale
from clearing.mechanics.conditions import in_audience
from clearing.mechanics.privilege import Privilege
from clearing.member import Member
from clearing.plan import Plan, Rule
from clearing.postings import Postings
from clearing.purchases import give, whole
from clearing.returns import take_back
from schemas.events.answers import RejectionCode

Originals = dict[EventKey, Original]


def book_privilege(plan: Plan, postings: Postings, received: Received, originals: Originals, member: Member, decision: Decision) -> Sale | Pending:
    """Books a service rendered to a known member, or its cancellation; returns what a cancellation may name.

    What limits and conditions do not allow is accepted and brings nothing. Raises `Refused`: `malformed` for a service that the sender does not render
    on the event date, `member-closed`, `no-contract` for a provider that may not be owed; for cancellations see `cancelled_sale`.
    """
    if received.event.data.original_id is not None:
        return cancel(plan, postings, received, originals, member, decision)
    rule = _rule(plan, received, decision)
    ask_stays(member)
    sale = Sale(received.record, received, member.no, (), [], {})
    basket = unit_basket(plan, received, decision.local, whole(received))
    worth = _worth(rule, basket, member)
    if worth:
        sale.applied = (rule.mechanic.id,)
        ask_contract(plan, received.sender, decision, "who claims the cost")
    decision.applied = sale.applied
    if rule.late:
        sale.undecided = decision.deferred = worth > 0
        return sale
    value = worth if rule.limits is None or not worth else rule.limits.cut(worth, member.used, decision.day)
    if value:
        give(plan, postings, rule, value, basket, member, decision, sale.given)
    return sale


def cancel(plan: Plan, postings: Postings, received: Received, originals: Originals, member: Member, decision: Decision) -> Pending:
    """Takes back all that a service or visit brought; nothing can be about a cancellation."""
    sale = cancelled_sale(received, originals, member)
    local = sale.received.event.time.astimezone(plan.zone)
    sale.left, sale.changed = gone(), True
    if sale.undecided:
        decision.sale = sale.record
    take_back(plan, postings, sale, unit_basket(plan, sale.received, local, sale.left), member, decision)
    return Pending(received.record, Outcome.ACCEPTED, None)


def _rule(plan: Plan, received: Received, decision: Decision) -> Rule:
    """The privilege that the event names, if the sender renders its service on the event date."""
    data, sender, day = received.event.data, received.sender, decision.day
    rule = plan.named(data.mechanic, sender, day)
    if rule is None or not isinstance(rule.mechanic, Privilege) or sender not in (rule.entry.partners or (sender,)):
        raise Refused(RejectionCode.MALFORMED, f"{sender} renders no privilege of that name on {day}", "/data/mechanic")
    if (data.service, sender) not in rule.mechanic.costs_minor:
        raise Refused(RejectionCode.MALFORMED, f"{sender} renders no service of that name under {rule.mechanic.id} on {day}", "/data/service")
    return rule


def _worth(rule: Rule, basket: Basket, member: Member) -> int:
    """The agreed cost, in minor units, where the privilege is for this member and its conditions hold."""
    if rule.personal and not in_audience(rule.entry.audience, member.id, member.kind, member.attributes):
        return 0
    return rule.mechanic.value(basket, {})
