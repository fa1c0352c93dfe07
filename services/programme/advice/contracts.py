"""Contracts that are missing on days when they are needed, or that cost the operator money."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contracts import Contract
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from services.programme.advice.advice import Advice
from services.programme.coverage import Days, days_of, gaps
from services.programme.units import Unit, senders, sponsors, unit_of


def sponsors_have_contracts(file: ProgrammeFile) -> Iterator[Advice]:
    """Rule 6: a sponsor of points needs an issuing contract on the event date; every sponsor needs some contract."""
    seen: set[tuple[PartyId, Unit, Days]] = set()
    for position, mechanic in enumerate(file.mechanics):
        unit = unit_of(mechanic)
        gives_points = unit is Unit.POINTS
        for party in sponsors(mechanic, file):
            for days in gaps(days_of(mechanic.valid_from, mechanic.valid_to), file.contracts, party, _issues if gives_points else _any):
                if (party, unit, days) in seen:
                    continue
                seen.add((party, unit, days))
                place = ("mechanics", position, "funding" if mechanic.funding else "id")
                if gives_points:
                    reason = f"{party} has no issuing contract {days}, so that events for which it pays points are rejected then as no-contract"
                    yield Advice(place, "sponsor-without-contract", reason, "give it a contract with the role issuer on those days, or end the mechanic (to)")
                else:
                    reason = f"{party} pays for {mechanic.id} but has no contract {days}"
                    yield Advice(place, "sponsor-without-contract", reason, "give it a contract on those days, or end the mechanic (to)")


def sellers_have_contracts(file: ProgrammeFile) -> Iterator[Advice]:
    """A seller whose purchases bring something needs a contract on the event date, and so does a bank whose card transactions do."""
    seen: set[tuple[PartyId, Days]] = set()
    for position, mechanic in enumerate(file.mechanics):
        paying = sponsors(mechanic, file)
        for party in senders(mechanic, file):
            for days in gaps(days_of(mechanic.valid_from, mechanic.valid_to), file.contracts, party, _any):
                if (party, days) in seen or party in paying:
                    continue
                seen.add((party, days))
                place = ("mechanics", position, "partners" if mechanic.partners else "id")
                reason = f"{party} sells under {mechanic.id} but has no contract {days}, so that its purchases that bring something are rejected as no-contract"
                yield Advice(place, "seller-without-contract", reason, "give it a contract on those days, or leave it out of partners")


def points_can_be_spent(file: ProgrammeFile) -> Iterator[Advice]:
    """Rule 11: somebody must take points, and in the independent and hybrid models at a price."""
    priced = file.programme.operator.model != "anchor"
    for position, contract in enumerate(file.contracts):
        if priced and "redeemer" in contract.roles and contract.redeem is None:
            reason = f"{contract.party} takes points without a price (redeem), so that redemptions there are rejected as no-contract"
            yield Advice(("contracts", position, "roles"), "redeemer-without-price", reason, "name a redeem price, or take the role redeemer away")
    gives_points = any(unit_of(mechanic) is Unit.POINTS for mechanic in file.mechanics)
    if gives_points and not any("redeemer" in contract.roles for contract in file.contracts):
        reason = "points are given, but no contract has the role redeemer: they can be spent nowhere"
        yield Advice(("contracts",), "nowhere-to-spend", reason, "give a partner the role redeemer")


def operator_keeps_a_spread(file: ProgrammeFile) -> Iterator[Advice]:
    """Whoever buys points back dearer than it sold them loses on each (product A2)."""
    if file.programme.operator.model == "anchor":
        return
    for position, contract in enumerate(file.contracts):
        if contract.redeem is None or "redeemer" not in contract.roles:
            continue
        cheaper = [
            other.party
            for other in file.contracts
            if other.issue is not None and other.issue.currency == contract.redeem.currency and other.issue.price < contract.redeem.price
        ]
        if cheaper:
            names = ", ".join(dict.fromkeys(cheaper))
            reason = f"{contract.party} gets {contract.redeem.price:f} {contract.redeem.currency} for a point that the operator sells for less to {names}"
            yield Advice(("contracts", position, "redeem"), "redeem-above-issue", reason, "let the redeem price lie below every issue price")


def nothing_waits_for_good(file: ProgrammeFile) -> Iterator[Advice]:
    """Rule 28: what a party that has left has below `minimum_settlement` waits without end, unless `maximum_carry_days` lets it go out."""
    terms = file.programme
    if terms.netting != "multilateral" or terms.maximum_carry_days is not None or not any(terms.minimum_settlement_of(one) for one in terms.currencies):
        return
    last = {contract.party: (position, contract) for position, contract in sorted(enumerate(file.contracts), key=lambda one: one[1].valid_from)}
    for party, (position, contract) in sorted(last.items()):
        if contract.valid_to is not None:
            reason = f"{party} leaves on {contract.valid_to}; what is less than minimum_settlement then waits for good, since there is no maximum_carry_days"
            yield Advice(("contracts", position, "to"), "waits-for-good", reason, "set programme.maximum_carry_days")


def _issues(contract: Contract) -> bool:
    return "issuer" in contract.roles


def _any(_: Contract) -> bool:
    return True


CHECKS = (sponsors_have_contracts, sellers_have_contracts, points_can_be_spent, operator_keeps_a_spread, nothing_waits_for_good)
