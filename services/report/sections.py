"""The settlement report as tables: who gets what, who owes whom for what, what is paid and carried, and how we know."""

from __future__ import annotations

from base64 import b32encode
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from itertools import groupby

from schemas.report import ReportLine, SettlementReport
from services.report.after_default import default_tables
from services.report.nights import nights_tables
from services.report.stored import Shown
from services.report.tables import Column, Named, Rank, Row, Table, Value, code, figure, lines, text
from services.report.waterfall import waterfall_table
from services.report.words import Amounts, check_figure, check_in_words, kind_of

UNPROVEN = "(sender not proven)"


def report_tables(shown: Shown) -> tuple[Table, ...]:
    """All tables of a settlement report, in reading order."""
    report, amounts = shown.report, Amounts(shown.report)
    return (
        waterfall_table(report, amounts),
        positions(report, amounts),
        matrix(report, amounts),
        by_kind(report, amounts),
        obligations(report, amounts),
        payments(report, amounts, shown.value_date, shown.series),
        *default_tables(report, amounts),
        carried(report, amounts),
        checks(report),
        check_figures(report),
        senders(report),
        rejections(report),
        points(report),
        *nights_tables(shown),
        origin(shown),
    )


def positions(report: SettlementReport, amounts: Amounts) -> Table:
    """What each party gets less what it owes; over all parties zero in each currency."""
    rows: list[Row] = []
    for currency in amounts.currencies:
        of_currency = [position for position in report.positions if position.currency == currency]
        rows += lines(
            [(p.party, currency, amounts(p.receives_minor, currency), amounts(p.owes_minor, currency), amounts(p.net_minor, currency)) for p in of_currency]
        )
        if of_currency:
            receives, owes = sum(p.receives_minor for p in of_currency), sum(p.owes_minor for p in of_currency)
            sums = (amounts(receives, currency), amounts(owes, currency), amounts(sum(p.net_minor for p in of_currency), currency))
            rows.append(Row(("all parties", currency, *sums), Rank.TOTAL))
    columns = (text("party"), text("currency"), figure("receives"), figure("owes"), figure("net", "net position"))
    return Table(
        "positions", "Net positions", columns, tuple(rows), note="Positive: the party is to receive. Negative: it is to pay. The sum over all parties is zero."
    )


def matrix(report: SettlementReport, amounts: Amounts) -> Table:
    """Who owes whom, all lines together, as a list."""
    rows = [(m.debtor, m.creditor, m.currency, amounts(m.amount_minor, m.currency)) for m in report.matrix]
    columns = (text("debtor", "who owes"), text("creditor", "to whom"), text("currency"), figure("amount"))
    return Table("matrix", "Who owes whom", columns, (*lines(rows), *_sums(report.matrix, amounts, columns)))


def matrix_square(report: SettlementReport, amounts: Amounts, currency: str) -> Table:
    """The same of one currency as a square: debtors down, creditors across."""
    pairs = {(m.debtor, m.creditor): m.amount_minor for m in report.matrix if m.currency == currency}
    debtors, creditors = sorted({debtor for debtor, _ in pairs}), sorted({creditor for _, creditor in pairs})
    rows = [
        Row((debtor, *(amounts(pairs[debtor, creditor], currency) if (debtor, creditor) in pairs else None for creditor in creditors),
             amounts(sum(minor for (who, _), minor in pairs.items() if who == debtor), currency)))
        for debtor in debtors
    ]  # fmt: skip
    if rows:
        gets = [amounts(sum(minor for (_, whom), minor in pairs.items() if whom == creditor), currency) for creditor in creditors]
        rows.append(Row(("gets", *gets, amounts(sum(pairs.values()), currency)), Rank.TOTAL))
    columns = (text("debtor", "who owes ↓ to whom →"), *(figure(creditor, creditor) for creditor in creditors), figure("owes"))
    return Table(f"matrix_{currency}", f"Who owes whom, {currency}", columns, tuple(rows))


def _by_kind(line: ReportLine) -> tuple[str, str, str]:
    return line.currency, line.kind, line.detail or ""


