"""`clh explain position`: a party's net position from its obligation lines, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from schemas.ids import PartyId
from schemas.report import SettlementReport
from services.explain.equations import Equation, amounts
from services.explain.ledger import Ledger, NotExplained, StoredLine


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
class Position:
    """A party's position in one currency. Paid and carried are what the netting made of it; positive is to the party."""

    day: date
    party: PartyId
    currency: str
    lines: tuple[PositionLine, ...]
    net_minor: int
    carried_in_minor: int
    paid_minor: int
    carried_out_minor: int
    equations: tuple[Equation, ...]


def explain_position(ledger: Ledger, party: PartyId, wanted: date | None) -> list[Position]:
    """The party's positions, one for each currency in which it has lines. Raises `NotExplained`."""
    if party not in ledger.names.party:
        raise NotExplained(f"the programme has no party {party}; it has: {', '.join(sorted(p.id for p in ledger.file.parties))}")
    day = ledger.day(wanted)
    report = ledger.report(day)
    carried_in = ledger.carried_before(day)
    lines = [line for line in ledger.lines(day) if party in (line.debtor, line.creditor)]
    currencies = {line.currency for line in lines} | {currency for currency, of in carried_in if of == party}
    return [_position(ledger, report, party, currency, [line for line in lines if line.currency == currency], carried_in) for currency in sorted(currencies)]


def _position(
    ledger: Ledger, report: SettlementReport, party: PartyId, currency: str, lines: list[StoredLine], carried_in: dict[tuple[str, PartyId], int]
) -> Position:
    day = report.window
    shown = tuple(_running(lines, party))
    total = sum(line.signed(party) for line in lines)
    net = next((p.net_minor for p in report.positions if (p.party, p.currency) == (party, currency)), 0)
    before = _of(party, currency, carried_in, ledger.operator)
    after = _of(party, currency, {(c.currency, c.party): c.amount_minor for c in report.carried}, ledger.operator)
    paid = sum(((p.payee == party) - (p.payer == party)) * p.amount_minor for p in report.payments if p.currency == currency)
    count = f"{len(lines)} {'line' if len(lines) == 1 else 'lines'}"
    equations = (
        amounts(f"sum of {count}", total, "net position in the report", net, currency),
        amounts("net position with what was carried to it", net + before, "payments with what is carried on", paid + after, currency),
    )
    return Position(day, party, currency, shown, net, before, paid, after, equations)


def _of(party: PartyId, currency: str, carried: dict[tuple[str, PartyId], int], operator: PartyId) -> int:
    """What is carried for a party; the operator is the other side of what is carried for all others."""
    if party == operator:
        return -sum(amount for (of, _), amount in carried.items() if of == currency)
    return carried.get((currency, party), 0)


def _running(lines: list[StoredLine], party: PartyId) -> Iterator[PositionLine]:
    running = 0
    for line in lines:
        amount = line.signed(party)
        running += amount
        yield PositionLine(line.line, line.kind, line.detail, line.debtor if line.creditor == party else line.creditor, amount, running)
