"""How a partner's live figures look: a line of bars for the day's shape, a table of hours, rejections by code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.events.insights import HourFigures, PartnerFiguresEvent, Turnover
from schemas.money import to_text

BARS = " ▁▂▃▄▅▆▇█"
BAR_CELLS = 12
WIDE = 110
NARROW = {
    "purchases": "pur-\nchases",
    "returns": "re-\nturns",
    "redemptions": "redemp-\ntions",
    "points redeemed": "points\nre-\ndeemed",
    "rejected": "re-\njected",
}
HOUR = timedelta(hours=1)
STALE = timedelta(seconds=60)


def shown(event: PartnerFiguresEvent, hours: int) -> tuple[HourFigures, ...]:
    """The figures of the latest so many hours, counted back from the latest one that has any."""
    if not event.data.hours:
        return ()
    first = event.data.hours[-1].hour - HOUR * (hours - 1)
    return tuple(each for each in event.data.hours if each.hour >= first)


def age(event: PartnerFiguresEvent, now: datetime) -> timedelta:
    """How long ago the figures were told."""
    return max(now - event.time, timedelta(0))


def view(programme: str, event: PartnerFiguresEvent, hours: int, zone: tzinfo, now: datetime, *, width: int) -> RenderableType:
    """Everything about one partner, for a terminal of so many columns."""
    figures = shown(event, hours)
    seconds = int(age(event, now).total_seconds())
    head = Text.assemble((f"{event.data.party}", "bold"), f" in {programme}, as of {event.time.astimezone(zone):%Y-%m-%d %H:%M:%S %Z} ({seconds} s ago)")
    if not figures:
        return Group(head, Text(f"no events were received since {event.data.since.astimezone(zone):%Y-%m-%d %H:%M %Z}"))
    parts: list[RenderableType] = [head, _shape(figures, zone), _table(figures, zone, wide=width >= WIDE)]
    rejections = sum((Counter(each.rejections) for each in figures), Counter())
    if rejections:
        parts.append(Text("rejected: " + ", ".join(f"{code.value} {count:,}" for code, count in rejections.most_common())))
    return Group(*parts)


def bars(values: Sequence[int]) -> str:
    """A line of bars, the highest for the greatest value; anything above zero shows."""
    most = max(values, default=0)
    return "".join(BARS[-(-value * 8 // most)] if value > 0 else BARS[0] for value in values) if most > 0 else " " * len(values)


def bar(value: int, most: int) -> str:
    """A bar to the right, as long as the value's share of the greatest one; anything above zero shows."""
    return "█" * -(-max(value, 0) * BAR_CELLS // most) if most > 0 else ""


def _shape(figures: Sequence[HourFigures], zone: tzinfo) -> Text:
    """Purchases hour by hour, those without any included."""
    by_hour = {each.hour: each.purchases for each in figures}
    first, last = figures[0].hour, figures[-1].hour
    line = bars([by_hour.get(first + HOUR * place, 0) for place in range((last - first) // HOUR + 1)])
    return Text.assemble(f"purchases {first.astimezone(zone):%H:%M} ", (line, "green"), f" {last.astimezone(zone):%H:%M}")


def _table(figures: Sequence[HourFigures], zone: tzinfo, *, wide: bool) -> Table:
    """A row for each hour; columns in which nothing happened are left out, and on a narrow terminal the bars, which stand above already."""
    table = Table(box=box.SIMPLE_HEAD, show_footer=len(figures) > 1, show_edge=False, pad_edge=False, padding=(0, 1 if wide else 0, 0, 0))
    table.add_column("hour", footer="total", no_wrap=True)
    cells = [[f"{each.hour.astimezone(zone):%d %b %H:%M}"] for each in figures]
    if wide:
        most = max(each.purchases for each in figures)
        table.add_column("", style="green", no_wrap=True, min_width=BAR_CELLS)
        for row, each in zip(cells, figures, strict=True):
            row.append(bar(each.purchases, most))
    for name, values in _columns(figures):
        if name == "purchases" or any(values):
            money = name.rpartition(" ")[2].isupper()
            text = [_money(value, name) if money else f"{value:,}" for value in (*values, sum(values))]
            header = "\n".join(name.rsplit(" ", 1)) if wide else NARROW.get(name, "\n".join(name.split(" ")))
            table.add_column(header, footer=text[-1], justify="right", overflow="fold")
            for row, cell in zip(cells, text, strict=False):
                row.append(cell)
    for row in cells:
        table.add_row(*row)
    return table


def _columns(figures: Sequence[HourFigures]) -> Iterator[tuple[str, list[int]]]:
    """Each column's name, which ends in the currency where it is money, and its value in each hour."""
    yield "purchases", [each.purchases for each in figures]
    yield from _by_currency("turnover", [each.turnover for each in figures])
    yield "returns", [each.returns for each in figures]
    yield from _by_currency("paid back", [each.returned for each in figures])
    yield "points", [each.points for each in figures]
    yield "redemptions", [each.redemptions for each in figures]
    yield "points redeemed", [each.points_redeemed for each in figures]
    yield "held", [each.held for each in figures]
    yield "rejected", [sum(each.rejections.values()) for each in figures]


def _by_currency(name: str, hours: Sequence[tuple[Turnover, ...]]) -> Iterator[tuple[str, list[int]]]:
    for currency in sorted({amount.currency for hour in hours for amount in hour}):
        yield f"{name} {currency}", [sum(amount.amount_minor for amount in hour if amount.currency == currency) for hour in hours]


def _money(minor: int, column: str) -> str:
    return _thousands(to_text(minor, column.rpartition(" ")[2]))


def _thousands(text: str) -> str:
    whole, point, places = text.partition(".")
    return f"{int(whole):,}{point}{places}"
