"""`stamp_card`: stamps for purchases, units or sums; a gift at each full row, once, however stamps fall and rise."""

from hypothesis import given
from hypothesis import strategies as st

from clearing.mechanics.base import Gift, Memory
from clearing.mechanics.stamp_card import StampCard
from tests.short import line
from tests.unit.clearing.baskets import compiled, day, worth

MONDAY = day("2026-03-02")


def card(**terms: object) -> StampCard:
    told = {"stamp_for": "purchase", "rows": [4, 4, 4], "gift": "coffee", **terms}
    mechanic = compiled("stamp_card", **told)
    assert isinstance(mechanic, StampCard)
    return mechanic


def test_one_stamp_for_a_purchase() -> None:
    assert worth(card(), line(1, 100, quantity="3"), line(2, 0)) == 1
    assert worth(card(when={"categories": ["coffee"]}), line(1, 100, "tea")) == 0


def test_one_stamp_for_each_whole_unit() -> None:
    assert worth(card(stamp_for="unit"), line(1, 100, quantity="3"), line(2, 100, quantity="2")) == 5
    assert worth(card(stamp_for="unit"), line(1, 100, quantity="1.5"), line(2, 100, quantity="1.4")) == 2
    assert worth(card(stamp_for="unit", when={"categories": ["coffee"]}), line(1, 100, "coffee", quantity="2"), line(2, 100, "tea", quantity="9")) == 2


def test_one_stamp_for_each_whole_sum() -> None:
    each = card(stamp_for={"amount": "500.00"})
    assert worth(each, line(1, 49_999)) == 0
    assert worth(each, line(1, 50_000)) == 1
    assert worth(each, line(1, 60_000), line(2, 40_000)) == 2
    assert worth(each, line(1, 60_000), tenders={"points": 10_001, "cash": 49_999}) == 0


def fill(mechanic: StampCard, memory: Memory, *changes: int) -> list[tuple[Gift, ...]]:
    return [mechanic.remember(memory, change, MONDAY) for change in changes]


def test_a_gift_at_each_full_row() -> None:
    mechanic, memory = card(gift=["coffee", "cake", "dinner"], gift_value=["2.40", "3.00", "20.00"]), Memory()
    assert fill(mechanic, memory, 3, 1, 4, 3, 1) == [(), (Gift("coffee", 1, 240),), (Gift("cake", 1, 300),), (), (Gift("dinner", 1, 2000),)]


def test_a_gift_without_a_value_is_worth_nothing_to_anybody() -> None:
    assert fill(card(), Memory(), 4) == [(Gift("coffee", 1, 0),)]


def test_several_rows_filled_at_once_bring_their_gifts_together() -> None:
    assert fill(card(gift_value="2.40"), Memory(), 12) == [(Gift("coffee", 3, 240),)]
    assert fill(card(gift=["coffee", "cake", "coffee"]), Memory(), 12) == [(Gift("coffee", 2, 0), Gift("cake", 1, 0))]
    assert fill(card(rows=[2, 5]), Memory(), 1, 1, 4, 1) == [(), (Gift("coffee", 1, 0),), (), (Gift("coffee", 1, 0),)]


def test_a_full_card_starts_again() -> None:
    mechanic, memory = card(rows=[2, 3]), Memory()
    assert [len(gifts) for gifts in fill(mechanic, memory, 5, 1, 1, 2, 1)] == [1, 0, 1, 0, 1]
    assert mechanic.on_card(memory) == 0
    fill(mechanic, memory, 4)
    assert mechanic.on_card(memory) == 4
    assert mechanic.on_card({}) == 0


def test_a_row_that_was_emptied_by_a_return_is_not_paid_twice() -> None:
    mechanic, memory = card(), Memory()
    gifts = fill(mechanic, memory, 4, -1, 1, -4, 4, 4)
    assert gifts == [(Gift("coffee", 1, 0),), (), (), (), (), (Gift("coffee", 1, 0),)]


def test_a_return_takes_no_more_stamps_than_there_are() -> None:
    mechanic, memory = card(), Memory()
    fill(mechanic, memory, 2, -5)
    assert mechanic.on_card(memory) == 0
    fill(mechanic, memory, 3)
    assert mechanic.on_card(memory) == 3


def test_a_card_lapses_so_many_months_after_its_first_stamp() -> None:
    mechanic, memory = card(months=2), Memory()
    assert mechanic.remember(memory, 3, day("2026-01-31")) == ()
    assert mechanic.remember(memory, 1, day("2026-03-30")) == (Gift("coffee", 1, 0),)
    assert memory == {"stamps": 4, "since": "2026-01-31", "paid": 1}
    assert mechanic.remember(memory, 3, day("2026-03-31")) == ()  # the day on which the first card is over: a new one begins
    assert memory == {"stamps": 3, "since": "2026-03-31", "lapsed": "2026-03-31"}


