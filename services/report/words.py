"""The report's own words and formats: names of kinds and codes for people, and amounts with the places that the report names."""

from __future__ import annotations

from decimal import Decimal

from schemas.report import ReportLine, SettlementReport
from services.report.tables import Money, Named, Price

KINDS = {
    "issue": "points issued",
    "issue_reversal": "points issued, reversed",
    "redemption": "points redeemed",
    "redemption_reversal": "points redeemed, reversed",
    "fee": "fee",
    "vat": "VAT",
    "unused_points": "unused points",
    "discount_funding": "discount funding",
    "discount_funding_reversal": "discount funding, reversed",
    "cash_back": "cash-back",
    "cash_back_reversal": "cash-back, reversed",
    "round_up_match": "round-up match",
    "round_up_match_reversal": "round-up match, reversed",
}


def kind_of(line: ReportLine) -> Named:
    """A line's kind; people read the kind of fee with it."""
    return Named(line.kind, in_words(line.kind, line.detail))


def in_words(kind: str, detail: str | None) -> str:
    """A kind of line, and the kind of fee, as people say it."""
    name = KINDS.get(kind, kind.replace("_reversal", ", reversed").replace("_", " "))
    return f"{name}: {detail.replace('_', ' ')}" if detail else name


class Amounts:
    """Amounts of one report, with the decimal places that it names for each currency."""

    def __init__(self, *reports: SettlementReport) -> None:
        self._places = {currency.code: currency.places for report in reports for currency in report.currencies}

    def __call__(self, minor: int, currency: str) -> Money:
        """An amount of a currency."""
        return Money(minor, self._places[currency])

    def price(self, amount: Decimal | None, currency: str) -> Price | None:
        """A unit price in a currency; None where a line has none."""
        return Price(amount, self._places[currency]) if amount is not None else None

    @property
    def currencies(self) -> tuple[str, ...]:
        """Codes of all currencies, sorted."""
        return tuple(sorted(self._places))
