"""How an event's figures were worked out: of each mechanic the rate and what it is of, how it is rounded, what a limit cut off, and who bears which share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from clearing.basket import Basket, BasketLine, basket_of
from clearing.card_transactions import card_basket
from clearing.cuts import bounds_that_cut
from clearing.events import Received
from clearing.mechanics.base import Mechanic
from clearing.mechanics.card_discount import CardDiscount
from clearing.mechanics.card_points import CardPoints
from clearing.mechanics.cash_back import CashBack
from clearing.mechanics.fixed_bonus import FixedBonus
from clearing.mechanics.mcc import MccList
from clearing.mechanics.multiplier import Multiplier
from clearing.mechanics.points_on_spend import PointsOnSpend
from clearing.mechanics.round_up import RoundUp
from clearing.mechanics.stamp_card import StampCard
from clearing.plan import Plan, Rule, Rules
from schemas import mechanics as spec
from schemas.events.decode import decode
from schemas.ids import MechanicId, PartyId, RecordId
from services.explain.bounds import why_less
from services.explain.equations import exact, money

REWARDED: Final = frozenset({"purchase.v1", "card-transaction.v1"})
"""Types of events whose figures are worked out. An event about a member is never read as one again: an erasure takes fields from it."""
_ROUNDED: Final = {"down": "whole steps only", "half_up": "steps rounded half up", "proportional": "rounded down"}


@dataclass(frozen=True, slots=True)
class Working:
    """One mechanic of an event: its formula, what that comes to, what was given, and why that is less; figures as text, with their unit."""

    mechanic: str
    kind: str
    formula: str
    worth: str
    given: str
    why_less: str
    shares: tuple[str, ...]
    """Who bears it: the party, its share, and what that came to by largest remainder."""


@dataclass(frozen=True, slots=True)
class Rewarded:
    """An accepted purchase or card transaction, as the books have it."""

    record: RecordId
    received_at: datetime
    sender: PartyId
    body: str
    effects: Sequence[Mapping[str, Any]]
    """What the sender was told that it brought."""
    applied: frozenset[MechanicId] | None
    """The mechanics that applied, where that depended on the member, a group or the night; else None: all did."""
    undecided: bool
    """The night of its window has still to decide a part of it."""
    had_left: bool
    """Its member had left, and earned nothing."""


def workings(plan: Plan, one: Rewarded) -> Iterator[Working]:
    """Of each mechanic that applied, in the order of the file. One that gave nothing is left out, unless a limit took all of it or the night decides it.

    Of a refund or chargeback nothing: what comes back is valued again by the original's.
    """
    event = decode(one.body.encode())
    local = event.time.astimezone(plan.zone)
    if event.type == "purchase.v1":
        rules, basket = plan.rules(one.sender, local.date()), basket_of(event.data, one.sender, local)
    elif event.type == "card-transaction.v1" and event.data.kind == "clearing":
        received = Received(one.record, one.received_at, event, one.sender)
        rules, basket = plan.card_rules(one.sender, local.date()), card_basket(received, local, event.data.amount_minor)
    else:
        return
    if one.had_left and not one.effects:
        return
    applying = [rule for rule in rules.all if one.applied is None or rule.mechanic.id in one.applied]
    bases = _bases(rules, applying)
    for rule in applying:
        effects = [each for each in one.effects if each.get("mechanic") == rule.mechanic.id and each["kind"] == rule.mechanic.effect]
        worth = rule.mechanic.value(basket, bases)
        if effects or worth:
            yield _working(plan, rule, bases, basket, worth, effects, waits=one.undecided and rule.late)


def _bases(rules: Rules, applying: Sequence[Rule]) -> Mapping[MechanicId, Mechanic]:
    """What multipliers see: of what is for the member, what did not lose its group (`best_of_groups`)."""
    if rules.grouped:
        return {rule.mechanic.id: rule.mechanic for rule in applying if not isinstance(rule.mechanic, Multiplier)}
    return {rule.mechanic.id: rule.mechanic for rule in applying if rule.mechanic.id in rules.bases}


def _working(
    plan: Plan, rule: Rule, bases: Mapping[MechanicId, Mechanic], basket: Basket, worth: int, effects: Sequence[Mapping[str, Any]], *, waits: bool
) -> Working:
    given = sum(map(_figure, effects))
    shares = dict(rule.funding)

    def told(units: int) -> str:
        if rule.mechanic.effect in ("points", "stamp"):
            noun = rule.mechanic.effect.removesuffix("s")
            return f"{units:,} {noun}{'' if units == 1 else 's'}"
        return money(units, basket.currency)

    borne = tuple(
        f"{each['sponsor']} {_percent(shares[each['sponsor']])} %: {told(_figure(each))}"
        for each in effects
        if each.get("sponsor") in shares and len(shares) > 1
    )
    less = ""
    if waits:
        less = "the night of its window decides it"
    elif given < worth:
        bounds = bounds_that_cut(plan, rule, basket.seller, basket.day, worth, given)
        less = f"{told(worth - given)} cut off: {why_less(bounds, rule.mechanic.effect, plan.programme.currencies[0], basket.day)}"
    return Working(rule.mechanic.id, rule.mechanic.effect, _formula(rule, bases, basket), told(worth), told(given), less, borne)


def _figure(effect: Mapping[str, Any]) -> int:
    return int(next((effect[name] for name in ("points", "amount_minor", "count", "stamps") if name in effect), 0))


def _percent(share: Fraction) -> str:
    return exact(share * 100)


def _formula(rule: Rule, bases: Mapping[MechanicId, Mechanic], basket: Basket) -> str:
    """The rule of programme.md in words and figures."""
    mechanic, entry = rule.mechanic, rule.entry
    match mechanic, entry:
        case PointsOnSpend(), spec.PointsOnSpend():
            steps = f"{_spent(mechanic.condition.lines(basket), basket)} ÷ {_sum(entry.per.amount, entry.per.currency)}"
            return f"{steps} × {entry.points:,}, {_ROUNDED[entry.rounding]}"
        case Multiplier(), spec.Multiplier():
            lines = mechanic.condition.lines(basket)
            of = [name for name in mechanic.bases if name in bases]
            points = sum(bases[name].value(basket.only(lines), bases) for name in of)
            return f"({entry.factor} − 1) × {points:,} points of {', '.join(of)} on {_spent(lines, basket)}, rounded down"
        case FixedBonus(), spec.FixedBonus():
            units = sum((line.quantity for line in mechanic.condition.lines(basket)), Decimal(0))
            return f"{entry.points:,} for the event" if entry.each == "event" else f"{units:f} units, whole ones only × {entry.points:,}"
        case CardDiscount(), spec.CardDiscount():
            lines_told = "; ".join(_discounted(mechanic, entry, line, basket.currency) for line in mechanic.condition.lines(basket) if _named(mechanic, line))
            return f"of each line the smaller of what the seller named and what is allowed, half-even: {lines_told}"
        case CardPoints(), spec.CardPoints():
            rate = next(each for each in entry.rates if basket.mcc in MccList(each.mcc) and each.per.currency == basket.currency)
            steps = f"{_spent(mechanic.condition.lines(basket), basket)} ÷ {_sum(rate.per.amount, rate.per.currency)} × {rate.points:,}"
            return f"{steps}, whole steps only (category {basket.mcc})"
        case CashBack(), spec.CashBack():
            return _cash_back(mechanic, entry, basket)
        case RoundUp(), spec.RoundUp():
            added = f"; {entry.match.party} adds {entry.match.percent:f} % of it, half-even" if entry.match is not None else ""
            return f"{_spent(mechanic.condition.lines(basket), basket)} up to the next multiple of {money(mechanic.multiple_minor, mechanic.currency)}{added}"
        case StampCard(), spec.StampCard():
            return _stamps(mechanic, entry, basket)
        case _:
            raise AssertionError(f"a purchase or card transaction brings nothing of the kind {entry.kind}")


def _stamps(mechanic: StampCard, entry: spec.StampCard, basket: Basket) -> str:
    lines = mechanic.condition.lines(basket)
    if entry.stamp_for == "purchase":
        return "1 for the purchase"
    if isinstance(entry.stamp_for, str):
        return f"1 for each of {sum((line.quantity for line in lines), Decimal(0)):f} units, whole ones only"
    return f"{_spent(lines, basket)} ÷ {_sum(entry.stamp_for.amount, mechanic.currency)}, whole steps only"


def _cash_back(mechanic: CashBack, entry: spec.CashBack, basket: Basket) -> str:
    lines = mechanic.condition.lines(basket)
    percent = entry.percent
    if percent is None:
        percent = next((each.percent for each in entry.rates if basket.mcc in MccList(each.mcc)), Decimal(0))
    unrounded = Fraction(percent) / 100 * sum(line.base_minor for line in lines)
    return f"{percent:f} % × {_spent(lines, basket)} = {money(unrounded, basket.currency)}, rounded half-even (category {basket.mcc})"


def _spent(lines: Sequence[BasketLine], basket: Basket) -> str:
    """What of the basket counts, in money."""
    return money(sum(line.base_minor for line in lines), basket.currency)


def _named(mechanic: CardDiscount, line: BasketLine) -> int:
    """What the seller named for the mechanic on a line, in minor units."""
    return sum(amount for of, amount in line.discounts if of == mechanic.id)


def _discounted(mechanic: CardDiscount, entry: spec.CardDiscount, line: BasketLine, currency: str) -> str:
    whole_minor = line.amount_minor + sum(amount for _, amount in line.discounts)
    return f"line {line.line}: {money(_named(mechanic, line), currency)} named, {entry.percent:f} % of {money(whole_minor, currency)} allowed"


def _sum(amount: Decimal, currency: str) -> str:
    return f"{amount:f} {currency}"
