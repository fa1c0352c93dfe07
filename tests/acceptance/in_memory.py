"""A scenario on the books in memory: the policy of `clearing` with no servers, for thousands of random scenarios in the time of a few real ones."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from clearing.events import Decision, Outcome
from clearing.mechanics import build
from clearing.mechanics.stamp_card import StampCard
from clearing.mechanics.visit_pass import VisitPass, visits_left
from clearing.night import run_night
from clearing.plan import Plan
from clearing.ports import Refusal
from schemas.money import to_text
from schemas.programme import ProgrammeFile
from tests.acceptance.oracle.programme import read
from tests.acceptance.oracle.reading import cloud_event, days
from tests.contract.fakes import MemoryBooks

Written = dict[str, Any]
CARD_SUMS = ("cash_back", "round_up")
CHECKS = ("journal_balanced", "positions_sum_to_zero", "recomputed_equal", "every_event_once")


def run(document: Written) -> Written:
    """The report of a scenario whose programme and events stand in it."""
    file, programme = ProgrammeFile.model_validate(document["programme"]), read(document["programme"])
    stretch = list(days(document, programme, None))
    following = dict(zip([day for day, _ in stretch], [day for day, _ in stretch[1:]], strict=False))
    books = MemoryBooks(Plan(file), stretch[0][0], following=following.get)
    for member in document.get("members") or []:
        books.enrol(member["id"], *member["cards"], kind=member.get("kind", "consumer"), attributes=member.get("attributes") or {})
    refused: list[str] = []
    for day, events in stretch:
        for event in events:
            books.append(json.dumps(cloud_event(event)).encode())
        try:
            run_night(day, file, books)
        except Refusal as refusal:
            refused += [check.name for check in refusal.failed]
    checks = {name: name not in refused for name in CHECKS} | dict.fromkeys(refused, False)
    return {"scenario": document["scenario"], "checks": checks} | _events(books) | _members(books, file) | _clearing(books)


def _events(books: MemoryBooks) -> Written:
    events: Written = {}
    rejected: dict[str, str] = {}
    for history in books.decisions.values():
        _, last = history[-1]
        name = str(last.received.event.id)
        if last.outcome is Outcome.REJECTED:
            assert last.code is not None
            rejected[name] = last.code.value if rejected.get(name) != "id-reused" else "id-reused"
        elif last.outcome is Outcome.HELD:
            events[name] = {"outcome": "held"}
        else:
            effects = [_effect(effect) for _, decision in history for effect in decision.effects]
            events[name] = {"outcome": "accepted", "window": _window(history).isoformat(), "effects": effects}
    return {"events": events, "rejected": rejected}


def _window(history: list[tuple[date, Decision]]) -> date:
    return next(day for day, decision in history if decision.outcome is Outcome.ACCEPTED)


def _effect(effect: Any) -> Written:
    shown: Written = {"mechanic": effect.mechanic, "kind": effect.kind, "sponsor": effect.sponsor}
    if effect.gift is not None:
        shown["gift"] = effect.gift
    if effect.currency is not None:
        return shown | {"amount": to_text(effect.value, effect.currency)}
    return shown | {"points" if effect.kind == "points" else "count": effect.value}


def _members(books: MemoryBooks, file: ProgrammeFile) -> Written:
    entries = file.mechanics
    currency = file.programme.currencies[0]
    compiled = [build(entry, entries[:place], currency) for place, entry in enumerate(entries)]
    cards = {mechanic.id: mechanic for mechanic in compiled if isinstance(mechanic, StampCard)}
    sums = {mechanic.id: {"cash_back": "cash_back", "round_up": "saved"}[mechanic.effect] for mechanic in compiled if mechanic.effect in CARD_SUMS}
    balances: Written = {}
    members: Written = {}
    for member in books.facts.members.values():
        waiting = {"unfunded": member.unfunded} if member.unfunded else {}
        balances[str(member.id)] = {"available": member.available - member.owed, "pending": member.pending - member.unfunded} | waiting
        stamps = {name: left for name, card in cards.items() if (left := card.on_card(member.memory.get(name, {})))}
        shown: Written = {"stamps": stamps} if stamps else {}
        visits = {one.id: left for one in compiled if isinstance(one, VisitPass) if (left := visits_left(member.memory.get(one.id, {}), max(books.runs)))}
        if visits:
            shown["visits"] = visits
        for name, part in sums.items():
            if got := member.memory.get(name, {}).get(currency):
                shown.setdefault(part, {})[name] = to_text(int(got), currency)
        if shown:
            members[str(member.id)] = shown
    return {"balances": balances, "members": members}


def _clearing(books: MemoryBooks) -> Written:
    answer: Written = {"obligations": [], "positions": {}, "payments": [], "carried": {}}
    for day, kept in books.runs.items():
        window = day.isoformat()
        positions: dict[tuple[str, str], int] = {}
        for one in kept.obligations:
            price = None if one.unit_price is None else format(one.unit_price, "f")
            shown: Written = {"window": window, "kind": one.kind.value, "debtor": one.debtor, "creditor": one.creditor, "detail": one.detail}
            shown |= {"currency": one.currency, "quantity": one.quantity, "unit_price": price, "amount": to_text(one.amount_minor, one.currency)}
            answer["obligations"].append(shown | {"events": one.events, "contract": one.contract and one.contract.isoformat()})
            for party, amount in ((one.debtor, -one.amount_minor), (one.creditor, one.amount_minor)):
                positions[one.currency, party] = positions.get((one.currency, party), 0) + amount
        for paid in kept.netting.payments:
            amount_text = to_text(paid.amount_minor, paid.currency)
            answer["payments"].append({"window": window, "currency": paid.currency, "from": paid.payer, "to": paid.payee, "amount": amount_text})
        carried = {(currency, str(party)): one.amount_minor for (currency, party), one in kept.netting.carried.items()}
        for part, amounts in (("positions", positions), ("carried", carried)):
            for (currency, who), amount in amounts.items():
                if amount:
                    answer[part].setdefault(window, {}).setdefault(currency, {})[str(who)] = to_text(amount, currency)
    return answer
