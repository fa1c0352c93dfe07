"""The one table of words for people: kinds of lines, journal codes, checks, and amounts with the places of their currency, thousands apart."""

from __future__ import annotations

import re
from decimal import Decimal

from schemas.money import is_currency, to_text
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
    "default_loss": "loss of a default",
}
CODES = {
    "accrual": "points issued",
    "release": "points made available",
    "redemption": "points redeemed",
    "repayment": "points repaid",
    "return_unspent": "points taken back",
    "return_spent": "spent points taken back",
    "redemption_reversal": "points redeemed, reversed",
    "expiry": "points expired",
    "hold": "points held",
    "hold_release": "hold released",
    "return_spent_reversal": "spent points given again",
    "unfunded": "points not funded yet",
    "unfunded_reversal": "points not funded yet, reversed",
    "discount": "discount",
    "discount_reversal": "discount, reversed",
    "reward": "reward",
    "reward_reversal": "reward, reversed",
    "cash_back": "cash-back",
    "cash_back_reversal": "cash-back, reversed",
    "round_up_match": "round-up match",
    "round_up_match_reversal": "round-up match, reversed",
    "privilege": "privilege",
    "privilege_reversal": "privilege, reversed",
    "pass": "pass",
    "pass_reversal": "pass, reversed",
    "adjustment": "adjustment",
    "dispute": "dispute",
    "default_loss": "loss of a default",
    "purchase": "purchase",
    "stamp": "stamps given",
    "stamp_reversal": "stamps taken back",
    "round_up": "saved by rounding up",
}
CHECKS = {
    "journal_balanced": "All that was debited in the journal was credited too.",
    "balances_equal_lots": "The points of all members are the points in their lots and open holds.",
    "positions_sum_to_zero": "What some are to receive is what others owe, to the cent.",
    "recomputed_equal": "What booking added up is what the journal adds up to again.",
    "every_event_once": "Every event that came has exactly one outcome.",
    "limits_respected": "Nobody was given more points than its limit allows.",
    "payments_cover_positions": "Payments and what is carried on are the positions and what was carried in.",
}
NUMBER = re.compile(r"(?<![\w.,-])-?[0-9]+(?:\.[0-9]+)?(?![\w.,]*\w)")
"""A number that stands by itself in a sentence."""


def kind_of(line: ReportLine) -> Named:
    """A line's kind; people read the kind of fee with it."""
    return Named(line.kind, in_words(line.kind, line.detail))


def in_words(kind: str, detail: str | None) -> str:
    """A kind of line, and the kind of fee, as people say it."""
    name = KINDS.get(kind, kind.replace("_reversal", ", reversed").replace("_", " "))
    return f"{name}: {detail.replace('_', ' ')}" if detail else name


def code_in_words(code: str) -> str:
    """A code of the journal (lower case) as people say it."""
    return CODES.get(code, code.replace("_", " "))


def check_in_words(name: str) -> str:
    """What a check says, in one sentence; nothing for a check of an older or newer house."""
    return CHECKS.get(name, "")


def amount_in_words(minor: int, currency: str) -> str:
    """An amount without its currency, thousands apart: `-1,307.32`."""
    return grouped(to_text(minor, currency))


def in_unit(quantity: int, unit: str) -> str:
    """A quantity of a unit of the journal: minor units of a currency as its amount, points and purchases as whole numbers."""
    return amount_in_words(quantity, unit) if is_currency(unit) else f"{quantity:,}"


def grouped(digits: str) -> str:
    """Decimal text with thousands apart."""
    sign, rest = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    whole, dot, places = rest.partition(".")
    return f"{sign}{int(whole):,}{dot}{places}"


def check_figure(of: str, value: str | int) -> Named:
    """A figure of a check. Where its name begins or ends with a currency, its numbers are amounts, but for numbers of events."""
    plain = str(value)
    parts = of.split()
    currency = next((part for part in (parts[0], parts[-1]) if is_currency(part)), None) if parts else None
    if currency is not None:
        amount_of = currency
        plain = NUMBER.sub(lambda n: n[0] if n.string.startswith(" events", n.end()) or "." in n[0] else to_text(int(n[0]), amount_of), plain)
    return Named(plain, NUMBER.sub(lambda number: grouped(number[0]), plain))


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
