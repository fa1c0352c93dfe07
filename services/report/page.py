"""A report as one HTML page that needs nothing else: no network, no scripts; style and charts are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.ids import PartyId
from services.report.charts import Bar, Chart, Series, columns, diverging, ranked, tells
from services.report.nights import nights, turnover
from services.report.sections import matrix_square, report_tables
from services.report.statement import balances, has_figures, statement_tables
from services.report.stored import Shown
from services.report.tables import Rank, Table, Value, for_people
from services.report.words import Amounts

NO_FIGURES = "no figures"
"""What stands at the top of a statement of a party that had no part in the window."""
PARTIES = frozenset({"party", "debtor", "creditor", "from", "to", "counterparty", "sponsor", "sender"})
"""Columns with ids of parties, beside which their names are written."""
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its anchor, heading, charts and tables."""

    id: str
    heading: str
    tables: Sequence[Table]
    charts: Sequence[Chart] = ()


def for_page(value: Value) -> str:
    """A value in a cell: with a minus sign that is read as one."""
    shown = for_people(value)
    return MINUS + shown[1:] if shown.startswith("-") and not isinstance(value, str) else shown


def report_page(shown: Shown) -> str:
    """The settlement report."""
    report = shown.report
    tables = {table.name: table for table in report_tables(shown)}
    amounts = Amounts(report)
    squares = [square for currency in amounts.currencies if (square := matrix_square(report, amounts, currency)).rows]
    sections = [
        Section("positions", "Net positions", [tables["positions"]], _position_charts(shown)),
        Section("matrix", "Who owes whom", squares or [tables["matrix"]], []),
        Section("obligations", "Obligations", [tables["kinds"], tables["obligations"]]),
        Section("payments", "Payments", [tables["payments"], tables["carried"]]),
        Section("checks", "Checks", [tables["checks"], tables["check_figures"]]),
        Section("events", "Events", [tables["events"], tables["rejected"]], _rejection_chart(shown)),
        Section("points", "Points", [tables["points"]]),
    ]
    if shown.before:
        sections.append(
            Section("nights", "The nights before", [tables[name] for name in ("nights", "nights_events", "nights_positions")], _night_charts(shown))
        )
    sections.append(Section("origin", "Where these figures are from", [tables["origin"]]))
    failed = [check.name for check in report.checks if not check.ok]
    return _rendered(
        title=f"Settlement report, {report.programme}, {report.window}",
        lead=_lead(shown),
        failed=failed,
        checks=len(report.checks),
        sections=sections,
        sha256=shown.sha256,
        names=shown.names,
    )


def statement_page(shown: Shown, party: PartyId) -> str:
    """The statement of one party."""
    tables = {table.name: table for table in statement_tables(shown, party)}
    amounts = Amounts(shown.report, *shown.before)
    sections = [
        Section("settlement", "How it is settled", [tables["settlement"], tables["payments"]]),
        Section("lines", "Lines", [tables["lines"]]),
        Section("counterparties", "By counterparty", [tables["counterparties"]], _counterparty_charts(shown, party)),
        Section("events", "Events", [tables["events"], tables["rejected"]]),
        Section("points", "Points", [tables["points"]]),
    ]
    lead = [(f"Net position, {b.currency}", for_page(amounts(b.net, b.currency))) for b in balances(shown, party)]
    if not has_figures(shown.report, party):
        lead = [("This window", NO_FIGURES)]
    return _rendered(
        title=f"Statement of {_named(party, shown.names)}, {shown.report.programme}, {shown.report.window}",
        lead=lead,
        failed=[],
        checks=0,
        sections=sections,
        sha256=shown.sha256,
        names=shown.names,
    )


def _telling(names: Mapping[PartyId, str]) -> dict[PartyId, str]:
    """Names that say more than the id beside them."""
    return {party: name for party, name in names.items() if name.casefold() != party.casefold()}


def _named(party: PartyId, names: Mapping[PartyId, str]) -> str:
    telling = _telling(names)
    return f"{party} ({telling[party]})" if party in telling else party


def _lead(shown: Shown) -> list[tuple[str, str]]:
    """The figures that are looked at first."""
    report, amounts = shown.report, Amounts(shown.report)
    lead = []
    for currency in amounts.currencies:
        paid = sum(payment.amount_minor for payment in report.payments if payment.currency == currency)
        lead += [
            (f"Obligations, {currency}", for_page(amounts(turnover(report, currency), currency))),
            (f"Paid, {currency}", for_page(amounts(paid, currency))),
        ]
    for name in ("accepted", "rejected", "held"):
        lead.append((f"Events {name}", for_page(sum(getattr(sender, name) for sender in report.senders))))
    lead += [("Points issued", for_page(report.points.issued)), ("Points redeemed", for_page(report.points.redeemed))]
    return lead


def _position_charts(shown: Shown) -> list[Chart]:
    report, amounts = shown.report, Amounts(shown.report)
    charts = []
    for currency in amounts.currencies:
        bars = [Bar(p.party, p.net_minor, for_page(amounts(p.net_minor, currency))) for p in report.positions if p.currency == currency]
        if tells(bar.value for bar in bars):
            charts.append(diverging(f"positions-{currency}", f"Net positions, {currency}", sorted(bars, key=lambda bar: -bar.value)))
    return charts


def _counterparty_charts(shown: Shown, party: PartyId) -> list[Chart]:
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
            charts.append(diverging(f"with-{currency}", f"Net, by counterparty, {currency}", bars))
    return charts


def _rejection_chart(shown: Shown) -> list[Chart]:
    by_code: dict[str, int] = {}
    for rejection in shown.report.rejections:
        by_code[rejection.code] = by_code.get(rejection.code, 0) + rejection.events
    if not tells(by_code.values()):
        return []
    ordered = sorted(by_code.items(), key=lambda item: (-item[1], item[0]))
    return [ranked("rejected-codes", "Rejected events by code", [Bar(code, events, for_page(events)) for code, events in ordered])]


def _night_charts(shown: Shown) -> list[Chart]:
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


@cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("services.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = for_page
    environment.globals["parties"] = PARTIES
    environment.globals["ranks"] = {Rank.LINE: "line", Rank.SUBTOTAL: "subtotal", Rank.TOTAL: "total"}
    return environment


def _rendered(**values: Any) -> str:
    values["sections"] = [replace(section, tables=[table.for_reading for table in section.tables]) for section in values["sections"]]
    values["names"] = _telling(values["names"])
    page: str = _environment().get_template("report.html").render(**values)
    return page
