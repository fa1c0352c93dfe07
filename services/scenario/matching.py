"""Matching the expected entries of a list with the found ones, where an expected entry may fit several.

Entries that say the same are one class with a count, so that thousands of equal ones cost as much as one. A class of expected entries fits the
classes of found ones that agree in the keys that it names; as many entries as possible are matched: first each with what nothing but it can
have, then along augmenting paths, so that a loose expectation never takes what a strict one needs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

Facts = Mapping[str, Hashable]
"""An entry: its keys and its values in a form that can be compared and looked up."""

_NOTHING: Hashable = (None,)
"""What stands for a key that an entry lacks: a null is as good as none."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Positions of the entries that have no partner."""

    expected: tuple[int, ...]
    found: tuple[int, ...]


@dataclass(slots=True)
class _Class:
    """Entries that say the same. `flow` says how many of an expected class are matched with each found class, by its number."""

    facts: Facts
    positions: list[int]
    free: int
    fits: list[int] = field(default_factory=list)
    flow: dict[int, int] = field(default_factory=dict)


def match(expected: Sequence[Facts], found: Sequence[Facts]) -> Matching:
    """The entries left over when as many as possible are matched."""
    wanted, there = _classes(expected), _classes(found)
    _find_fits(wanted, there)
    for number in sorted(range(len(wanted)), key=lambda each: len(wanted[each].fits)):
        _take_free(wanted[number], there)
    for each in wanted:
        while each.free and _augment(each, wanted, there):
            pass
    return Matching(_left(wanted), _left(there))


def _classes(entries: Sequence[Facts]) -> list[_Class]:
    classes: dict[frozenset[tuple[str, Hashable]], _Class] = {}
    for position, facts in enumerate(entries):
        key = frozenset(facts.items())
        if key in classes:
            classes[key].positions.append(position)
            classes[key].free += 1
        else:
            classes[key] = _Class(facts, [position], 1)
    return list(classes.values())


def _find_fits(wanted: Sequence[_Class], there: Sequence[_Class]) -> None:
    """For each set of keys that some expectation names, the found classes are looked up by their values under them."""
    by_keys: dict[tuple[str, ...], dict[tuple[Hashable, ...], list[int]]] = {}
    for each in wanted:
        keys = tuple(sorted(each.facts))
        if keys not in by_keys:
            looked_up: dict[tuple[Hashable, ...], list[int]] = {}
            for number, other in enumerate(there):
                looked_up.setdefault(tuple(other.facts.get(key, _NOTHING) for key in keys), []).append(number)
            by_keys[keys] = looked_up
        each.fits = by_keys[keys].get(tuple(each.facts[key] for key in keys), [])


def _take_free(wanted: _Class, there: Sequence[_Class]) -> None:
    for number in wanted.fits:
        taken = min(wanted.free, there[number].free)
        if taken:
            wanted.flow[number] = wanted.flow.get(number, 0) + taken
            wanted.free -= taken
            there[number].free -= taken
        if not wanted.free:
            return


def _augment(start: _Class, wanted: Sequence[_Class], there: Sequence[_Class]) -> bool:
    """Match one more entry of `start`, moving others to other partners where they have some; whether that was possible."""
    if not start.fits:
        return False
    holders: dict[int, list[_Class]] = {}
    for each in wanted:
        for number in each.flow:
            holders.setdefault(number, []).append(each)
    came_from: dict[int, tuple[_Class, int | None]] = {}
    queue: deque[tuple[_Class, int | None]] = deque([(start, None)])
    seen = {id(start)}
    while queue:
        each, given_up = queue.popleft()
        for number in each.fits:
            if number in came_from:
                continue
            came_from[number] = (each, given_up)
            if there[number].free:
                _shift(number, came_from, start, there)
                return True
            for holder in holders.get(number, ()):
                if id(holder) not in seen:
                    seen.add(id(holder))
                    queue.append((holder, number))
    return False


def _shift(last: int, came_from: Mapping[int, tuple[_Class, int | None]], start: _Class, there: Sequence[_Class]) -> None:
    there[last].free -= 1
    start.free -= 1
    number: int | None = last
    while number is not None:
        each, given_up = came_from[number]
        each.flow[number] = each.flow.get(number, 0) + 1
        if given_up is not None:
            each.flow[given_up] -= 1
            if not each.flow[given_up]:
                del each.flow[given_up]
        number = given_up


def _left(classes: Sequence[_Class]) -> tuple[int, ...]:
    """The last positions of each class: as many as are free."""
    return tuple(sorted(position for each in classes if each.free for position in each.positions[-each.free :]))
