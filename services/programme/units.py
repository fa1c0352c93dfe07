"""What each kind of mechanic gives: the unit in which its effects, limits and budgets are counted."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from clearing.mechanics import on_cards
from schemas import mechanics as spec
from schemas.ids import PURCHASE_PARTNER, PartyId
from schemas.programme import Mechanic, ProgrammeFile


class Unit(StrEnum):
    """What is counted. Only points and amounts are owed for; of the others nothing is split among who funds them."""

    POINTS = "points"
    AMOUNT = "amount"
    STAMPS = "stamps"
    OTHER = "other things"


def unit_of(mechanic: Mechanic) -> Unit:
    """The unit of a mechanic's own effect."""
    match mechanic:
        case spec.PointsOnSpend() | spec.Multiplier() | spec.FixedBonus() | spec.CardPoints() | spec.Activity():
            return Unit.POINTS
        case spec.CardDiscount() | spec.CumulativeDiscount() | spec.CashBack() | spec.RoundUp() | spec.VolumeRebate() | spec.TradeIn() | spec.PricePromise():
            return Unit.AMOUNT
        case spec.Pass() | spec.Privilege():
            return Unit.AMOUNT
        case spec.StampCard():
            return Unit.STAMPS
        case spec.Occasion():
            return Unit.POINTS if mechanic.points is not None else Unit.OTHER
        case spec.Tier() | spec.PaidMembership() | spec.CollectSet() | spec.PrizeDraw() | spec.Offer() | spec.Contest() | spec.Gift():
            return Unit.OTHER
        case _:
            assert_never(mechanic)


def senders(mechanic: Mechanic, file: ProgrammeFile) -> tuple[PartyId, ...]:
    """Parties whose events count for a mechanic: those it names, of a privilege its providers, or else all merchants (for cards, all banks)."""
    if isinstance(mechanic, spec.Privilege):
        providers = dict.fromkeys(service.provider for service in mechanic.services)
        return tuple(party for party in providers if party in (mechanic.partners or (party,)))
    if on_cards(mechanic):
        return mechanic.banks or tuple(party.id for party in file.parties if party.kind == "bank")
    return mechanic.partners or tuple(party.id for party in file.parties if party.kind == "merchant")


def sponsors(mechanic: Mechanic, file: ProgrammeFile) -> tuple[PartyId, ...]:
    """Parties that may have to pay for a mechanic (rule 6): who funds it, with the senders in the place of `purchase_partner`.

    Of a pass that is whoever sells it, whom nobody knows beforehand: left out.
    """
    named = [share.party for share in mechanic.funding or () if share.share > 0] or [PURCHASE_PARTNER]
    parties: dict[PartyId, None] = {}
    for party in named:
        if party == PURCHASE_PARTNER and isinstance(mechanic, spec.Pass):
            continue
        parties.update(dict.fromkeys(senders(mechanic, file) if party == PURCHASE_PARTNER else (party,)))
    return tuple(parties)
