"""What a further run of a window after a default shows beside its own figures: whom it replaces, who had not paid, who bears it, what had been paid."""

from __future__ import annotations

from schemas.report import SettlementReport
from services.report.tables import Rank, Row, Table, Value, code, figure, lines, text
from services.report.words import Amounts


def default_tables(report: SettlementReport, amounts: Amounts) -> tuple[Table, ...]:
    """The two tables of a default; nothing where there was none."""
    return (_default(report, amounts), _paid_before(report, amounts)) if report.after_default else ()


def _default(report: SettlementReport, amounts: Amounts) -> Table:
    """Who had not paid, and who bears it; for each party and currency it adds up to what was missing."""
    rows: list[Row] = []
    for run in report.after_default:
        for one in run.unpaid:
            rows.append(Row((run.sha256, one.party, "not paid", None, one.currency, amounts(one.amount_minor, one.currency))))
            if one.funds_minor:
                rows.append(Row((run.sha256, one.party, "its own funds", one.party, one.currency, amounts(-one.funds_minor, one.currency))))
            losses = [loss for loss in run.borne if (loss.defaulter, loss.currency) == (one.party, one.currency)]
            rows += lines([(run.sha256, one.party, "loss", loss.bearer, one.currency, amounts(-loss.amount_minor, one.currency)) for loss in losses])
            left = one.amount_minor - one.funds_minor - sum(loss.amount_minor for loss in losses)
            rows.append(Row((run.sha256, one.party, "borne by nobody", None, one.currency, amounts(left, one.currency)), Rank.TOTAL))
    columns = (code("replaced"), text("party", "who had not paid"), text("as"), text("bearer", "borne by"), text("currency"), figure("amount"))
    runs = ", ".join(run.sha256 for run in report.after_default)
    note = f"This run takes the place of the one with the SHA-256 {runs}, which was with the bank when the deadline passed. What it had settled stays."
    return Table("default", "Default", columns, tuple(rows), note=note)


def _paid_before(report: SettlementReport, amounts: Amounts) -> Table:
    rows: list[tuple[Value, ...]] = [
        (run.sha256, p.payer, p.payee, p.currency, amounts(p.amount_minor, p.currency)) for run in report.after_default for p in run.paid
    ]
    sums: dict[str, int] = {}
    for p in report.paid_before():
        sums[p.currency] = sums.get(p.currency, 0) + p.amount_minor
    totals = [Row((None, "total", None, currency, amounts(minor, currency)), Rank.TOTAL) for currency, minor in sorted(sums.items())]
    columns = (code("replaced"), text("from"), text("to"), text("currency"), figure("amount"))
    note = "Paid under runs of this window that defaulted, as statements showed it then; the payments above are the differences."
    return Table("paid_before", "Paid before the default", columns, (*lines(rows), *totals), note=note, empty="Nothing had been paid.")