def test_a_card_after_a_full_one_lives_from_its_own_first_stamp() -> None:
    mechanic, memory = card(rows=[2], months=3), Memory()
    assert mechanic.remember(memory, 2, day("2026-01-05")) == (Gift("coffee", 1, 0),)
    assert memory == {"stamps": 2, "paid": 1}  # full: nothing runs
    mechanic.remember(memory, 1, day("2026-03-01"))
    assert mechanic.remember(memory, 2, day("2026-05-31")) == (Gift("coffee", 1, 0),)
    assert memory == {"stamps": 5, "paid": 2, "since": "2026-05-31"}  # what is over opens the next card
    assert mechanic.remember(memory, 1, day("2026-08-31")) == ()
    assert memory == {"stamps": 1, "since": "2026-08-31", "lapsed": "2026-08-31"}


def test_stamps_of_a_card_that_has_lapsed_are_neither_given_nor_taken_back() -> None:
    mechanic, memory = card(rows=[5], months=1), Memory()
    mechanic.remember(memory, 2, day("2026-01-05"))
    mechanic.remember(memory, 1, day("2026-03-02"))
    opened = {"stamps": 1, "since": "2026-03-02", "lapsed": "2026-02-05"}
    for change in (-1, 4):
        assert mechanic.remember(memory, change, day("2026-02-04")) == ()
        assert memory == opened
    mechanic.remember(memory, -1, day("2026-03-02"))
    assert memory == {"stamps": 0, "lapsed": "2026-02-05"}
    mechanic.remember(memory, 1, day("2026-02-05"))
    assert memory == {"stamps": 1, "since": "2026-02-05", "lapsed": "2026-02-05"}


def test_a_card_emptied_by_a_return_begins_with_the_next_stamp() -> None:
    mechanic, memory = card(months=2), Memory()
    mechanic.remember(memory, 1, day("2026-01-31"))
    mechanic.remember(memory, -1, day("2026-01-31"))
    mechanic.remember(memory, 1, day("2026-03-30"))
    assert memory == {"stamps": 1, "since": "2026-03-30"}


def test_a_sum_is_one_in_the_programmes_first_currency() -> None:
    each = card(stamp_for={"amount": "500.00"})
    assert worth(each, line(1, 900_000), currency="CZK") == 0
    assert worth(card(stamp_for="unit"), line(1, 100), currency="CZK") == 1


def test_a_single_stamp_opens_a_card_and_lets_one_lapse() -> None:
    mechanic, memory = card(months=2), Memory()
    mechanic.remember(memory, 1, day("2026-01-31"))
    assert memory == {"stamps": 1, "since": "2026-01-31"}
    mechanic.remember(memory, 1, day("2026-03-31"))
    assert memory == {"stamps": 1, "since": "2026-03-31", "lapsed": "2026-03-31"}


def test_stamps_taken_back_neither_open_nor_renew_a_card() -> None:
    mechanic, memory = card(months=2), Memory()
    mechanic.remember(memory, 3, day("2026-01-31"))
    mechanic.remember(memory, -1, day("2026-06-30"))
    assert memory == {"stamps": 2, "since": "2026-01-31"}
    fresh = Memory()
    mechanic.remember(fresh, -1, day("2026-06-30"))
    assert fresh == {"stamps": 0}


def test_a_card_without_months_lasts() -> None:
    mechanic, memory = card(), Memory()
    mechanic.remember(memory, 3, day("2020-01-31"))
    assert memory == {"stamps": 3}
    assert mechanic.remember(memory, 1, MONDAY) == (Gift("coffee", 1, 0),)


def test_its_effect_are_stamps() -> None:
    assert (card().id, card().effect) == ("stamp_card", "stamp")


def rows_of(**terms: object) -> StampCard:
    """Two rows of two and one of three, each with a gift of its own."""
    return card(rows=[2, 2, 3], gift=["coffee", "cake", "dinner"], gift_value=["2.40", "3.00", "20.00"], **terms)


COFFEE, CAKE, DINNER = Gift("coffee", 1, 240), Gift("cake", 1, 300), Gift("dinner", 1, 2000)


def test_who_saves_on_gets_no_gift_before_the_last_row_and_its_gift_alone() -> None:
    mechanic, memory = rows_of(), Memory()
    assert mechanic.choose(memory, "save", MONDAY) == ()
    assert fill(mechanic, memory, 2, 2, 2, 1) == [(), (), (), (DINNER,)]
    assert memory == {"stamps": 7, "paid": 3}


