"""How a partner's live figures look: a line of bars for the day's shape, a table of hours, rejections by code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.events.insights import HourFigures, PartnerFiguresEvent, Turnover
from schemas.money import to_text

BARS = " ▁▂▃▄▅▆▇█"
BAR_CELLS = 12
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


def view(programme: str, event: PartnerFiguresEvent, hours: int, zone: tzinfo, now: datetime) -> RenderableType:
    """Everything about one partner."""
    figures = shown(event, hours)
    seconds = int(age(event, now).total_seconds())
    head = Text.assemble((f"{event.data.party}", "bold"), f" in {programme}, as of {event.time.astimezone(zone):%Y-%m-%d %H:%M:%S %Z} ({seconds} s ago)")
    if not figures:
        return Group(head, Text(f"no events were received since {event.data.since.astimezone(zone):%Y-%m-%d %H:%M %Z}"))
    parts: list[RenderableType] = [head, _shape(figures, zone), _table(figures, zone)]
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


def _table(figures: Sequence[HourFigures], zone: tzinfo) -> Table:
    table = Table(title_justify="left", show_footer=len(figures) > 1)
    totals = ("", sum(each.purchases for each in figures), _money(turnover for each in figures for turnover in each.turnover), *_rest(figures))
    names = ("purchases", "turnover", "returns", "paid back", "points", "redemptions", "points redeemed", "held", "rejected")
    table.add_column("hour", footer="total", no_wrap=True)
    table.add_column("", footer="", style="green", no_wrap=True)
    for name, total in zip(names, totals[1:], strict=True):
        table.add_column(name, footer=_number(total), justify="right")
    most = max(each.purchases for each in figures)
    for each in figures:
        cells = (each.purchases, _money(each.turnover), *_rest([each]))
        table.add_row(f"{each.hour.astimezone(zone):%a %d %b %H:%M}", bar(each.purchases, most), *map(_number, cells))
    return table


def _rest(figures: Sequence[HourFigures]) -> tuple[int | str, ...]:
    return (
        sum(each.returns for each in figures),
        _money(returned for each in figures for returned in each.returned),
        sum(each.points for each in figures),
        sum(each.redemptions for each in figures),
        sum(each.points_redeemed for each in figures),
        sum(each.held for each in figures),
        sum(count for each in figures for count in each.rejections.values()),
    )


def _money(amounts: Iterable[Turnover]) -> str:
    sums: Counter[str] = Counter()
    for amount in amounts:
        sums[amount.currency] += amount.amount_minor
    return "\n".join(f"{_thousands(to_text(minor, currency))} {currency}" for currency, minor in sorted(sums.items()))


def _thousands(text: str) -> str:
    whole, point, places = text.partition(".")
    return f"{int(whole):,}{point}{places}"


def _number(cell: int | str) -> str:
    return f"{cell:,}" if isinstance(cell, int) else cell
