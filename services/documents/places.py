"""From the location of a pydantic error to line, column and field of the YAML text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.documents.yaml_text import Marks

Part = str | int


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands. `path` holds keys and positions that are in the file; line and column count from 1."""

    path: tuple[Part, ...]
    line: int
    column: int


def locate(data: Any, marks: Marks, location: Sequence[Part], *, key: bool = False) -> Place:
    """The place of an error in the composed `data`.

    Parts of the location that are not in the file (names that pydantic gives to the members of a union, positions in a list that was
    written as one value, a field that is missing) are passed over. With `key` the place of the last key is meant, not of its value.
    """
    path: list[Part] = []
    spots = marks.get(id(data))
    spot = spots.start if spots is not None else (0, 0)
    value = data
    for part in location:
        spots = marks.get(id(value))
        if spots is None or part not in spots.values:
            continue
        path.append(part)
        value = value[part]
        is_scalar = id(value) not in marks
        spot = spots.values[part] if (is_scalar and not key) or part not in spots.keys else spots.keys[part]
    return Place(tuple(path), spot[0] + 1, spot[1] + 1)


def field_path(path: Sequence[Part]) -> str:
    """A path as people write it: mechanics[0].per.amount."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
