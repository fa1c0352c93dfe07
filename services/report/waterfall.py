"""From gross to net: what all lines come to, what netting takes away, what waits, and what is paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.report import SettlementReport
from services.report.charts import Step
from services.report.tables import Rank, Row, Table, figure, for_page, text
from services.report.words import Amounts


@dataclass(frozen=True, slots=True)
class Fall:
    """The steps of one currency, in its minor units.

    owed = due = all lines; owed - netted = net; net - waits + earlier + again = before + paid.
    """

    currency: str
    owed: int
    due: int
    net: int
    waits: int
    paid: int
    before: int = 0
    """Paid under runs of the window that defaulted; the rest is what this one pays."""
    again: int = 0
    """What a default moves twice: paid before it one way, and by this run the other."""

    @property
    def netted(self) -> int:
        """What nobody has to pay, since it is owed back."""
        return self.owed - self.net

    @property
    def earlier(self) -> int:
        """By how much payments are larger (or smaller, below zero) for what windows before carried in."""
        return self.paid + self.before - self.again - (self.net - self.waits)


def falls(report: SettlementReport) -> tuple[Fall, ...]:
    """The steps of each currency that has lines or payments."""
    found = []
    for currency in sorted(each.code for each in report.currencies):
        positions = [p for p in report.positions if p.currency == currency]
        waiting = {c.party for c in report.carried if c.currency == currency}
        fall = Fall(
            currency,
            owed=sum(p.owes_minor for p in positions),
            due=sum(p.receives_minor for p in positions),
            net=_net(report, currency),
            waits=sum(abs(p.net_minor) for p in positions if p.party in waiting),
            paid=sum(p.amount_minor for p in report.payments if p.currency == currency),
            before=sum(p.amount_minor for p in report.paid_before() if p.currency == currency),
            again=_again(report, currency),
        )
        if fall.owed or fall.due or fall.paid:
            found.append(fall)
    return tuple(found)


def _again(report: SettlementReport, currency: str) -> int:
    """What was paid before a default, or is paid after it, beyond the difference within each pair. Lines that are paid gross go both ways in any case."""
    if not report.after_default or report.netting == "gross":
        return 0
    pairs: dict[frozenset[str], int] = {}
    moved = 0
    for p in (*report.paid_before(), *report.payments):
        if p.currency == currency:
            key, sign = frozenset((p.payer, p.payee)), 1 if p.payer < p.payee else -1
            pairs[key] = pairs.get(key, 0) + sign * p.amount_minor
            moved += p.amount_minor
    return moved - sum(map(abs, pairs.values()))


def _net(report: SettlementReport, currency: str) -> int:
    """What the window's own lines come to after netting: each party's position against the operator, each pair's difference, or every line."""
    match report.netting:
        case "multilateral":
            return sum(abs(p.net_minor) for p in report.positions if p.currency == currency and p.party != report.operator)
        case "bilateral":
            pairs: dict[frozenset[str], int] = {}
            for m in report.matrix:
                if m.currency == currency:
                    key, sign = frozenset((m.debtor, m.creditor)), 1 if m.debtor < m.creditor else -1
                    pairs[key] = pairs.get(key, 0) + sign * m.amount_minor
            return sum(map(abs, pairs.values()))
        case _:
            return sum(line.amount_minor for line in report.obligations if line.currency == currency)


def waterfall_table(report: SettlementReport, amounts: Amounts) -> Table:
    """The steps as rows: what is taken away is negative, so that the column adds up from gross due to paid."""
    rows: list[Row] = []
    for fall in falls(report):
        steps = (
            ("gross owed, all lines", fall.owed, Rank.LINE),
            ("gross due, the same lines seen by those who receive", fall.due, Rank.LINE),
            ("netted away", -fall.netted, Rank.LINE),
            ("net of this window", fall.net, Rank.SUBTOTAL),
            ("waits for a later window", -fall.waits, Rank.LINE),
            ("from windows before", fall.earlier, Rank.LINE),
            *((("paid and paid back", fall.again, Rank.LINE),) if fall.again else ()),
            *((("paid before the default", -fall.before, Rank.LINE),) if fall.before else ()),
            ("paid", fall.paid, Rank.TOTAL),
        )
        rows += [Row((name, amounts(minor, fall.currency), fall.currency), rank) for name, minor, rank in steps]
    columns = (text("step"), figure("amount"), text("currency"))
    default = ", with what was paid before the default and is paid back after it, less all that was paid before it," if report.after_default else ","
    note = f"Netting: {report.netting}. Gross due less what is netted away and what waits, and what comes from windows before{default} is what is paid."
    return Table("waterfall", "From gross to net", columns, tuple(rows), note=note, empty="No lines and no payments.")


def steps(fall: Fall, amounts: Amounts) -> list[Step]:
    """The steps as they are drawn, without those at which nothing changes."""
    after_wait = fall.net - fall.waits
    every = [
        ("gross owed", 0, fall.owed, True),
        ("gross due", 0, fall.due, True),
        ("netted away", fall.due, fall.net, False),
        ("waits", fall.net, after_wait, False),
        ("from windows before", after_wait, after_wait + fall.earlier, False),
        ("paid and paid back", after_wait + fall.earlier, fall.paid + fall.before, False),
        ("paid before the default", fall.paid + fall.before, fall.paid, False),
        ("paid", 0, fall.paid, True),
    ]
    return drawn(every, fall.currency, amounts)


def drawn(every: Sequence[tuple[str, int, int, bool]], currency: str, amounts: Amounts) -> list[Step]:
    """Steps (name, from where, to where, whether it is a total) with their figures; without those at which nothing changes."""
    return [Step(label, start, end, for_page(amounts(end - start, currency)), total=total) for label, start, end, total in every if start != end or total]
