"""Limits and budgets of the whole programme: what mechanics give under them is decided in the night run, in order of receipt (fine print).

Online, the order across partitions is not the same on a replay; at night it is.
"""

from clearing.basket import remaining_basket
from clearing.entries import POINTS, Code
from clearing.events import Decision, Outcome, Sale
from clearing.limits import Used
from clearing.member import Member
from clearing.plan import Plan
from clearing.postings import Key, Postings
from clearing.purchases import give, whole

LINES_BEFORE = 1_000
"""Rows that an entry can have had before the night adds to it."""


def book_shared(plan: Plan, postings: Postings, sale: Sale, member: Member, used: Used) -> Decision:
    """Gives what the limits of the whole programme leave of a purchase, or of what remains of it; `used` is what they have given so far."""
    received = sale.received
    local = received.event.time.astimezone(plan.zone)
    decision = Decision(received, Outcome.ACCEPTED, local.date(), local, member=member)
    basket = remaining_basket(received.event.data, received.sender, local, sale.left or whole(received))
    postings.begin(sale.record, line=LINES_BEFORE, seen=_keys(sale, basket.currency))
    if basket.lines:
        rules = [rule for rule in plan.rules(received.sender, decision.day).all if sale.applied is None or rule.mechanic.id in sale.applied]
        bases = {rule.mechanic.id: rule.mechanic for rule in rules if rule.mechanic.effect == "points"}
        for rule in rules:
            if rule.shared is None:
                continue
            value = rule.mechanic.value(basket, bases)
            if rule.limits is not None:
                value = rule.limits.cut(value, member.used, decision.day)
            value = rule.shared.cut(value, used, decision.day)
            if value > 0:
                rule.shared.use(0, value, used, decision.day)
                give(plan, postings, rule, value, basket, member, decision)
    decision.balance = (member.spendable, member.pending)
    return decision


def _keys(sale: Sale, currency: str) -> frozenset[Key]:
    """Pricing keys under which the purchase has rows already: it counts as one event behind a line."""
    keys: set[Key] = set()
    for part in sale.given:
        if part.lot is not None:
            keys.add((Code.ACCRUAL, part.lot.sponsor, part.lot.contract, None, None, POINTS))
        elif part.sponsor is not None:
            keys.add((Code.DISCOUNT, part.sponsor, None, sale.received.sender, None, currency))
    return frozenset(keys)
