"""Explanations as tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date

from services.cli.output import print_table, say
from services.explain.equations import Equation, money
from services.explain.event import EventExplained
from services.explain.member import MemberExplained
from services.explain.obligation import EventPart, ObligationExplained
from services.explain.position import Position
from services.report.words import amount_in_words, code_in_words, in_unit, in_words


def positions(party: str, day: date, found: Sequence[Position], chosen: str) -> None:
    """A party's positions in all currencies. `chosen` names the programme in suggested commands where it has to be named."""
    if not found:
        say(f"{party} has no obligation line in the window {day}.")
    for each in found:
        currency = each.currency
        rows = [
            (
                line.line,
                in_words(line.kind, line.detail),
                line.other,
                amount_in_words(line.amount_minor, currency),
                amount_in_words(line.running_minor, currency),
            )
            for line in each.lines
        ]
        print_table(
            ("line", "kind", "with", currency, "sum so far"),
            rows,
            title=f"{party}, window {each.day}: net position {amount_in_words(each.net_minor, currency)} {currency}",
            right=("line", currency, "sum so far"),
        )
        settled = {"carried to it": each.carried_in_minor, "paid": each.paid_minor, "carried on": each.carried_out_minor}
        if each.paid_before_minor:
            settled = {"paid before the default": each.paid_before_minor, **settled}
        say("; ".join(f"{what}: {amount_in_words(amount, currency)} {currency}" for what, amount in settled.items()))
        if each.carried_from:
            _carried(each)
        equations(each.equations)
        if each.lines:
            say(f"next: clh explain obligation {each.day} {each.lines[0].line}{chosen}")
        if each.carried_from:
            last = each.carried_from[-1]
            say(f"next: clh explain position {last.party} {last.day}{chosen}")


def _carried(each: Position) -> None:
    """From which nights, or for which parties, it was carried in."""
    currency, last = each.currency, each.carried_from[-1]
    amounts = [amount_in_words(part.amount_minor, currency) for part in each.carried_from]
    if last.party == each.party:
        rows: list[tuple[object, ...]] = [(part.day, amount) for part, amount in zip(each.carried_from, amounts, strict=True)]
        print_table(("night", currency), rows, title=f"Carried to it: positions that wait since {last.since}", right=(currency,))
        return
    rows = [(part.party, part.since, amount) for part, amount in zip(each.carried_from, amounts, strict=True)]
    title = f"Carried to it: the other side of what waited after the window {last.day}"
    print_table(("party that waits", "since", currency), rows, title=title, right=(currency,))


def obligation(found: ObligationExplained, page: int, limit: int, chosen: str) -> None:
    """A line, what it rests on, and a page of its events."""
    line = found.line
    amount = f"{amount_in_words(line.amount_minor, line.currency)} {line.currency}"
    say(f"window {line.day}, line {line.line}: {line.name}: {line.debtor} owes {line.creditor} {amount}", style="bold")
    say(found.formula)
    for name, clause in found.also.items():
        say(f"{in_words('fee', name) if '_' in name else name}: {clause}")
    if found.totals:
        rows = [
            (t.no, code_in_words(t.code), t.sponsor, t.contract, t.counterparty, t.counter_contract, in_unit(t.quantity, t.unit), t.unit, f"{t.events:,}")
            for t in found.totals
        ]
        titles = ("total", "what", "sponsor", "contract", "counterparty", "its contract", "quantity", "unit", "events")
        print_table(titles, rows, title="Totals", right=("total", "quantity", "events"))
    if found.bases:
        rows_of_bases = [(base.day, base.line, base.name, base.debtor, base.creditor, base.of, base.counts) for base in found.bases]
        print_table(("window", "line", "kind", "who owes", "to whom", "amount", "counts"), rows_of_bases, title="Rests on", right=("line", "amount", "counts"))
    if found.page is not None:
        _events(found, page, limit, chosen)
    equations(found.equations)


