"""Departments of one chain become partners of a coalition: the fixed rule of the demo."""

from __future__ import annotations

import re
from typing import NamedTuple

from schemas.ids import PartyId

OPERATOR = PartyId("opco")
GROCER = PartyId("grocer")
FRESH = PartyId("fresh")
DRUGSTORE = PartyId("drugstore")
FUEL = PartyId("fuel")
BOTTLER = PartyId("bottler")
SELLERS = (GROCER, FRESH, DRUGSTORE, FUEL)
"""In the order in which a basket's receipts are sent."""

SOLD_BY = {
    **dict.fromkeys(
        ("PRODUCE", "MEAT", "SEAFOOD", "DELI", "SALAD BAR", "PASTRY", "CHEF SHOPPE", "FLORAL", "GARDEN CENTER", "RESTAURANT", "PORK", "BAKERY"), FRESH
    ),
    **dict.fromkeys(("DRUG GM", "COSMETICS", "PHOTO & VIDEO", "TOYS", "GM MERCH EXP", "POSTAL CENTER"), DRUGSTORE),
    **dict.fromkeys(("FUEL", "AUTOMOTIVE"), FUEL),
}
"""Every other department is the grocer's."""

FUEL_TYPE = "GASOLINE"
TOBACCO = frozenset({"CIGARETTES", "CIGARS", "TOBACCO OTHER"})
GIFT_CARDS = frozenset(
    {"OUTSIDE VENDORS GIFT CARDS", "ELECTRONIC GIFT CARDS ACTIVATI", "ELECTRONIC GIFT CARDS REFRESH", "MASTERCARD GIFT CARD", "AMERICAN EXPRESS GIFT CARD"}
)
SOFT_DRINKS = "grocery/soft-drinks"


class Article(NamedTuple):
    """Who sells a product, and under which category of the programme."""

    seller: PartyId
    category: str
    by_volume: bool
    """Its quantities are thousandths of a gallon."""


def article_of(department: str | None, category: str | None, kind: str | None) -> Article:
    """Fuel is sold at the pumps whatever department it was booked under; tobacco and gift cards are categories of their own."""
    department, category, kind = department or "GROCERY", category or "OTHER", kind or ""
    if kind.startswith(FUEL_TYPE):
        return Article(FUEL, "fuel/gasoline", True)
    seller = SOLD_BY.get(department, GROCER)
    if category in TOBACCO:
        return Article(seller, f"tobacco/{slug(category)}", False)
    if kind in GIFT_CARDS:
        return Article(seller, f"gift-cards/{slug(kind)}", False)
    return Article(seller, f"{slug(department)}/{slug(category)}", False)


def slug(text: str) -> str:
    """Lower case, words joined by hyphens: SOFT DRINKS -> soft-drinks."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
