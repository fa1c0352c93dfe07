"""`cash_back`: a part of a card transaction's amount back, paid by the payer and funded in shares."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from clearing.basket import Basket
from clearing.mechanics.base import Gift, Mechanic, Memory
from clearing.mechanics.conditions import Condition
from clearing.mechanics.mcc import MccList
from clearing.rounding import half_even
from schemas import mechanics as spec
from schemas.ids import MechanicId
from schemas.money import to_minor


class CashBack:
    """Percent × amount, rounded half-even for each transaction (rule 25); with `rates`, at the first that fits the category.

    What the member is paid, and when (`least_payout`, `payout`: clearing/payouts.py), is between it and the payer: it is owed to the payer when it is
    earned (rule 23).
    """

    effect = "cash_back"

    def __init__(self, entry: spec.CashBack, currency: str) -> None:
        self.id: MechanicId = entry.id
        self.condition = Condition(entry.when)
        self.excluded = MccList(entry.exclude_mcc)
        self.every = None if entry.percent is None else Fraction(entry.percent) / 100
        self.rates = [(MccList(rate.mcc), Fraction(rate.percent) / 100) for rate in entry.rates]
        self.least_minor = 0 if entry.least_spend is None else to_minor(entry.least_spend, currency)
        in_first = entry.least_spend is not None or entry.budget is not None or any(limit.amount is not None for limit in entry.limit)
        self.only = currency if in_first else None
        """The one currency that counts, where a sum is named without one: the programme's first."""

    def value(self, basket: Basket, bases: Mapping[MechanicId, Mechanic]) -> int:
        """Minor units of the transaction's currency."""
        lines = self.condition.lines(basket)
        if not lines or basket.mcc is None or basket.mcc in self.excluded or self.only not in (None, basket.currency):
            return 0
        spent_minor = sum(line.base_minor for line in lines)
        return 0 if spent_minor < self.least_minor else half_even(self._rate(basket.mcc) * spent_minor)

    def _rate(self, mcc: str) -> Fraction:
        if self.every is not None:
            return self.every
        return next((rate for codes, rate in self.rates if mcc in codes), Fraction(0))

    def remember(self, memory: Memory, change: int, day: date) -> tuple[Gift, ...]:
        """What a member got so far is kept by currency (`entered` in clearing/card_gifts.py)."""
        return ()
