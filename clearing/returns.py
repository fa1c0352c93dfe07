"""Returns and price adjustments: what remains of a purchase is valued again, the difference is taken back (rules 13 to 15)."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from clearing.basket import Basket, Remaining, remaining_basket
from clearing.by_name import gone, rules_of
from clearing.entries import AMOUNTS, STAMPS, Code
from clearing.events import Decision, Effect, Given, Held, Original, OriginalUnknown, Outcome, Pending, Received, Refused, Room, Sale
from clearing.limits import Used
from clearing.mechanics.base import Mechanic
from clearing.member import Member
from clearing.originals import BY_NAME
from clearing.plan import Plan, Rule
from clearing.points import Purse
from clearing.postings import Movement, Postings
from clearing.purchases import whole
from clearing.rounding import largest_remainder
from schemas.events.answers import RejectionCode
from schemas.ids import MechanicId, PartyId


def book_return(plan: Plan, postings: Postings, received: Received, original: Original | None, member: Member, decision: Decision) -> None:
    """Takes back what the returned goods, or the money paid back on goods that are kept, had brought."""
    sale = sale_of(received, original)
    if sale.member != member.no:
        raise Refused(RejectionCode.ORIGINAL_OF_OTHER_CARD, "the purchase belongs to another member", "/subject")
    left = _after(received, sale)
    local = sale.received.event.time.astimezone(plan.zone)
    basket = remaining_basket(sale.received.event.data, sale.received.sender, local, left)
    sale.left = left
    sale.changed = True
    if sale.undecided:
        decision.sale = sale.record
    take_back(plan, postings, sale, basket, member, decision)
    Purse(postings, member).repay_from_lots(decision.day)


def sale_of(received: Received, original: Original | None) -> Sale:
    """The purchase that a return names, if it can be returned against."""
    if original is None:
        raise OriginalUnknown
    if isinstance(original, Pending) and original.outcome is Outcome.HELD and original.card is not None:
        raise Held(original.card)
    if not isinstance(original, Sale) or original.received.event.type in BY_NAME:
        raise Refused(RejectionCode.UNKNOWN_ORIGINAL, f"no accepted purchase has the id {received.event.data.original_id}", "/data/original_id")
    if original.received.event.data.currency != received.event.data.currency:
        raise Refused(RejectionCode.CURRENCY_NOT_ACCEPTED, "the purchase was made in another currency", "/data/currency")
    return original


def _after(received: Received, sale: Sale) -> dict[int, Remaining]:
    """What is left of each line; no more may come back than was bought, over all returns together."""
    left = {line: Remaining(rest.amount_minor, rest.quantity) for line, rest in (sale.left or whole(sale.received)).items()}
    for place, line in enumerate(received.event.data.lines):
        rest = left.get(line.line)
        if rest is None:
            raise Refused(RejectionCode.RETURNED_TOO_MUCH, f"the purchase has no line {line.line}", f"/data/lines/{place}/line")
        _take_out(received, line, rest)
        if rest.amount_minor < 0:
            raise Refused(
                RejectionCode.RETURNED_TOO_MUCH, f"more money comes back on line {line.line} than was left of it", f"/data/lines/{place}/amount_minor"
            )
        if rest.quantity < 0:
            raise Refused(RejectionCode.RETURNED_TOO_MUCH, f"more units come back on line {line.line} than were left of it", f"/data/lines/{place}/quantity")
    return left


def _take_out(received: Received, line: Any, rest: Remaining) -> None:
    """Takes a line of a return, or of a price adjustment, out of what was left; a line paid back whole without a word of how many is gone."""
    rest.amount_minor -= line.amount_minor
    if received.event.type == "price-adjustment.v1":
        return
    if line.quantity is not None:
        rest.quantity -= line.quantity
    elif rest.amount_minor == 0:
        rest.quantity = Decimal(0)


def left_after(sale: Sale, backs: Iterable[Received]) -> dict[int, Remaining]:
    """What was left of a purchase after accepted returns and adjustments, in this order; nothing of an event that was cancelled."""
    left = whole(sale.received)
    for received in backs:
        if received.event.type in BY_NAME:
            return gone()
        for line in received.event.data.lines:
            rest = left[line.line]
            _take_out(received, line, rest)
            rest.amount_minor, rest.quantity = max(0, rest.amount_minor), max(Decimal(0), rest.quantity)
    return left


def take_back(plan: Plan, postings: Postings, sale: Sale, basket: Basket, member: Member, decision: Decision, used: Used | None = None) -> None:
    """Rule 13: each mechanic's difference, split in proportion to what each of its sponsors still has from it.

    `used` is given at night, which takes back of what it decides only: what limits of the whole programme have given so far.
    """
    rules = {rule.mechanic.id: rule for rule in rules_of(plan, sale, basket.day)}
    applied = [rules[name] for name in sale.applied] if sale.applied is not None else list(rules.values())
    bases: Mapping[MechanicId, Mechanic] = {rule.mechanic.id: rule.mechanic for rule in applied if rule.mechanic.effect == "points"}
    for rule in applied:
        if used is not None and not rule.late:
            continue
        given = [part for part in sale.given if part.mechanic == rule.mechanic.id]
        before = sum(part.value for part in given)
        if before == 0:
            continue
        worth = rule.mechanic.value(basket, bases) if basket.lines else 0
        after = min(worth, before)
        if after == before:
            continue
        for part, back in zip(given, largest_remainder(before - after, [part.value for part in given]), strict=True):
            if back:
                part.value -= back
                _take(plan, postings, sale, rule, part, back, member, decision, basket.currency)
        _bring_room_back(rule, before, after, basket.day, member, decision, used)


def _bring_room_back(rule: Rule, before: int, after: int, day: date, member: Member, decision: Decision, used: Used | None) -> None:
    """Room under limits comes back with a return; under those of what the night decides it is there at night, for what was received after it."""
    if rule.late and used is None:
        room = decision.room or Room((), ())
        of_all = tuple(rule.shared.changes(before, after, day)) if rule.shared is not None else ()
        of_member = tuple(rule.limits.changes(before, after, day)) if rule.limits is not None else ()
        if of_all or of_member:
            decision.room = Room(room.of_all + of_all, room.of_member + of_member)
        return
    if rule.limits is not None:
        rule.limits.use(before, after, member.used, day)
        member.changed = True
    if rule.shared is not None and used is not None:
        rule.shared.use(before, after, used, day)


def _take(plan: Plan, postings: Postings, sale: Sale, rule: Rule, part: Given, back: int, member: Member, decision: Decision, currency: str) -> None:
    reason = "cancellation" if sale.received.event.type in BY_NAME else "return"
    seller = sale.received.sender
    match part.effect:
        case "points":
            assert part.lot is not None and part.sponsor is not None
            bearer, owed = bearer_of(plan, part.sponsor, seller)
            points = Purse(postings, member).take_back(back, part.lot, part.mechanic, bearer, owed=owed)
            if points:
                decision.effects.append(Effect(part.mechanic, "points", -points, part.sponsor, reason))
        case "stamp":
            postings.post(Movement(Code.STAMP_REVERSAL, STAMPS, seller, None, mechanic=part.mechanic), back, member.no)
            bought_on = sale.received.event.time.astimezone(plan.zone).date()
            rule.mechanic.remember(member.memory.setdefault(part.mechanic, {}), -back, bought_on)
            member.changed = True
            decision.effects.append(Effect(part.mechanic, "stamp", -back, None, reason))
        case effect:
            assert part.sponsor is not None
            postings.post(Movement(AMOUNTS[effect][1], currency, part.sponsor, None, counterparty=seller, mechanic=part.mechanic), back, member.no)
            decision.effects.append(Effect(part.mechanic, effect, -back, part.sponsor, reason, currency=currency))


def bearer_of(plan: Plan, sponsor: PartyId, seller: PartyId) -> tuple[PartyId, bool]:
    """Who bears points that were spent before they were taken back, and whether the member owes them (rules 14, 15)."""
    match plan.programme.spent_points_on_return:
        case "negative_balance":
            return (sponsor if plan.anchor else plan.operator), True
        case "partner":
            return seller, False
        case "operator":
            return plan.operator, False
