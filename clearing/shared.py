"""What the night decides of purchases and card transactions: mechanics under limits and budgets of the whole programme, and who wins a group with one.

So say the fine print and rule 3.

Online, the order across partitions is not the same on a replay; at night it is. Purchases and returns are gone through once more in order of
receipt: a purchase is worth what it was when it came, a return takes back at its own place, and the room that it brings back is there for what
was received after it.
"""

from typing import NamedTuple

from clearing.basket import Remaining
from clearing.by_name import basket_left, rules_of
from clearing.card_gifts import CardGifts
from clearing.card_transactions import card_basket
from clearing.choices import make_choice, stamp_card_of
from clearing.events import CardSpend, Decision, Outcome, Received, Room, Sale
from clearing.limits import Used, enter
from clearing.member import Member
from clearing.plan import Plan, Rule
from clearing.points import Purse
from clearing.postings import Key, Postings
from clearing.purchases import best_of_groups, give, split, whole
from clearing.returns import take_back


class Before(NamedTuple):
    """The rows that an entry has already: the night numbers its own behind them, and counts the event once under each pricing key."""

    lines: int = 0
    """The first line number that is free."""
    keys: frozenset[Key] = frozenset()


class SharedLimits:
    """Goes through what was put off, in the order of the calls; `used` is what limits of the whole programme have given so far."""

    def __init__(self, plan: Plan, postings: Postings, used: Used) -> None:
        self.plan = plan
        self.postings = postings
        self.used = used

    def purchase(self, sale: Sale, member: Member, before: Before) -> Decision:
        """Gives what the limits leave of a purchase as it came. From now on only those mechanics apply to it that won."""
        decision, received = self._decision(sale.received, member), sale.received
        basket = basket_left(self.plan, received, decision.local, whole(received))
        rules = [rule for rule in rules_of(self.plan, sale, decision.day) if sale.applied is None or rule.mechanic.id in sale.applied]
        values = best_of_groups(rules, basket, lambda rule, value: self._cut(rule, value, member, decision))
        self.postings.begin(sale.record, line=before.lines, seen=before.keys)
        for rule, value in values:
            if rule.late and value > 0:
                if rule.shared is not None:
                    rule.shared.use(0, value, self.used, decision.day)
                give(self.plan, self.postings, rule, value, basket, member, decision, sale.given)
        sale.applied = decision.applied = tuple(rule.mechanic.id for rule, _ in values)
        sale.undecided = False
        decision.balance, decision.unfunded = member.balance, member.unfunded
        return decision

    def _cut(self, rule: Rule, value: int, member: Member, decision: Decision) -> int:
        """What all limits leave. Nobody gives without the contracts that rule 6 asks for: the purchase was accepted for what another mechanic, or none,
        would have given.
        """
        if not rule.late or value <= 0:
            return value
        if rule.limits is not None:
            value = rule.limits.cut(value, member.used, decision.day)
        if rule.shared is not None:
            value = rule.shared.cut(value, self.used, decision.day)
        if self.plan.contract(decision.received.sender, decision.day) is None:
            return 0
        if rule.mechanic.effect == "points" and any(sponsor not in rule.accruals for sponsor, _ in split(value, rule.funding)):
            return 0
        return value

    def back(self, received: Received, sale: Sale, left: dict[int, Remaining], member: Member, before: Before) -> Decision:
        """Takes back what a return calls for of what the night gave for its purchase; `left` is what the return leaves of it (rules 13 to 15)."""
        decision, bought = self._decision(received, member), sale.received
        local = bought.event.time.astimezone(self.plan.zone)
        self.postings.begin(received.record, line=before.lines, seen=before.keys)
        take_back(self.plan, self.postings, sale, basket_left(self.plan, bought, local, left), member, decision, self.used)
        Purse(self.postings, member).repay_from_lots(decision.day)
        sale.changed = True
        decision.balance, decision.unfunded = member.balance, member.unfunded
        return decision

    def clearing(self, spend: CardSpend, member: Member, before: Before) -> Decision:
        """Gives what the limits leave of a card transaction as it came. From now on only those mechanics apply to it that won."""
        decision, received = self._decision(spend.received, member), spend.received
        basket = card_basket(received, decision.local, received.event.data.amount_minor)
        rules = [rule for rule in self.plan.card_rules(received.sender, decision.day).all if spend.applied is None or rule.mechanic.id in spend.applied]
        values = best_of_groups(rules, basket, lambda rule, value: self._cut(rule, value, member, decision))
        self.postings.begin(spend.record, line=before.lines, seen=before.keys)
        gifts = CardGifts(self.plan, self.postings, basket, member, decision, received.event.data.kind)
        for rule, value in values:
            if rule.late and value > 0:
                spend.given += gifts.give(rule, value, self.used)
        spend.applied = decision.applied = tuple(rule.mechanic.id for rule, _ in values)
        decision.balance, decision.unfunded = member.balance, member.unfunded
        return decision

    def card_back(self, received: Received, spend: CardSpend, left_minor: int, member: Member, before: Before) -> Decision:
        """What a refund, a chargeback or its reversal changes of what the night gave; `left_minor` is what it leaves of the clearing."""
        decision, cleared = self._decision(received, member), spend.received
        basket = card_basket(cleared, cleared.event.time.astimezone(self.plan.zone), left_minor)
        self.postings.begin(received.record, line=before.lines, seen=before.keys)
        CardGifts(self.plan, self.postings, basket, member, decision, received.event.data.kind).value_again(spend, self.used)
        spend.changed = True
        decision.balance, decision.unfunded = member.balance, member.unfunded
        return decision

    def choice(self, received: Received, member: Member) -> Decision:
        """A choice for a stamp card whose stamps the night decides: it is about the rows that are full at its place in the order of receipt.

        Its entry has no rows yet: nothing was booked for it when it came.
        """
        decision = self._decision(received, member)
        rule = stamp_card_of(self.plan, received, decision.day)
        assert rule is not None, "asked for when the choice was accepted"
        self.postings.begin(received.record)
        make_choice(self.plan, self.postings, rule, received, member, decision)
        decision.balance, decision.unfunded = member.balance, member.unfunded
        return decision

    def room(self, room: Room, member: Member) -> None:
        """Room that comes back with a return of a purchase that an earlier night decided."""
        enter(room.of_all, self.used)
        enter(room.of_member, member.used)
        member.changed = True

    def _decision(self, received: Received, member: Member) -> Decision:
        local = received.event.time.astimezone(self.plan.zone)
        return Decision(received, Outcome.ACCEPTED, local.date(), local, member=member)
