"""Earning: what a purchase brings, by rules 3 to 9."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from clearing.basket import Basket, Remaining, basket_of
from clearing.entries import AMOUNTS, PURCHASES, STAMPS, Code
from clearing.events import Decision, Effect, Given, Received, Refused
from clearing.mechanics.base import Gift, Mechanic
from clearing.mechanics.conditions import in_audience
from clearing.mechanics.multiplier import Multiplier
from clearing.member import Member
from clearing.originals import BY_NAME, PASS_VISIT, PRIVILEGE
from clearing.plan import Funding, Plan, Rule, Rules
from clearing.points import Purse
from clearing.postings import Movement, Postings
from clearing.rounding import largest_remainder
from schemas.events.answers import RejectionCode
from schemas.ids import MechanicId, PartyId

REASON = "purchase"
REASONS = {"purchase.v1": REASON, PASS_VISIT: "visit", PRIVILEGE: "privilege"}
"""By the type of an event that brings something, why it does."""


def book_purchase(plan: Plan, postings: Postings, received: Received, member: Member, decision: Decision, given: list[Given] | None) -> None:
    """Books a purchase of a known member and adds its effects to the decision, and what was given to `given` where that is asked for.

    Raises `Refused` (no-contract) before anything is booked.
    """
    seller, day = received.sender, decision.day
    basket = basket_of(received.event.data, seller, decision.local)
    rules = plan.rules(seller, day)
    applying = _applying(rules, member)
    values = _values(rules, applying, basket, member)
    if rules.gaps:
        _ask_contracts(rules, values, seller, day)
    count_purchase(postings, seller, rules.contract, decision)
    if rules.late:
        values = _put_off(applying, values, basket, decision)
    elif rules.grouped or rules.personal:
        decision.applied = tuple(rule.mechanic.id for rule, _ in values)
    for rule, value in values:
        if value > 0:
            give(plan, postings, rule, value, basket, member, decision, given)


def _put_off(applying: Sequence[Rule], values: Sequence[tuple[Rule, int]], basket: Basket, decision: Decision) -> list[tuple[Rule, int]]:
    """Leaves to the night what it decides, if that may give anything; whoever may win a group there counts as applied until then. Returns the rest."""
    at_once = [(rule, value) for rule, value in values if not rule.late]
    won = {rule.place for rule, _ in at_once}
    rules = [rule for rule in applying if rule.late or rule.place in won]
    bases = {rule.mechanic.id: rule.mechanic for rule in rules}
    decision.applied = tuple(rule.mechanic.id for rule in rules)
    decision.deferred = any(rule.mechanic.value(basket, bases) > 0 for rule in rules if rule.late)
    return at_once


def give(plan: Plan, postings: Postings, rule: Rule, value: int, basket: Basket, member: Member, decision: Decision, given: list[Given] | None = None) -> None:
    """Books what one mechanic gives: points into lots, amounts to the seller, stamps on the card; split over who funds it (rules 6, 7)."""
    name, seller, day = rule.mechanic.id, basket.seller, decision.day
    match rule.mechanic.effect:
        case "points":
            purse = Purse(postings, member)
            for sponsor, points in split(value, rule.funding):
                what = rule.accruals[sponsor]
                purse.earn(what, points)
                decision.effects.append(Effect(name, "points", points, sponsor, REASON))
                if given is not None:
                    given.append(Given(name, "points", sponsor, points, what.lot))
            member.active_on(day)
        case "stamp":
            _stamp(plan, postings, rule, value, member, basket, decision)
            if given is not None:
                given.append(Given(name, "stamp", None, value, None))
        case effect:
            code, reason = AMOUNTS[effect][0], REASONS[decision.received.event.type]
            for sponsor, amount in split(value, rule.funding):
                postings.post(Movement(code, basket.currency, sponsor, None, counterparty=seller, mechanic=name), amount, member.no)
                decision.effects.append(Effect(name, effect, amount, sponsor, reason, currency=basket.currency))
                if given is not None:
                    given.append(Given(name, effect, sponsor, amount, None))
    if rule.limits is not None:
        rule.limits.use(0, value, member.used, day)
        member.changed = True


def _ask_contracts(rules: Rules, values: Sequence[tuple[Rule, int]], seller: PartyId, day: date) -> None:
    """Who needs a contract on the event date: the seller, of any kind, if its purchase brings anything; a sponsor of points, an issuing one, if its
    share comes to anything (rule 6).
    """
    if rules.contract is None and any(value > 0 for _, value in values):
        raise Refused(RejectionCode.NO_CONTRACT, f"{seller}, who sells, has no contract on {day}", "/source")
    for rule, value in values:
        if value > 0 and rule.mechanic.effect == "points":
            for sponsor, _ in split(value, rule.funding):
                if sponsor not in rule.accruals:
                    raise Refused(RejectionCode.NO_CONTRACT, f"{sponsor}, who funds {rule.mechanic.id}, has no issuing contract on {day}", "/source")


def count_purchase(postings: Postings, seller: PartyId, contract: date | None, decision: Decision) -> None:
    """Counts an accepted purchase for its sender, under the contract that sets its fee (rule 21)."""
    decision.contract = contract
    postings.count(Code.PURCHASE, 1, PURCHASES, seller, contract)


def whole(received: Received) -> dict[int, Remaining]:
    """Every line of a purchase as it was bought; the one line of an event that names its mechanic."""
    if received.event.type in BY_NAME:
        return {1: Remaining(0, Decimal(1))}
    return {line.line: Remaining(line.amount_minor, line.quantity) for line in received.event.data.lines}


def _applying(rules: Rules, member: Member) -> tuple[Rule, ...]:
    """Mechanics that are for this member."""
    if not rules.personal:
        return rules.all
    return tuple(rule for rule in rules.all if not rule.personal or in_audience(rule.entry.audience, member.id, member.kind, member.attributes))


def _values(rules: Rules, applying: tuple[Rule, ...], basket: Basket, member: Member) -> list[tuple[Rule, int]]:
    """What each mechanic gives after its limits (rule 3), as far as they are known now; losers of a group are left out."""
    if not rules.grouped:
        bases = rules.bases
        if len(applying) != len(rules.all):
            bases = {rule.mechanic.id: rule.mechanic for rule in applying if rule.mechanic.id in bases}
        values = [(rule, rule.mechanic.value(basket, bases)) for rule in applying]
        return [(rule, _limited(rule, value, member, basket)) for rule, value in values] if rules.limited else values
    return best_of_groups(applying, basket, lambda rule, value: _limited(rule, value, member, basket))


def _limited(rule: Rule, value: int, member: Member, basket: Basket) -> int:
    return rule.limits.cut(value, member.used, basket.day) if rule.limits is not None and value > 0 else value


def best_of_groups(applying: Sequence[Rule], basket: Basket, limited: Callable[[Rule, int], int]) -> list[tuple[Rule, int]]:
    """Rule 3: of each group the mechanic that gives the member most; ties: first in the file. Multipliers see only the bases that won.

    `limited` says what its limits leave of what a mechanic is worth.
    """
    first = {rule.place: limited(rule, rule.mechanic.value(basket, {})) for rule in applying if not isinstance(rule.mechanic, Multiplier)}
    plain = [rule for rule in applying if rule.place in first]
    lost = _losers(plain, first)
    bases: Mapping[MechanicId, Mechanic] = {rule.mechanic.id: rule.mechanic for rule in plain if rule.place not in lost}
    values = {rule.place: first[rule.place] if rule.place in first else limited(rule, rule.mechanic.value(basket, bases)) for rule in applying}
    lost = _losers(applying, values)
    return [(rule, values[rule.place]) for rule in applying if rule.place not in lost]


def _losers(rules: Sequence[Rule], values: Mapping[int, int]) -> set[int]:
    best: dict[str, Rule] = {}
    for rule in rules:
        group = rule.entry.group
        if group and (group not in best or values[rule.place] > values[best[group].place]):
            best[group] = rule
    return {rule.place for rule in rules if rule.entry.group and best[rule.entry.group] is not rule}


def split(value: int, funding: Funding) -> list[tuple[PartyId, int]]:
    """Rule 6: what a mechanic gives, split over who funds it by largest remainder; shares that come to nothing are left out."""
    if len(funding) == 1:
        return [(funding[0][0], value)]
    parts = largest_remainder(value, [share for _, share in funding])
    return [(party, part) for (party, _), part in zip(funding, parts, strict=True) if part]


def _stamp(plan: Plan, postings: Postings, rule: Rule, stamps: int, member: Member, basket: Basket, decision: Decision) -> None:
    """Enters stamps on the member's card; full rows bring gifts."""
    name = rule.mechanic.id
    postings.post(Movement(Code.STAMP, STAMPS, basket.seller, None, mechanic=name), stamps, member.no)
    decision.effects.append(Effect(name, "stamp", stamps, None, REASON))
    member.changed = True
    hand_out(plan, postings, rule, rule.mechanic.remember(member.memory.setdefault(name, {}), stamps, basket.day), basket.seller, member, decision)


def hand_out(
    plan: Plan, postings: Postings, rule: Rule, gifts: Sequence[Gift], partner: PartyId, member: Member, decision: Decision, reason: str = REASON
) -> None:
    """Gifts that a partner hands out; those who fund the mechanic owe it their value (rule 23, `reward`)."""
    name, currency = rule.mechanic.id, plan.programme.currencies[0]
    for gift in gifts:
        if gift.value_minor == 0:
            decision.effects.append(Effect(name, "gift", gift.count, None, reason, gift=gift.gift))
        for sponsor, amount in split(gift.value_minor * gift.count, rule.funding) if gift.value_minor else ():
            postings.post(Movement(Code.REWARD, currency, sponsor, None, counterparty=partner, mechanic=name), amount, member.no)
            decision.effects.append(Effect(name, "gift", amount, sponsor, reason, currency=currency, gift=gift.gift))
