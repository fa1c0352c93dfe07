"""Statements count as an unbroken chain, whatever the order in which they come."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clearing.payment_breaks import PaymentBreak
from clearing.statement_order import Halt, Numbered, next_to_count


def chain(length: int, *, first: int = 1, year: int = 2026) -> list[Numbered]:
    """Statements that fit, one after the other."""
    return [Numbered(no, year, no, no * 100, no * 100 + 100, no == first) for no in range(first, first + length)]


def counted(arrivals: list[list[Numbered]]) -> list[int]:
    """What counts, in its order, where each list comes together and is counted before the next one comes."""
    last, waiting, order = None, [], []
    for together in arrivals:
        waiting += together
        while isinstance(following := next_to_count(last, waiting), Numbered):
            waiting.remove(following)
            last = following
            order.append(following.no)
    return order


@given(st.permutations(chain(7)), st.lists(st.integers(0, 7), max_size=4))
def test_any_order_and_any_grouping_counts_the_same(order: list[Numbered], cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(order)]
    assert counted([order[start:end] for start, end in pairwise(bounds)]) == [1, 2, 3, 4, 5, 6, 7]


def test_nothing_waits_nothing_counts() -> None:
    assert next_to_count(None, []) is None
    assert next_to_count(chain(1)[0], []) is None


def test_a_gap_is_named_with_the_number_that_is_missing() -> None:
    one, _, three = chain(3)
    assert next_to_count(one, [three]) == Halt(PaymentBreak.STATEMENT_GAP, three, 2)
    assert next_to_count(None, [three]) == Halt(PaymentBreak.STATEMENT_GAP, three, 1)


def test_an_opening_that_is_not_the_closing_before_is_named_with_what_it_should_be() -> None:
    one, two = chain(2)
    wrong = Numbered(9, 2026, 2, 199, 300)
    assert next_to_count(one, [wrong]) == Halt(PaymentBreak.BALANCE, wrong, 200)
    assert next_to_count(one, [wrong, two]) == two


def test_the_first_of_an_account_is_number_1_or_said_to_be_the_first() -> None:
    later = chain(2, first=57)
    assert next_to_count(None, later) == later[0]
    assert next_to_count(None, later[1:]) == Halt(PaymentBreak.STATEMENT_GAP, later[1], 1)


def test_the_first_of_an_account_may_be_number_1_without_a_word_and_no_other_number() -> None:
    one, two = Numbered(1, 2026, 1, 0, 100), Numbered(2, 2026, 2, 100, 200)
    assert next_to_count(None, [two, one]) == one
    assert next_to_count(None, [two]) == Halt(PaymentBreak.STATEMENT_GAP, two, 1)


def test_numbers_may_begin_again_in_a_new_year_and_only_then() -> None:
    last = Numbered(1, 2026, 250, 0, 500)
    again, same_year, on = Numbered(2, 2027, 1, 500, 600), Numbered(3, 2026, 1, 500, 600), Numbered(4, 2027, 251, 500, 600)
    assert next_to_count(last, [again]) == again
    assert next_to_count(last, [on]) == on
    assert next_to_count(last, [same_year]) == Halt(PaymentBreak.STATEMENT_GAP, same_year, 251)
    assert next_to_count(last, [Numbered(5, 2028, 1, 500, 600)]) == Halt(PaymentBreak.STATEMENT_GAP, Numbered(5, 2028, 1, 500, 600), 251)
    assert next_to_count(last, [Numbered(6, 2028, 251, 500, 600)]) == Halt(PaymentBreak.STATEMENT_GAP, Numbered(6, 2028, 251, 500, 600), 251)
