"""A partner's own part of a settlement report: its lines with subtotals that add up to its position, how it is settled, its events and points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from schemas.ids import PartyId
from schemas.report import ReportLine, SettlementReport
from services.bank.references import creditor_reference
from services.report.after_default import statement_default
from services.report.sections import POINTS, payment_ids
from services.report.stored import Shown
from services.report.tables import Money, Rank, Row, Table, Value, code, figure, lines, text
from services.report.words import Amounts, in_words, kind_of


class UnknownParty(LookupError):
    """Neither the programme nor the report names the party."""

    def __init__(self, party: PartyId, named: tuple[PartyId, ...]) -> None:
        super().__init__(f"the programme has no party {party}; it has {', '.join(named) or 'none'}")
        self.party = party
        self.named = named


@dataclass(frozen=True, slots=True)
class Balance:
    """How a party's position of one currency is settled, in minor units: carried in + net = received - paid + carried on.

    `received_before`, `paid_before`: under runs of the window that defaulted; they count like the other two.
    """

    currency: str
    carried_in: int
    receives: int
    owes: int
    received: int
    paid: int
    carried_on: int
    received_before: int = 0
    paid_before: int = 0

    @property
    def net(self) -> int:
        """What it gets less what it owes in the window."""
        return self.receives - self.owes

    @property
    def left(self) -> int:
        """What is neither paid nor carried: zero."""
        return self.carried_in + self.net - (self.received_before - self.paid_before) - (self.received - self.paid) - self.carried_on


def parties_of(report: SettlementReport) -> tuple[PartyId, ...]:
    """All parties that a report names."""
    named: set[PartyId] = {report.operator}
    for line in report.obligations:
        named |= {line.debtor, line.creditor}
    for payment in (*report.payments, *report.paid_before()):
        named |= {payment.payer, payment.payee}
    named |= {waiting.party for waiting in report.carried}
    named |= {PartyId(sender.source) for sender in report.senders if sender.source}
    named |= {sponsor.sponsor for sponsor in report.points.by_sponsor}
    return tuple(sorted(named))


def has_figures(report: SettlementReport, party: PartyId) -> bool:
    """Whether a party had any part in the window: lines, payments, events or points."""
    return party in parties_of(report)


def statement_tables(shown: Shown, party: PartyId) -> tuple[Table, ...]:
    """All tables of a statement, in reading order; without rows for a party of the programme that had no part in the window. Raises `UnknownParty`."""
    report = shown.report
    if not has_figures(report, party) and party not in shown.names:
        raise UnknownParty(party, tuple(sorted({*parties_of(report), *shown.names})))
    amounts = Amounts(report, *shown.before)
    return (
        statement_lines(report, party, amounts),
        counterparties(report, party, amounts),
        *statement_default(report, party, amounts),
        settlement(shown, party, amounts),
        payments(shown, party, amounts),
        events(report, party),
        rejected(report, party),
        points(report, party),
    )


def statement_lines(report: SettlementReport, party: PartyId, amounts: Amounts) -> Table:
    """The party's lines by currency, direction and kind; what it owes is negative, so that everything adds up to its position."""
    own = sorted(
        ((number, line) for number, line in enumerate(report.obligations) if party in (line.creditor, line.debtor)),
        key=lambda each: (each[1].currency, each[1].creditor != party, each[1].kind, each[1].detail or "", _other(each[1], party)),
    )
    rows: list[Row] = []
    for currency, of_currency in groupby(own, key=lambda each: each[1].currency):
        together = list(of_currency)
        rows += _directions(together, party, amounts)
        rows.append(_sum_row("net position", None, sum(_signed(line, party) for _, line in together), currency, amounts, Rank.TOTAL))
    columns = (
        figure("line"), text("direction"), text("kind"), code("detail"), text("counterparty", "with"), text("contract", "contract from"), figure("quantity"),
        figure("unit_price"), figure("amount"), text("currency"), figure("events"),
    )  # fmt: skip
    note = "Positive: you receive. Negative: you owe. Amount = quantity × unit price, rounded once, half-even."
    return Table("lines", "Lines", columns, tuple(rows), note=note, empty="No lines in this window.")


