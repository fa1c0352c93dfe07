"""A coalition whose events are booked at once, in memory, and whose answers can be read as short texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from clearing.entries import Code
from clearing.events import Decision, Effect
from clearing.lines import Obligation
from clearing.member import Member
from clearing.night import run_night
from clearing.plan import Plan
from clearing.postings import Transfer
from schemas.ids import MemberId
from schemas.programme import ProgrammeFile
from tests.contract.fakes import MemoryBooks
from tests.short import MONDAY, Json, enrol, value_of
from tests.unit.clearing.coalition import FIRST, contract, text

Entry = Mapping[str, Any]

BOTH = tuple(contract(party, "0.0100", "0.0085") for party in ("grocer", "fuelco", "baker", "dairyco"))
"""Everybody issues at 0.0100 and redeems at 0.0085."""

BASE: Entry = {"id": "base", "kind": "points_on_spend", "points": 1, "per": {"amount": "1.00", "currency": "EUR"}}
"""One point for each whole euro."""


def mechanic(kind: str, id_: str, **terms: Any) -> Json:
    """An entry of a programme file; `for_` stands for `for`."""
    told = {("for" if name == "for_" else name): value for name, value in terms.items()}
    return {"id": id_, "kind": kind, "from": FIRST, **told}


def coalition(*mechanics: Entry, contracts: tuple[Json, ...] = BOTH, model: str = "independent", **terms: Any) -> ProgrammeFile:
    """A programme file with these mechanics; opco operates, the others sell, bank1 and bank2 are banks. `terms` are the programme's own."""
    parties = ("opco", "grocer", "fuelco", "baker", "dairyco", "bank1", "bank2")
    kinds = {"opco": "operator", "bank1": "bank", "bank2": "bank"}
    return ProgrammeFile.model_validate(
        {
            "programme": {
                "id": "harvest",
                "name": "Harvest Club",
                "operator": {"party": "opco", "model": model},
                "timezone": "Europe/Berlin",
                "cutoff": "02:00",
                "currencies": ["EUR", "CZK"],
                "points": {"code": "HVP", "name": "Harvest point"},
                "expiry": {"kind": "never"},
                "spent_points_on_return": "negative_balance",
                "netting": "multilateral",
                **terms,
            },
            "parties": [{"id": party, "kind": kinds.get(party, "merchant"), "name": party.title()} for party in parties],
            "contracts": list(contracts),
            "mechanics": [{"from": FIRST, **one} for one in mechanics],
        }
    )


class Till:
    """Books events one by one; m1 has the card c1. `day` is the window that is open."""

    def __init__(self, *mechanics: Entry, contracts: tuple[Json, ...] = BOTH, model: str = "independent", day: date = MONDAY, **terms: Any) -> None:
        self.file = coalition(*mechanics, contracts=contracts, model=model, **terms)
        self.books = MemoryBooks(Plan(self.file), day)
        self.day = day
        self.marked = 0
        self.books.enrol("m1", "c1")

    def enrol(self, member: str, *cards: str, kind: str = "consumer", **attributes: Any) -> Member:
        """A member who was there before."""
        return self.books.enrol(member, *cards, kind=kind, attributes=attributes)

    def send(self, *events: Json) -> list[str]:
        """Books events as one batch; returns what was answered to each decision, in order."""
        for event in events:
            self.books.append(value_of(event))
        return [answer(decision) for decision in self.books.book()]

    def one(self, event: Json) -> Decision:
        """Books one event and returns the decision on it."""
        self.books.append(value_of(event))
        return self.books.book()[0]

    def night(self, until: date | None = None) -> None:
        """Closes the window, and with `until` every window up to and including that day's."""
        while True:
            run_night(self.day, self.file, self.books)
            closed = self.day
            self.day = min(day for day, window in self.books.windows.items() if not window.booked)
            if until is None or closed >= until:
                return

    def member(self, name: str = "m1") -> Member:
        """The state of a member."""
        return self.books.facts.by_id[MemberId(name)]

    def balance(self, name: str = "m1") -> tuple[int, int]:
        """Available points less what is owed, and pending points."""
        member = self.member(name)
        assert member.available == sum(lot.points for key, lot in (member.lots or {}).items() if key.release_on is None)
        assert member.pending == sum(lot.points for key, lot in (member.lots or {}).items() if key.release_on is not None)
        return member.spendable, member.pending

    def lots(self, name: str = "m1") -> list[str]:
        """Lots that are not empty: `points sponsor[ until day][ earned day][ from day]`; plain days are left out."""
        return [
            f"{lot.points} {key.sponsor}"
            + (f" until {key.expiry}" if key.expiry.year < 9000 else "")
            + (f" earned {key.earned}" if key.earned != MONDAY else "")
            + (f" from {key.release_on}" if key.release_on else "")
            for key, lot in (self.member(name).lots or {}).items()
            if lot.points
        ]

    def debts(self, name: str = "m1") -> list[str]:
        """What a member owes, oldest first, as `points bearer`."""
        return [f"{debt.points} {debt.bearer}" for debt in self.member(name).debts]

    def used(self, name: str = "m1") -> dict[str, int]:
        """What a member has used of limits, by their periods ("" for ever)."""
        return {key.rpartition(":")[2]: value for key, value in self.member(name).used.items()}

    def mark(self) -> None:
        """From here on, `journal` and `rows` show what comes."""
        self.marked = len(self.books.journal)

    def rows(self) -> list[Transfer]:
        """The journal's rows since the mark."""
        return [transfer for _, transfer in self.books.journal[self.marked :]]

    def journal(self) -> list[str]:
        """The same as `code amount[ unit] sponsor[>counterparty][ by mechanic]`."""
        return [
            f"{Code(what.code).name.lower()} {t.amount}{'' if what.unit == 'points' else ' ' + what.unit} {what.sponsor}"
            + (f">{what.counterparty}" if what.counterparty else "")
            + (f" by {what.mechanic}" if what.mechanic else "")
            for t in self.rows()
            for what in [t.what]
        ]

    def lines(self, day: date) -> list[str]:
        """The obligation lines of a window that is netted, each as text."""
        obligations: tuple[Obligation, ...] = self.books.runs[day].obligations
        return [text(one) for one in obligations]


def answer(decision: Decision) -> str:
    """`accepted: effect, effect`, `held`, `waiting`, or `code pointer`."""
    if decision.code is not None:
        return f"{decision.code} {decision.pointer}"
    effects = ", ".join(map(effect, decision.effects))
    return f"{decision.outcome}: {effects}" if effects else str(decision.outcome)


def effect(one: Effect) -> str:
    """`mechanic kind[ gift] value[ currency][ sponsor]`."""
    gift = f" {one.gift}" if one.gift else ""
    return f"{one.mechanic or '-'} {one.kind}{gift} {one.value}" + (f" {one.currency}" if one.currency else "") + (f" {one.sponsor}" if one.sponsor else "")


__all__ = ["BASE", "BOTH", "Till", "answer", "coalition", "contract", "enrol", "mechanic"]
