"""Obligation lines as they are sealed: with the totals they rest on by name, and, where they rest on other lines, with these and the percent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from clearing.entries import LineKind
from clearing.fees import MONTHLY_MINIMUM
from clearing.lines import minor
from schemas.contracts import Contract, MonthlyMinimumFee, PercentOfIssueFee, PercentOfRedemptionFee
from schemas.money import currency_places
from services.explain.bases import Base, base_of
from services.explain.ledger import Key, Ledger, StoredLine
from services.journal.names import Names


def line_bodies(ledger: Ledger, day: date) -> list[dict[str, Any]]:
    """All lines of a window, in the order of their numbers."""
    return [_body(ledger, line) for line in ledger.lines(day)]


def key_names(names: Names, key: Key) -> list[Any]:
    """A pricing key in names: code, sponsor, its contract version, counterparty, its contract version, unit."""
    contract, counter = names.contract_from[key.contract], names.contract_from[key.counter_contract]
    return [
        int(key.code), names.party_id[key.sponsor], contract and contract.isoformat(), names.party_id[key.counterparty], counter and counter.isoformat(),
        names.unit_id[key.unit],
    ]  # fmt: skip


def _body(ledger: Ledger, line: StoredLine) -> dict[str, Any]:
    return {
        "line": line.line, "kind": line.kind, "detail": line.detail, "debtor": line.debtor, "creditor": line.creditor, "currency": line.currency,
        "places": currency_places(line.currency), "quantity": line.quantity, "unit_price": None if line.unit_price is None else format(line.unit_price, "f"),
        "amount_minor": line.amount_minor, "events": line.events, "contract": line.contract and line.contract.isoformat(),
        "sources": [key_names(ledger.names, key) for key in line.sources], "basis": _basis(ledger, line),
    }  # fmt: skip


def _basis(ledger: Ledger, line: StoredLine) -> dict[str, Any] | None:
    """What a line without totals of its own rests on; None for those with totals, and for monthly fees, which are one times their price."""
    if line.sources or line.unit_price is not None:
        return None
    contract = ledger.priced(line.day)[line.line].contract
    assert contract is not None, "a line without totals is a percentage, or falls short of a minimum, under a contract"
    _, bases, _, _ = base_of(ledger, line)
    if line.detail == MONTHLY_MINIMUM:
        before = [_counts(base) for base in bases]
        return {"minimum_minor": str(minor(_minimum(contract, line.currency), line.currency)), "paid_minor": str(sum(before, Fraction(0)))}
    return {"percent": format(_percent(contract, line), "f"), "of": [[base.line, str(_counts(base))] for base in bases]}


def _counts(base: Base) -> Fraction:
    """How much of a line counts, exactly, in minor units."""
    amount, currency = base.counts.replace(",", "").split()
    return Fraction(amount) * Fraction(10 ** currency_places(currency))


def _percent(contract: Contract, line: StoredLine) -> Decimal:
    if line.kind == LineKind.VAT:
        assert contract.vat is not None
        return contract.vat.percent
    return next(fee.percent for fee in contract.fees if fee.kind == line.detail and isinstance(fee, PercentOfIssueFee | PercentOfRedemptionFee))


def _minimum(contract: Contract, currency: str) -> Decimal:
    return next(fee.amount for fee in contract.fees if isinstance(fee, MonthlyMinimumFee) and fee.currency == currency)