def _directions(of_currency: list[tuple[int, ReportLine]], party: PartyId, amounts: Amounts) -> Iterator[Row]:
    for receives, of_direction in groupby(of_currency, key=lambda each: each[1].creditor == party):
        direction, together = ("receives" if receives else "owes"), list(of_direction)
        for kind, of_kind in groupby(together, key=lambda each: in_words(each[1].kind, each[1].detail)):
            same = list(of_kind)
            for number, line in same:
                amount = amounts(_signed(line, party), line.currency)
                price = amounts.price(line.unit_price, line.currency)
                cells = (number, direction, kind_of(line), line.detail, _other(line, party), line.contract, line.quantity, price, amount)
                yield Row((*cells, line.currency, line.events))
            if len(same) > 1:
                yield _sum_row("", kind, sum(_signed(line, party) for _, line in same), same[0][1].currency, amounts, Rank.SUBTOTAL)
        yield _sum_row(
            f"all you {'receive' if receives else 'owe'}", None, sum(_signed(line, party) for _, line in together), together[0][1].currency, amounts, Rank.TOTAL
        )


def _sum_row(name: str, kind: str | None, minor: int, currency: str, amounts: Amounts, rank: Rank) -> Row:
    return Row((None, name, kind, None, None, None, None, None, amounts(minor, currency), currency, None), rank)


def _signed(line: ReportLine, party: PartyId) -> int:
    return line.amount_minor if line.creditor == party else -line.amount_minor


def _other(line: ReportLine, party: PartyId) -> PartyId:
    return line.debtor if line.creditor == party else line.creditor


def counterparties(report: SettlementReport, party: PartyId, amounts: Amounts) -> Table:
    """With whom the position arose: what the party gets from each other party, and owes it."""
    sums: dict[tuple[str, PartyId], list[int]] = {}
    for pair in report.matrix:
        if party in (pair.debtor, pair.creditor):
            receives = pair.creditor == party
            of_pair = sums.setdefault((pair.currency, pair.debtor if receives else pair.creditor), [0, 0])
            of_pair[0 if receives else 1] += pair.amount_minor
    rows: list[Row] = []
    for currency, of_currency in groupby(sorted(sums.items()), key=lambda item: item[0][0]):
        together = list(of_currency)
        rows += lines([(other, currency, *_in_and_out(gets, owes, currency, amounts)) for (_, other), (gets, owes) in together])
        gets, owes = (sum(of_pair[side] for _, of_pair in together) for side in (0, 1))
        rows.append(Row(("all parties", currency, *_in_and_out(gets, owes, currency, amounts)), Rank.TOTAL))
    columns = (text("counterparty", "with"), text("currency"), figure("receives"), figure("owes"), figure("net"))
    return Table("counterparties", "By counterparty", columns, tuple(rows), empty="No lines in this window.")


def _in_and_out(gets: int, owes: int, currency: str, amounts: Amounts) -> tuple[Money, Money, Money]:
    return amounts(gets, currency), amounts(owes, currency), amounts(gets - owes, currency)


def balances(shown: Shown, party: PartyId) -> tuple[Balance, ...]:
    """How the party's position is settled, by currency. What others carry, the operator carries with the opposite sign."""
    report, previous = shown.report, shown.previous
    found = []
    for currency in Amounts(report, *shown.before).currencies:
        position = next((p for p in report.positions if (p.currency, p.party) == (currency, party)), None)
        own = [p for p in report.payments if p.currency == currency]
        before = [p for p in report.paid_before() if p.currency == currency]
        balance = Balance(
            currency,
            _carried(previous, party, currency) if previous else 0,
            position.receives_minor if position else 0,
            position.owes_minor if position else 0,
            sum(p.amount_minor for p in own if p.payee == party),
            sum(p.amount_minor for p in own if p.payer == party),
            _carried(report, party, currency),
            sum(p.amount_minor for p in before if p.payee == party),
            sum(p.amount_minor for p in before if p.payer == party),
        )
        moved = (balance.received, balance.paid, balance.received_before, balance.paid_before)
        if any((balance.carried_in, balance.receives, balance.owes, balance.carried_on, *moved)):
            found.append(balance)
    return tuple(found)


