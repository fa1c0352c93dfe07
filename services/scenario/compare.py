"""What a scenario expects against what came out (scenario.md).

Maps are compared by the keys that are named; `rejected` and `carried` whole; lists whole and in any order, each entry by the keys that are
named; numbers as numbers, days as their text.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.scenario.matching import Matching, match

_VERDICT = frozenset(["passed", "differences"])
"""Parts of the report that say how it compares with what is expected of the others."""
_WHOLE_MAPS = frozenset(["carried", "rejected"])
_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(?:\.[0-9]{1,60})?", re.ASCII)
_NEAREST_SOUGHT = 200
"""So many entries without a match are compared with each other for a hint; more would take long and help nobody."""


def judged(expect: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """The report with its verdict: all that is named holds, and so does every check that is not named.

    What is expected of the verdict itself is compared with what all else comes to.
    """
    found = differences({key: value for key, value in expect.items() if key not in _VERDICT}, report)
    named = expect.get("checks") or {}
    found += [f"checks.{name}: does not hold" for name, holds in report["checks"].items() if not holds and name not in named]
    of_itself = {key: value for key, value in expect.items() if key in _VERDICT}
    found += differences(of_itself, {"passed": not found, "differences": tuple(found)})
    return {"scenario": report["scenario"], "passed": not found, "differences": found, **report}


def differences(expect: Mapping[str, Any], report: Mapping[str, Any]) -> list[str]:
    """Each difference between what is expected and the report, as one line: path, expected, found. Empty: all that is named holds."""
    return list(_of_maps(expect, report, "", whole=False))


def _of_maps(expected: Mapping[str, Any], found: Mapping[str, Any], path: str, *, whole: bool) -> Iterator[str]:
    for key, value in expected.items():
        name = _name(key)
        place = f"{path}.{name}" if path else name
        yield from _of_values(value, _get(found, key), place, whole=whole or (not path and name in _WHOLE_MAPS))
    if whole:
        named = {_name(key) for key in expected}
        for key, value in found.items():
            if _name(key) not in named:
                yield from _unexpected(value, f"{path}.{_name(key)}")


def _of_values(expected: Any, found: Any, place: str, *, whole: bool) -> Iterator[str]:
    if isinstance(expected, Mapping):
        if isinstance(found, Mapping) or (found is None and whole):
            yield from _of_maps(expected, found or {}, place, whole=whole)
        elif expected:
            yield _line(place, expected, found)
    elif isinstance(expected, list | tuple):
        if isinstance(found, list | tuple):
            yield from _of_lists(expected, found, place)
        elif expected or found is not None:
            yield _line(place, expected, found)
    elif canonical(expected) != canonical(found) and not (expected is None and found in ({}, [])):
        yield _line(place, expected, found)


def _unexpected(found: Any, place: str) -> Iterator[str]:
    """One line for each figure of a part that should not be there."""
    if isinstance(found, Mapping):
        for key, value in found.items():
            yield from _unexpected(value, f"{place}.{_name(key)}")
    else:
        yield f"{place}: expected nothing, found {_shown(found)}"


def _of_lists(expected: Sequence[Any], found: Sequence[Any], place: str) -> Iterator[str]:
    left: Matching = match([_facts(entry) for entry in expected], [_facts(entry) for entry in found])
    unmatched = list(left.found)
    hints = len(left.expected) * len(unmatched) <= _NEAREST_SOUGHT**2
    for position in left.expected:
        near = _nearest(expected[position], [found[other] for other in unmatched]) if hints else None
        if near is None:
            yield f"{place}: expected {_shown(expected[position])}, found no such entry"
            continue
        entry = found[unmatched.pop(near)]
        named = ", ".join(
            f"{key} {_shown(entry.get(key))} instead of {_shown(value)}" for key, value in expected[position].items() if not _equal(value, entry, key)
        )
        yield f"{place}: expected {_shown(expected[position])}, found one with {named}"
    for position in unmatched:
        yield f"{place}: expected nothing more, found {_shown(found[position])}"


def _nearest(expected: Any, candidates: Sequence[Any]) -> int | None:
    """The entry that agrees in most of the keys that are named; None where none agrees in half of them."""
    if not isinstance(expected, Mapping) or not expected:
        return None
    scores = [
        (sum(_equal(value, entry, key) for key, value in expected.items()), -position)
        for position, entry in enumerate(candidates)
        if isinstance(entry, Mapping)
    ]
    best, position = max(scores, default=(0, 0))
    return -position if 2 * best >= len(expected) and best > 0 else None


def _equal(value: Any, entry: Mapping[str, Any], key: str) -> bool:
    return bool(canonical(value) == canonical(_get(entry, key)))


def _facts(entry: Any) -> dict[str, Any]:
    """An entry of a list in a form that can be looked up; what is no map has one fact, itself."""
    if isinstance(entry, Mapping):
        return {_name(key): canonical(value) for key, value in entry.items()}
    return {"": canonical(entry)}


def canonical(value: Any) -> Any:
    """A value such that equal ones are equal and can be looked up: "0.0100", 0.01 and Decimal("0.01") are one; a day is its text.

    Truth values are no numbers, and what is missing is nothing, as null is.
    """
    if isinstance(value, bool) or value is None:
        return (value,)
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value))
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) else value
    if isinstance(value, Mapping):
        return frozenset((_name(key), canonical(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(sorted((canonical(each) for each in value), key=repr))
    return str(value)


def _get(found: Mapping[str, Any], key: Any) -> Any:
    return found.get(key) if key in found else found.get(_name(key))


def _name(key: Any) -> str:
    return key.isoformat() if isinstance(key, dt.date) else str(key)


def _line(place: str, expected: Any, found: Any) -> str:
    return f"{place}: expected {_shown(expected)}, found {_shown(found)}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
