"""As many entries as possible are matched, whatever their order."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from services.scenario.matching import Facts, match

facts = st.dictionaries(st.sampled_from("abc"), st.integers(0, 1), max_size=3)
whole = st.fixed_dictionaries({"a": st.integers(0, 1), "b": st.integers(0, 1), "c": st.integers(0, 1)})


def fits(expected: Facts, found: Facts | None) -> bool:
    return found is not None and all(found[key] == value for key, value in expected.items())


def most(expected: list[Facts], found: list[Facts]) -> int:
    """The most that can be matched, by trying every order; None stands for no partner."""
    candidates = [*found, *[None] * len(expected)]
    return max(sum(map(fits, expected, order)) for order in itertools.permutations(candidates, len(expected)))


@given(st.lists(facts, max_size=4), st.lists(whole, max_size=4))
def test_as_many_as_possible_are_matched(expected: list[Facts], found: list[Facts]) -> None:
    left = match(expected, found)

    assert len(expected) - len(left.expected) == len(found) - len(left.found) == most(expected, found)
    assert list(left.expected) == sorted(set(left.expected))
    assert list(left.found) == sorted(set(left.found))


@given(st.lists(whole, max_size=12), st.randoms())
def test_parts_of_the_same_entries_always_match(found: list[dict[str, int]], random: object) -> None:
    import random as chance

    assert isinstance(random, chance.Random)
    expected = [{key: value for key, value in entry.items() if random.random() < 0.5} for entry in found]
    random.shuffle(expected)

    left = match(expected, found)

    assert (left.expected, left.found) == ((), ())


def test_a_chain_of_moves_is_found() -> None:
    found = [{"a": number, "b": number + 1} for number in range(50)]
    expected: list[Facts] = [{"a": 0}, *({"b": number + 1} for number in range(1, 50))]
    shifted = [{"a": number, "b": 0} for number in range(3)]

    assert match(expected, found).expected == ()
    assert match([{"b": 0}, {"b": 0}, {"a": 0}], shifted).expected == ()
    assert match([{"a": 0}, {"a": 0}], shifted).expected == (1,)