def _carried(report: SettlementReport, party: PartyId, currency: str) -> int:
    if party == report.operator:
        return -sum(waiting.amount_minor for waiting in report.carried if waiting.currency == currency)
    return sum(waiting.amount_minor for waiting in report.carried if (waiting.currency, waiting.party) == (currency, party))


def settlement(shown: Shown, party: PartyId, amounts: Amounts) -> Table:
    """From the position to the payments: what was carried in, what is paid, what is carried on. Every amount is above zero where it goes to the party."""
    rows: list[Row] = []
    for balance in balances(shown, party):
        currency = balance.currency
        steps: tuple[tuple[str, int, Rank], ...] = (
            ("carried in from the window before", balance.carried_in, Rank.LINE),
            ("net position of this window", balance.net, Rank.LINE),
            ("to settle", balance.carried_in + balance.net, Rank.SUBTOTAL),
            *((("paid to you before the default", balance.received_before, Rank.LINE),) if balance.received_before else ()),
            *((("paid by you before the default", -balance.paid_before, Rank.LINE),) if balance.paid_before else ()),
            ("paid to you", balance.received, Rank.LINE),
            ("paid by you", -balance.paid, Rank.LINE),
            ("carried on to the next window", balance.carried_on, Rank.LINE),
            ("left", balance.left, Rank.TOTAL),
        )
        rows += [Row((name, amounts(minor, currency), currency), rank) for name, minor, rank in steps]
    columns = (text("step"), figure("amount"), text("currency"))
    note = f"Positive: you receive. Negative: you owe or pay. What is paid and carried on adds up to what is to settle. Netting: {shown.report.netting}."
    return Table("settlement", "How it is settled", columns, tuple(rows), note=note, empty="Nothing to settle.")


def payments(shown: Shown, party: PartyId, amounts: Amounts) -> Table:
    """Payments from it and to it. What it pays to the operator comes with the creditor reference by which the house knows it, and the account to pay to."""
    report = shown.report
    rows = [
        (payment_id, p.payer, p.payee, p.currency, amounts(p.amount_minor, p.currency), shown.value_date,
         *((creditor_reference(payment_id), shown.account) if p.payee == report.operator else (None, None)))
        for payment_id, p in zip(payment_ids(report, shown.series), report.payments, strict=True)
        if party in (p.payer, p.payee)
    ]  # fmt: skip
    columns = (
        code("payment_id"), text("from"), text("to"), text("currency"), figure("amount"), text("value_date", "value date"),
        text("reference"), text("account", "to account"),
    )  # fmt: skip
    note = (
        "Pay under the reference, to the account, by the value date." if any(p.payer == party and p.payee == report.operator for p in report.payments) else ""
    )
    return Table("payments", "Payments", columns, lines(rows), note=note, empty="Nothing is paid in this window.")


def events(report: SettlementReport, party: PartyId) -> Table:
    """What became of the events it sent."""
    rows = [(s.accepted, s.rejected, s.held) for s in report.senders if s.source == party]
    columns = (figure("accepted"), figure("rejected"), figure("held"))
    return Table("events", "Your events", columns, lines(rows), note="What was sent twice is counted once.", empty="No events came.")


def rejected(report: SettlementReport, party: PartyId) -> Table:
    """Its rejected events by code."""
    own = [r for r in report.rejections if r.source == party]
    total = [Row(("all codes", sum(r.events for r in own)), Rank.TOTAL)] if own else []
    columns = (text("code"), figure("events"))
    return Table("rejected", "Your rejected events", columns, (*lines([(r.code, r.events) for r in own]), *total), empty="Nothing was rejected.")


def points(report: SettlementReport, party: PartyId) -> Table:
    """The points that it sponsors."""
    rows: list[tuple[Value, ...]] = [tuple(getattr(p, name) for name in POINTS) for p in report.points.by_sponsor if p.sponsor == party]
    note = "Outstanding: available and pending after the window."
    return Table("points", "Points you sponsor", tuple(figure(name) for name in POINTS), lines(rows), note=note, empty="No points of this sponsor.")
