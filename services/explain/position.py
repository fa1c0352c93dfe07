"""`clh explain position`: a party's net position from its obligation lines, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from schemas.ids import PartyId
from schemas.report import PaymentLine, SettlementReport
from services.explain.equations import Equation, amounts
from services.explain.ledger import Carried, Ledger, NotExplained, StoredLine


@dataclass(frozen=True, slots=True)
class PositionLine:
    """One line of the position: positive is owed to the party."""

    line: int
    kind: str
    detail: str | None
    other: PartyId
    amount_minor: int
    running_minor: int
    """Sum of the lines so far."""


@dataclass(frozen=True, slots=True)
class CarriedPart:
    """What one night added to what was carried in, or, for the operator, what is carried for one party: the opposite of that party's. In minor units."""

    day: date
    party: PartyId
    amount_minor: int
    since: date


@dataclass(frozen=True, slots=True)
class Position:
    """A party's position in one currency. Paid and carried are what the netting made of it; positive is to the party."""

    day: date
    party: PartyId
    currency: str
    lines: tuple[PositionLine, ...]
    net_minor: int
    carried_in_minor: int
    paid_before_minor: int
    """Under runs of the window that defaulted."""
    paid_minor: int
    carried_out_minor: int
    carried_from: tuple[CarriedPart, ...]
    equations: tuple[Equation, ...]


def explain_position(ledger: Ledger, party: PartyId, wanted: date | None) -> list[Position]:
    """The party's positions, one for each currency in which it has lines. Raises `NotExplained`."""
    if party not in ledger.names.party:
        raise NotExplained(f"the programme has no party {party}; it has: {', '.join(sorted(p.id for p in ledger.file.parties))}")
    day = ledger.day(wanted)
    report = ledger.report(day)
    carried_in = ledger.carried_before(day)
    lines = [line for line in ledger.lines(day) if party in (line.debtor, line.creditor)]
    currencies = {line.currency for line in lines} | {each.currency for each in carried_in if party in (each.party, ledger.operator)}
    return [_position(ledger, report, party, currency, [line for line in lines if line.currency == currency], carried_in) for currency in sorted(currencies)]


def _position(ledger: Ledger, report: SettlementReport, party: PartyId, currency: str, lines: list[StoredLine], carried_in: list[Carried]) -> Position:
    day = report.window
    shown = tuple(_running(lines, party))
    total = sum(line.signed(party) for line in lines)
    net = next((p.net_minor for p in report.positions if (p.party, p.currency) == (party, currency)), 0)
    of_currency = [each for each in carried_in if each.currency == currency]
    before = _of(party, {each.party: each.amount_minor for each in of_currency}, ledger.operator)
    after = _of(party, {each.party: each.amount_minor for each in report.carried if each.currency == currency}, ledger.operator)
    paid, paid_before = _paid(report.payments, party, currency), _paid(report.paid_before(), party, currency)
    parts = tuple(_carried_from(ledger, party, of_currency))
    count = f"{len(lines)} {'line' if len(lines) == 1 else 'lines'}"
    equations = [
        amounts(f"sum of {count}", total, "net position in the report", net, currency),
        amounts(
            "net position with what was carried to it",
            net + before,
            "payments with what is carried on" if not report.after_default else "payments, those before the default too, with what is carried on",
            paid_before + paid + after,
            currency,
        ),
    ]
    if parts:
        of = "parties that wait" if party == ledger.operator else "nights"
        equations.insert(1, amounts(f"sum of {len(parts)} {of}", sum(part.amount_minor for part in parts), "carried to it", before, currency))
    return Position(day, party, currency, shown, net, before, paid_before, paid, after, parts, tuple(equations))


def _paid(payments: Iterable[PaymentLine], party: PartyId, currency: str) -> int:
    """What payments of a currency bring a party, in minor units; below zero: it pays."""
    return sum(((p.payee == party) - (p.payer == party)) * p.amount_minor for p in payments if p.currency == currency)


def _of(party: PartyId, carried: dict[PartyId, int], operator: PartyId) -> int:
    """What is carried for a party; the operator is the other side of what is carried for all others."""
    return -sum(carried.values()) if party == operator else carried.get(party, 0)


def _carried_from(ledger: Ledger, party: PartyId, carried_in: list[Carried]) -> Iterator[CarriedPart]:
    """Night by night what makes up a party's waiting position; for the operator, party by party."""
    for each in carried_in:
        if party == ledger.operator:
            yield CarriedPart(each.day, each.party, -each.amount_minor, each.since)
        elif party == each.party:
            nights: dict[date, int] = {}
            for line in ledger.lines_between(each.since, each.day):
                if line.currency == each.currency and party in (line.debtor, line.creditor):
                    nights[line.day] = nights.get(line.day, 0) + line.signed(party)
            for day in ledger.defaulted(each.since, each.day):  # what a default changed was paid at once, and is not carried
                report = ledger.report(day)
                nights[day] = nights.get(day, 0) - _paid(report.payments, party, each.currency) - _paid(report.paid_before(), party, each.currency)
            yield from (CarriedPart(day, party, amount, each.since) for day, amount in sorted(nights.items()))


def _running(lines: list[StoredLine], party: PartyId) -> Iterator[PositionLine]:
    running = 0
    for line in lines:
        amount = line.signed(party)
        running += amount
        yield PositionLine(line.line, line.kind, line.detail, line.debtor if line.creditor == party else line.creditor, amount, running)
