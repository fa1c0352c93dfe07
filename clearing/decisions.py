"""What two people decide about a break, and what it costs whom. Pure: rows and rules are handed in, what was signed too.

The one who proposes signs `Decision.document()`, and so does the one who decides, each with a key of their own; the second document names the first one's
hash. A decision binds the break, both rows as they are, both figures, and every amount that it books.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum, unique
from fractions import Fraction
from hashlib import sha256
from typing import Final

from clearing.matching import Move
from clearing.plan import Funding, Plan, funding_of
from clearing.purchases import split
from clearing.rounding import half_even
from schemas.card_files import EventType, RewardKind
from schemas.ids import PartyId
from schemas.mechanics.cards import CashBack, RoundUp
from schemas.money import currency_places

DOMAIN: Final = b"clh reconciliation signature v1\n"
"""Stands before what is signed, so that no signature made for anything else can be taken for one of these."""


@unique
class Says(StrEnum):
    """What a person says with a signature."""

    PROPOSE = "propose"
    DECIDE = "decide"


@dataclass(frozen=True, slots=True)
class Charge:
    """An amount that one party owes another by a decision, above zero, in minor units."""

    debtor: str
    creditor: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What a decision is about: units of both sides, of which reward, under which rule, on which business day."""

    bank: PartyId
    day: date
    event_type: str
    kind: str
    unit: str
    rule: str
    programme_units: int
    bank_units: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person signs about a break. `ours`, `theirs`: SHA-256 of the rows' content; `proposal`: of a decision, that of the document it agrees to."""

    programme: str
    no: int
    turn: int
    says: Says
    decision: Move
    person: str
    note: str
    at: datetime
    code: str
    programme_units: int
    bank_units: int
    unit: str
    ours: str | None
    theirs: str | None
    counterpart: int | None
    charges: tuple[Charge, ...]
    proposal: str | None = None

    def document(self) -> str:
        """JSON with sorted keys and without spaces, the moment in UTC."""
        told = {
            "action": self.says.value, "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"), "bank_units": self.bank_units, "break": self.no,
            "charges": [[one.debtor, one.creditor, one.currency, one.amount_minor] for one in self.charges], "code": self.code,
            "counterpart": self.counterpart, "decision": self.decision.value, "note": self.note, "ours": self.ours, "person": self.person,
            "programme": self.programme, "programme_units": self.programme_units, "proposal": self.proposal, "theirs": self.theirs, "turn": self.turn,
            "unit": self.unit,
        }  # fmt: skip
        return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    def signed(self) -> bytes:
        """The bytes that are signed."""
        return signed_bytes(self.document())


def signed_bytes(document: str) -> bytes:
    """The bytes that are signed of a document."""
    return DOMAIN + document.encode()


def digest(document: str) -> str:
    """The hash by which a decision names what it agrees to."""
    return sha256(document.encode()).hexdigest()


def charges(plan: Plan, found: Difference, decision: Move) -> tuple[Charge, ...]:
    """What has to be booked so that the house follows the bank's figure.

    Cash-back: the funders owe the payer what the bank has more, or get back what it has less, in the rule's shares. Points: what the bank funds of them, at
    its issue price, between it and the operator. What is written off or matched by force is the operator's: it stands in for all funders; a creation is
    theirs. What a card holder has saved, and what the bank funds itself, moves between no two parties.
    """
    units = found.bank_units - found.programme_units
    funding, payer = _funding(plan, found)
    parts = split(abs(units), funding) if units else []
    if found.kind == RewardKind.POINTS:
        return _points(plan, found, [part for party, part in parts if party == found.bank], more=units > 0)
    if not _is_money(plan, found):
        return ()
    made: dict[PartyId, int] = {}
    for party, amount in parts:
        bearer = party if decision is Move.CREATE else plan.operator
        if payer not in (party, bearer):
            made[bearer] = made.get(bearer, 0) + amount
    return tuple(_charge(bearer, payer, found.unit, amount, more=units > 0) for bearer, amount in made.items())


def still_to_book(wanted: Sequence[Charge], booked: Sequence[Charge]) -> tuple[Charge, ...]:
    """What has to be booked so that `wanted` stands where `booked` stands: nothing that was booked is undone, the difference is booked on top."""
    owed: dict[tuple[str, str, str], int] = {}
    for sign, each in ((1, wanted), (-1, booked)):
        for one in each:
            first, second = sorted((one.debtor, one.creditor))
            key = (first, second, one.currency)
            owed[key] = owed.get(key, 0) + sign * (one.amount_minor if one.debtor == first else -one.amount_minor)
    return tuple(_charge(a, b, currency, abs(amount), more=amount > 0) for (a, b, currency), amount in sorted(owed.items()) if amount)


def _is_money(plan: Plan, found: Difference) -> bool:
    saved = found.kind == RewardKind.ROUNDUP and found.event_type != EventType.MATCH
    return found.unit in plan.currencies and not saved


def _funding(plan: Plan, found: Difference) -> tuple[Funding, PartyId]:
    """Who funds under the rule as it was on the day, and who pays the card holder; the operator and the bank, where the house has no such rule."""
    versions = [entry for entry in plan.file.mechanics if entry.id == found.rule and entry.valid_from <= found.day]
    entry = max(versions, key=lambda one: one.valid_from, default=None)
    if entry is None:
        return ((plan.operator, Fraction(1)),), found.bank
    if isinstance(entry, RoundUp) and entry.match is not None and found.event_type == EventType.MATCH:
        return ((PartyId(entry.match.party), Fraction(1)),), found.bank
    payer = PartyId(entry.payer) if isinstance(entry, CashBack) and entry.payer else found.bank
    return funding_of(entry.funding, found.bank), payer


def _points(plan: Plan, found: Difference, parts: Sequence[int], *, more: bool) -> tuple[Charge, ...]:
    contract = plan.contract(found.bank, found.day)
    if contract is None or contract.issue is None or not parts or found.bank == plan.operator:
        return ()
    price = contract.issue
    due = Fraction(contract.share_due_at_issue(plan.programme.operator.model))
    amount = half_even(sum(parts) * Fraction(price.price) * due * 10 ** currency_places(price.currency))
    return (_charge(found.bank, plan.operator, price.currency, amount, more=more),) if amount else ()


def _charge(bearer: str, creditor: str, currency: str, amount: int, *, more: bool) -> Charge:
    debtor, to = (bearer, creditor) if more else (creditor, bearer)
    return Charge(debtor, to, currency, amount)
