"""Puts together the settlement report of a run, and beside it what each partition brought (which no approval depends on)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from clearing.checks import Check
from clearing.entries import POINTS, Code
from clearing.lines import Obligation
from clearing.netting import Netting
from schemas.ids import PartyId
from schemas.money import currency_places
from schemas.report import (
    BilateralAmount,
    BorneLoss,
    CarriedPosition,
    CheckResult,
    DefaultedRun,
    PaymentLine,
    PointsFigures,
    PointsOfSponsor,
    Position,
    RejectionCount,
    ReportCurrency,
    ReportLine,
    SenderCounts,
    SettlementReport,
    UnpaidAmount,
)  # fmt: skip
from services.night.figures import WindowFigures

if TYPE_CHECKING:
    from services.settlement import defaulted

# What became of each sender's events; refused or held ones included, duplicates not.
SENDERS = """
select coalesce(p.id, ''), y.outcome, y.code, sum(y.events)::bigint from tally y left join party p on p.no = y.party
where y.day = %s and y.outcome in ('accepted', 'rejected', 'held') group by 1, 2, 3 having sum(y.events) <> 0 order by 1, 2, 3
"""

MOVES = {
    Code.ACCRUAL: ("issued", 1),
    Code.REDEMPTION: ("redeemed", 1),
    Code.REDEMPTION_REVERSAL: ("redeemed", -1),
    Code.EXPIRY: ("expired", 1),
    Code.RETURN_UNSPENT: ("returned", 1),
    Code.RETURN_SPENT: ("returned", 1),
}


def settlement_report(
    books: WindowFigures,
    day: date,
    obligations: Sequence[Obligation],
    netting: Netting,
    checks: Sequence[Check],
    previous: str | None,
    defaulted_: Sequence[defaulted.DefaultedRun] = (),
) -> tuple[SettlementReport, list[dict[str, Any]]]:
    """The canonical report of a run; and the counts of each partition. `defaulted_`: earlier runs of the window that defaulted."""
    programme = books.plan.programme
    currencies = sorted({*programme.currencies, *(line.currency for line in obligations), *(currency for currency, _ in netting.carried)})
    senders, rejections = _senders(books, day)
    counts = books.partition_counts(day)
    reception = [
        {"topic": c.topic, "partition": c.partition, "received": c.received, "accepted": c.accepted, "rejected": c.rejected, "held": c.held,
         "duplicates": c.duplicates, "cut": c.cut_offset}
        for c in counts
    ]  # fmt: skip
    report = SettlementReport(
        programme=programme.id,
        window=day,
        previous_sha256=previous,
        operator=programme.operator.party,
        netting=programme.netting,
        currencies=tuple(ReportCurrency(code=code, places=currency_places(code)) for code in currencies),
        positions=_positions(obligations),
        obligations=tuple(map(_line, obligations)),
        matrix=_matrix(obligations),
        payments=tuple(PaymentLine(currency=p.currency, payer=p.payer, payee=p.payee, amount_minor=p.amount_minor) for p in netting.payments),
        carried=tuple(
            CarriedPosition(currency=currency, party=party, amount_minor=c.amount_minor, since=c.since)
            for (currency, party), c in sorted(netting.carried.items())
        ),
        checks=tuple(CheckResult(name=c.name, ok=c.ok, figures=_figures(c)) for c in checks),
        senders=senders,
        rejections=rejections,
        points=_points(books, day),
        after_default=tuple(map(_defaulted, defaulted_)),
    )
    return report, reception


def _defaulted(run: defaulted.DefaultedRun) -> DefaultedRun:
    return DefaultedRun(
        sha256=run.sha256,
        paid=tuple(PaymentLine(currency=c, payer=payer, payee=payee, amount_minor=amount) for (c, payer, payee), amount in run.paid.items()),
        unpaid=tuple(UnpaidAmount(currency=u.currency, party=u.party, amount_minor=u.amount_minor, funds_minor=u.used_minor) for u in run.unpaid),
        borne=tuple(BorneLoss(currency=b.currency, bearer=b.bearer, defaulter=b.defaulter, amount_minor=b.amount_minor) for b in run.losses),
    )


def _figures(check: Check) -> dict[str, str | int]:
    """Figures of a check, without those that a duplicate would change."""
    return {name: value for name, value in check.figures.items() if name not in ("received", "duplicates")}


def _line(o: Obligation) -> ReportLine:
    return ReportLine(
        kind=o.kind.value, detail=o.detail, debtor=o.debtor, creditor=o.creditor, currency=o.currency, contract=o.contract, quantity=o.quantity,
        unit_price=o.unit_price, amount_minor=o.amount_minor, events=o.events,
    )  # fmt: skip


def _positions(obligations: Sequence[Obligation]) -> tuple[Position, ...]:
    sums: dict[tuple[str, PartyId], list[int]] = {}
    for line in obligations:
        sums.setdefault((line.currency, line.creditor), [0, 0])[0] += line.amount_minor
        sums.setdefault((line.currency, line.debtor), [0, 0])[1] += line.amount_minor
    return tuple(
        Position(currency=currency, party=party, receives_minor=gets, owes_minor=owes, net_minor=gets - owes)
        for (currency, party), (gets, owes) in sorted(sums.items())
    )


def _matrix(obligations: Sequence[Obligation]) -> tuple[BilateralAmount, ...]:
    sums: dict[tuple[str, PartyId, PartyId], int] = {}
    for line in obligations:
        key = (line.currency, line.debtor, line.creditor)
        sums[key] = sums.get(key, 0) + line.amount_minor
    return tuple(BilateralAmount(currency=c, debtor=d, creditor=k, amount_minor=amount) for (c, d, k), amount in sorted(sums.items()) if amount)


def _senders(books: WindowFigures, day: date) -> tuple[tuple[SenderCounts, ...], tuple[RejectionCount, ...]]:
    counts: dict[str, dict[str, int]] = {}
    rejections = []
    for source, outcome, code, events in books.connection.execute(SENDERS, (day,)):
        of_source = counts.setdefault(source, {"accepted": 0, "rejected": 0, "held": 0})
        of_source[outcome] += events
        if outcome == "rejected":
            rejections.append(RejectionCount(source=source, code=code, events=events))
    return tuple(SenderCounts(source=source, **outcomes) for source, outcomes in counts.items()), tuple(rejections)


def _points(books: WindowFigures, day: date) -> PointsFigures:
    figures: dict[PartyId, dict[str, int]] = {}
    empty = {"issued": 0, "redeemed": 0, "expired": 0, "returned": 0, "outstanding": 0}
    for total in books.booked_totals(day):
        if total.unit == POINTS and total.code in MOVES and total.sponsor is not None:
            name, sign = MOVES[total.code]
            figures.setdefault(total.sponsor, dict(empty))[name] += sign * total.quantity
    closing = books.closing(day)
    for sponsor, points in closing["outstanding"].items():
        figures.setdefault(sponsor, dict(empty))["outstanding"] = points
    whole = {name: sum(of_sponsor[name] for of_sponsor in figures.values()) for name in empty}
    whole["outstanding"] -= closing["owed"]
    by_sponsor = tuple(PointsOfSponsor(sponsor=sponsor, **of_sponsor) for sponsor, of_sponsor in sorted(figures.items()))
    return PointsFigures(**whole, by_sponsor=by_sponsor)
