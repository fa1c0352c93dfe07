"""Lines without quantities of their own: percentages, tax and monthly fees, from the lines and clauses they rest on (rules 21, 22)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from clearing.entries import LineKind
from clearing.fees import MONTHLY_MINIMUM
from clearing.lines import Claim, Line, minor, per_hundred
from clearing.rounding import half_even
from clearing.vat import is_reversal, tax_base
from schemas.contracts import Contract, MonthlyFee, MonthlyMinimumFee, PercentOfIssueFee, PercentOfRedemptionFee
from schemas.ids import PartyId
from services.explain.equations import Equation, amounts, money
from services.explain.ledger import Ledger, NotExplained, StoredLine


@dataclass(frozen=True, slots=True)
class Base:
    """A line that another rests on, and how much of it counts there: exact, negative where it lowers the base."""

    day: date
    line: int
    name: str
    debtor: PartyId
    creditor: PartyId
    counts: str
    of: str


Explained = tuple[str, tuple[Base, ...], tuple[Equation, ...], dict[str, str]]
"""Formula, lines, what adds up, clauses."""


def base_of(ledger: Ledger, line: StoredLine) -> Explained:
    """What a line without totals rests on."""
    contract = ledger.priced(line.day)[line.line].contract
    if contract is None:
        raise NotExplained(f"line {line.line} of {line.day} names no contract version")
    clauses = {"contract": f"{contract.party} from {contract.valid_from}"}
    if line.kind == LineKind.VAT:
        assert contract.vat is not None
        return _vat(ledger, line, contract, clauses | {"VAT": f"{contract.vat.percent} % of {', '.join(contract.vat.applies_to)}"})
    for fee in contract.fees:
        if fee.kind == line.detail:
            if isinstance(fee, PercentOfIssueFee | PercentOfRedemptionFee):
                return _percent(ledger, line, contract, fee.percent, clauses | {fee.kind: f"{fee.percent} %"})
            if isinstance(fee, MonthlyFee):
                return _monthly(line, fee, clauses | {fee.kind: f"{fee.amount} {fee.currency}"})
            if isinstance(fee, MonthlyMinimumFee):
                return _minimum(ledger, line, contract, fee, clauses | {fee.kind: f"{fee.amount} {fee.currency}"})
    raise NotExplained(f"the contract of {contract.party} from {contract.valid_from} has no fee {line.detail}")


def _percent(ledger: Ledger, line: StoredLine, contract: Contract, percent: Decimal, clauses: dict[str, str]) -> Explained:
    """`percent_of_issue`, `percent_of_redemption`: of the exact amounts that count for this contract version, less their reversals."""
    kinds = {LineKind.ISSUE: 1, LineKind.ISSUE_REVERSAL: -1}
    if line.detail == "percent_of_redemption":
        kinds = {LineKind.REDEMPTION: 1, LineKind.REDEMPTION_REVERSAL: -1}
    counting: dict[int, Fraction] = {}
    numbers = {_gathered(each): no for no, each in enumerate(ledger.priced(line.day))}
    for claim in ledger.claims(line.day):
        of = claim.redeemer if line.detail == "percent_of_redemption" else claim.contract
        if claim.kind in kinds and claim.currency == line.currency and of is not None and (of.party, of.valid_from) == (contract.party, contract.valid_from):
            no = numbers[_gathered(claim)]
            counting[no] = counting.get(no, Fraction(0)) + kinds[claim.kind] * claim.exact_minor
    bases = tuple(_base(ledger.line(line.day, no), exact_minor) for no, exact_minor in sorted(counting.items()))
    return _percentage(line, contract, percent, bases, sum(counting.values(), Fraction(0)), clauses)


def _vat(ledger: Ledger, line: StoredLine, contract: Contract, clauses: dict[str, str]) -> Explained:
    """Tax: of the rounded lines that bear it, less their reversals."""
    assert contract.vat is not None
    charged: dict[tuple[PartyId, PartyId], dict[int, int]] = {}
    for no, each in enumerate(ledger.priced(line.day)):
        of, own = each.obligation, each.contract is not None and each.contract is contract
        if not own or of.currency != line.currency or tax_base(each, ledger.terms.model) not in contract.vat.applies_to:
            continue
        back = is_reversal(each)
        payer, payee = (of.creditor, of.debtor) if back else (of.debtor, of.creditor)
        charged.setdefault((payer, payee), {})[no] = -of.amount_minor if back else of.amount_minor
    counting: dict[int, int] = {}
    for (payer, payee), parts in charged.items():
        sign = 1 if sum(parts.values()) >= 0 else -1  # more reversed than charged: the tax is owed the other way
        if (payer, payee) == ((line.debtor, line.creditor) if sign > 0 else (line.creditor, line.debtor)):
            counting |= {no: sign * amount for no, amount in parts.items()}
    bases = tuple(_base(ledger.line(line.day, no), amount) for no, amount in sorted(counting.items()))
    return _percentage(line, contract, contract.vat.percent, bases, Fraction(sum(counting.values())), clauses, signed=True)


def _percentage(
    line: StoredLine, contract: Contract, percent: Decimal, bases: tuple[Base, ...], base_minor: Fraction, clauses: dict[str, str], *, signed: bool = False
) -> Explained:
    """A percent of a base. A fee on a negative base is owed by the operator; the sums of tax are seen from its debtor already."""
    exact_minor = per_hundred(percent, base_minor)
    owed_minor = exact_minor if signed or line.debtor == contract.party else -exact_minor
    formula = f"{percent} % × {money(base_minor, line.currency)} = {money(exact_minor, line.currency)}"
    equation = amounts(f"{percent} % of the sum of {len(bases)} lines, rounded half-even", half_even(owed_minor), "the line", line.amount_minor, line.currency)
    return formula, bases, (equation,), clauses


def _monthly(line: StoredLine, fee: MonthlyFee, clauses: dict[str, str]) -> Explained:
    """`monthly`: once, in the window of the month's last day."""
    formula = f"1 × {fee.amount} {fee.currency}"
    equation = amounts("the fee, rounded half-even", half_even(minor(fee.amount, fee.currency)), "the line", line.amount_minor, line.currency)
    return formula, (), (equation,), clauses