def by_kind(report: SettlementReport, amounts: Amounts) -> Table:
    """The sums of each kind of line."""
    rows: list[Row] = []
    for (currency, _, detail), of_kind in groupby(sorted(report.obligations, key=_by_kind), key=_by_kind):
        same = list(of_kind)
        rows.append(Row((kind_of(same[0]), detail or None, currency, len(same), amounts(sum(line.amount_minor for line in same), currency))))
    columns = (text("kind"), code("detail"), text("currency"), figure("lines"), figure("amount"))
    return Table("kinds", "Obligations by kind", columns, (*rows, *_sums(report.obligations, amounts, columns)))


LINE_COLUMNS = (
    figure("line"), text("kind"), code("detail"), text("debtor", "who owes"), text("creditor", "to whom"),
    Column("contract", "contract from", optional=True), figure("quantity"), figure("unit_price"), figure("amount"), text("currency"),
    Column("events", "events", right=True, optional=True),
)  # fmt: skip


def obligations(report: SettlementReport, amounts: Amounts) -> Table:
    """Every line: quantity × unit price, rounded once."""
    rows = [line_cells(number, line, amounts) for number, line in enumerate(report.obligations)]
    note = "Amount = quantity × unit price, rounded once, half-even. Lines without a unit price are sums of amounts or percentages. "
    note += "A line is explained by clh explain obligation DAY LINE."
    return Table("obligations", "Obligations", LINE_COLUMNS, (*lines(rows), *_sums(report.obligations, amounts, LINE_COLUMNS)), note=note)


def line_cells(number: int, line: ReportLine, amounts: Amounts) -> tuple[Value, ...]:
    """One obligation in the columns of `LINE_COLUMNS`. Its number, from 0, is its place in the report, by which it is asked for everywhere."""
    return (
        number, kind_of(line), line.detail, line.debtor, line.creditor, line.contract, line.quantity, amounts.price(line.unit_price, line.currency),
        amounts(line.amount_minor, line.currency), line.currency, line.events,
    )  # fmt: skip


def payment_ids(report: SettlementReport, series: int = 0) -> list[str]:
    """The id of each payment of a report, the same for ever: day and currency to be read, then a hash of programme, window, currency, from and to.

    Where several have these in common (gross netting), their number counts too. 33 characters: the messages of banks take 35. `series`: how many earlier
    runs of the window went to the bank: what is paid after a default is another payment than the one that was missing, and has another id.
    """
    window = f"{report.programme}:{report.window}" + (f":{series}" if series else "")
    counted: Counter[str] = Counter()
    ids = []
    for payment in report.payments:
        name = f"{window}:{payment.currency}:{payment.payer}:{payment.payee}"
        counted[name] += 1
        hashed = sha256((name if counted[name] == 1 else f"{name}:{counted[name]}").encode()).digest()
        ids.append(f"{report.window:%Y%m%d}-{payment.currency}-{b32encode(hashed)[:20].decode()}")
    return ids


def payments(report: SettlementReport, amounts: Amounts, value_date: date | None, series: int = 0) -> Table:
    """Who pays whom, and on which day; programs also read an id for each payment."""
    rows = [
        (payment_id, p.payer, p.payee, p.currency, amounts(p.amount_minor, p.currency), value_date)
        for payment_id, p in zip(payment_ids(report, series), report.payments, strict=True)
    ]
    columns = (code("payment_id"), text("from"), text("to"), text("currency"), figure("amount"), text("value_date", "value date"))
    note = f"Netting: {report.netting}. A position is paid with what was carried forward to it."
    return Table("payments", "Payments", columns, (*lines(rows), *_sums(report.payments, amounts, columns)), note=note, empty="Nothing is paid.")


def carried(report: SettlementReport, amounts: Amounts) -> Table:
    """Positions that wait for a later window."""
    rows = [(c.party, c.currency, amounts(c.amount_minor, c.currency), c.since) for c in report.carried]
    columns = (text("party"), text("currency"), figure("amount"), text("since", "waits since"))
    return Table("carried", "Carried forward", columns, lines(rows), note="Positive: owed to the party.", empty="Nothing is carried forward.")


def checks(report: SettlementReport) -> Table:
    """Every check with what it says in a sentence."""
    rows = [(check.name, "holds" if check.ok else "DOES NOT HOLD", check_in_words(check.name)) for check in report.checks]
    columns = (text("check"), text("result"), text("says", "what it says"))
    return Table("checks", "Checks", columns, lines(rows))


