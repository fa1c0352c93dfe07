"""Obligation lines: exact amounts are gathered and each line is rounded once (rules 24, 25)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from clearing.entries import LineKind, Total
from clearing.rounding import half_even, product
from schemas.contracts import Contract
from schemas.ids import PartyId
from schemas.money import currency_places


@dataclass(frozen=True, slots=True)
class Obligation:
    """One line: the debtor owes the creditor `amount_minor` (minor units of `currency`, not negative) in `window`.

    `quantity` × `unit_price` is the exact amount; both are None for sums of amounts and for percentages. `contract` is the `from` day of the
    version whose price or percent it is, None for sums of amounts. `detail` names the kind of fee. `sources` are the totals merged into it;
    `events` adds up their events and is None where no event is directly behind the line (percentages, monthly fees, what the night brought about).
    """

    window: date
    kind: LineKind
    debtor: PartyId
    creditor: PartyId
    detail: str | None
    currency: str
    quantity: int | None
    unit_price: Decimal | None
    amount_minor: int
    events: int | None
    contract: date | None
    sources: tuple[Total, ...] = ()

    @property
    def events_may_overlap(self) -> bool:
        """Whether one event can be in several of the `sources`, so that `events` may count it more than once."""
        return len(self.sources) > 1

    def order(self) -> tuple[Any, ...]:
        """Sort key of reports: window, kind, detail, debtor, creditor, currency, unit price, contract; what is None comes first."""
        parts = (self.window, self.kind, self.detail, self.debtor, self.creditor, self.currency, self.unit_price, self.contract, self.amount_minor)
        return tuple((part is not None, part) for part in parts)


@dataclass(frozen=True, slots=True)
class Claim:
    """An exact amount that belongs into a line. `exact_minor` is in minor units, not negative, not rounded.

    `contract` is the version whose price or percent it is; `redeemer` the version of the redeeming partner, where the claim counts for its
    `percent_of_redemption`.
    """

    kind: LineKind
    debtor: PartyId
    creditor: PartyId
    currency: str
    exact_minor: Fraction
    detail: str | None = None
    quantity: int | None = None
    unit_price: Decimal | None = None
    contract: Contract | None = None
    redeemer: Contract | None = None
    source: Total | None = None

    @property
    def stands(self) -> bool:
        """Rule 24: nobody owes himself, and nothing is owed for nothing."""
        return self.debtor != self.creditor and self.exact_minor != 0


@dataclass(frozen=True, slots=True)
class Line:
    """An obligation, and the contract version whose price or percent it is."""

    obligation: Obligation
    contract: Contract | None


def per_hundred(percent: Decimal, base_minor: Fraction) -> Fraction:
    """The exact `percent` of a base."""
    return base_minor * Fraction(percent) / 100


def minor(amount: Decimal, currency: str) -> Fraction:
    """The exact number of minor units in an amount of a currency."""
    return Fraction(amount) * Fraction(10 ** currency_places(currency))


def priced(
    kind: LineKind,
    debtor: PartyId,
    creditor: PartyId,
    contract: Contract,
    *,
    quantity: int,
    factors: tuple[Decimal, ...],
    currency: str,
    detail: str | None = None,
    redeemer: Contract | None = None,
    source: Total | None = None,
) -> Claim:
    """`quantity` units at a price that is the product of the `factors`."""
    price = product(*factors)
    return Claim(kind, debtor, creditor, currency, quantity * minor(price, currency), detail, quantity, price, contract, redeemer, source)


def difference(kind: LineKind, payer: PartyId, payee: PartyId, contract: Contract, *, exact_minor: Fraction, currency: str, detail: str | None = None) -> Claim:
    """An amount without quantity and unit price, from payer to payee; a negative one is a claim the other way (rules 21, 22)."""
    debtor, creditor = (payer, payee) if exact_minor >= 0 else (payee, payer)
    return Claim(kind, debtor, creditor, currency, abs(exact_minor), detail, contract=contract)


def gather(day: date, claims: Iterable[Claim]) -> list[Line]:
    """One line for each kind, detail, debtor, creditor, contract version, unit price and currency, rounded once, half-even (rule 25)."""
    gathered: dict[tuple[object, ...], list[Claim]] = {}
    for claim in claims:
        if claim.stands:
            version = (claim.contract.party, claim.contract.valid_from) if claim.contract else None
            key = (claim.kind, claim.detail, claim.debtor, claim.creditor, claim.currency, claim.unit_price, version)
            gathered.setdefault(key, []).append(claim)
    return [_line(day, together) for together in gathered.values()]


def _line(day: date, claims: list[Claim]) -> Line:
    first = claims[0]
    quantities = [claim.quantity for claim in claims if claim.quantity is not None]
    sources = tuple(claim.source for claim in claims if claim.source is not None)
    obligation = Obligation(
        window=day,
        kind=first.kind,
        debtor=first.debtor,
        creditor=first.creditor,
        detail=first.detail,
        currency=first.currency,
        quantity=sum(quantities) if quantities else None,
        unit_price=first.unit_price,
        amount_minor=half_even(sum((claim.exact_minor for claim in claims), Fraction(0))),
        events=sum(source.events for source in sources) or None,
        contract=first.contract.valid_from if first.contract else None,
        sources=sources,
    )
    return Line(obligation, first.contract)
