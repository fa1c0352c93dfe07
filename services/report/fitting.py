"""Tables that fit a width: words are wrapped between words; figures, ids, offsets and hashes are never broken.

Where a table does not fit, titles are wrapped, what says the same in every row is said once above it, and optional columns are left out, the
last one first, and named below it; where it still does not fit, it becomes two or three tables below each other, each with what names the rows; and
where these would be too many, each row is written as a block of named values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

BETWEEN = 3
"""What each column takes beside its text: a space on both sides and the line before it."""
PARTS_MAX = 3
"""In more tables than this below each other nobody finds a row again."""
LEAST = 10
"""A column of words is not made narrower than this where its words are short."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its title, whether it holds figures (to the right, never wrapped), or is kept whole as it is, title and all, and whether it may be left out."""

    title: str
    right: bool = False
    whole: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its cells, how it looks, whether a rule is drawn below it, and whether it is a sum of rows above it."""

    cells: tuple[str, ...]
    style: str = ""
    ends: bool = False
    sums: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """A table to be printed at any width."""

    fields: Sequence[Field]
    lines: Sequence[Line]
    title: str = ""
    note: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table as it fits the width, in parts below each other, or its rows as blocks."""
        if self.title:
            yield Text(self.title, style="bold")
        said, places, widths = self._fit(options.max_width)
        told = [f"{' '.join(self.fields[place].title.split())} {value}" for place, value in said.items() if value]
        if told:
            yield Text("in every row: " + " · ".join(told), style="dim")
        if widths is not None:
            yield self._table(places, widths)
        else:
            parts = self._parts(places, options.max_width)
            if parts is None:
                yield from self._blocks(places, options.max_width)
            else:
                yield from (self._table(part, widths) for part, widths in parts)
        if left_out := self.left_out(options.max_width):
            yield Text(f"too narrow here for: {', '.join(left_out)}", style="dim")
        if self.note:
            yield Text(self.note, style="dim italic")

    def left_out(self, most: int) -> list[str]:
        """The titles of the optional columns that are not shown at this width; bars are drawn of figures, and are no loss."""
        said, places, _ = self._fit(most)
        shown = {*said, *places}
        return [" ".join(field.title.split()) for place, field in enumerate(self.fields) if field.optional and not field.whole and place not in shown]

    def _fit(self, most: int) -> tuple[dict[int, str], tuple[int, ...], list[int] | None]:
        """What is said once above the table, the columns that are shown, and their widths; None: not as one table."""
        places = tuple(range(len(self.fields)))
        widths = self._widths(places, most)
        if widths is not None:
            return {}, places, widths
        said = self._said_once()
        rest = places = tuple(place for place in places if place not in said)
        for left_out in (None, *(place for place in reversed(rest) if self.fields[place].optional)):
            places = tuple(place for place in places if place != left_out)
            widths = self._widths(places, most)
            if widths is not None:
                return said, places, widths
        return said, tuple(place for place in rest if not self.fields[place].whole), None  # a bar beside nothing says nothing

    def _said_once(self) -> dict[int, str]:
        """Columns that say the same in each of several rows, sums aside, and what; a sum may leave it out."""
        rows = [line.cells for line in self.lines if not line.sums]
        same = {}
        for place in range(len(self.fields)):
            found = {cells[place] for cells in rows}
            sums = {line.cells[place] for line in self.lines if line.sums}
            if len(rows) > 1 and len(found) == 1 and sums <= {"", *found} and "\n" not in rows[0][place]:
                same[place] = rows[0][place]
        return same if len(same) < len(self.fields) else {}

    def _column(self, place: int) -> Iterator[str]:
        yield from self.fields[place].title.split("\n")
        for line in self.lines:
            yield from line.cells[place].split("\n")

    def _least(self, place: int, wide: int) -> int:
        """How narrow a column may become: words are kept whole, and so are figures."""
        if self.fields[place].whole:
            return wide
        if self.fields[place].right:
            words, cells = self.fields[place].title.split(), (cell_len(line.cells[place]) for line in self.lines)
            return min(wide, max(*map(cell_len, words or [""]), *cells, 1))
        longest = max((cell_len(word) for text in self._column(place) for word in text.split()), default=0)
        return min(wide, max(LEAST, longest))

    def _widths(self, places: Sequence[int], most: int) -> list[int] | None:
        """The width of each column, the widest columns of words narrowed first; None where it cannot be done."""
        widths = [max(map(cell_len, self._column(place))) for place in places]
        least = [self._least(place, wide) for place, wide in zip(places, widths, strict=True)]
        over = sum(widths) + BETWEEN * len(places) + 1 - most
        while over > 0:
            widest = max(range(len(places)), key=lambda each: (widths[each] > least[each], widths[each]))
            if widths[widest] == least[widest]:
                return None
            widths[widest] -= 1
            over -= 1
        return widths

    def _parts(self, places: Sequence[int], most: int) -> list[tuple[tuple[int, ...], list[int]]] | None:
        """Two or three tables below each other, each with the words that name its rows and as many of the figures; None where they do not fit.

        What names a row are the columns of words before the first figure, with its number if that comes first. Words between figures, such as a currency,
        stay with the figure behind them.
        """
        first = next((at for at, place in enumerate(places) if at and self.fields[place].right), len(places))
        names, groups = tuple(places[:first]), self._groups(places[first:])
        for number in range(2, PARTS_MAX + 1) if names and groups else ():
            size = -(-len(groups) // number)
            parts = [(*names, *chain.from_iterable(groups[at : at + size])) for at in range(0, len(groups), size)]
            fitting = [(part, widths) for part in parts if (widths := self._widths(part, most)) is not None]
            if len(fitting) == len(parts) > 1:
                return fitting
        return None

    def _groups(self, places: Sequence[int]) -> list[tuple[int, ...]]:
        """Columns that stay together: a figure and the words before it; words at the end each for themselves."""
        groups: list[tuple[int, ...]] = []
        words: tuple[int, ...] = ()
        for place in places:
            words = (*words, place)
            if self.fields[place].right:
                groups.append(words)
                words = ()
        return [*groups, *((place,) for place in words)]

    def _table(self, places: Sequence[int], widths: Sequence[int]) -> Table:
        table = Table()
        for place, width in zip(places, widths, strict=True):
            table.add_column(Text(self.fields[place].title), justify="right" if self.fields[place].right else "left", width=width)
        for line in self.lines:
            table.add_row(*(Text(line.cells[place]) for place in places), style=line.style, end_section=line.ends)
        return table

    def _blocks(self, places: Sequence[int], most: int) -> Iterator[Text]:
        """Each row as `title value` pairs, which are kept together; empty ones are left out."""
        for line in self.lines:
            pairs = [(self.fields[place].title, " ".join(line.cells[place].split())) for place in places if line.cells[place].strip()]
            written, used = Text(style=line.style, no_wrap=True, overflow="ignore"), 0
            for number, (title, value) in enumerate(pairs):
                wide = cell_len(title) + cell_len(value) + 1
                if number and used + 3 + wide > most:
                    written.append("\n  ")
                    used = 2
                elif number:
                    written.append(" · ", style="dim")
                    used += 3
                written.append(f"{title} ", style="dim").append(value)
                used += wide
            yield written
            if line.ends:
                yield Text("─" * min(most, 40), style="dim")
