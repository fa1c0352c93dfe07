"""A night beside the nights before it: money by currency, events and points, and each party's position."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.report import SettlementReport
from services.report.stored import Shown
from services.report.tables import Rank, Row, Table, Value, figure, lines, text
from services.report.words import Amounts

CHANGE = "change"


def nights(shown: Shown) -> tuple[SettlementReport, ...]:
    """All nights, oldest first; the last is the one that is reported."""
    return (*shown.before[::-1], shown.report)


def nights_tables(shown: Shown) -> tuple[Table, ...]:
    """The comparison with the nights before; nothing for the first night."""
    if not shown.before:
        return ()
    every = nights(shown)
    amounts = Amounts(*every)
    return (_money(every, amounts), _events(every), _positions(every, amounts))


def turnover(report: SettlementReport, currency: str) -> int:
    """The sum of all lines of a currency, in minor units."""
    return sum(line.amount_minor for line in report.obligations if line.currency == currency)


def paid(report: SettlementReport, currency: str) -> int:
    """What is paid for a window, in minor units; what was paid before a default with it."""
    return sum(payment.amount_minor for payment in (*report.paid_before(), *report.payments) if payment.currency == currency)


def _money(every: Sequence[SettlementReport], amounts: Amounts) -> Table:
    rows: list[Row] = []
    for currency in amounts.currencies:
        figures = [
            (
                sum(line.currency == currency for line in report.obligations),
                turnover(report, currency),
                paid(report, currency),
                sum(abs(waiting.amount_minor) for waiting in report.carried if waiting.currency == currency),
            )
            for report in every
        ]
        rows += [Row((r.window, currency, count, *(amounts(minor, currency) for minor in sums))) for r, (count, *sums) in zip(every, figures, strict=True)]
        count, *sums = (now - then for now, then in zip(figures[-1], figures[-2], strict=True))
        rows.append(Row((CHANGE, currency, count, *(amounts(minor, currency) for minor in sums)), Rank.SUBTOTAL))
    paid_column = figure("paid", "paid, with before the default") if any(report.after_default for report in every) else figure("paid")
    columns = (text("window"), text("currency"), figure("lines"), figure("obligations"), paid_column, figure("carried"))
    note = "Change: the last night against the one before. Carried: the size of all positions that wait, either sign."
    return Table("nights", "Nights: money", columns, tuple(rows), note=note)


def _events(every: Sequence[SettlementReport]) -> Table:
    figures = [
        (
            *(sum(getattr(sender, name) for sender in report.senders) for name in ("accepted", "rejected", "held")),
            *(getattr(report.points, name) for name in ("issued", "redeemed", "expired", "returned", "outstanding")),
        )
        for report in every
    ]
    rows = [Row((report.window, *counts)) for report, counts in zip(every, figures, strict=True)]
    rows.append(Row((CHANGE, *(now - then for now, then in zip(figures[-1], figures[-2], strict=True))), Rank.SUBTOTAL))
    names = ("accepted", "rejected", "held")
    points = ("issued", "redeemed", "expired", "returned", "outstanding")
    columns = (text("window"), *(figure(name) for name in names), *(figure(f"points_{name}", f"points {name}") for name in points))
    return Table("nights_events", "Nights: events and points", columns, tuple(rows))


def _positions(every: Sequence[SettlementReport], amounts: Amounts) -> Table:
    net = {(p.currency, p.party, report.window): p.net_minor for report in every for p in report.positions}
    rows: list[tuple[Value, ...]] = []
    for currency, party in sorted({(currency, party) for currency, party, _ in net}):
        by_night = [net.get((currency, party, report.window), 0) for report in every]
        rows.append((party, currency, *(amounts(minor, currency) for minor in by_night), amounts(sum(by_night), currency)))
    columns = (text("party"), text("currency"), *(figure(report.window.isoformat()) for report in every), figure("sum"))
    return Table("nights_positions", "Nights: net positions", columns, lines(rows))
