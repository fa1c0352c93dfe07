"""Prices a window: obligations, fees and VAT (rules 16 to 25)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.books import Line, Sum, Window
from tests.acceptance.oracle.programme import Contract, Programme


@dataclass(frozen=True)
class Priced:
    """An obligation. `amount`: in minor units, rounded once; quantity and events are None where there are none."""

    line: Line
    amount: int
    quantity: int | None = None
    events: int | None = None


@dataclass
class Months:
    """Rounded fees that each party paid so far, by month and currency; what the operator paid counts against them."""

    paid: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def count(self, day: date, party: str, currency: str, amount: int) -> None:
        """Notes a fee."""
        key = (day.strftime("%Y-%m"), party, currency)
        self.paid[key] = self.paid.get(key, 0) + amount


def price(programme: Programme, window: Window, months: Months) -> list[Priced]:
    """All lines of a window."""
    lines = list(_merged(window.sums))
    for fee in [*_per_purchase(programme, window), *_percentages(programme, window), *_monthly(programme, window.day)]:
        party = fee.line.contract.party if fee.line.contract else ""
        if party != programme.operator:
            months.count(window.day, party, fee.line.currency, fee.amount if fee.line.debtor == party else -fee.amount)
            lines.append(fee)
    lines += _minimums(programme, window.day, months)
    return [*lines, *_vat(programme, lines)]


def _minor(exact: Fraction, currency: str) -> int:
    return rules.half_even(exact * 10 ** rules.places(currency))


def _merged(sums: dict[Line, Sum]) -> Iterator[Priced]:
    """Rule 25: what looks the same in the report is one line, rounded once."""
    alike: dict[tuple[object, ...], list[Line]] = {}
    for line in sums:
        alike.setdefault(line.shown, []).append(line)
    for same in alike.values():
        quantity = sum(sums[line].quantity for line in same)
        events = len(set().union(*(sums[line].events for line in same))) or None
        line = same[0]
        if line.unit_price is None:
            yield Priced(line, quantity, None, events)
        else:
            yield Priced(line, _minor(quantity * line.unit_price, line.currency), quantity, events)


def _fee(programme: Programme, contract: Contract, detail: str, currency: str, exact: Fraction) -> Iterator[Priced]:
    """A fee from the party to the operator; a negative one is a line the other way."""
    pair = (contract.party, programme.operator) if exact > 0 else (programme.operator, contract.party)
    if exact:
        yield Priced(Line("fee", detail, *pair, currency, contract, None), _minor(abs(exact), currency))


def _per_purchase(programme: Programme, window: Window) -> Iterator[Priced]:
    for contract, events in window.purchases.items():
        for fee in contract.fees("per_transaction"):
            exact, count = Fraction(fee["amount"]), len(events)
            line = Line("fee", "per_transaction", contract.party, programme.operator, fee["currency"], contract, exact)
            if exact:
                yield Priced(line, _minor(exact * count, fee["currency"]), count, count)


def _percentages(programme: Programme, window: Window) -> Iterator[Priced]:
    """Of the exact sums of issue and redemption lines, less their reversals, by contract version."""
    sums: dict[tuple[str, Contract, str], Fraction] = {}
    for line, entry in window.sums.items():
        if line.unit_price is None:
            continue
        exact = line.unit_price * entry.quantity * (-1 if line.kind.endswith("_reversal") else 1)
        owner = line.contract if line.kind in ("issue", "issue_reversal") else line.redeemer
        name = "percent_of_issue" if line.kind in ("issue", "issue_reversal") else "percent_of_redemption"
        if owner is not None:
            sums[name, owner, line.currency] = sums.get((name, owner, line.currency), Fraction(0)) + exact
    for (name, contract, currency), exact in sums.items():
        for fee in contract.fees(name):
            yield from _fee(programme, contract, name, currency, Fraction(fee["percent"]) / 100 * exact)


def _in_force(programme: Programme, day: date) -> list[Contract]:
    if rules.month_end(day) != day:
        return []
    found = [programme.contract(party, day) for party in programme.parties if party != programme.operator]
    return [contract for contract in found if contract is not None]


def _monthly(programme: Programme, day: date) -> Iterator[Priced]:
    for contract in _in_force(programme, day):
        for fee in contract.fees("monthly"):
            exact = Fraction(fee["amount"])
            line = Line("fee", "monthly", contract.party, programme.operator, fee["currency"], contract, exact)
            if exact:
                yield Priced(line, _minor(exact, fee["currency"]), 1)


def _minimums(programme: Programme, day: date, months: Months) -> Iterator[Priced]:
    for contract in _in_force(programme, day):
        for fee in contract.fees("monthly_minimum"):
            had = months.paid.get((day.strftime("%Y-%m"), contract.party, fee["currency"]), 0)
            short = _minor(Fraction(fee["amount"]), fee["currency"]) - had
            if short > 0:
                line = Line("fee", "monthly_minimum", contract.party, programme.operator, fee["currency"], contract, None)
                yield Priced(line, short)


def _vat(programme: Programme, lines: list[Priced]) -> Iterator[Priced]:
    """Rule 22: on the rounded lines, from the one who pays to the one who gets it; reversals and negative fees count against them."""
    sums: dict[tuple[str, str, Contract, str], int] = {}
    for one in lines:
        line, contract = one.line, one.line.contract
        taxed = "fees" if line.kind == "fee" else line.taxed_as
        if contract is None or taxed not in contract.written.get("vat", {}).get("applies_to", []):
            continue
        back = line.kind.endswith("_reversal") or (line.kind == "fee" and line.debtor == programme.operator)
        payer, payee = (line.creditor, line.debtor) if back else (line.debtor, line.creditor)
        key = (payer, payee, contract, line.currency)
        sums[key] = sums.get(key, 0) + (-one.amount if back else one.amount)
    turned: dict[tuple[str, str, Contract, str], Fraction] = {}
    for (payer, payee, contract, currency), amount in sums.items():
        key = (payer, payee, contract, currency) if amount > 0 else (payee, payer, contract, currency)
        turned[key] = turned.get(key, Fraction(0)) + Fraction(contract.written["vat"]["percent"]) / 100 * abs(amount)
    for (debtor, creditor, contract, currency), exact in turned.items():
        if exact:
            yield Priced(Line("vat", None, debtor, creditor, currency, contract, None), rules.half_even(exact))
