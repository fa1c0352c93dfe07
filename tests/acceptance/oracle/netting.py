"""Positions, payments and what is carried forward (rules 26 to 28)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.pricing import Priced
from tests.acceptance.oracle.programme import Programme, Written


@dataclass
class Carried:
    """What is carried forward, by party and currency, and since when without a break."""

    amounts: dict[tuple[str, str], int] = field(default_factory=dict)
    since: dict[tuple[str, str], date] = field(default_factory=dict)


def settle(programme: Programme, day: date, lines: list[Priced], carried: Carried, answer: Written) -> None:
    """Adds a window to the report."""
    window = day.isoformat()
    answer["obligations"] += [_shown(window, one) for one in lines]
    positions: dict[tuple[str, str], int] = {}
    for one in lines:
        for party, amount in ((one.line.debtor, -one.amount), (one.line.creditor, one.amount)):
            positions[party, one.line.currency] = positions.get((party, one.line.currency), 0) + amount
    _nest(answer["positions"], window, positions)
    kind = programme.head["netting"]
    if kind == "gross":
        pairs = [(one.line.debtor, one.line.creditor, one.line.currency, one.amount) for one in lines]
    elif kind == "bilateral":
        pairs = _bilateral(lines)
    else:
        pairs = _multilateral(programme, day, positions, carried)
        _nest(answer["carried"], window, carried.amounts)
    for debtor, creditor, currency, amount in pairs:
        if amount:
            answer["payments"].append({"window": window, "currency": currency, "from": debtor, "to": creditor, "amount": rules.money(amount, currency)})


def _bilateral(lines: list[Priced]) -> list[tuple[str, str, str, int]]:
    net: dict[tuple[str, str, str], int] = {}
    for one in lines:
        first, second = sorted((one.line.debtor, one.line.creditor))
        key = (first, second, one.line.currency)
        net[key] = net.get(key, 0) + (one.amount if one.line.debtor == first else -one.amount)
    return [(a, b, currency, owed) if owed > 0 else (b, a, currency, -owed) for (a, b, currency), owed in net.items()]


def _multilateral(programme: Programme, day: date, positions: dict[tuple[str, str], int], carried: Carried) -> list[tuple[str, str, str, int]]:
    pairs = []
    for party, currency in sorted({*positions, *carried.amounts}):
        if party == programme.operator:
            continue
        key = (party, currency)
        whole = positions.get(key, 0) + carried.amounts.get(key, 0)
        if whole and _waits(programme, day, key, abs(whole), carried):
            carried.amounts[key] = whole
            carried.since.setdefault(key, day)
            continue
        carried.amounts.pop(key, None)
        carried.since.pop(key, None)
        pairs.append((party, programme.operator, currency, -whole) if whole < 0 else (programme.operator, party, currency, whole))
    return pairs


def _waits(programme: Programme, day: date, key: tuple[str, str], size: int, carried: Carried) -> bool:
    """Rule 28, and `maximum_carry_days`."""
    party, currency = key
    contract = programme.contract(party, day)
    rhythm = contract.written.get("settlement", "daily") if contract else "daily"
    if (rhythm == "weekly" and day.weekday() != 6) or (rhythm == "monthly" and rules.month_end(day) != day):
        return True
    most = programme.head.get("maximum_carry_days")
    if most is not None and key in carried.since and (day - carried.since[key]).days >= most:
        return False
    return size < rules.minor((programme.head.get("minimum_settlement") or {}).get(currency, "0"), currency)


def _nest(part: Written, window: str, amounts: dict[tuple[str, str], int]) -> None:
    for (party, currency), amount in sorted(amounts.items()):
        if amount:
            part.setdefault(window, {}).setdefault(currency, {})[party] = rules.money(amount, currency)


def _shown(window: str, one: Priced) -> Written:
    line = one.line
    return {
        "window": window, "kind": line.kind, "debtor": line.debtor, "creditor": line.creditor, "detail": line.detail, "currency": line.currency,
        "quantity": one.quantity, "unit_price": None if line.unit_price is None else rules.decimal(line.unit_price),
        "amount": rules.money(one.amount, line.currency), "events": one.events,
        "contract": line.contract.start.isoformat() if line.contract else None,
    }  # fmt: skip
