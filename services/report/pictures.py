"""Which charts stand in a report and in a statement, drawn from its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schemas.ids import PartyId
from schemas.report import SettlementReport
from services.report.charts import Bar, Chart, Series, Step, columns, on_pages, ranked, tells, waterfall
from services.report.nights import nights, turnover
from services.report.statement import Balance
from services.report.stored import Shown
from services.report.tables import for_page
from services.report.waterfall import drawn, falls, steps
from services.report.words import Amounts


def position_charts(shown: Shown) -> list[Chart]:
    """Net positions, one chart for each currency."""
    report, amounts = shown.report, Amounts(shown.report)
    charts = []
    for currency in amounts.currencies:
        bars = [Bar(p.party, p.net_minor, for_page(amounts(p.net_minor, currency))) for p in report.positions if p.currency == currency]
        if tells(bar.value for bar in bars):
            charts += on_pages(f"positions-{currency}", f"Net positions, {currency}", sorted(bars, key=lambda bar: -bar.value))
    return charts


def counterparty_charts(shown: Shown, party: PartyId) -> list[Chart]:
    """A party's net with each other party, one chart for each currency."""
    report, amounts = shown.report, Amounts(shown.report)
    charts = []
    for currency in amounts.currencies:
        net: dict[PartyId, int] = {}
        for pair in report.matrix:
            if pair.currency == currency and party in (pair.creditor, pair.debtor):
                other, sign = (pair.debtor, 1) if pair.creditor == party else (pair.creditor, -1)
                net[other] = net.get(other, 0) + sign * pair.amount_minor
        bars = [Bar(other, minor, for_page(amounts(minor, currency))) for other, minor in sorted(net.items())]
        if tells(bar.value for bar in bars):
            charts += on_pages(f"with-{currency}", f"Net, by counterparty, {currency}", bars)
    return charts


def rejection_chart(shown: Shown) -> list[Chart]:
    """Rejected events by code, the most first."""
    by_code: dict[str, int] = {}
    for rejection in shown.report.rejections:
        by_code[rejection.code] = by_code.get(rejection.code, 0) + rejection.events
    if not tells(by_code.values()):
        return []
    ordered = sorted(by_code.items(), key=lambda item: (-item[1], item[0]))
    return [ranked("rejected-codes", "Rejected events by code", [Bar(code, events, for_page(events)) for code, events in ordered])]


def night_charts(shown: Shown) -> list[Chart]:
    """The nights side by side: money by currency, points."""
    every = nights(shown)
    amounts = Amounts(*every)
    places = [f"{report.window:%d %b}" for report in every]
    charts = []
    for currency in amounts.currencies:
        sums = [turnover(report, currency) for report in every]
        if not tells(sums):
            continue
        series = Series("obligations", sums, [for_page(amounts(minor, currency)) for minor in sums])
        charts.append(columns(f"nights-{currency}", f"Obligations by night, {currency}", places, [series]))
    points = [Series(name, values := [getattr(report.points, name) for report in every], list(map(for_page, values))) for name in ("issued", "redeemed")]
    if any(tells(series.values) for series in points):
        charts.append(columns("nights-points", "Points by night", places, points))
    return charts


def waterfall_charts(report: SettlementReport, amounts: Amounts) -> list[Chart]:
    """From gross to net, one chart for each currency in which more than one figure is to be seen."""
    charts = []
    for fall in falls(report):
        charts += _waterfall(f"waterfall-{fall.currency}", f"From gross to net, {fall.currency}", steps(fall, amounts))
    return charts


def settling_charts(balances: Sequence[Balance], amounts: Amounts) -> list[Chart]:
    """A party's way from what it receives and owes to what it is paid, one chart for each currency."""
    charts = []
    for balance in balances:
        due = balance.net + balance.carried_in
        paid = due - balance.carried_on
        before = balance.received_before - balance.paid_before
        every = [
            ("you receive", 0, balance.receives, True),
            ("you owe", balance.receives, balance.net, False),
            ("carried in", balance.net, due, False),
            ("carried on", due, paid, False),
            ("paid before the default", paid, paid - before, False),
            ("paid to you" if paid - before >= 0 else "paid by you", 0, paid - before, True),
        ]
        # A step that takes away shows what it is, above zero where it goes to the party, as everywhere: not by how much the bar changes.
        signed = {"carried on": balance.carried_on, "paid before the default": before}
        kept = [
            replace(step, shown=for_page(amounts(signed[step.label], balance.currency))) if step.label in signed else step
            for step in drawn(every, balance.currency, amounts)
        ]
        charts += _waterfall(f"settling-{balance.currency}", f"From gross to net, {balance.currency}", kept)
    return charts


def _waterfall(chart_id: str, title: str, kept: Sequence[Step]) -> list[Chart]:
    """The chart; none where it would show nothing."""
    return [waterfall(chart_id, title, kept)] if tells(abs(step.end - step.start) for step in kept) else []
