"""A programme file, compiled for booking: which contract and which mechanics apply to a seller on an event date (rule 1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from zoneinfo import ZoneInfo

from clearing.expiry import expiry_of
from clearing.late import decided_at_night
from clearing.limits import Limits, limits_of
from clearing.mechanics import Mechanic, build, by_name, on_cards
from clearing.mechanics.points_on_spend import PointsOnSpend
from clearing.member import LotKey
from clearing.points import accrual
from clearing.postings import Movement
from clearing.terms import Terms
from schemas import mechanics as spec
from schemas.ids import MechanicId, PartyId
from schemas.programme import Contract, ProgrammeFile

Funding = tuple[tuple[PartyId, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One mechanic as it applies to one seller's purchases, or one bank's card transactions, of one event date."""

    mechanic: Mechanic
    entry: spec.Mechanic
    place: int
    """Place in the programme file: the order in which mechanics apply and repay debts."""
    funding: Funding
    """Who funds it, with shares that add up to 1, in the order of the file; a party named twice has its shares added."""
    accruals: Mapping[PartyId, Movement]
    """Of points: what each sponsor gives, and into which lot. A sponsor without an issuing contract on the day gives nothing (rule 6)."""
    limits: Limits | None
    shared: Limits | None
    """Limits and budgets of the whole programme."""
    late: bool
    """What it gives is decided in the night run, in order of receipt: it, or a mechanic that it depends on, is limited for the whole programme."""
    personal: bool
    """Whether it is for some members only."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All that applies to a seller's purchases of one event date, in the order of the file."""

    all: tuple[Rule, ...]
    contract: date | None
    """`from` of the seller's contract version on the day, which sets its fee (rule 21)."""
    bases: Mapping[MechanicId, Mechanic]
    grouped: bool
    personal: bool
    """Some rule asks who the member is."""
    late: bool
    """Some rule is decided in the night run."""
    limited: bool
    """Some rule has limits for each member."""
    gaps: bool
    """Some sponsor of points has no issuing contract, or the seller has no contract at all."""


