"""The fixed rules of the demo, on baskets of a few lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.demo import story
from services.demo.mistakes import MISTAKES
from services.demo.partners import DRUGSTORE, FRESH, FUEL, GROCER, Article, article_of
from services.demo.receipts import card_of, receipts_of
from services.demo.source import Purchases, SoldLine
from services.demo.story import Story, is_newcomer

NEW_YORK = ZoneInfo("America/New_York")
FIRST = date(2017, 1, 2)
ARTICLES = {
    1: article_of("GROCERY", "SOFT DRINKS", "SOFT DRINKS 12/18&15PK CAN CAR"),
    2: article_of("PRODUCE", "TROPICAL FRUIT", "BANANAS"),
    3: article_of("MISCELLANEOUS", "COUPON/MISC ITEMS", "GASOLINE-REG UNLEADED"),
    4: article_of("DRUG GM", "CIGARETTES", "CIGARETTES"),
}
MEMBER = next(household for household in range(1, 100) if not is_newcomer(household))
NEWCOMER = next(household for household in range(1, 100) if is_newcomer(household))


@dataclass(frozen=True, slots=True)
class Few(Purchases):
    """A few lines instead of the year."""

    by_day: dict[date, list[SoldLine]] = field(default_factory=dict)

    def days(self) -> Iterator[tuple[date, list[SoldLine]]]:
        for days in range((self.last - self.first).days + 1):
            day = self.first + timedelta(days=days)
            yield day, self.by_day.get(day, [])

    def households(self) -> list[int]:
        return sorted({line.household for lines in self.by_day.values() for line in lines})


def sold(basket: int, product: int, cents: int, *, household: int = MEMBER, day: int = 0, quantity: int = 1, off: int = 0) -> SoldLine:
    return SoldLine(household, 7, basket, product, quantity, cents, off, datetime.combine(FIRST + timedelta(days=day), datetime.min.time().replace(hour=12)))


def told(*lines: SoldLine, days: int = 1) -> list[story.DemoDay]:
    by_day: dict[date, list[SoldLine]] = {}
    for line in lines:
        by_day.setdefault(line.at.date(), []).append(line)
    return list(Story(Few(None, ARTICLES, FIRST, FIRST + timedelta(days=days - 1), by_day)).days())


def events(day: story.DemoDay) -> list[dict[str, Any]]:
    return [json.loads(event.value) for event in (*day.members, *day.events)]


@pytest.mark.parametrize(
    ("department", "category", "kind", "article"),
    [
        ("GROCERY", "SOFT DRINKS", "CANS", Article(GROCER, "grocery/soft-drinks", False)),
        ("MEAT-PCKGD", "BACON", "BACON", Article(GROCER, "meat-pckgd/bacon", False)),
        ("MEAT", "BEEF", "STEAK", Article(FRESH, "meat/beef", False)),
        ("MISCELLANEOUS", "COUPON/MISC ITEMS", "GASOLINE-REG UNLEADED", Article(FUEL, "fuel/gasoline", True)),
        ("DRUG GM", "CIGARETTES", "CIGARETTES", Article(DRUGSTORE, "tobacco/cigarettes", False)),
        ("MISCELLANEOUS", "COUPON/MISC ITEMS", "MASTERCARD GIFT CARD", Article(GROCER, "gift-cards/mastercard-gift-card", False)),
        (None, None, None, Article(GROCER, "grocery/other", False)),
    ],
)
def test_a_department_is_a_partner_and_fuel_tobacco_and_gift_cards_are_what_they_are(
    department: str | None, category: str | None, kind: str | None, article: Article
) -> None:
    assert article_of(department, category, kind) == article


def test_a_basket_is_one_receipt_for_each_partner_with_all_its_money() -> None:
    lines = [sold(5, 1, 199, off=50), sold(5, 3, 2499, quantity=10234), sold(5, 2, 80, quantity=2), sold(5, 1, 0, quantity=0)]
    receipts = receipts_of(lines, ARTICLES.__getitem__, NEW_YORK)
    assert [(receipt.id, receipt.total_minor) for receipt in receipts] == [("5-grocer", 199), ("5-fresh", 80), ("5-fuel", 2499)]
    assert [line.quantity for receipt in receipts for line in receipt.lines] == ["1", "2", "10.234"]
    assert receipts[0].lines[0].discount_minor == 50
    assert receipts[0].at.isoformat() == "2017-01-02T12:00:00-05:00"


def test_a_newcomer_enrols_on_the_morning_after_its_first_purchase() -> None:
    first, second = told(sold(1, 1, 500, household=NEWCOMER), sold(2, 1, 500, household=MEMBER), days=2)
    assert [event["type"] for event in events(first) if event["subject"] == card_of(NEWCOMER)] == ["purchase.v1"]
    assert f"enrol-hh-{NEWCOMER}" not in {event["id"] for event in events(first)}
    assert f"enrol-hh-{NEWCOMER}" in {event["id"] for event in events(second)}


def test_who_has_saved_enough_pays_whole_dollars_with_points_and_spends_hundreds() -> None:
    (day,) = told(sold(1, 1, 40_000), sold(2, 2, 1_000), sold(3, 2, 250), sold(4, 1, 60_000))
    redeemed = [event for event in events(day) if event["type"] == "redemption.v1" and event["id"].endswith("-points")]
    paid = {event["id"]: event["data"]["tenders"] for event in events(day) if event["type"] == "purchase.v1" and "tenders" in event["data"]}
    assert redeemed
    for event in redeemed:
        points = event["data"]["points"]
        assert points % 100 == 0
        tenders = paid[event["id"].removesuffix("-points")]
        assert tenders[0] == {"kind": "points", "amount_minor": points}  # a hundred points pay for a dollar
        assert event["data"]["points"] <= sum(tender["amount_minor"] for tender in tenders)


def test_every_kind_of_mistake_is_made_once_a_day_where_there_are_purchases_enough() -> None:
    lines = [sold(basket, 1, 100 + basket) for basket in range(1, 20)]
    (day,) = told(*lines)
    right = {receipt.id for receipt in receipts_of(lines, ARTICLES.__getitem__, NEW_YORK)}
    own = [event for event in events(day) if event["type"] != "member-enrolled.v1"]
    assert len(own) - len(right) == len(MISTAKES)
    assert {event["id"].partition("-grocer")[2] for event in own if event["id"] not in right} == {"-total", "-text", "-bread", "-all", "-lost-back"}


def test_a_day_on_which_nothing_was_sold_has_no_events() -> None:
    first, second = told(sold(1, 4, 500), days=2)
    assert first.lines == 1
    assert second.events == ()
