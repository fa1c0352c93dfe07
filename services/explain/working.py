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
from clearing.events import Received
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
from schemas.ids import PartyId, RecordId
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


def workings(plan: Plan, record: int, received_at: datetime, sender: PartyId, original: str, answer: dict[str, Any]) -> Iterator[Working]:
    """Of an accepted purchase or card transaction, in the order of the file; of other events nothing: what comes back is valued again by the original's.

    `answer` is what the sender was told. A mechanic that gave nothing is left out, unless a limit took all of it.
    """
    event = decode(original.encode())
    local = event.time.astimezone(plan.zone)
    if event.type == "purchase.v1":
        rules, basket = plan.rules(sender, local.date()), basket_of(event.data, sender, local)
    elif event.type == "card-transaction.v1" and event.data.kind == "clearing":
        received = Received(RecordId(record), received_at, event, sender)
        rules, basket = plan.card_rules(sender, local.date()), card_basket(received, local, event.data.amount_minor)
    else:
        return
    for rule in rules.all:
        effects = [each for each in answer.get("effects", ()) if each.get("mechanic") == rule.mechanic.id and each["kind"] == rule.mechanic.effect]
        worth = rule.mechanic.value(basket, rules.bases)
        if effects or (worth and not rule.personal and not rule.entry.group and _bounds(rule.entry)):
            yield _working(rule, rules, basket, worth, effects)


def _working(rule: Rule, rules: Rules, basket: Basket, worth: int, effects: Sequence[dict[str, Any]]) -> Working:
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
    less = (
        f"{told(worth - given)} cut off: {'; '.join(_bounds(rule.entry)) or 'a sponsor without a contract, or the best of its group'}" if given < worth else ""
    )
    return Working(rule.mechanic.id, rule.mechanic.effect, _formula(rule, rules, basket), told(worth), told(given), less, borne)


def _figure(effect: Mapping[str, Any]) -> int:
    return int(next((effect[name] for name in ("points", "amount_minor", "count", "stamps") if name in effect), 0))


def _percent(share: Fraction) -> str:
    return exact(share * 100)


def _formula(rule: Rule, rules: Rules, basket: Basket) -> str:
    """The rule of programme.md in words and figures."""
    mechanic, entry = rule.mechanic, rule.entry
    match mechanic, entry:
        case PointsOnSpend(), spec.PointsOnSpend():
            steps = f"{_spent(mechanic.condition.lines(basket), basket)} ÷ {_sum(entry.per.amount, entry.per.currency)}"
            return f"{steps} × {entry.points:,}, {_ROUNDED[entry.rounding]}"
        case Multiplier(), spec.Multiplier():
            lines = mechanic.condition.lines(basket)
            points = sum(rules.bases[name].value(basket.only(lines), rules.bases) for name in mechanic.bases if name in rules.bases)
            return f"({entry.factor} − 1) × {points:,} points of {', '.join(mechanic.bases)} on {_spent(lines, basket)}, rounded down"
        case FixedBonus(), spec.FixedBonus():
            units = sum((line.quantity for line in mechanic.condition.lines(basket)), Decimal(0))
            return f"{entry.points:,} for the event" if entry.each == "event" else f"{units:f} units, whole ones only × {entry.points:,}"
        case CardDiscount(), spec.CardDiscount():
            return f"of each line the smaller of what the seller named and {entry.percent:f} % of {_before_discounts(mechanic, basket)}, half-even"
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
            what = (
                entry.stamp_for
                if isinstance(entry.stamp_for, str)
                else f"whole {_sum(entry.stamp_for.amount, mechanic.currency)} of {_spent(mechanic.condition.lines(basket), basket)}"
            )
            return f"a stamp for each {what}"
        case _:
            raise AssertionError(f"a purchase or card transaction brings nothing of the kind {entry.kind}")


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


def _before_discounts(mechanic: CardDiscount, basket: Basket) -> str:
    named = (line for line in mechanic.condition.lines(basket) if any(of == mechanic.id for of, _ in line.discounts))
    return money(sum(line.amount_minor + sum(amount for _, amount in line.discounts) for line in named), basket.currency)


def _sum(amount: Decimal, currency: str) -> str:
    return f"{amount:f} {currency}"


def _bounds(entry: spec.Mechanic) -> list[str]:
    """Its limits and its budget, in words."""
    found = []
    for limit in entry.limit:
        per = "ever" if limit.per == "ever" else f"for each {limit.per}"
        found.append(f"at most {_most(limit.points, limit.amount, limit.times)} {per}{'' if limit.of == 'member' else ', all members together'}")
    if entry.budget is not None:
        found.append(f"a budget of {_most(entry.budget.points, entry.budget.amount, None)}")
    return found


def _most(points: int | None, amount: Decimal | None, times: int | None) -> str:
    if points is not None:
        return f"{points:,} points"
    return f"{amount:f}" if amount is not None else f"{times:,} times"
