"""What a further run of a window after a default shows beside its own figures: whom it replaces, who had not paid, who bears it, what had been paid; the same
in each party's statement, which names no other bearer of the loss.
"""

from __future__ import annotations

from schemas.ids import PartyId
from schemas.report import DefaultedRun, SettlementReport, UnpaidAmount
from services.report.tables import Rank, Row, Table, Value, code, figure, for_people, lines, text
from services.report.words import Amounts


def default_tables(report: SettlementReport, amounts: Amounts) -> tuple[Table, ...]:
    """The two tables of a default; nothing where there was none."""
    return (_default(report, amounts), _paid_before(report, amounts)) if report.after_default else ()


def statement_default(report: SettlementReport, party: PartyId, amounts: Amounts) -> tuple[Table, ...]:
    """The table of a default in a party's statement; nothing where there was none."""
    return (_default(report, amounts, party),) if report.after_default else ()


def replaced_in_words(report: SettlementReport, amounts: Amounts) -> str:
    """Why there is a further run of the window, in one sentence; nothing where there was no default."""
    unpaid = [f"{one.party} is in default, {_amount(one, amounts)} to {report.operator} not paid" for run in report.after_default for one in run.unpaid]
    return f"This report replaces an earlier one of window {report.window}: {'; '.join(unpaid)}." if unpaid else ""


def default_in_words(report: SettlementReport, party: PartyId, amounts: Amounts) -> str:
    """What a default means for a party: that it is in default itself, or what it bears of another's; nothing where there was none."""
    return " ".join(_told(run, one, report, party, amounts) for run in report.after_default for one in run.unpaid)


def _told(run: DefaultedRun, one: UnpaidAmount, report: SettlementReport, party: PartyId, amounts: Amounts) -> str:
    unpaid = f"{_amount(one, amounts)} to {report.operator} in window {report.window}"
    if one.party == party:
        funds = f" {_money(one.funds_minor, one.currency, amounts)} of it was taken from its funds." if one.funds_minor else ""
        lost = " Others bear the loss in its place: no money comes to it by these lines, and what it pays late goes to those who bore the loss first."
        return f"{party} is in default: by the deadline it had not paid {unpaid}.{funds}{lost if one.amount_minor > one.funds_minor else ''}"
    own = sum(loss.amount_minor for loss in run.borne if (loss.defaulter, loss.currency, loss.bearer) == (one.party, one.currency, party))
    bears = _money(own, one.currency, amounts) if own else "nothing"
    return f"{one.party} is in default: by the deadline it had not paid {unpaid}. You bear {bears} of it."


def _amount(one: UnpaidAmount, amounts: Amounts) -> str:
    return _money(one.amount_minor, one.currency, amounts)


def _money(minor: int, currency: str, amounts: Amounts) -> str:
    return f"{for_people(amounts(minor, currency))} {currency}"


def _default(report: SettlementReport, amounts: Amounts, of: PartyId | None = None) -> Table:
    """Who had not paid, and who bears it; for each party and currency it adds up to what was missing.

    `of`: in the statement of that party the shares of other bearers stand as one, unless it is the defaulter or the operator: they tell what others are owed.
    """
    rows: list[Row] = []
    for run in report.after_default:
        for one in run.unpaid:
            whole = of in (None, report.operator, one.party)
            rows.append(Row((run.sha256, one.party, "not paid", None, one.currency, amounts(one.amount_minor, one.currency))))
            if one.funds_minor:
                rows.append(Row((run.sha256, one.party, "its own funds", one.party, one.currency, amounts(-one.funds_minor, one.currency))))
            losses = [loss for loss in run.borne if (loss.defaulter, loss.currency) == (one.party, one.currency)]
            shares = {str(loss.bearer): loss.amount_minor for loss in losses if whole or loss.bearer == of}
            if rest := sum(loss.amount_minor for loss in losses) - sum(shares.values()):
                shares["others"] = rest
            rows += lines([(run.sha256, one.party, "loss", bearer, one.currency, amounts(-minor, one.currency)) for bearer, minor in shares.items()])
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
