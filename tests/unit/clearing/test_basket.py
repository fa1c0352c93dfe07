"""What of a purchase earns: tenders of points and gift cards lower the base, and shrink with what comes back (rules 4, 13)."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clearing.basket import Basket, Remaining, basket_of, not_earning, remaining_basket
from tests.short import Json, line, moment, purchase, read
from tests.unit.clearing.baskets import GROCER, basket


def bases(one: Basket) -> list[int]:
    return [part.base_minor for part in one.lines]


def bought(*lines: Json, **tenders: int) -> Any:
    return read(purchase("e1", lines, tenders=tenders or None, total=sum(part["amount_minor"] for part in lines)))


def rest(event: Any, left: dict[int, tuple[int, str]]) -> Basket:
    return remaining_basket(event.data, GROCER, moment(), {no: Remaining(amount, Decimal(quantity)) for no, (amount, quantity) in left.items()})


def test_without_tenders_everything_that_was_paid_earns() -> None:
    one = basket(line(1, 1050, "dairy", sku="milk", quantity="2"), line(2, 970))
    assert bases(one) == [1050, 970]
    assert one.base_minor == 2020
    first, second = one.lines
    assert (first.line, first.sku, first.category, first.quantity, first.amount_minor) == (1, "milk", "dairy", Decimal(2), 1050)
    assert (second.line, second.sku, second.category, second.quantity, second.discounts) == (2, None, None, Decimal(1), ())


def test_what_is_paid_in_cash_by_card_or_otherwise_earns() -> None:
    assert bases(basket(line(1, 1000), tenders={"cash": 400, "payment_card": 300, "pass": 100, "trade_in": 100, "other": 100})) == [1000]


def test_points_and_gift_cards_lower_the_base_in_proportion_by_largest_remainder() -> None:
    # 500 of 2000 over 1000, 700, 300: 250, 175, 75
    assert bases(basket(line(1, 1000), line(2, 700), line(3, 300), tenders={"points": 200, "gift_card": 300, "cash": 1500})) == [750, 525, 225]
    # 100 of 1000 over 333, 333, 334: 33.3, 33.3, 33.4: the unit that is left over goes to the third
    assert not_earning(bought(line(1, 333), line(2, 333), line(3, 334), points=100, cash=900).data) == [33, 33, 34]
    # 100 over three equal lines: the first gets the unit
    assert not_earning(bought(line(1, 100), line(2, 100), line(3, 100), points=100, cash=200).data) == [34, 33, 33]


def test_a_purchase_paid_with_points_alone_earns_nothing() -> None:
    assert bases(basket(line(1, 333), line(2, 667), tenders={"points": 1000})) == [0, 0]


def test_a_purchase_of_nothing_has_no_base() -> None:
    assert not_earning(bought(line(1, 0), line(2, 0), points=0).data) == [0, 0]
    assert bases(basket(line(1, 0), tenders={"points": 0})) == [0]


def test_the_basket_knows_who_sold_when_and_where() -> None:
    one = basket(line(1, 100), currency="CZK", store="330", channel="web")
    assert (one.seller, one.currency, one.store, one.channel) == (GROCER, "CZK", "330", "web")
    assert one.day.isoformat() == "2026-03-02"
    assert one.local == moment()


def test_some_lines_of_a_basket_are_a_basket_of_the_same_purchase() -> None:
    one = basket(line(1, 100), line(2, 250), currency="CZK", store="330", channel="web")
    part = one.only(one.lines[1:])
    assert (bases(part), part.base_minor) == ([250], 250)
    assert (part.seller, part.currency, part.local, part.store, part.channel) == (GROCER, "CZK", moment(), "330", "web")


def test_a_line_is_gone_only_without_goods_and_money() -> None:
    assert Remaining(0, Decimal(0)).gone
    assert not Remaining(1, Decimal(0)).gone
    assert not Remaining(0, Decimal(1)).gone


def test_what_remains_of_a_purchase_keeps_the_lines_that_are_not_gone() -> None:
    event = bought(line(1, 1000, "dairy", sku="milk", quantity="4"), line(2, 500), line(3, 200))
    one = rest(event, {1: (250, "1"), 2: (0, "0"), 3: (200, "1")})
    assert [(part.line, part.amount_minor, part.base_minor, part.quantity) for part in one.lines] == [(1, 250, 250, Decimal(1)), (3, 200, 200, Decimal(1))]
    assert (one.lines[0].sku, one.lines[0].category) == ("milk", "dairy")
    assert (one.seller, one.currency, one.store, one.channel, one.local) == (GROCER, "EUR", "1", None, moment())


def test_what_remains_was_bought_where_the_purchase_was() -> None:
    event = read(purchase("e1", [line(1, 1000)], store="330", channel="web", currency="CZK"))
    one = rest(event, {1: (500, "1")})
    assert (one.store, one.channel, one.currency) == ("330", "web", "CZK")


def test_the_part_paid_with_points_shrinks_with_its_line_half_even() -> None:
    # 300 of 1000 were paid with points: 300 of the first line's 1000; of 500 that are left 150 do not earn
    assert bases(rest(bought(line(1, 1000), points=300, cash=700), {1: (500, "1")})) == [350]
    # 5 of 10 do not earn; of 5 that are left 2.5, to the even 2; of 3 that are left 1.5, to the even 2
    five = bought(line(1, 10), points=5, cash=5)
    assert bases(rest(five, {1: (5, "1")})) == [3]
    assert bases(rest(five, {1: (3, "1")})) == [1]


def test_discounts_that_a_line_names_shrink_with_it_half_even() -> None:
    event = bought(line(1, 1000, discounts={"gold": 55, "silver": 10}))
    (part,) = rest(event, {1: (500, "1")}).lines
    assert part.discounts == [("gold", 28), ("silver", 5)]  # 27.5 goes to the even 28
    (part,) = rest(event, {1: (1000, "1")}).lines
    assert part.discounts == [("gold", 55), ("silver", 10)]


def test_a_line_for_which_nothing_was_paid_keeps_its_discounts() -> None:
    event = bought(line(1, 0, discounts={"gold": 100}), line(2, 100))
    (part, _) = rest(event, {1: (0, "1"), 2: (100, "1")}).lines
    assert (part.amount_minor, part.base_minor, part.discounts) == (0, 0, [("gold", 100)])


amounts = st.lists(st.integers(0, 10_000), min_size=1, max_size=6).filter(any)


@given(amounts=amounts, share=st.floats(0, 1).map(lambda value: round(value, 3)))
def test_bases_and_what_does_not_earn_add_up_to_what_was_paid(amounts: list[int], share: float) -> None:
    total = sum(amounts)
    points = int(total * share)
    event = bought(*(line(no, amount) for no, amount in enumerate(amounts)), points=points, cash=total - points)
    one = basket_of(event.data, GROCER, moment())
    assert one.base_minor == total - points
    assert all(0 <= part.base_minor <= part.amount_minor for part in one.lines)
    assert rest(event, dict.fromkeys(range(len(amounts)), (0, "0"))).lines == []
    whole = {no: (amount, "1") for no, amount in enumerate(amounts)}
    assert bases(rest(event, whole)) == bases(one)
