"""A large night: 2,000 lines between forty-one parties, fourteen nights compared."""

from __future__ import annotations

from datetime import date, timedelta

from schemas.ids import PartyId
from schemas.report import SettlementReport
from services.report.stored import Shown
from tests.unit.services.report.sample import line, pairs, positions, report

PARTIES = [f"partner-{no:02}" for no in range(1, 41)]


def large(lines: int = 2000, nights: int = 14) -> Shown:
    """The report with so many lines and so many nights before it, and names for all parties."""
    before: list[SettlementReport] = []
    for night in range(nights):
        before.append(_night(date(2026, 3, 1) + timedelta(days=night), 60, before[-1].sha256() if before else None))
    last = _night(date(2026, 3, 1) + timedelta(days=nights), lines, before[-1].sha256() if before else None)
    names = {PartyId(party): f"The House of {party.replace('-', ' ')}" for party in PARTIES}
    return Shown(last, last.sha256(), tuple(reversed(before)), names)


def _night(window: date, count: int, previous: str | None) -> SettlementReport:
    lines = [
        line("issue", party, "opco", 1_000 + 7 * no, quantity=100_000 + 700 * no, price="0.0100", events=no + 1, contract=f"2026-01-{no % 28 + 1:02}")
        if no % 3
        else line("redemption", "opco", party, 500 + 11 * no, quantity=50_000 + 1_100 * no, price="0.0100", events=no + 1)
        for no, party in ((no, PARTIES[no % len(PARTIES)]) for no in range(count))
    ]
    net = positions(lines)
    payments = [
        {"currency": "EUR", "from": each["party"], "to": "opco", "amount_minor": -each["net_minor"]}
        if each["net_minor"] < 0
        else {"currency": "EUR", "from": "opco", "to": each["party"], "amount_minor": each["net_minor"]}
        for each in net
        if each["party"] != "opco" and each["net_minor"]
    ]
    return report(window=window.isoformat(), previous_sha256=previous, obligations=lines, positions=net, matrix=pairs(lines), payments=payments, carried=[])
