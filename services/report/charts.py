"""Charts as inline SVG, drawn from whole numbers: legible in black and white (solid and hatched), and told in words to a screen reader."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

WIDTH = 760
HATCH = "hatch"
"""Id of the pattern that the page defines once."""
HATCHED = (
    f'<defs><pattern id="{HATCH}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" class="ground"/><line x1="0" y1="0" x2="0" y2="6" class="stroke"/></pattern></defs>'
)
BARS_MAX = 24
LABEL_MAX = 23
LETTER = 7
"""Width of a letter, in the units of the drawing: about."""
ROW = 26
LEFT = 160
FIGURE = 90
"""Width that a figure beside a bar may take."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, what stands above it, and all that it shows in words."""

    title: str
    svg: Markup
    told: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it stands for, how long it is, and what is written at its end."""

    label: str
    value: int
    shown: str


@dataclass(frozen=True, slots=True)
class Series:
    """Bars of one kind, one for each place on the axis."""

    name: str
    values: Sequence[int]
    shown: Sequence[str]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a waterfall: from where to where it goes, and what is written beside it. A total stands on zero by itself."""

    label: str
    start: int
    end: int
    shown: str
    total: bool = False


def tells(values: Iterable[int]) -> bool:
    """Whether a chart of these would show anything: not where all bars are equal."""
    return len(set(values)) > 1


