"""Card transactions of co-brand banks (programme.md, "Card transactions").

A clearing is valued as a purchase of one line that carries a merchant category code. Refunds and chargebacks lower its amount, the reversal of a
chargeback raises it again; each time what is left is valued anew, by the rules of the clearing's own date (rule 13). What shares a limit with the whole
programme is left to the night, which goes through the same in order of receipt (`shared.py`).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from clearing.basket import Basket, BasketLine, Remaining
from clearing.card_gifts import CardGifts
from clearing.events import CardSpend, Chargeback, Decision, EventKey, Held, Original, OriginalUnknown, Outcome, Pending, Received, Refused
from clearing.mechanics.conditions import in_audience
from clearing.member import Member
from clearing.originals import original_key
from clearing.plan import Plan, Rule, Rules
from clearing.postings import Postings
from clearing.purchases import best_of_groups, split
from schemas.events.answers import RejectionCode
from schemas.ids import EventId, MechanicId

Originals = Mapping[EventKey, Original]


def book_card_transaction(
    plan: Plan, postings: Postings, received: Received, originals: Originals, member: Member, decision: Decision
) -> CardSpend | Chargeback | Pending:
    """Books a card transaction of a known member; returns what later ones may name. Raises `Refused`, `Held`, `OriginalUnknown`."""
    data = received.event.data
    if data.kind == "clearing":
        return _clear(plan, postings, received, member, decision)
    spend = spend_of(received, originals)
    if spend.member != member.no:
        raise Refused(RejectionCode.ORIGINAL_OF_OTHER_CARD, "the transaction belongs to another member", "/data/card_token")
    if data.kind == "chargeback-reversal":
        _reverse(received, spend)
    elif data.amount_minor > spend.left_minor:
        raise Refused(RejectionCode.RETURNED_TOO_MUCH, "more comes back than is left of the transaction", "/data/amount_minor")
    else:
        spend.left_minor -= data.amount_minor
    if data.kind == "chargeback":
        spend.charged[received.event.id] = data.amount_minor
    spend.changed = True
    cleared = spend.received
    local = cleared.event.time.astimezone(plan.zone)
    rules = plan.card_rules(cleared.sender, local.date())
    if rules.late and _of_the_night(rules.all, spend.applied, card_basket(cleared, local, cleared.event.data.amount_minor)):
        decision.sale = spend.record
    basket = card_basket(cleared, local, spend.left_minor)
    CardGifts(plan, postings, basket, member, decision, data.kind).value_again(spend)
    if data.kind == "chargeback":
        return Chargeback(received.record, cleared.key)
    return Pending(received.record, Outcome.ACCEPTED, None)  # nothing can be of it


def card_basket(received: Received, local: datetime, left_minor: int) -> Basket:
    """What is left of a clearing, as mechanics see it; no line at all where nothing is. `local` is its time in the programme's time zone."""
    data = received.event.data
    lines = [BasketLine(1, None, None, Remaining(left_minor, Decimal(1)), left_minor, left_minor, ())] if left_minor else []
    return Basket(received.sender, data.currency, local, None, None, lines, left_minor, data.mcc)


def _clear(plan: Plan, postings: Postings, received: Received, member: Member, decision: Decision) -> CardSpend:
    """Rules 3 to 7 for a clearing. Who has left earns nothing."""
    data, bank, day = received.event.data, received.sender, decision.day
    spend = CardSpend(received.record, received, member.no, None, [], data.amount_minor, {})
    rules = plan.card_rules(bank, day)
    basket = card_basket(received, decision.local, data.amount_minor)
    applying = [] if member.closed else _applying(rules, basket, member)
    values = _values(applying, basket, member)
    at_once = [(rule, value) for rule, value in values if not rule.late]
    given = [(rule, value) for rule, value in at_once if value > 0]
    _ask_contracts(rules, given, decision)
    decision.contract = rules.contract
    if rules.late:
        won = {rule.place for rule, _ in at_once}
        spend.applied = decision.applied = tuple(rule.mechanic.id for rule in applying if rule.late or rule.place in won)
        decision.deferred = _of_the_night(applying, None, basket)
    elif rules.grouped or rules.personal:
        spend.applied = decision.applied = tuple(rule.mechanic.id for rule, _ in values)
    gifts = CardGifts(plan, postings, basket, member, decision, data.kind)
    for rule, value in given:
        spend.given += gifts.give(rule, value)
    return spend


