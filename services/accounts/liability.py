"""The points liability as of the end of a window, and whether it is what was measured when the window was closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from clearing.liability import LiabilityLine, Outstanding, liability, totals
from schemas.money import currency_places, to_text
from schemas.programme import ProgrammeFile
from services.accounts.books import Books
from services.accounts.unused import last_month, unspent_at
from services.report.tables import Column, Money, Rank, Row, Table, Value, code, figure, text

STATES = ("available", "pending", "held")


@dataclass(frozen=True, slots=True)
class Liability:
    """The lines, the prices expected (by currency, minor units for a point) and what they rest on; points that members owe; what differs from the close."""

    day: date
    lines: Sequence[LiabilityLine]
    prices: Mapping[str, Fraction]
    prices_from: str
    borne_by: str
    owed: int
    differing: Sequence[str]


def liability_of(books: Books, day: date, share: Fraction | None = None) -> Liability:
    """The liability at the end of a closed window. `share`: of the points left, so much is taken as never to be spent; None: by the programme's own history,
    if that is long enough. Raises MissingTermsError where a contract version is not in the programme file.
    """
    rows, owed = books.outstanding(day), books.owed(day)
    unspent = unspent_at(books.became(day), day, last_month(books, day), share)
    prices, prices_from = books.redemption_prices(day)
    anchor = books.terms.model == "anchor"
    lines = liability(rows, books.terms, day, prices, unspent)
    return Liability(
        day, lines, {} if anchor else prices, "each sponsor's own issue price" if anchor else prices_from, "sponsor" if anchor else "operator", owed,
        differing(rows, owed, books.at_close(day)),
    )  # fmt: skip


def differing(rows: Sequence[Outstanding], owed: int, measured: Mapping[str, Any]) -> list[str]:
    """What the journal's sums do not share with the figures that were measured from lots and balances at the close."""
    found = {state: sum(row.points for row in rows if row.held == state) for state in STATES} | {"owed": owed}
    waiting = {"pending": measured.get("unfunded", 0)}  # points that nobody has issued yet, though members see them
    closed = {name: measured[name] - waiting.get(name, 0) for name in (*STATES, "owed")}
    wrong = [f"{name}: {found[name]:,} by the journal, {closed[name]:,} at the close" for name in closed if found[name] != closed[name]]
    sponsors = sorted({str(row.sponsor) for row in rows} | set(measured["outstanding"]))
    for sponsor in sponsors:
        points = sum(row.points for row in rows if row.sponsor == sponsor and row.held != "held")
        if points != measured["outstanding"].get(sponsor, 0):
            wrong.append(f"points of {sponsor}: {points:,} by the journal, {measured['outstanding'].get(sponsor, 0):,} at the close")
    return wrong


def table(found: Liability, file: ProgrammeFile) -> Table:
    """One row for each line and currency; points stand in the row of its first currency only."""
    parties = {party.id: party.name for party in file.parties}
    amounts = ("paid", "cost", "expected")
    columns: tuple[Column, ...] = (
        code("day"), text("sponsor"), code("sponsor_name"), text("contract"), text("age_months", "age"), text("expires", "expires in"),
        *(figure(state) for state in STATES), figure("points"), figure("unused", "never spent"), text("currency"), *(figure(name) for name in amounts),
    )  # fmt: skip
    rows = [Row(tuple(cells)) for line in found.lines for cells in _rows(found.day, line, parties)]
    sums = totals(found.lines)
    for currency in sorted({currency for of in sums.values() for currency in of}):
        ends: list[Value] = [Money(sums[name].get(currency, 0), currency_places(currency)) if name in sums else None for name in amounts]
        never = None if any(line.unused is None for line in found.lines) else sum(line.unused or 0 for line in found.lines)
        counted = (*(sum(getattr(line, state) for line in found.lines) for state in STATES), sum(line.points for line in found.lines))
        rows.append(Row((found.day, "all", None, None, None, None, *counted, never, currency, *ends), Rank.TOTAL))
    return Table("liability", f"Points outstanding at the end of {found.day}", columns, tuple(rows), empty="No points are outstanding.")


def _rows(day: date, line: LiabilityLine, parties: Mapping[Any, str]) -> list[list[Value]]:
    bucket = line.bucket
    expires = "never" if bucket.expires is None else f"{bucket.expires:%Y-%m}"
    head: list[Value] = [day, bucket.sponsor, parties.get(bucket.sponsor), bucket.contract, bucket.ages, expires]
    made = []
    for place, currency in enumerate(sorted({*line.paid, *line.cost}, key=lambda name: (name not in line.paid, name))):
        points: list[Value] = [line.available, line.pending, line.held, line.points, line.unused] if place == 0 else [None] * 5
        amounts: list[Value] = [None if of is None else Money(of.get(currency, 0), currency_places(currency)) for of in (line.paid, line.cost, line.expected)]
        made.append([*head, *points, currency, *amounts])
    return made


def as_json(found: Liability, programme: str) -> dict[str, Any]:
    """All of it in plain types, money as decimal text."""
    return {
        "programme": programme,
        "day": found.day,
        "borne_by": found.borne_by,
        "redemption_price": {"from": found.prices_from, "by_currency": {currency: _price(price, currency) for currency, price in found.prices.items()}},
        "owed_by_members": found.owed,
        "lines": [
            {
                "sponsor": line.bucket.sponsor, "contract": line.bucket.contract, "age_months": line.bucket.ages,
                "expires": line.bucket.expires and f"{line.bucket.expires:%Y-%m}",
                "available": line.available, "pending": line.pending, "held": line.held, "points": line.points, "unused": line.unused,
                "paid": _texts(line.paid), "cost": _texts(line.cost), "expected": None if line.expected is None else _texts(line.expected),
            }
            for line in found.lines
        ],
        "totals": {name: _texts(amounts) for name, amounts in totals(found.lines).items()},
        "differing": list(found.differing),
    }  # fmt: skip


def _texts(amounts: Mapping[str, int]) -> dict[str, str]:
    return {currency: to_text(amount, currency) for currency, amount in amounts.items()}


def _price(price: Fraction, currency: str) -> str:
    """An average price for reading, to eight decimal places of the currency's unit; amounts are worked out with the exact one."""
    places = currency_places(currency)
    scaled = round(price * 10 ** (8 - places))
    return f"{scaled // 10**8}.{scaled % 10**8:08d}"