def diverging(chart_id: str, title: str, bars: Sequence[Bar], reach: tuple[int, int] | None = None) -> Chart:
    """Bars to both sides of zero: hatched to the left for what is owed, solid to the right for what is received.

    Zero stands where the longest bars of both sides share all of the width: they stand for `reach` (owed, received), or for the largest values.
    """
    top = 24
    owed, received = reach or _reach(bars)
    most, plot = owed + received or 1, WIDTH - LEFT - 2 * FIGURE
    zero = LEFT + FIGURE + (plot * owed // most if owed + received else plot // 2)
    height = top + ROW * len(bars) + 8
    parts = [_text(zero - 6, 14, "owes", "end", "axis"), _text(zero + 6, 14, "receives", "start", "axis")]
    for place, bar in enumerate(bars):
        y = top + place * ROW
        length = _length(bar.value, plot, most)
        start, anchor, at = (zero - length, "end", zero - length - 6) if bar.value < 0 else (zero, "start", zero + length + 6)
        parts += [
            _text(LEFT - 8, y + 16, _short(bar.label), "end"),
            _rect(start, y + 3, length, ROW - 8, hatched=bar.value < 0),
            _text(at, y + 16, bar.shown, anchor, "figure"),
        ]
    parts.append(f'<line x1="{zero}" y1="{top - 4}" x2="{zero}" y2="{height - 4}" class="zero"/>')
    return _svg(chart_id, title, _told(bars), height, parts)


def _reach(bars: Sequence[Bar]) -> tuple[int, int]:
    """How far the bars reach to the left and to the right of zero."""
    return max((-bar.value for bar in bars if bar.value < 0), default=0), max((bar.value for bar in bars if bar.value > 0), default=0)


def on_pages(chart_id: str, title: str, bars: Sequence[Bar]) -> list[Chart]:
    """The same, where there are many bars as several drawings of one scale, each of which fits a printed page."""
    parts = [bars[start : start + BARS_MAX] for start in range(0, len(bars), BARS_MAX)]
    if len(parts) <= 1:
        return [diverging(chart_id, title, bars)]
    return [diverging(f"{chart_id}-{no}", f"{title} ({no} of {len(parts)})", part, _reach(bars)) for no, part in enumerate(parts, start=1)]


def ranked(chart_id: str, title: str, bars: Sequence[Bar]) -> Chart:
    """Bars from the left, for counts."""
    plot = WIDTH - LEFT - 90
    most = max((bar.value for bar in bars), default=0) or 1
    parts = []
    for place, bar in enumerate(bars):
        y, length = 4 + place * ROW, _length(bar.value, plot, most)
        parts += [
            _text(LEFT - 8, y + 16, _short(bar.label), "end"),
            _rect(LEFT, y + 3, length, ROW - 8, hatched=False),
            _text(LEFT + length + 6, y + 16, bar.shown, "start", "figure"),
        ]
    return _svg(chart_id, title, _told(bars), 8 + ROW * len(bars), parts)


def waterfall(chart_id: str, title: str, steps: Sequence[Step]) -> Chart:
    """Bars below each other, each beginning where the one above ends: totals solid, what is taken away hatched, what is added outlined."""
    ends = [0, *(step.start for step in steps), *(step.end for step in steps)]
    low, high = min(ends), max(ends)
    left, plot = LEFT + (90 if low < 0 else 0), WIDTH - LEFT - (180 if low < 0 else 90)
    span = high - low or 1
    parts: list[str] = []
    for place, step in enumerate(steps):
        y = 4 + place * ROW
        first, second = (left + (value - low) * plot // span for value in (step.start, step.end))
        begin, length = min(first, second), max(1, abs(second - first)) if step.end != step.start else 0
        parts += [
            _text(LEFT - 8, y + 16, _short(step.label), "end", "strong" if step.total else "label"),
            _rect(begin, y + 3, length, ROW - 8, hatched=step.end < step.start and not step.total, outlined=step.end > step.start and not step.total),
            _beside(step, begin, begin + length, y + 16),
        ]
        if place + 1 < len(steps) and not steps[place + 1].total:
            parts.append(f'<line x1="{second}" y1="{y + ROW - 5}" x2="{second}" y2="{y + ROW + 3}" class="zero"/>')
    zero, height = left + (0 - low) * plot // span, 8 + ROW * len(steps)
    parts.append(f'<line x1="{zero}" y1="2" x2="{zero}" y2="{height - 4}" class="zero"/>')
    return _svg(chart_id, title, "; ".join(f"{step.label} {step.shown}" for step in steps), height, parts)


def _beside(step: Step, begin: int, end: int, y: int) -> str:
    """The figure: to the right of its bar, or to the left of one that lies below zero."""
    below = step.total and step.end < step.start
    return _text(begin - 6 if below else end + 6, y, step.shown, "end" if below else "start", "figure")


def _length(value: int, plot: int, most: int) -> int:
    """At least one pixel where there is anything."""
    return max(1, abs(value) * plot // most) if value else 0


def _told(bars: Sequence[Bar]) -> str:
    return "; ".join(f"{bar.label} {bar.shown}" for bar in bars)


def columns(chart_id: str, title: str, places: Sequence[str], series: Sequence[Series]) -> Chart:
    """Columns side by side, for each place one of each series: the first solid, the second hatched, the third outlined.

    The figures of the last place are always written, the others where there is room; all of them are told.
    """
    top, plot, left = 40, 170, 10
    lowest = min(0, *(value for one in series for value in one.values))
    highest = max(0, *(value for one in series for value in one.values))
    span = highest - lowest or 1
    zero = top + plot * highest // span
    step = (WIDTH - 2 * left) // max(1, len(places))
    wide = max(4, min(46, (step - 8) // len(series)))
    parts = []
    if len(series) > 1:
        for number, one in enumerate(series):
            parts += _legend(left + 300 * number, number, f"{one.name}, {places[-1]}: {one.shown[-1]}")
    for place, label in enumerate(places):
        begin = left + place * step + (step - wide * len(series)) // 2
        last = place == len(places) - 1
        for number, one in enumerate(series):
            value = one.values[place]
            length = _length(value, plot, span)
            y = zero - length if value > 0 else zero
            parts.append(_rect(begin + number * wide, y, wide - 2, length, hatched=number == 1, outlined=number > 1))
            if len(one.shown[place]) * LETTER <= wide or (last and len(series) == 1):
                above = y - 5 if value >= 0 else y + length + 12
                middle = min(begin + number * wide + wide // 2, WIDTH - len(one.shown[place]) * LETTER // 2)
                parts.append(_text(middle, above, one.shown[place], "middle", "figure"))
        parts.append(_text(left + place * step + step // 2, top + plot + 20, label, "middle", "strong" if last else "label"))
    parts.append(f'<line x1="{left}" y1="{zero}" x2="{WIDTH - left}" y2="{zero}" class="zero"/>')
    told = "; ".join(f"{label}: " + ", ".join(f"{one.name} {one.shown[place]}" for one in series) for place, label in enumerate(places))
    return _svg(chart_id, title, told, top + plot + 30, parts)


def _legend(x: int, number: int, name: str) -> list[str]:
    return [_rect(x, 6, 14, 12, hatched=number == 1, outlined=number > 1), _text(x + 20, 17, name, "start")]


def _svg(chart_id: str, title: str, told: str, height: int, parts: Sequence[str]) -> Chart:
    svg = (
        f'<svg role="img" aria-labelledby="{chart_id}-title {chart_id}-desc" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
        f'<title id="{chart_id}-title">{escape(title)}</title><desc id="{chart_id}-desc">{escape(told)}</desc>{"".join(parts)}</svg>'
    )
    return Chart(title, Markup(svg), told)  # noqa: S704  # every text in it was escaped where it was put in


def standalone(chart: Chart, font: str) -> str:
    """The drawing as a file of its own, in black and white: what the page around it defines is in it."""
    style = (
        f"text{{font:12px '{font}',serif;fill:#000}}text.strong{{font-weight:700}}rect.solid{{fill:#000;stroke:#000}}rect.hatched{{stroke:#000}}"
        "rect.outlined{fill:#fff;stroke:#000}rect.ground{fill:#fff}line.stroke{stroke:#000;stroke-width:3}line.zero{stroke:#000;stroke-width:1}"
    )
    return str(chart.svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace("<title", f"<style>{style}</style>{HATCHED}<title", 1)


def _rect(x: int, y: int, width: int, height: int, *, hatched: bool, outlined: bool = False) -> str:
    look = "outlined" if outlined else "hatched" if hatched else "solid"
    fill = f' fill="url(#{HATCH})"' if hatched else ""
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" class="{look}"{fill}/>'


def _text(x: int, y: int, words: str, anchor: str, look: str = "label") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{look}">{escape(words)}</text>'


def _short(words: str) -> str:
    """What fits beside a bar; the whole stands in the description."""
    return words if len(words) <= LABEL_MAX else words[: LABEL_MAX - 1] + "…"