def _no_page(page: int, limit: int, of: int) -> str:
    """Where somebody has turned too far."""
    pages = max(1, -(-of // limit))
    return f"Nothing here: page {page} of {pages}"


def _events(found: ObligationExplained, page: int, limit: int, chosen: str) -> None:
    """A page of the shares that events have in the line: an event under two totals has two."""
    assert found.page is not None
    shown = found.page.events
    unit = {total.no: total.unit for total in found.totals}
    rows = [(e.total, *_what(e), e.member, in_unit(e.quantity, unit[e.total])) for e in shown]
    first, last = found.page.first + 1, found.page.first + len(shown)
    events = found.line.events if found.line.events is not None else found.page.of
    of = f"{found.page.of:,}" if events == found.page.of else f"{found.page.of:,} shares of {events:,} {'event' if events == 1 else 'events'}"
    title = f"{'Events' if events == found.page.of else 'Shares'} {first:,} to {last:,} of {of}" if shown else _no_page(page, limit, found.page.of)
    print_table(("total", "event", "type", "received", "record", "member", "quantity"), rows, title=title, right=("total", "quantity"))
    of_line = found.totals[0].unit
    on_page = in_unit(sum(e.quantity for e in shown), of_line)
    say(f"quantity on this page: {on_page}; of all {'events' if events == found.page.of else 'shares'}: {in_unit(found.page.quantity, of_line)} {of_line}")
    if not found.page.last:
        say(f"next: clh explain obligation {found.line.day} {found.line.line} --page {page + 1} --limit {limit}{chosen}")
    named = next((e for e in shown if e.id is not None), None)
    if named is not None:
        say(f"next: clh explain event {named.id} --source {named.source}{chosen}")


def _what(event: EventPart) -> tuple[str, str | None, str, str]:
    if event.night is not None:
        return f"night {event.night}", None, "", ""
    received = event.received_at.isoformat(timespec="seconds") if event.received_at is not None else ""
    return f"{event.source} {event.id}", event.type, received, f"{event.topic}/{event.partition}/{event.offset}"


def events(found: Iterable[EventExplained], chosen: str = "") -> None:
    """Several records."""
    for each in found:
        event(each, chosen)


def event(found: EventExplained, chosen: str = "") -> None:
    """A record, its entry, its rows of the journal, the lines it counts in, and the event as it came."""
    say(f"{found.topic}, partition {found.partition}, offset {found.offset}, received {found.received_at.isoformat()}", style="bold")
    name = f"{found.source} {found.id}: {found.type}" if found.id is not None else "not readable as an event"
    say(name + (f" of {found.event_day}" if found.event_day is not None else "") + (f", member {found.member}" if found.member is not None else ""))
    effect = f", took effect in the window {found.booked}" if found.booked is not None else ""
    say(f"{found.outcome}: received in the window {found.window}{effect}")
    if found.claim_until is not None:
        say(f"held, since nobody has enrolled the card {found.card}: it can be claimed until {found.claim_until}, after that it is refused (claim-expired)")
    if found.code is not None:
        say(f"{found.code}: {found.pointer or 'the event'}: {found.detail}")
    for a in found.attempts:
        again = f": {a.code}" if a.code is not None else ""
        say(f"attempt {a.no} of {a.by_whom} at {a.at.isoformat(timespec='seconds')}, window {a.window}: before {a.before}, then {a.outcome}{again}")
    for working in found.workings:
        say(f"{working.mechanic}: {working.formula}: {working.given}" + (f" of {working.worth}; {working.why_less}" if working.why_less else ""))
        if working.shares:
            say(f"  borne by {', '.join(working.shares)}")
    if found.transfers:
        rows = [
            (t.line, code_in_words(t.code), in_unit(t.amount, t.unit), t.unit, t.debit, t.credit, t.mechanic, t.lot, ", ".join(map(str, t.counts_in)))
            for t in found.transfers
        ]
        columns = ("row", "what", "amount", "unit", "debited", "credited", "mechanic", "lot", "lines")
        print_table(columns, rows, title="Journal", right=("row", "amount"))
    if found.counted_in:
        lines = [(c.day, c.line, c.name, c.debtor, c.creditor, in_unit(c.quantity, c.unit), c.unit) for c in found.counted_in]
        print_table(("window", "line", "kind", "who owes", "to whom", "quantity", "unit"), lines, title="Counts in", right=("line", "quantity"))
    elif found.outcome == "accepted":
        say(f"it counts in no obligation line{'' if found.transfers else ': it moved nothing'}, or the window {found.booked} is not cleared yet")
    equations(found.equations)
    if found.counted_in:
        say(f"next: clh explain obligation {found.counted_in[0].day} {found.counted_in[0].line}{chosen}")
    gone = ""
    if found.erased:
        gone = f", without what an erasure took out: {', '.join(found.erased)} stands for who was erased; what described the person is left out"
    say(f"the event as it came{gone}:" if found.original is not None else f"the event itself is not kept{gone}")
    if found.original is not None:
        say(_pretty(found.original), whole=True)


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def member(found: MemberExplained, page: int, limit: int, chosen: str) -> None:
    """A member's points, the lots they lie in, and a page of what moved them."""
    state = "has left" if found.closed else found.kind
    say(f"member {found.id} ({state}), cards {', '.join(found.cards) or 'none'}, last activity {found.last_activity or 'never'}", style="bold")
    say(f"available {found.available:,}, pending {found.pending:,}, held {found.held:,}, owed {found.owed:,}")
    if found.lots:
        print_table(
            ("sponsor", "contract", "lot", "points"), [(x.sponsor, x.contract, x.lot, f"{x.points:,}") for x in found.lots], title="Lots", right=("points",)
        )
    if found.got:
        rows_got = [(x.mechanic, money(x.amount_minor, x.currency), f"{x.events:,}") for x in found.got]
        print_table(("mechanic", "so far", "events"), rows_got, title="Cash-back and savings", right=("so far", "events"))
    rows = [
        (c.day, c.event or c.what, c.type, *(f"{moved:+,}" if moved else "" for moved in (c.available, c.pending, c.held, c.owed)), f"{c.after[0]:,}")
        for c in found.changes
    ]
    columns = ("window", "event", "type", "available", "pending", "held", "owed", "available then")
    title = f"Entries {found.first + 1:,} to {found.first + len(rows):,} of {found.of:,}" if rows else _no_page(page, limit, found.of)
    print_table(columns, rows, title=title, right=columns[3:])
    if found.first + len(rows) < found.of:
        say(f"next: clh explain member {found.id} --page {page + 1} --limit {limit}{chosen}")
    equations(found.equations)


def equations(found: Iterable[Equation]) -> None:
    """What has to be the same, and whether it is."""
    for each in found:
        mark, style = ("=", "green") if each.holds else ("≠", "bold red")
        say(f"{each.parts}: {each.total} {mark} {each.above} ({each.level})", style=style)
