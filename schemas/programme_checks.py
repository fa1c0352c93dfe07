"""What must hold between the parts of a programme file, as a list of small checks.

Each check yields the place, as a path of keys and positions, and one sentence. All are run, so that the
author of a file sees everything at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from schemas.ids import PURCHASE_PARTNER
from schemas.mechanics import CashBack, Multiplier, Offer, PointsOnSpend, Privilege, RoundUp
from schemas.money import MoneyError, to_minor
from schemas.programme_sums import currencies_named, sums_named

if TYPE_CHECKING:
    from schemas.programme import ProgrammeFile

Place = tuple[str | int, ...]
Problem = tuple[Place, str]


def problems(file: ProgrammeFile) -> Iterator[Problem]:
    """Everything that does not hold together in a file whose parts are each well-formed."""
    for check in _CHECKS:
        yield from check(file)


def _parties_are_unique(file: ProgrammeFile) -> Iterator[Problem]:
    seen: set[str] = set()
    for position, party in enumerate(file.parties):
        if party.id in seen:
            yield ("parties", position, "id"), f"the party {party.id} is named twice"
        if party.id == PURCHASE_PARTNER:
            yield ("parties", position, "id"), f"{PURCHASE_PARTNER} stands for the sender and cannot be a party's id"
        seen.add(party.id)


def _contract_versions_are_distinct(file: ProgrammeFile) -> Iterator[Problem]:
    seen: set[tuple[str, dt.date]] = set()
    for position, contract in enumerate(file.contracts):
        version = (contract.party, contract.valid_from)
        if version in seen:
            yield (
                ("contracts", position, "from"),
                f"{contract.party} has two contract versions from {contract.valid_from}",
            )
        seen.add(version)


def _mechanics_are_unique(file: ProgrammeFile) -> Iterator[Problem]:
    """The same id may come again only as a later version: same kind, no day in common."""
    for position, later in enumerate(file.mechanics):
        for earlier in file.mechanics[:position]:
            if earlier.id != later.id:
                continue
            place: Place = ("mechanics", position, "id")
            apart = (earlier.valid_to is not None and earlier.valid_to < later.valid_from) or (
                later.valid_to is not None and later.valid_to < earlier.valid_from
            )
            if earlier.kind != later.kind:
                yield place, f"two versions of the mechanic {later.id} have different kinds"
            elif not apart:
                yield place, f"the mechanic {later.id} stands twice for the same days; end the first one (to)"


def _due_at_issue_fits_the_model(file: ProgrammeFile) -> Iterator[Problem]:
    model = file.programme.operator.model
    fixed = {"independent": Decimal(1), "anchor": Decimal(0)}.get(model)
    for position, contract in enumerate(file.contracts):
        place: Place = ("contracts", position, "due_at_issue")
        if fixed is None:
            if contract.due_at_issue is None and "issuer" in contract.roles:
                yield place, "in the hybrid model an issuer's due_at_issue is named"
        elif contract.due_at_issue not in (None, fixed):
            yield place, f"in the {model} model due_at_issue is {fixed}, or left out"


def _named_parties(file: ProgrammeFile) -> Iterator[tuple[Place, str]]:
    yield ("programme", "operator", "party"), file.programme.operator.party
    for position, contract in enumerate(file.contracts):
        yield ("contracts", position, "party"), contract.party
    for position, mechanic in enumerate(file.mechanics):
        place: Place = ("mechanics", position)
        for index, party in enumerate(mechanic.partners):
            yield (*place, "partners", index), party
        for index, party in enumerate(mechanic.banks):
            yield (*place, "banks", index), party
        for index, share in enumerate(mechanic.funding or ()):
            if share.party != PURCHASE_PARTNER:
                yield (*place, "funding", index, "party"), share.party
        if isinstance(mechanic, RoundUp) and mechanic.match is not None:
            yield (*place, "match", "party"), mechanic.match.party
        if isinstance(mechanic, CashBack) and mechanic.payer is not None:
            yield (*place, "payer"), mechanic.payer
        if isinstance(mechanic, Privilege):
            for index, service in enumerate(mechanic.services):
                yield (*place, "services", index, "provider"), service.provider


def _named_parties_exist(file: ProgrammeFile) -> Iterator[Problem]:
    known = {party.id for party in file.parties}
    for place, party in _named_parties(file):
        if party not in known:
            yield place, f"there is no party {party}"


def _banks_are_banks(file: ProgrammeFile) -> Iterator[Problem]:
    others = {party.id for party in file.parties if party.kind != "bank"}
    for position, mechanic in enumerate(file.mechanics):
        for index, bank in enumerate(mechanic.banks):
            if bank in others:
                yield ("mechanics", position, "banks", index), f"the party {bank} is not a bank"


def _funding_adds_up(file: ProgrammeFile) -> Iterator[Problem]:
    for position, mechanic in enumerate(file.mechanics):
        if mechanic.funding is not None:
            total = sum((share.share for share in mechanic.funding), Decimal(0))
            if total != 1:
                yield ("mechanics", position, "funding"), f"the shares add up to {total:f}, not to 1"


def _references_lie_before(file: ProgrammeFile) -> Iterator[Problem]:
    for position, mechanic in enumerate(file.mechanics):
        if isinstance(mechanic, Multiplier):
            before = {other.id for other in file.mechanics[:position] if isinstance(other, PointsOnSpend)}
            for index, name in enumerate(mechanic.of or ()):
                if name not in before:
                    yield ("mechanics", position, "of", index), f"there is no points_on_spend {name} before it"
        if isinstance(mechanic, Offer) and all(other.id != mechanic.offer for other in file.mechanics):
            yield ("mechanics", position, "offer"), f"there is no mechanic {mechanic.offer}"


def _currencies_are_the_programmes(file: ProgrammeFile) -> Iterator[Problem]:
    currencies = file.programme.currencies
    if len(set(currencies)) < len(currencies):
        yield ("programme", "currencies"), "a currency is named twice"
    for place, currency in currencies_named(file):
        if currency not in currencies:
            yield place, f"{currency} is not among the programme's currencies"


def _sums_fit_their_currency(file: ProgrammeFile) -> Iterator[Problem]:
    for place, amount, currency in sums_named(file):
        try:
            to_minor(amount, currency)
        except MoneyError as error:
            yield place, error.reason


_CHECKS = (
    _parties_are_unique,
    _named_parties_exist,
    _contract_versions_are_distinct,
    _mechanics_are_unique,
    _due_at_issue_fits_the_model,
    _banks_are_banks,
    _funding_adds_up,
    _references_lie_before,
    _currencies_are_the_programmes,
    _sums_fit_their_currency,
)