def left_before(spend: CardSpend, later: Iterable[Received]) -> int:
    """What was left of a clearing, in minor units, before these accepted refunds, chargebacks and reversals: all that came last."""
    left_minor = spend.left_minor
    for received in later:
        amount_minor = received.event.data.amount_minor
        left_minor += -amount_minor if received.event.data.kind == "chargeback-reversal" else amount_minor
    return left_minor


def _of_the_night(rules: Iterable[Rule], applied: tuple[MechanicId, ...] | None, basket: Basket) -> bool:
    """Whether the night may give anything for a clearing as it came."""
    return any(rule.late and (applied is None or rule.mechanic.id in applied) and rule.mechanic.value(basket, {}) > 0 for rule in rules)


def _applying(rules: Rules, basket: Basket, member: Member) -> list[Rule]:
    """The mechanics that are for this member; none where there is nothing to value."""
    if not basket.lines:
        return []
    return [rule for rule in rules.all if not rule.personal or in_audience(rule.entry.audience, member.id, member.kind, member.attributes)]


def _values(applying: list[Rule], basket: Basket, member: Member) -> list[tuple[Rule, int]]:
    """What each mechanic gives the member after its limits (rule 3)."""
    return best_of_groups(
        applying, basket, lambda rule, value: rule.limits.cut(value, member.used, basket.day) if rule.limits is not None and value > 0 else value
    )


def _ask_contracts(rules: Rules, values: list[tuple[Rule, int]], decision: Decision) -> None:
    """The card's bank needs a contract, of any kind, if its transaction brings anything; a sponsor of points an issuing one (rule 6)."""
    bank, day = decision.received.sender, decision.day
    if values and rules.contract is None:
        raise Refused(RejectionCode.NO_CONTRACT, f"{bank}, the card's bank, has no contract on {day}", "/source")
    for rule, value in values:
        if rule.mechanic.effect == "points":
            for sponsor, _ in split(value, rule.funding):
                if sponsor not in rule.accruals:
                    raise Refused(RejectionCode.NO_CONTRACT, f"{sponsor}, who funds {rule.mechanic.id}, has no issuing contract on {day}", "/source")


def spend_of(received: Received, originals: Originals) -> CardSpend:
    """The clearing that a refund or chargeback names; a reversal may name the chargeback instead. Held with it, or waiting for it, where it is."""
    data = received.event.data
    named: EventId | None = data.original_id
    if named is None:
        raise Refused(RejectionCode.UNKNOWN_ORIGINAL, f"a {data.kind} names the transaction that it is of", "/data/original_id")
    original = originals.get(original_key(received))
    if isinstance(original, Chargeback) and data.kind == "chargeback-reversal":
        original = originals.get(original.of)
    if original is None or (isinstance(original, Pending) and original.outcome is Outcome.WAITING):
        raise OriginalUnknown
    if isinstance(original, Pending) and original.outcome is Outcome.HELD and original.card is not None:
        raise Held(original.card)
    if not isinstance(original, CardSpend):
        raise Refused(RejectionCode.UNKNOWN_ORIGINAL, f"no accepted card transaction that a {data.kind} can be of has the id {named}", "/data/original_id")
    if original.received.event.data.currency != data.currency:
        raise Refused(RejectionCode.CURRENCY_NOT_ACCEPTED, "the transaction was made in another currency", "/data/currency")
    return original


def _reverse(received: Received, spend: CardSpend) -> None:
    """Brings back what chargebacks took: of the one that is named, or, where the clearing is, the last first."""
    named, amount_minor = received.event.data.original_id, received.event.data.amount_minor
    of = [named] if named != spend.received.event.id else list(reversed(spend.charged))
    if amount_minor > sum(spend.charged.get(each, 0) for each in of):
        raise Refused(RejectionCode.RETURNED_TOO_MUCH, "more is reversed than was charged back and not reversed yet", "/data/amount_minor")
    spend.left_minor += amount_minor
    for each in of:
        part = min(amount_minor, spend.charged.get(each, 0))
        amount_minor -= part
        if part:
            spend.charged[each] -= part
