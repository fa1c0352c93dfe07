"""One thing worth a second look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """A warning about a programme. `place` is the path in the file, by its keys and positions."""

    place: tuple[str | int, ...]
    code: str
    reason: str
    way_out: str