def _minimum(ledger: Ledger, line: StoredLine, contract: Contract, fee: MonthlyMinimumFee, clauses: dict[str, str]) -> Explained:
    """`monthly_minimum`: what the month's other fees of the party, rounded, fall short of it."""
    fees = [
        each
        for each in ledger.lines_between(line.day.replace(day=1), line.day)
        if each.kind == LineKind.FEE and each.detail != MONTHLY_MINIMUM and each.currency == line.currency and contract.party in (each.debtor, each.creditor)
    ]
    bases = tuple(_base(each, -each.signed(contract.party)) for each in fees)
    paid_minor = -sum(each.signed(contract.party) for each in fees)
    short_minor = minor(fee.amount, fee.currency) - paid_minor
    formula = f"{fee.amount} {fee.currency} − {money(paid_minor, line.currency)} = {money(short_minor, line.currency)}"
    equation = amounts(
        f"the minimum less {len(fees)} fees of the month, rounded half-even", half_even(short_minor), "the line", line.amount_minor, line.currency
    )
    return formula, bases, (equation,), clauses


def _base(line: StoredLine, counts_minor: Fraction | int) -> Base:
    return Base(line.day, line.line, line.name, line.debtor, line.creditor, money(counts_minor, line.currency), money(line.amount_minor, line.currency))


def _gathered(one: Claim | Line) -> tuple[Any, ...]:
    """What claims agree in that are gathered into one line (clearing/lines.py)."""
    of = one.obligation if isinstance(one, Line) else one
    version = (one.contract.party, one.contract.valid_from) if one.contract else None
    return of.kind, of.detail, of.debtor, of.creditor, of.currency, of.unit_price, version
