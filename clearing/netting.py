"""From obligations to payments (rules 26 to 28): positions, what is paid, what is carried forward. Each currency for itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from clearing.errors import ClearingError
from clearing.lines import Obligation, minor
from clearing.settlement_days import is_settlement_day
from clearing.terms import Terms
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile

Positions = dict[str, dict[PartyId, int]]
"""By currency and party, in minor units: what it gets less what it owes. Parties at zero are left out."""


@dataclass(frozen=True, slots=True)
class Payment:
    """`payer` pays `payee` `amount_minor` (above zero, minor units of `currency`) for `window`."""

    window: date
    currency: str
    payer: PartyId
    payee: PartyId
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Carried:
    """A party's position that waits: positive is owed to it. `since` is the first window after which it was carried without a break."""

    amount_minor: int
    since: date


CarriedPositions = Mapping[tuple[str, PartyId], Carried]
"""By currency and party; never zero, never the operator's."""


@dataclass(frozen=True, slots=True)
class Netting:
    """What a window pays, sorted by currency, payer, payee and amount, and what it carries forward."""

    payments: tuple[Payment, ...]
    carried: dict[tuple[str, PartyId], Carried]


class OperatorCarriesError(ClearingError):
    """A position is carried for the operator itself: the programme's operator has changed while something was carried."""


def positions(obligations: Iterable[Obligation]) -> Positions:
    """The net position of every party in each currency (rule 26); over all parties it is zero by construction."""
    sums: Positions = {}
    for line in obligations:
        of_currency = sums.setdefault(line.currency, {})
        of_currency[line.debtor] = of_currency.get(line.debtor, 0) - line.amount_minor
        of_currency[line.creditor] = of_currency.get(line.creditor, 0) + line.amount_minor
    without_zeros = {
        currency: {party: amount_minor for party, amount_minor in sorted(of_currency.items()) if amount_minor} for currency, of_currency in sorted(sums.items())
    }
    return {currency: of_currency for currency, of_currency in without_zeros.items() if of_currency}


def net(day: date, file: ProgrammeFile, obligations: Sequence[Obligation], carried_in: CarriedPositions) -> Netting:
    """The payments of the window of `day` as the programme nets them, and what is carried forward to the next window (rules 27, 28).

    `carried_in` is what the window before carried. Bilateral and gross netting carry nothing; what an earlier, multilateral window carried
    in is then paid between the party and the operator. Raises OperatorCarriesError where `carried_in` names the operator.
    """
    terms = Terms(file)
    if any(party == terms.operator for _, party in carried_in):
        raise OperatorCarriesError(f"{terms.operator} is the operator: what is carried lies between it and the others")
    match file.programme.netting:
        case "multilateral":
            payments, carried = _multilateral(day, file, terms, obligations, carried_in)
        case "bilateral":
            payments, carried = _bilateral(day, _pairs(obligations, carried_in, terms.operator)), {}
        case "gross":
            payments, carried = [_pay(day, *debt) for debt in _pairs(obligations, carried_in, terms.operator)], {}
        case _:
            assert_never(file.programme.netting)
    due = (payment for payment in payments if payment.amount_minor)  # nothing is paid that rounds to zero
    return Netting(tuple(sorted(due, key=lambda payment: (payment.currency, payment.payer, payment.payee, payment.amount_minor))), carried)


Debt = tuple[str, PartyId, PartyId, int]
"""Currency, who owes, whom, and how much in minor units."""


def _pay(day: date, currency: str, debtor: PartyId, creditor: PartyId, amount_minor: int) -> Payment:
    """The payment of a debt; of a negative one, the other way."""
    if amount_minor < 0:
        debtor, creditor, amount_minor = creditor, debtor, -amount_minor
    return Payment(day, currency, debtor, creditor, amount_minor)


def _multilateral(
    day: date, file: ProgrammeFile, terms: Terms, obligations: Sequence[Obligation], carried_in: CarriedPositions
) -> tuple[list[Payment], dict[tuple[str, PartyId], Carried]]:
    """Each party other than the operator pays its negative position to the operator or gets its positive one from it, or waits."""
    due = {key: waiting.amount_minor for key, waiting in carried_in.items()}
    for currency, of_currency in positions(obligations).items():
        for party, amount_minor in of_currency.items():
            if party != terms.operator:
                due[currency, party] = due.get((currency, party), 0) + amount_minor
    payments: list[Payment] = []
    carried: dict[tuple[str, PartyId], Carried] = {}
    for (currency, party), amount_minor in sorted(due.items()):
        waiting = carried_in.get((currency, party))
        since = waiting.since if waiting else day
        large_enough = abs(amount_minor) >= minor(file.programme.minimum_settlement_of(currency), currency)
        if _settles(party, day, terms) and (large_enough or _waited_too_long(since, day, file.programme.maximum_carry_days)):
            payments.append(_pay(day, currency, terms.operator, party, amount_minor))
        elif amount_minor:
            carried[currency, party] = Carried(amount_minor, since)
    return payments, carried


def _settles(party: PartyId, day: date, terms: Terms) -> bool:
    """Whether it is the party's settlement day, by its contract in force on the day; a party without one settles daily (rule 28)."""
    contract = terms.in_force(party, day)
    return is_settlement_day(day, contract.settlement if contract else "daily")


def _waited_too_long(since: date, day: date, days_max: int | None) -> bool:
    """Whether a position carried without a break since then is now paid, however small (`maximum_carry_days`; None: never)."""
    return days_max is not None and (day - since).days >= days_max


def _pairs(obligations: Iterable[Obligation], carried_in: CarriedPositions, operator: PartyId) -> Iterator[Debt]:
    """Every single debt: the lines, and what was carried in, which lies between the party and the operator."""
    for line in obligations:
        yield line.currency, line.debtor, line.creditor, line.amount_minor
    for (currency, party), waiting in carried_in.items():
        yield currency, operator, party, waiting.amount_minor


def _bilateral(day: date, debts: Iterable[Debt]) -> list[Payment]:
    """One payment for each pair and currency: the larger side pays the difference."""
    differences: dict[tuple[str, PartyId, PartyId], int] = {}
    for currency, debtor, creditor, amount_minor in debts:
        first, second, sign = (debtor, creditor, 1) if debtor < creditor else (creditor, debtor, -1)
        key = (currency, first, second)
        differences[key] = differences.get(key, 0) + sign * amount_minor
    return [_pay(day, *pair, amount_minor) for pair, amount_minor in differences.items()]