def check_figures(report: SettlementReport) -> Table:
    """The figures that each check compared; amounts in their currency."""
    rows = [(check.name, of, check_figure(of, value)) for check in report.checks for of, value in check.figures.items()]
    columns = (text("check"), text("of"), Column("figure", "figure", right=True))
    return Table("check_figures", "Figures of the checks", columns, lines(rows), empty="No check has figures.")


def sender(source: str) -> Value:
    """A sender, or what people read where it is not proven."""
    return source or Named("", UNPROVEN)


def senders(report: SettlementReport) -> Table:
    """What became of each sender's events."""
    rows = [(sender(s.source), s.accepted, s.rejected, s.held) for s in report.senders]
    columns = (text("sender"), figure("accepted"), figure("rejected"), figure("held"))
    total = Row(("all senders", *(sum(getattr(s, name) for s in report.senders) for name in ("accepted", "rejected", "held"))), Rank.TOTAL)
    note = "What was sent twice is counted once."
    return Table("events", "Events by sender", columns, (*lines(rows), *([total] if rows else ())), note=note, empty="No events came.")


def rejections(report: SettlementReport) -> Table:
    """How many events of each sender were refused, by code."""
    rows = [(sender(r.source), r.code, r.events) for r in report.rejections]
    total = [Row(("all senders", None, sum(r.events for r in report.rejections)), Rank.TOTAL)] if rows else []
    columns = (text("sender"), text("code"), figure("events"))
    note = f"Each of them, with its reason: clh events rejected {report.window} --programme {report.programme}" if rows else ""
    return Table("rejected", "Rejected events", columns, (*lines(rows), *total), note=note, empty="Nothing was rejected.")


POINTS = ("issued", "redeemed", "expired", "returned", "outstanding")


def points(report: SettlementReport) -> Table:
    """Points by sponsor; outstanding points are less what members owe, which has no sponsor."""
    rows = [Row((p.sponsor, *(getattr(p, name) for name in POINTS))) for p in report.points.by_sponsor]
    owed = sum(p.outstanding for p in report.points.by_sponsor) - report.points.outstanding
    if owed:
        rows.append(Row(("owed by members", None, None, None, None, -owed)))
    if rows:
        rows.append(Row(("all sponsors", *(getattr(report.points, name) for name in POINTS)), Rank.TOTAL))
    columns = (text("sponsor"), *(figure(name) for name in POINTS))
    return Table("points", "Points by sponsor", columns, tuple(rows), note="Outstanding: available and pending after the window.", empty="No points moved.")


def origin(shown: Shown) -> Table:
    """Where the report comes from: what it is the report of, its hash, and the hash of the run that it rests on."""
    report = shown.report
    rows = (
        ("programme", report.programme),
        ("window", report.window.isoformat()),
        ("operator", report.operator),
        ("netting", report.netting),
        ("SHA-256 of this report", shown.sha256),
        ("SHA-256 of the run before", report.previous_sha256 or "none: it is the first"),
        *(("SHA-256 of the run that it replaces after a default", run.sha256) for run in report.after_default),
        ("format", str(report.format)),
    )
    note = "The hash is that of the canonical JSON: clh report render --format json writes these bytes, clh report verify recomputes it."
    return Table("origin", "Where these figures are from", (text("what"), text("value")), lines(rows), note=note)


def _sums(entries: Iterable[object], amounts: Amounts, columns: tuple[Column, ...]) -> Iterator[Row]:
    """A row for each currency with the sum of the column `amount`."""
    sums: dict[str, int] = {}
    for entry in entries:
        currency: str = getattr(entry, "currency")  # noqa: B009  # lines, payments and pairs have both in common
        minor: int = getattr(entry, "amount_minor")  # noqa: B009
        sums[currency] = sums.get(currency, 0) + minor
    for currency, minor in sorted(sums.items()):
        named: dict[str, Value] = {
            next(column.key for column in columns if not (column.right or column.programs_only)): "total",
            "currency": currency,
            "amount": amounts(minor, currency),
        }
        yield Row(tuple(named.get(column.key) for column in columns), Rank.TOTAL)