def test_saving_on_is_for_one_card_and_the_next_one_begins_without() -> None:
    mechanic, memory = rows_of(), Memory()
    mechanic.choose(memory, "save", MONDAY)
    assert fill(mechanic, memory, 9) == [(DINNER, COFFEE)]
    assert fill(mechanic, memory, 2) == [(CAKE,)]


def test_who_saves_on_takes_the_gift_of_the_latest_full_row_which_pays_those_before_it() -> None:
    mechanic, memory = rows_of(), Memory()
    mechanic.choose(memory, "save", MONDAY)
    fill(mechanic, memory, 5)
    assert mechanic.choose(memory, "gift", MONDAY) == (CAKE,)
    assert memory == {"stamps": 5, "paid": 2}
    assert mechanic.choose(memory, "gift", MONDAY) == ()
    assert fill(mechanic, memory, 2) == [(DINNER,)]


def test_a_gift_that_was_handed_out_is_not_saved_any_more() -> None:
    mechanic, memory = rows_of(), Memory()
    assert fill(mechanic, memory, 2) == [(COFFEE,)]
    mechanic.choose(memory, "save", MONDAY)
    assert mechanic.choose(memory, "gift", MONDAY) == ()
    assert fill(mechanic, memory, 2) == [(CAKE,)]


def test_a_card_without_stamps_has_no_gift_to_take() -> None:
    memory = Memory()
    assert card(rows=[1]).choose(memory, "gift", MONDAY) == ()
    assert memory == {}


def test_saving_on_may_begin_in_the_middle_of_any_card() -> None:
    mechanic, memory = rows_of(), Memory()
    fill(mechanic, memory, 9)  # a full card, and the first row of the next
    mechanic.choose(memory, "save", MONDAY)
    mechanic.choose(memory, "save", MONDAY)
    assert fill(mechanic, memory, 3, 1, 1) == [(), (), (DINNER,)]
    assert memory == {"stamps": 14, "paid": 6}


def test_stamps_that_are_taken_back_empty_a_row_that_was_saved() -> None:
    mechanic, memory = rows_of(), Memory()
    mechanic.choose(memory, "save", MONDAY)
    fill(mechanic, memory, 4, -1)
    assert mechanic.choose(memory, "gift", MONDAY) == (COFFEE,)
    assert fill(mechanic, memory, 1) == [(CAKE,)]


def test_a_full_card_that_returns_have_emptied_is_not_the_one_on_which_a_member_saves() -> None:
    mechanic, memory = rows_of(), Memory()
    fill(mechanic, memory, 7, -2)
    mechanic.choose(memory, "save", MONDAY)
    assert fill(mechanic, memory, 2, 5, 1, 1) == [(), (), (), (DINNER,)]


def test_what_was_saved_on_a_card_lapses_with_it() -> None:
    mechanic, memory = rows_of(months=2), Memory()
    mechanic.choose(memory, "save", day("2026-01-01"))
    mechanic.remember(memory, 3, day("2026-01-31"))
    assert mechanic.choose(memory, "gift", day("2026-03-31")) == ()
    assert memory == {"lapsed": "2026-03-31"}
    assert mechanic.choose(memory, "save", day("2026-03-30")) == ()  # for the card that is over
    assert memory == {"lapsed": "2026-03-31"}
    assert mechanic.choose(memory, "save", day("2026-03-31")) == ()
    assert mechanic.remember(memory, 2, day("2026-03-31")) == ()
    assert mechanic.choose(memory, "gift", day("2026-04-01")) == (COFFEE,)
    assert memory == {"stamps": 2, "paid": 1, "since": "2026-03-31", "lapsed": "2026-03-31"}


def test_a_choice_on_the_last_day_of_a_card_is_for_it() -> None:
    mechanic, memory = rows_of(months=2), Memory()
    mechanic.choose(memory, "save", day("2026-01-01"))
    mechanic.remember(memory, 2, day("2026-01-31"))
    assert mechanic.choose(memory, "gift", day("2026-03-30")) == (COFFEE,)


@given(rows=st.lists(st.integers(1, 5), min_size=1, max_size=3), changes=st.lists(st.integers(-3, 9), max_size=30))
def test_as_many_gifts_as_rows_that_were_ever_full(rows: list[int], changes: list[int]) -> None:
    mechanic, memory = card(rows=rows), Memory()
    given_out = sum(gift.count for gifts in fill(mechanic, memory, *changes) for gift in gifts)
    stamps, most = 0, 0
    for change in changes:
        stamps = max(0, stamps + change)
        full = 0
        for number in range(1, stamps + 1):  # the card is stamped one by one
            place = (number - 1) % sum(rows) + 1
            full += place in {sum(rows[: end + 1]) for end in range(len(rows))}
        most = max(most, full)
    assert given_out == most
    assert mechanic.on_card(memory) == stamps % sum(rows)
