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
        case spec.StampCard():
            return Unit.STAMPS
        case spec.Occasion():
            return Unit.POINTS if mechanic.points is not None else Unit.OTHER
        case (
            spec.Tier()
            | spec.PaidMembership()
            | spec.CollectSet()
            | spec.PrizeDraw()
            | spec.Offer()
            | spec.Contest()
            | spec.Pass()
            | spec.Gift()
            | spec.Privilege()
        ):
            return Unit.OTHER
        case _:
            assert_never(mechanic)


def senders(mechanic: Mechanic, file: ProgrammeFile) -> tuple[PartyId, ...]:
    """Parties whose events count for a mechanic: those it names, or all merchants (for cards, all banks)."""
    if on_cards(mechanic):
        return mechanic.banks or tuple(party.id for party in file.parties if party.kind == "bank")
    return mechanic.partners or tuple(party.id for party in file.parties if party.kind == "merchant")


def sponsors(mechanic: Mechanic, file: ProgrammeFile) -> tuple[PartyId, ...]:
    """Parties that may have to pay for a mechanic (rule 6): who funds it, with the senders in the place of `purchase_partner`."""
    named = [share.party for share in mechanic.funding or () if share.share > 0] or [PURCHASE_PARTNER]
    parties: dict[PartyId, None] = {}
    for party in named:
        parties.update(dict.fromkeys(senders(mechanic, file) if party == PURCHASE_PARTNER else (party,)))
    return tuple(parties)
