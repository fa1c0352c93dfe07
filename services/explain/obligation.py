"""`clh explain obligation`: a line from the totals it rests on, these from their events; or from the lines and clauses it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from clearing.entries import PURCHASES, Code
from clearing.lines import minor
from clearing.rounding import half_even
from schemas.ids import PartyId
from services.accrual.incoming import place_of
from services.explain import statements as sql
from services.explain.bases import Base, base_of
from services.explain.equations import Equation, amounts, counts, measured, money
from services.explain.ledger import Key, Ledger, StoredLine
from services.explain.nights import night_of

PAGE = 20


@dataclass(frozen=True, slots=True)
class TotalPart:
    """A total under a line: what booking added up under one pricing key, and what the journal's rows come to."""

    no: int
    code: str
    sponsor: PartyId | None
    contract: date | None
    counterparty: PartyId | None
    counter_contract: date | None
    unit: str
    quantity: int
    """In the unit: of a currency minor units."""
    events: int
    rows: int


@dataclass(frozen=True, slots=True)
class EventPart:
    """An event (or what the night itself did to one member) under a total, with its quantity there."""

    total: int
    quantity: int
    source: str | None
    id: str | None
    type: str | None
    member: str | None
    received_at: datetime | None
    topic: str | None
    partition: int | None
    offset: int | None
    night: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Which of the events are shown."""

    first: int
    events: tuple[EventPart, ...]
    of: int
    quantity: int

    @property
    def last(self) -> bool:
        """Whether no events follow."""
        return self.first + len(self.events) >= self.of


@dataclass(frozen=True, slots=True)
class ObligationExplained:
    """A line, what it rests on, and that it adds up."""

    line: StoredLine
    formula: str
    totals: tuple[TotalPart, ...]
    bases: tuple[Base, ...]
    page: Page | None
    equations: tuple[Equation, ...]
    also: dict[str, str] = field(default_factory=dict)
    """Clauses of the contract that the line follows from."""


def explain_obligation(ledger: Ledger, day: date, number: int, *, first: int = 0, limit: int = PAGE) -> ObligationExplained:
    """A line of a window; of its events so many from the `first` on. Raises `NotExplained`."""
    line = ledger.line(day, number)
    if line.sources:
        return _from_totals(ledger, line, first, limit)
    formula, bases, equations, clauses = base_of(ledger, line)
    return ObligationExplained(line, formula, (), bases, None, (*equations, _priced_again(ledger, line)), clauses)


def _priced_again(ledger: Ledger, line: StoredLine) -> Equation:
    """The line, priced once more from the window's totals by the programme file in force."""
    again = ledger.priced(line.day)[line.line].obligation
    return amounts("priced again from the window's totals", again.amount_minor, "the line", line.amount_minor, line.currency)


def _from_totals(ledger: Ledger, line: StoredLine, first: int, limit: int) -> ObligationExplained:
    values = _values(line)
    booked: dict[int, int] = dict(ledger.connection.execute(sql.BOOKED, values).fetchall())
    journal = {no: (quantity, events, rows) for no, quantity, events, rows in ledger.connection.execute(sql.JOURNAL, values)}
    for no, key in enumerate(line.sources):
        if key.code == Code.PURCHASE:
            row = ledger.connection.execute(sql.PURCHASES, {"day": line.day, "sponsor": key.sponsor, "contract": key.contract}).fetchone()
            assert row is not None
            journal[no] = (row[0], row[0], row[0])
    totals = tuple(_total(ledger, no, key, booked[no], journal[no]) for no, key in enumerate(line.sources))
    page = Page(first, tuple(_events(ledger, line, totals, first, limit)), sum(total.rows for total in totals), sum(total.quantity for total in totals))
    equations = [measured(f"events under total {no}", journal[no][0], f"total {no}", total.quantity, total.unit) for no, total in enumerate(totals)]
    whole = sum(total.quantity for total in totals)
    of = f"sum of {len(totals)} {'total' if len(totals) == 1 else 'totals'}"
    if page.last and first == 0:
        shares = f"sum of the {len(page.events)} shares shown"
        equations.insert(0, measured(shares, sum(event.quantity for event in page.events), "all totals", whole, totals[0].unit))
    if line.unit_price is None:
        equations.append(amounts(of, whole, "the line", line.amount_minor, line.currency))
        formula = f"{money(whole, line.currency)}, added up"
    else:
        assert line.quantity is not None
        exact_minor = line.quantity * minor(line.unit_price, line.currency)
        equations.append(counts(of, whole, "quantity of the line", line.quantity))
        equations.append(amounts("quantity × unit price, rounded half-even", half_even(exact_minor), "the line", line.amount_minor, line.currency))
        formula = f"{line.quantity:,} {totals[0].unit} × {line.unit_price:f} {line.currency} = {money(exact_minor, line.currency)}"
    return ObligationExplained(line, formula, totals, (), page, (*equations, _priced_again(ledger, line)))


def _values(line: StoredLine) -> dict[str, Any]:
    return {"day": line.day, **{name: [getattr(key, name) for key in line.sources] for name in Key._fields}}


def _total(ledger: Ledger, no: int, key: Key, quantity: int, journal: tuple[int, int, int]) -> TotalPart:
    total = ledger.total(key, quantity, 0)
    return TotalPart(
        no, total.code.name.lower(), total.sponsor, total.contract, total.counterparty, total.counter_contract, total.unit, quantity, journal[1], journal[2]
    )  # fmt: skip


def _events(ledger: Ledger, line: StoredLine, totals: Sequence[TotalPart], first: int, limit: int) -> Iterator[EventPart]:
    """The events of all totals, one total after the other, from the `first` on."""
    for total, key in zip(totals, line.sources, strict=True):
        if first >= total.rows or limit <= 0:
            first = max(0, first - total.rows)
            continue
        values: dict[str, Any] = {"day": line.day, "limit": limit, "offset": first}
        if total.unit == PURCHASES:
            rows = ledger.connection.execute(sql.PURCHASE_EVENTS, {**values, "sponsor": key.sponsor, "contract": key.contract}).fetchall()
        else:
            rows = ledger.connection.execute(sql.EVENTS, {**values, **{name: [getattr(key, name)] for name in Key._fields}}).fetchall()
        members: dict[int, str] = dict(ledger.connection.execute(sql.MEMBER_IDS, ([row[6] for row in rows if row[6] is not None],)).fetchall())
        for entry, quantity, event_id, source, kind, received_at, member in rows:
            yield _event(ledger, total.no, entry, quantity, event_id, source, kind, received_at, members.get(member))
        first = 0
        limit -= len(rows)


def _event(
    ledger: Ledger,
    total: int,
    entry: int,
    quantity: int,
    event_id: str | None,
    source: int | None,
    kind: str | None,
    received_at: datetime | None,
    member: str | None,
) -> EventPart:
    if entry < 0:
        return EventPart(total, quantity, None, None, None, member, None, None, None, None, night_of(entry))
    topic, partition, offset = place_of(entry)
    name = f"{ledger.file.programme.id}.{ledger.names.topic_name[topic]}"
    return EventPart(total, quantity, ledger.names.source_uri.get(source), event_id, kind, member, received_at, name, partition, offset, None)
