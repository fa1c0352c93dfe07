"""What a scenario brought about, read from its books in the form of the report (scenario.md)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import psycopg

from clearing.mechanics import Mechanic, build
from clearing.mechanics.base import Memory
from clearing.mechanics.stamp_card import StampCard
from clearing.mechanics.visit_pass import VisitPass, visits_left
from clearing.ports import Refusal
from schemas.events.answers import RejectionCode
from schemas.ids import MechanicId
from schemas.money import to_text
from schemas.programme import ProgrammeFile

SUMS_SHOWN = {"cash_back": "cash_back", "round_up": "saved"}
"""By effect, the part of the report that shows how much of it a member got so far."""
COUNTED = ("stamps", "visits")
CHECKS = ("journal_balanced", "positions_sum_to_zero", "recomputed_equal", "every_event_once")

ENTRIES = "select id, outcome, booked, code, answer, body from entry order by received_at, record"
BALANCES = "select id, available - owed, pending, state from member order by id"
LINES = "select day, kind, debtor, creditor, detail, currency, quantity, unit_price, amount, events, contract from obligation order by day, line"
RUNS = "select distinct on (day) day, report from run order by day, no desc"


def outcome_of(connection: psycopg.Connection, file: ProgrammeFile, name: str, refused: Sequence[Refusal]) -> dict[str, Any]:
    """The whole report, but for the comparison with what was expected."""
    events, rejected = _events(connection)
    runs = connection.execute(RUNS).fetchall()
    reports = [json.loads(report) for _, report in runs]
    balances, members = _members(connection, file, max((day for day, _ in runs), default=date.min))
    failed = {check.name for refusal in refused for check in refusal.failed}
    return {
        "scenario": name,
        "balances": balances,
        "events": events,
        "rejected": rejected,
        "obligations": [_line(row) for row in connection.execute(LINES)],
        "positions": _by_window(reports, "positions", "net_minor"),
        "payments": [
            {"window": report["window"], "currency": p["currency"], "from": p["from"], "to": p["to"], "amount": to_text(p["amount_minor"], p["currency"])}
            for report in reports
            for p in report["payments"]
        ],
        "carried": _by_window(reports, "carried", "amount_minor"),
        "members": members,
        "checks": {check: check not in failed for check in CHECKS} | dict.fromkeys(sorted(failed - set(CHECKS)), False),
    }


def _events(connection: psycopg.Connection) -> tuple[dict[str, Any], dict[str, str]]:
    events: dict[str, Any] = {}
    rejected: dict[str, str] = {}
    for event_id, outcome, booked, code, answer, body in connection.execute(ENTRIES):
        if outcome == "rejected":
            shown = event_id if event_id is not None else _id_in(body)
            if shown is not None and rejected.get(shown) != RejectionCode.ID_REUSED:  # it stays, whatever the first event with that id was refused for
                rejected[shown] = code
            continue
        event: dict[str, Any] = {"outcome": outcome}
        if booked is not None:
            event["window"] = booked.isoformat()
        event["effects"] = [_effect(effect) for effect in json.loads(answer).get("effects", ())]
        events[event_id] = event
    return events, rejected


def _id_in(body: str | None) -> str | None:
    """The id that a record without a proven one names, as far as it can be read. Half a character, which is no text, stays the escape that it was."""
    try:
        named = json.loads(body or "null")
    except (ValueError, RecursionError):
        return None
    found = named.get("id") if isinstance(named, dict) else None
    return found.encode("utf-8", "backslashreplace").decode() if isinstance(found, str) else None


def _effect(effect: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {name: effect[name] for name in ("mechanic", "kind", "points", "count", "tier", "gift", "sponsor") if name in effect}
    if "amount_minor" in effect:
        shown["amount"] = to_text(effect["amount_minor"], effect["currency"])
    return shown


def _members(connection: psycopg.Connection, file: ProgrammeFile, day: date) -> tuple[dict[str, Any], dict[str, Any]]:
    entries, currency = file.mechanics, file.programme.currencies[0]
    compiled = [build(entry, entries[:place], currency) for place, entry in enumerate(entries)]
    balances: dict[str, Any] = {}
    members: dict[str, Any] = {}
    for member, available, pending, state in connection.execute(BALANCES):
        kept = json.loads(state)
        unfunded = kept.get("unfunded", 0)
        balances[member] = {"available": available, "pending": pending - unfunded} | ({"unfunded": unfunded} if unfunded else {})
        memory = kept.get("memory", {})
        shown = shown_of(compiled, memory, currency, day)
        if shown:
            members[member] = shown
    return balances, members


def shown_of(compiled: Iterable[Mechanic], memory: Mapping[MechanicId, Memory], currency: str, day: date) -> dict[str, Any]:
    """What a member has beside points after the window of `day`, by mechanic: stamps on the card now, cash-back and savings so far, visits left on passes.

    Sums are in the programme's first currency.
    """
    shown: dict[str, Any] = {}
    for mechanic in compiled:
        kept = memory.get(mechanic.id, {})
        if isinstance(mechanic, StampCard):
            part, has = "stamps", mechanic.on_card(kept)
        elif isinstance(mechanic, VisitPass):
            part, has = "visits", visits_left(kept, day)
        elif mechanic.effect in SUMS_SHOWN:
            part, has = SUMS_SHOWN[mechanic.effect], int(kept.get(currency, 0))
        else:
            continue
        if has:
            shown.setdefault(part, {})[mechanic.id] = has if part in COUNTED else to_text(has, currency)
    return shown


def _line(row: Sequence[Any]) -> dict[str, Any]:
    day, kind, debtor, creditor, detail, currency, quantity, unit_price, amount, events, contract = row
    return {
        "window": day.isoformat(),
        "kind": kind,
        "debtor": debtor,
        "creditor": creditor,
        "detail": detail,
        "currency": currency,
        "quantity": quantity,
        "unit_price": None if unit_price is None else format(unit_price, "f"),
        "amount": to_text(amount, currency),
        "events": events,
        "contract": contract.isoformat() if contract is not None else None,
    }


def _by_window(reports: Iterable[dict[str, Any]], part: str, amount: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for report in reports:
        for entry in report[part]:
            if entry[amount]:
                of_currency = found.setdefault(report["window"], {}).setdefault(entry["currency"], {})
                of_currency[entry["party"]] = to_text(entry[amount], entry["currency"])
    return found
