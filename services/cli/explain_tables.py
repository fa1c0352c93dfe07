"""Explanations as tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date

from schemas.money import to_text
from services.cli.output import out, print_table
from services.explain.equations import Equation
from services.explain.event import EventExplained
from services.explain.member import MemberExplained
from services.explain.obligation import EventPart, ObligationExplained
from services.explain.position import Position


def positions(party: str, day: date, found: Sequence[Position]) -> None:
    """A party's positions in all currencies."""
    if not found:
        _say(f"{party} has no obligation line in the window {day}.")
    for each in found:
        rows = [
            (
                line.line,
                line.kind.replace("_", " "),
                line.detail,
                line.other,
                to_text(line.amount_minor, each.currency),
                to_text(line.running_minor, each.currency),
            )
            for line in each.lines
        ]
        print_table(
            ("line", "kind", "detail", "with", each.currency, "sum so far"),
            rows,
            title=f"{party}, window {each.day}: net position {to_text(each.net_minor, each.currency)} {each.currency}",
            right=("line", each.currency, "sum so far"),
        )
        settled = {"carried to it": each.carried_in_minor, "paid": each.paid_minor, "carried on": each.carried_out_minor}
        _say("; ".join(f"{what}: {to_text(amount, each.currency)} {each.currency}" for what, amount in settled.items()))
        equations(each.equations)
        if each.lines:
            _say(f"next: clh explain obligation {each.day} {each.lines[0].line}")


def obligation(found: ObligationExplained, page: int, limit: int) -> None:
    """A line, what it rests on, and a page of its events."""
    line = found.line
    amount = f"{to_text(line.amount_minor, line.currency)} {line.currency}"
    _say(f"window {line.day}, line {line.line}: {line.name}: {line.debtor} owes {line.creditor} {amount}", style="bold")
    _say(found.formula)
    for name, clause in found.also.items():
        _say(f"{name.replace('_', ' ')}: {clause}")
    if found.totals:
        rows = [
            (t.no, t.code.replace("_", " "), t.sponsor, t.contract, t.counterparty, t.counter_contract, t.unit, f"{t.quantity:,}", f"{t.events:,}")
            for t in found.totals
        ]
        titles = ("total", "code", "sponsor", "contract", "counterparty", "its contract", "unit", "quantity", "events")
        print_table(titles, rows, title="Totals", right=("total", "quantity", "events"))
    if found.bases:
        rows_of_bases = [(base.day, base.line, base.name, base.debtor, base.creditor, base.of, base.counts) for base in found.bases]
        print_table(("window", "line", "kind", "debtor", "creditor", "amount", "counts"), rows_of_bases, title="Rests on", right=("line", "amount", "counts"))
    if found.page is not None:
        _events(found, page, limit)
    equations(found.equations)


def _events(found: ObligationExplained, page: int, limit: int) -> None:
    assert found.page is not None
    shown = found.page.events
    rows = [(e.total, *_what(e), e.member, f"{e.quantity:,}") for e in shown]
    first, last = found.page.first + 1, found.page.first + len(shown)
    title = f"Events {first:,} to {last:,} of {found.page.of:,}" if shown else f"No events on page {page} of {found.page.of:,}"
    print_table(("total", "event", "type", "received", "record", "member", "quantity"), rows, title=title, right=("total", "quantity"))
    _say(f"quantity on this page: {sum(e.quantity for e in shown):,}; of all events: {found.page.quantity:,}")
    if not found.page.last:
        _say(f"next: clh explain obligation {found.line.day} {found.line.line} --page {page + 1} --limit {limit}")
    named = next((e for e in shown if e.id is not None), None)
    if named is not None:
        _say(f"next: clh explain event {named.id} --source {named.source}")


def _what(event: EventPart) -> tuple[str, str | None, str, str]:
    if event.night is not None:
        return f"night {event.night}", None, "", ""
    received = event.received_at.isoformat(timespec="seconds") if event.received_at is not None else ""
    return f"{event.source} {event.id}", event.type, received, f"{event.topic}/{event.partition}/{event.offset}"


