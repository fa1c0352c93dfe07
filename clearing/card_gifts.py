"""What a card transaction gives, takes back and gives again: points into lots, cash-back to its payer, savings with their match."""

from collections.abc import Sequence
from typing import Final, TypeVar

from clearing.basket import Basket
from clearing.entries import Code
from clearing.events import CardGift, CardSpend, Decision, Effect
from clearing.limits import Used
from clearing.mechanics.base import Memory
from clearing.mechanics.round_up import RoundUp
from clearing.member import Member
from clearing.plan import Plan, Rule
from clearing.points import Purse, accrual
from clearing.postings import Movement, Postings
from clearing.purchases import split
from clearing.returns import bearer_of
from clearing.rounding import largest_remainder
from schemas import mechanics as spec
from schemas.ids import MechanicId, PartyId

K = TypeVar("K")

REVERSAL: Final = "chargeback-reversal"


class CardGifts:
    """Books the gifts of one card transaction: `basket` is what there is, or what is left of it, `reason` the kind of the event."""

    def __init__(self, plan: Plan, postings: Postings, basket: Basket, member: Member, decision: Decision, reason: str) -> None:
        self.plan = plan
        self.postings = postings
        self.basket = basket
        self.member = member
        self.decision = decision
        self.reason = reason

    def give(self, rule: Rule, value: int, shared: Used | None = None) -> list[CardGift]:
        """Books what one mechanic gives for a clearing (rules 6, 7, 23); returns what refunds and chargebacks may take back of it.

        `shared` is given at night: what limits of the whole programme have given so far.
        """
        name = rule.mechanic.id
        given: list[CardGift] = []
        if isinstance(rule.mechanic, RoundUp):
            self._save(rule.mechanic, value)
        elif rule.mechanic.effect == "points":
            for sponsor, points in split(value, rule.funding):
                Purse(self.postings, self.member).earn(rule.accruals[sponsor], points)
                self._tell(name, "points", points, sponsor)
                given.append(CardGift(name, "points", sponsor, points, points, rule.accruals[sponsor].lot))
            self.member.active_on(self.basket.day)
        else:
            for sponsor, amount_minor in split(value, rule.funding):
                self._pay_back(rule, sponsor, amount_minor)
                given.append(CardGift(name, rule.mechanic.effect, sponsor, amount_minor, amount_minor, None))
        if rule.limits is not None:
            rule.limits.use(0, value, self.member.used, self.basket.day)
        if rule.shared is not None and shared is not None:
            rule.shared.use(0, value, shared, self.basket.day)
        self.member.changed = True
        return given

    def value_again(self, spend: CardSpend, shared: Used | None = None) -> None:
        """Values what is left of a clearing by the rules of its own date, and books the difference; a round-up stays.

        Less is taken back, in proportion to what each sponsor still has from it. Where a chargeback was reversed more is given again, at most what was
        given at first and what limits leave now, in proportion to what each sponsor has got back. With `shared`, at night, it is about what the night gave.
        """
        rules = self.plan.card_rules(self.basket.seller, self.basket.day)
        bases = {name: mechanic for name, mechanic in rules.bases.items() if spend.applied is None or name in spend.applied}
        for rule in rules.all:
            gifts = [gift for gift in spend.given if gift.mechanic == rule.mechanic.id]
            if gifts and rule.late is (shared is not None):
                worth = rule.mechanic.value(self.basket, bases) if self.basket.lines else 0
                self._settle(rule, gifts, worth, shared)
        Purse(self.postings, self.member).repay_from_lots(self.decision.day)

    def _settle(self, rule: Rule, gifts: Sequence[CardGift], worth: int, shared: Used | None) -> None:
        """Brings what a mechanic gives to what it is worth now, within its bounds."""
        before = sum(gift.value for gift in gifts)
        after = self._given_again(rule, gifts, before, worth, shared) if self.reason == REVERSAL else min(worth, before)
        if after == before:
            return
        sign = 1 if after > before else -1
        weights = [gift.was - gift.value if sign > 0 else gift.value for gift in gifts]
        for gift, part in zip(gifts, largest_remainder(abs(after - before), weights), strict=True):
            if part:
                gift.value += sign * part
                self._change(rule, gift, sign * part)
        if rule.limits is not None:
            rule.limits.use(before, after, self.member.used, self.basket.day)
        if rule.shared is not None and shared is not None:
            rule.shared.use(before, after, shared, self.basket.day)
        self.member.changed = True

    def _given_again(self, rule: Rule, gifts: Sequence[CardGift], before: int, worth: int, shared: Used | None) -> int:
        """What is given from now on, never less than before and never more than at first; limits see the gift as if it came now as a whole."""
        worth = min(worth, sum(gift.was for gift in gifts))
        for limits, now in ((rule.limits, self.member.used), (rule.shared, shared)):
            if limits is not None and now is not None:
                used = dict(now)
                limits.use(before, 0, used, self.basket.day)
                worth = limits.cut(worth, used, self.basket.day)
        return max(before, worth)

    def _change(self, rule: Rule, gift: CardGift, change: int) -> None:
        """Takes back, or gives again, a part of what one sponsor gave."""
        if gift.effect == "points":
            change = self._take(gift, -change) if change < 0 else self._give_points_again(gift, change)
            if change:
                self._tell(gift.mechanic, "points", change, gift.sponsor)
        else:
            self._pay_back(rule, gift.sponsor, change)

    def _take(self, gift: CardGift, points: int) -> int:
        """Rule 14; in the seller's place the card's bank bears. Returns the change that the answer names: expired points do not count."""
        assert gift.lot is not None, "points lie in a lot"
        bearer, owed = bearer_of(self.plan, gift.sponsor, self.basket.seller)
        taken = Purse(self.postings, self.member).take_apart(points, gift.lot, gift.mechanic, bearer, owed=owed)
        for key, part in taken.expired.items():
            gift.expired[key] = gift.expired.get(key, 0) + part
        if taken.spent and not owed:
            gift.borne[bearer] = gift.borne.get(bearer, 0) + taken.spent
        return sum(taken.expired.values()) - points

    def _give_points_again(self, gift: CardGift, points: int) -> int:
        """Undoes what was taken, the last first: what somebody bore comes back to it, what had expired is expired again, the rest is the member's.

        Points that the member owes are repaid by it (rule 7). Returns the change that the answer names, as above.
        """
        assert gift.lot is not None, "points lie in a lot"
        purse, rest = Purse(self.postings, self.member), points
        for bearer, part in _undone(gift.borne, rest):
            purse.give_to_bearer(part, gift.lot, gift.mechanic, bearer)
            rest -= part
        expired = 0
        for key, part in _undone(gift.expired, rest):
            purse.put_expired(part, key)
            expired += part
        if rest > expired:
            purse.earn(accrual(gift.mechanic, gift.lot), rest - expired)
        return points - expired

    def _pay_back(self, rule: Rule, sponsor: PartyId, change_minor: int) -> None:
        """Cash-back: funder → payer, who is the card's bank unless the mechanic names one; below zero what is taken back, the other way (rule 23)."""
        assert isinstance(rule.entry, spec.CashBack), "nothing else gives amounts that can be taken back"
        name, currency = rule.mechanic.id, self.basket.currency
        code = Code.CASH_BACK if change_minor > 0 else Code.CASH_BACK_REVERSAL
        what = Movement(code, currency, sponsor, None, counterparty=rule.entry.payer or self.basket.seller, mechanic=name)
        self.postings.post(what, abs(change_minor), self.member.no)
        entered(self.member, name, currency, change_minor)
        self._tell(name, "cash_back", change_minor, sponsor, currency)

    def _save(self, mechanic: RoundUp, saved_minor: int) -> None:
        """Saves what was rounded up, at the card's bank; the matching party adds to it, which it owes to that bank (rule 23)."""
        name, bank, currency, day = mechanic.id, self.basket.seller, self.basket.currency, self.basket.day
        memory = entered(self.member, name, currency, saved_minor)
        mechanic.remember(memory, saved_minor, day)
        self.postings.post(Movement(Code.ROUND_UP, currency, bank, None, mechanic=name), saved_minor, self.member.no)
        self._tell(name, "round_up", saved_minor, None, currency)
        match = mechanic.match
        if match is not None and (added_minor := match.value(saved_minor, memory, self.member.used, day)):
            match.limits.use(0, added_minor, self.member.used, day)
            self.postings.post(Movement(Code.ROUND_UP_MATCH, currency, match.party, None, counterparty=bank, mechanic=name), added_minor, self.member.no)
            self._tell(name, "round_up_match", added_minor, match.party, currency)

    def _tell(self, name: MechanicId, kind: str, value: int, sponsor: PartyId | None, currency: str | None = None) -> None:
        self.decision.effects.append(Effect(name, kind, value, sponsor, self.reason, currency=currency))


def _undone(kept: dict[K, int], most: int) -> list[tuple[K, int]]:
    """Takes at most so many out of what is kept, in its order; returns what was taken."""
    taken = []
    for key in list(kept):
        part = min(most, kept[key])
        if part:
            taken.append((key, part))
            kept[key] -= part
            most -= part
        if kept[key] == 0:
            del kept[key]
    return taken


def entered(member: Member, mechanic: MechanicId, currency: str, change_minor: int) -> Memory:
    """Adds to what a member got from a mechanic so far, by currency; returns all that is remembered of it. Nothing is kept of nothing."""
    memory = member.memory.setdefault(mechanic, {})
    memory[currency] = int(memory.get(currency, 0)) + change_minor
    if memory[currency] == 0:
        del memory[currency]
        if not memory:
            del member.memory[mechanic]
    return memory
