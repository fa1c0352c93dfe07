"""The programme as the oracle needs it: contracts by day, mechanics as they are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from tests.acceptance.oracle import rules

Written: TypeAlias = dict[str, Any]
"""A part of a YAML or JSON document."""


@dataclass(frozen=True)
class Contract:
    """One version of a party's contract."""

    party: str
    start: date
    end: date | None
    written: Written = field(compare=False)

    @property
    def issuer(self) -> bool:
        """Whether points of this party can be issued under it."""
        return "issuer" in self.written["roles"] and "issue" in self.written

    @property
    def issue_price(self) -> Fraction:
        """What the sponsor pays for a point, in the issue currency's main unit."""
        return Fraction(self.written["issue"]["price"])

    @property
    def issue_currency(self) -> str:
        """The currency that its points are owed in."""
        return str(self.written["issue"]["currency"])

    def share(self, name: str, default: str) -> Fraction:
        """`due_at_issue` or `unused_points_share`."""
        return Fraction(self.written.get(name, default))

    def fees(self, kind: str) -> list[Written]:
        """Its fees of one kind."""
        return [fee for fee in self.written.get("fees", []) if fee["kind"] == kind]


@dataclass(frozen=True)
class Programme:
    """A programme file."""

    head: Written
    parties: tuple[str, ...]
    contracts: tuple[Contract, ...]
    mechanics: tuple[Written, ...]
    zone: ZoneInfo
    by_party: dict[str, list[Contract]] = field(default_factory=dict)

    @property
    def operator(self) -> str:
        """The operator's party id."""
        return str(self.head["operator"]["party"])

    @property
    def model(self) -> str:
        """independent, anchor or hybrid."""
        return str(self.head["operator"]["model"])

    @property
    def currency(self) -> str:
        """The programme's first currency."""
        return str(self.head["currencies"][0])

    def contract(self, party: str, day: date) -> Contract | None:
        """Rule 1: of that party, the latest `from` up to the day, if its `to` has not passed."""
        begun = [one for one in self.by_party.get(party, []) if one.start <= day]
        latest = max(begun, key=lambda one: one.start, default=None)
        return latest if latest is not None and (latest.end is None or day <= latest.end) else None

    def due(self, contract: Contract) -> Fraction:
        """The share of the issue price that is due at issue."""
        if self.model == "independent":
            return Fraction(1)
        return Fraction(0) if self.model == "anchor" else contract.share("due_at_issue", "0")

    def shares(self, mechanic: Written, sender: str) -> list[tuple[str, Fraction]]:
        """Rule 6: who funds a mechanic on an event of a sender; a party that is named twice has its shares added."""
        parts: dict[str, Fraction] = {}
        for part in mechanic.get("funding") or [{"party": "purchase_partner", "share": "1"}]:
            party = sender if part["party"] == "purchase_partner" else part["party"]
            parts[party] = parts.get(party, Fraction(0)) + Fraction(part["share"])
        return list(parts.items())


def day_of(written: Any) -> date:
    """A date, whether YAML has read it already or not."""
    return written if isinstance(written, date) else date.fromisoformat(written)


def read(document: Written) -> Programme:
    """A programme from its YAML document."""
    contracts = tuple(Contract(one["party"], day_of(one["from"]), day_of(one["to"]) if one.get("to") else None, one) for one in document["contracts"])
    by_party: dict[str, list[Contract]] = {}
    for one in contracts:
        by_party.setdefault(one.party, []).append(one)
    head = {"accepts_events_up_to_days": 60, "claim_days": 30, **document["programme"]}
    parties = tuple(party["id"] for party in document["parties"])
    mechanics = tuple(_in_currency(one, head["currencies"][0]) for one in document["mechanics"])
    return Programme(head, parties, contracts, mechanics, ZoneInfo(head["timezone"]), by_party)


def _in_currency(mechanic: Written, currency: str) -> Written:
    """The sum that a stamp is given for is one in the programme's first currency."""
    each = mechanic.get("stamp_for")
    return {**mechanic, "stamp_for": {**each, "currency": currency}} if isinstance(each, dict) else mechanic


def expiry(rule: Written, day: date) -> date | None:
    """Rule 8 for points of an event date; for `inactivity` the day counts as the last activity. None: never."""
    if rule["kind"] in ("rolling", "inactivity"):
        return rules.month_end(day, int(rule["months"]))
    return rules.fixed_day(day, int(rule["month"]), int(rule["day"])) if rule["kind"] == "fixed" else None