def events(found: Iterable[EventExplained]) -> None:
    """Several records."""
    for each in found:
        event(each)


def event(found: EventExplained) -> None:
    """A record, its entry, its rows of the journal, the lines it counts in, and the event as it came."""
    _say(f"{found.topic}, partition {found.partition}, offset {found.offset}, received {found.received_at.isoformat()}", style="bold")
    name = f"{found.source} {found.id}: {found.type}" if found.id is not None else "not readable as an event"
    _say(name + (f" of {found.event_day}" if found.event_day is not None else "") + (f", member {found.member}" if found.member is not None else ""))
    effect = f", took effect in the window {found.booked}" if found.booked is not None else ""
    _say(f"{found.outcome}: received in the window {found.window}{effect}")
    if found.code is not None:
        _say(f"{found.code}: {found.pointer or 'the event'}: {found.detail}")
    for a in found.attempts:
        again = f": {a.code}" if a.code is not None else ""
        _say(f"attempt {a.no} of {a.by_whom} at {a.at.isoformat(timespec='seconds')}, window {a.window}: before {a.before}, then {a.outcome}{again}")
    if found.transfers:
        rows = [
            (t.line, t.code.replace("_", " "), f"{t.amount:,}", t.unit, t.debit, t.credit, t.mechanic, t.lot, ", ".join(map(str, t.counts_in)))
            for t in found.transfers
        ]
        columns = ("row", "code", "amount", "unit", "debited", "credited", "mechanic", "lot", "lines")
        print_table(columns, rows, title="Journal", right=("row", "amount"))
    if found.counted_in:
        lines = [(c.day, c.line, c.name, c.debtor, c.creditor, f"{c.quantity:,}", c.unit) for c in found.counted_in]
        print_table(("window", "line", "kind", "debtor", "creditor", "quantity", "unit"), lines, title="Counts in", right=("line", "quantity"))
    elif found.outcome == "accepted":
        _say(f"it counts in no obligation line{'' if found.transfers else ': it moved nothing'}, or the window {found.booked} is not cleared yet")
    equations(found.equations)
    _say("the event as it came:" if found.original is not None else "the event itself is not kept")
    if found.original is not None:
        out.print(_pretty(found.original), markup=False, highlight=False, soft_wrap=True)


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def member(found: MemberExplained, page: int, limit: int) -> None:
    """A member's points, the lots they lie in, and a page of what moved them."""
    state = "has left" if found.closed else found.kind
    _say(f"member {found.id} ({state}), cards {', '.join(found.cards) or 'none'}, last activity {found.last_activity or 'never'}", style="bold")
    _say(f"available {found.available:,}, pending {found.pending:,}, held {found.held:,}, owed {found.owed:,}")
    if found.lots:
        print_table(
            ("sponsor", "contract", "lot", "points"), [(x.sponsor, x.contract, x.lot, f"{x.points:,}") for x in found.lots], title="Lots", right=("points",)
        )
    rows = [
        (c.day, c.event or c.what, c.type, *(f"{moved:+,}" if moved else "" for moved in (c.available, c.pending, c.held, c.owed)), f"{c.after[0]:,}")
        for c in found.changes
    ]
    columns = ("window", "event", "type", "available", "pending", "held", "owed", "available then")
    title = f"Entries {found.first + 1:,} to {found.first + len(rows):,} of {found.of:,}" if rows else f"No entries on page {page} of {found.of:,}"
    print_table(columns, rows, title=title, right=columns[3:])
    if found.first + len(rows) < found.of:
        _say(f"next: clh explain member {found.id} --page {page + 1} --limit {limit}")
    equations(found.equations)


def equations(found: Iterable[Equation]) -> None:
    """What has to be the same, and whether it is."""
    for each in found:
        mark, style = ("=", "green") if each.holds else ("≠", "bold red")
        _say(f"{each.parts}: {each.total} {mark} {each.above} ({each.level})", style=style)


def _say(text: str, *, style: str | None = None) -> None:
    out.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