class Plan:
    """The compiled programme. It holds no state but what it has looked up before."""

    def __init__(self, file: ProgrammeFile) -> None:
        self.file = file
        self.programme = file.programme
        self.zone = ZoneInfo(file.programme.timezone)
        self.operator: PartyId = file.programme.operator.party
        self.anchor = file.programme.operator.model == "anchor"
        self.currencies = frozenset(file.programme.currencies)
        self.parties = {party.id: party for party in file.parties}
        self._contracts: dict[PartyId, list[Contract]] = {}
        for contract in file.contracts:
            self._contracts.setdefault(contract.party, []).append(contract)
        self._in_force: dict[tuple[PartyId, date], Contract | None] = {}
        self._issuing: dict[tuple[PartyId, date], date | None] = {}
        self._rules: dict[tuple[PartyId, date], Rules] = {}
        self._card_rules: dict[tuple[PartyId, date], Rules] = {}
        self._named: dict[tuple[MechanicId, PartyId, date], Rule | None] = {}

    @cached_property
    def limited(self) -> bool:
        """Whether any contract version has a limit."""
        return any(contract.limit is not None for contract in self.file.contracts)

    @cached_property
    def terms(self) -> Terms:
        """The same file as the night reads it."""
        return Terms(self.file)

    @cached_property
    def mechanics(self) -> tuple[tuple[int, spec.Mechanic, Mechanic], ...]:
        """Place, entry and compiled mechanic of every entry of the file."""
        entries = self.file.mechanics
        return tuple((place, entry, build(entry, entries[:place], self.programme.currencies[0])) for place, entry in enumerate(entries))

    @cached_property
    def _late(self) -> frozenset[int]:
        return decided_at_night(self.mechanics)

    def contract(self, party: PartyId, day: date) -> Contract | None:
        """Rule 1: of that party the version with the latest `from` on or before the day, if its `to` has not passed."""
        key = (party, day)
        if key not in self._in_force:
            begun = [contract for contract in self._contracts.get(party, ()) if contract.valid_from <= day]
            latest = max(begun, key=lambda contract: contract.valid_from, default=None)
            ended = latest is not None and latest.valid_to is not None and latest.valid_to < day
            self._in_force[key] = None if ended else latest
        return self._in_force[key]

    def issuing_contract(self, party: PartyId, day: date) -> date | None:
        """`from` of the version under which the party may sponsor points on the day; None where it may not (rule 6)."""
        key = (party, day)
        if key not in self._issuing:
            contract = self.contract(party, day)
            issues = contract is not None and "issuer" in contract.roles and contract.issue is not None
            self._issuing[key] = contract.valid_from if contract is not None and issues else None
        return self._issuing[key]

    def redeeming_contract(self, party: PartyId, day: date) -> date | None:
        """`from` of the version under which the party may take points on the day (rule 11); the anchor model asks no price."""
        contract = self.contract(party, day)
        if contract is None or "redeemer" not in contract.roles:
            return None
        return contract.valid_from if self.anchor or contract.redeem is not None else None

    def rules(self, seller: PartyId, day: date) -> Rules:
        """The mechanics that apply to the seller's purchases of an event date, in the order of the file."""
        key = (seller, day)
        rules = self._rules.get(key)
        if rules is None:
            rules = self._rules[key] = self._compile(seller, day, cards=False)
        return rules

    def card_rules(self, bank: PartyId, day: date) -> Rules:
        """The mechanics that apply to the bank's card transactions of an event date, in the order of the file."""
        key = (bank, day)
        rules = self._card_rules.get(key)
        if rules is None:
            rules = self._card_rules[key] = self._compile(bank, day, cards=True)
        return rules

    def named(self, name: MechanicId, seller: PartyId, day: date) -> Rule | None:
        """The privilege or pass of that name, in its version of the day, with `seller` in the place of `purchase_partner`; None where there is none."""
        key = (name, seller, day)
        if key not in self._named:
            begun = [one for one in self.mechanics if one[1].id == name and by_name(one[1]) and one[1].valid_from <= day]
            latest = max(begun, key=lambda one: one[1].valid_from) if begun else None
            in_force = latest is not None and (latest[1].valid_to is None or day <= latest[1].valid_to)
            self._named[key] = self._rule(*latest, seller, day) if latest is not None and in_force else None
        return self._named[key]

    def _compile(self, seller: PartyId, day: date, *, cards: bool) -> Rules:
        latest: dict[MechanicId, date] = {}
        for _, entry, _ in self.mechanics:
            if entry.valid_from <= day:
                latest[entry.id] = max(latest.get(entry.id, entry.valid_from), entry.valid_from)
        rules = tuple(
            self._rule(place, entry, mechanic, seller, day)
            for place, entry, mechanic in self.mechanics
            if latest.get(entry.id) == entry.valid_from and (entry.valid_to is None or day <= entry.valid_to) and applies_to(entry, seller, cards=cards)
        )
        contract = self.contract(seller, day)
        return Rules(
            rules,
            contract.valid_from if contract else None,
            {rule.mechanic.id: rule.mechanic for rule in rules if isinstance(rule.mechanic, PointsOnSpend)},
            any(rule.entry.group for rule in rules),
            any(rule.personal for rule in rules),
            any(rule.late for rule in rules),
            any(rule.limits is not None for rule in rules),
            contract is None or any(party not in rule.accruals for rule in rules if rule.mechanic.effect == "points" for party, _ in rule.funding),
        )

    def _rule(self, place: int, entry: spec.Mechanic, mechanic: Mechanic, seller: PartyId, day: date) -> Rule:
        pending_days = self.programme.pending_days if entry.pending_days is None else entry.pending_days
        expiry = expiry_of(entry.expiry or self.programme.expiry, day)
        release_on = day + timedelta(days=pending_days) if pending_days else None
        funding = funding_of(entry.funding, seller)
        contracts = {party: self.issuing_contract(party, day) for party, _ in funding}
        lots = {party: LotKey(party, contract, expiry, day, release_on) for party, contract in contracts.items() if contract is not None}
        return Rule(
            mechanic,
            entry,
            place,
            funding,
            {party: accrual(mechanic.id, lot) for party, lot in lots.items()},
            limits_of(entry, "member", self.programme.currencies[0]),
            limits_of(entry, "programme", self.programme.currencies[0]),
            place in self._late,
            entry.audience != spec.Audience(),
        )


def applies_to(entry: spec.Mechanic, sender: PartyId, *, cards: bool = False) -> bool:
    """Whether it is for the sender's purchases, or with `cards` its card transactions; an entry that names no sender is for all of them."""
    if on_cards(entry) is not cards or by_name(entry):
        return False
    return sender in (entry.banks or entry.partners or (sender,))


def funding_of(shares: Sequence[spec.FundingShare] | None, seller: PartyId) -> Funding:
    """Rule 6: who funds what the mechanic gives; the default is the sender of the purchase."""
    if not shares:
        return ((seller, Fraction(1)),)
    added: dict[PartyId, Fraction] = {}
    for share in shares:
        party = seller if share.party == "purchase_partner" else PartyId(share.party)
        added[party] = added.get(party, Fraction(0)) + Fraction(share.share)
    return tuple((party, share) for party, share in added.items() if share)
