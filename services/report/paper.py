"""What a settlement report and a statement consist of, before anybody decides how: HTML, PDF and XLSX are each made from a `Paper`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.ids import PartyId
from services.report.after_default import default_in_words, replaced_in_words
from services.report.approvals import approvals_in_words
from services.report.charts import Chart
from services.report.nights import turnover
from services.report.pictures import counterparty_charts, night_charts, position_charts, rejection_chart, settling_charts, waterfall_charts
from services.report.sections import matrix_square, report_tables
from services.report.statement import balances, has_figures, statement_tables
from services.report.stored import Shown
from services.report.tables import Table, Value, lines, text
from services.report.words import Amounts

NO_FIGURES = "no figures"
"""What stands at the top of a statement of a party that had no part in the window."""
PARTIES = frozenset({"party", "debtor", "creditor", "from", "to", "counterparty", "sponsor", "sender"})
"""Columns with ids of parties, beside which their names are written."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part: its anchor, heading, charts and tables, without the columns that are for programs only."""

    id: str
    heading: str
    tables: Sequence[Table]
    charts: Sequence[Chart] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """A report or a statement: what is looked at first, which checks do not hold, all sections, and by which hash and whose approval it stands."""

    title: str
    lead: Sequence[tuple[str, Value]]
    sections: Sequence[Section]
    sha256: str
    approvals: str
    checks: int = 0
    failed: Sequence[str] = ()
    names: Mapping[PartyId, str] = field(default_factory=dict)
    default: str = ""
    """What a default in the window means for whoever reads it; nothing where there was none."""

    @property
    def verdict(self) -> str:
        """Whether all checks hold, in one sentence; nothing where a statement makes none."""
        if self.failed:
            return f"Checks that do not hold: {', '.join(self.failed)}"
        return f"All {self.checks} checks hold." if self.checks else ""

    @property
    def named(self) -> Sequence[Section]:
        """A section with the names of all parties, for pages that do not write them beside each id; none where no name is known."""
        rows = lines([(party, name) for party, name in sorted(self.names.items())])
        note = "As the programme names them now; names are no part of what the hash is of."
        table = Table("parties", "Names of the parties", (text("party"), text("name")), rows, note=note)
        return [Section("parties", table.title, [table])] if rows else []


def report_paper(shown: Shown, *, square_most: int | None = None) -> Paper:
    """The settlement report; who owes whom as a list where a currency has more creditors than told (None: always as squares)."""
    report, amounts = shown.report, Amounts(shown.report)
    tables = {table.name: table for table in report_tables(shown)}
    squares = [square for currency in amounts.currencies if (square := matrix_square(report, amounts, currency)).rows]
    if square_most is not None and any(len(square.columns) - 2 > square_most for square in squares):
        squares = [tables["matrix"]]
    sections = [
        _section("net", "From gross to net", [tables["waterfall"]], waterfall_charts(report, amounts)),
        _section("positions", "Net positions", [tables["positions"]], position_charts(shown)),
        _section("matrix", "Who owes whom", squares or [tables["matrix"]]),
        _section("obligations", "Obligations", [tables["kinds"], tables["obligations"]]),
        _section("payments", "Payments", [tables[name] for name in ("payments", "paid_before", "carried") if name in tables]),
        _section("checks", "Checks", [tables["checks"], tables["check_figures"]]),
        _section("events", "Events", [tables["events"], tables["rejected"]], rejection_chart(shown)),
        _section("points", "Points", [tables["points"]]),
    ]
    if report.after_default:
        sections.insert(4, _section("default", "Default", [tables["default"]]))
    if shown.before:
        compared = [tables[name] for name in ("nights", "nights_events", "nights_positions")]
        sections.append(_section("nights", "The nights before", compared, night_charts(shown)))
    sections.append(_section("origin", "Where these figures are from", [tables["origin"]]))
    return Paper(
        title=f"Settlement report, {report.programme}, {report.window}",
        lead=_lead(shown),
        sections=sections,
        sha256=shown.sha256,
        approvals=approvals_in_words(shown.approvals),
        checks=len(report.checks),
        failed=[check.name for check in report.checks if not check.ok],
        names=_telling(shown.names),
        default=replaced_in_words(report, amounts),
    )


def statement_paper(shown: Shown, party: PartyId) -> Paper:
    """The statement of one party. Raises `UnknownParty`."""
    tables = {table.name: table for table in statement_tables(shown, party)}
    amounts = Amounts(shown.report, *shown.before)
    settled = balances(shown, party)
    sections = [
        _section("settlement", "How it is settled", [tables["settlement"], tables["payments"]], settling_charts(settled, amounts)),
        _section("lines", "Lines", [tables["lines"]]),
        _section("counterparties", "By counterparty", [tables["counterparties"]], counterparty_charts(shown, party)),
        _section("events", "Events", [tables["events"], tables["rejected"]]),
        _section("points", "Points", [tables["points"]]),
    ]
    if shown.report.after_default:
        sections.insert(0, _section("default", "Default", [tables["default"]]))
    lead: list[tuple[str, Value]] = [(f"Net position, {b.currency}", amounts(b.net, b.currency)) for b in settled]
    return Paper(
        title=f"Statement of {_named(party, shown.names)}, {shown.report.programme}, {shown.report.window}",
        lead=lead if has_figures(shown.report, party) else [("This window", NO_FIGURES)],
        sections=sections,
        sha256=shown.sha256,
        approvals=approvals_in_words(shown.approvals),
        names=_telling(shown.names),
        default=default_in_words(shown.report, party, amounts),
    )


def _section(anchor: str, heading: str, tables: Sequence[Table], charts: Sequence[Chart] = ()) -> Section:
    return Section(anchor, heading, [table.for_reading for table in tables], charts)


def _telling(names: Mapping[PartyId, str]) -> dict[PartyId, str]:
    """Names that say more than the id beside them."""
    return {party: name for party, name in names.items() if name.casefold() != party.casefold()}


def _named(party: PartyId, names: Mapping[PartyId, str]) -> str:
    telling = _telling(names)
    return f"{party} ({telling[party]})" if party in telling else party


def _lead(shown: Shown) -> list[tuple[str, Value]]:
    """The figures that are looked at first."""
    report, amounts = shown.report, Amounts(shown.report)
    lead: list[tuple[str, Value]] = []
    for currency in amounts.currencies:
        paid = sum(payment.amount_minor for payment in report.payments if payment.currency == currency)
        before = sum(payment.amount_minor for payment in report.paid_before() if payment.currency == currency)
        lead += [(f"Obligations, {currency}", amounts(turnover(report, currency), currency)), (f"Paid, {currency}", amounts(paid, currency))]
        if report.after_default:
            lead.append((f"Paid before the default, {currency}", amounts(before, currency)))
    for name in ("accepted", "rejected", "held"):
        lead.append((f"Events {name}", sum(getattr(sender, name) for sender in report.senders)))
    lead += [("Points issued", report.points.issued), ("Points redeemed", report.points.redeemed)]
    return lead
