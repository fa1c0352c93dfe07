"""`when` and `for`: on which lines, at which times and to whom a mechanic applies."""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from clearing.basket import Basket, BasketLine
from clearing.mechanics.mcc import MccList
from schemas.mechanics import Audience, When
from schemas.money import to_minor

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def lies_in(category: str | None, named: Sequence[str]) -> bool:
    """A category qualifies if it is named or lies below a named one: `grocery/dairy` lies in `grocery`."""
    if category is None:
        return False
    return any(category == name or category.startswith(name + "/") for name in named)


class Condition:
    """The compiled `when` of one mechanic."""

    def __init__(self, when: When) -> None:
        self.categories = when.categories
        self.skus = frozenset(when.skus)
        self.barred_categories = when.except_.categories
        self.barred_skus = frozenset(when.except_.skus)
        self.stores = frozenset(when.stores)
        self.channels = frozenset(when.channels)
        self.weekdays = frozenset(WEEKDAYS.index(day) for day in when.weekdays)
        self.hours = (time.fromisoformat(when.hours[0]), time.fromisoformat(when.hours[1])) if when.hours else None
        self.days = frozenset(when.days)
        self.minimum = (to_minor(when.minimum.amount, when.minimum.currency), when.minimum.currency) if when.minimum else None
        self.mcc = MccList(when.mcc)
        self.every_line = not (self.categories or self.skus or self.barred_categories or self.barred_skus)
        self.any_time = not (self.stores or self.channels or self.weekdays or self.hours or self.days or self.mcc)
        self.by_sku = bool(self.skus or self.barred_skus)
        self._known: dict[tuple[str | None, str | None], bool] = {}

    def lines(self, basket: Basket) -> Sequence[BasketLine]:
        """The lines that qualify; none where a condition on the event does not hold."""
        if not self.any_time and not self._holds(basket):
            return ()
        if self.every_line:
            lines: Sequence[BasketLine] = basket.lines
            base = basket.base_minor
        else:
            lines = [line for line in basket.lines if self._qualifies(line.category, line.sku)] if self.by_sku else self._in_categories(basket.lines)
            base = sum([line.base_minor for line in lines])
        if self.minimum is not None and (basket.currency != self.minimum[1] or base < self.minimum[0]):
            return ()
        return lines

    def _in_categories(self, lines: Sequence[BasketLine]) -> Sequence[BasketLine]:
        """The lines whose category qualifies; nearly all categories came before."""
        known = self._known
        try:
            return [line for line in lines if known[line.category, None]]
        except KeyError:
            return [line for line in lines if self._qualifies(line.category, None)]

    def _qualifies(self, category: str | None, sku: str | None) -> bool:
        key = (category, sku if self.by_sku else None)
        known = self._known.get(key)
        if known is None:
            named = not (self.categories or self.skus) or lies_in(category, self.categories) or sku in self.skus
            known = named and not lies_in(category, self.barred_categories) and sku not in self.barred_skus
            if len(self._known) < 100_000:
                self._known[key] = known
        return known

    def _holds(self, basket: Basket) -> bool:
        local = basket.local
        if self.mcc and basket.mcc not in self.mcc:  # a purchase carries no merchant category code
            return False
        if self.stores and basket.store not in self.stores:
            return False
        if self.channels and basket.channel not in self.channels:
            return False
        if self.weekdays and local.weekday() not in self.weekdays:
            return False
        if self.days and local.date() not in self.days:
            return False
        return self.hours is None or within(local.time(), *self.hours)


def within(moment: time, first: time, last: time) -> bool:
    """`hours`: the first moment is in, the last is out; a span may reach over midnight."""
    if first <= last:
        return first <= moment < last
    return moment >= first or moment < last


def in_audience(audience: Audience, member_id: str, kind: str, attributes: Mapping[str, Any]) -> bool:
    """`for`: every condition that is named must hold for the member as it is at the moment of booking."""
    if audience.kinds and kind not in audience.kinds:
        return False
    if audience.members and member_id not in audience.members:
        return False
    if audience.segments and not _named(attributes.get("segments"), audience.segments):
        return False
    if audience.tiers and not _named(attributes.get("tier"), audience.tiers):
        return False
    if audience.activated_offer:
        return False
    return all(_named(attributes.get(name), wanted if isinstance(wanted, tuple) else (wanted,)) for name, wanted in audience.attributes.items())


def _named(given: Any, wanted: Sequence[Any]) -> bool:
    values = given if isinstance(given, list) else [given]
    return any(value in wanted for value in values)
