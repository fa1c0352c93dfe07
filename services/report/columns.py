"""How wide the columns of a table are on a page: figures are never broken, words are wrapped; columns of figures that do not fit go into a further table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from services.report.tables import Row, Table, for_page

PAGE = 770
"""Points between the margins of the page."""
SIZES = (8.5, 7.5, 6.5, 6.0)
"""Sizes of letters in points: a smaller one where a table does not fit otherwise."""
LETTER = 0.52
"""Width of a letter, in its size: rather more than the average."""
INSET = 6.2
"""Points that a column takes beside its text."""
WRAPPED = 26
"""A column of words is not made narrower than this many letters, or than its longest word; it may be wider."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A table with the width of each column and the size of its letters, in points."""

    table: Table
    widths: tuple[float, ...]
    size: float


def fitted(table: Table) -> Iterator[Fit]:
    """The table at the largest size at which it fits; else in several, each with the columns of words."""
    for size in SIZES:
        least, most = _widths(table, size)
        if sum(least) <= PAGE:
            yield Fit(table, _between(least, most), size)
            return
    parts = _parts(table)
    for number, places in enumerate(parts, start=1):
        title = f"{table.title} ({number} of {len(parts)})" if len(parts) > 1 else table.title
        part = replace(
            table,
            title=title,
            columns=tuple(table.columns[place] for place in places),
            rows=tuple(Row(tuple(row.cells[place] for place in places), row.rank) for row in table.rows),
        )
        least, most = _widths(part, SIZES[-1])
        yield Fit(part, _between(least, most), SIZES[-1])


def _parts(table: Table) -> list[tuple[int, ...]]:
    """Places of columns for each part: those of words, and as many of figures as fit beside them, evenly; at least one."""
    least, _ = _widths(table, SIZES[-1])
    heads = [place for place, column in enumerate(table.columns) if not column.right]
    figures = [place for place, column in enumerate(table.columns) if column.right]
    room = PAGE - sum(least[place] for place in heads)
    together = len(figures)
    while together > 1 and any(sum(least[place] for place in part) > room for part in _chunks(figures, together)):
        together -= 1
    return [tuple(sorted((*heads, *part))) for part in _chunks(figures, together)] or [tuple(heads)]


def _chunks(places: Sequence[int], together: int) -> list[Sequence[int]]:
    """Parts of about the same size, of at most so many each."""
    parts = -(-len(places) // together) if together else 0
    return [places[len(places) * part // parts : len(places) * (part + 1) // parts] for part in range(parts)]


def _widths(table: Table, size: float) -> tuple[list[float], list[float]]:
    """The least and the greatest useful width of each column."""
    least, most = [], []
    for place, column in enumerate(table.columns):
        texts = [for_page(row.cells[place]) for row in table.rows]
        title = column.title + "w"  # bold letters take more room
        longest = max(map(len, texts), default=0)
        word = max(len(word) for words in (*texts, title) for word in words.split() or [""])
        widest = max(longest, len(title))
        narrow = max(longest, word) if column.right else max(word, min(widest, WRAPPED))
        least.append(narrow * size * LETTER + INSET)
        most.append(max(widest, narrow) * size * LETTER + INSET)
    return least, most


def _between(least: Sequence[float], most: Sequence[float]) -> tuple[float, ...]:
    """What is left of the page goes to the columns that want it, each the same part of what it wants."""
    left, wanted = PAGE - sum(least), sum(most) - sum(least)
    part = min(1.0, max(0.0, left / wanted)) if wanted else 0.0
    return tuple(round(narrow + (wide - narrow) * part, 2) for narrow, wide in zip(least, most, strict=True))
