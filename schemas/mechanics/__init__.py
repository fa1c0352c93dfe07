"""Mechanics of a programme file: a model for every kind of the table in the contract."""

from typing import Annotated

from pydantic import Field

from schemas.mechanics.base import MechanicBase, MechanicCore
from schemas.mechanics.cards import CardPoints, CashBack, PercentRate, PointRate, RoundUp, RoundUpMatch
from schemas.mechanics.collecting import (
    CollectSet,
    Contest,
    ForAmount,
    MonthsValid,
    PaidMembership,
    Prize,
    PrizeDraw,
    RebateStep,
    StampCard,
    Tier,
    TierEntry,
    TierLevel,
    VolumeRebate,
)
from schemas.mechanics.conditions import (
    Audience,
    Budget,
    Exceptions,
    FundingShare,
    Limit,
    Money,
    PositiveMoney,
    When,
)
from schemas.mechanics.purchases import (
    CardDiscount,
    CumulativeDiscount,
    DiscountStep,
    FixedBonus,
    Gift,
    Multiplier,
    PointsOnSpend,
)
from schemas.mechanics.services import (
    Activity,
    Occasion,
    Offer,
    Pass,
    PassPartner,
    PricePromise,
    Privilege,
    PrivilegeService,
    TradeIn,
)

Mechanic = Annotated[
    PointsOnSpend
    | Multiplier
    | FixedBonus
    | CardDiscount
    | CumulativeDiscount
    | Tier
    | PaidMembership
    | StampCard
    | CollectSet
    | PrizeDraw
    | Offer
    | Contest
    | CardPoints
    | CashBack
    | RoundUp
    | VolumeRebate
    | Pass
    | TradeIn
    | Gift
    | Activity
    | Privilege
    | Occasion
    | PricePromise,
    Field(discriminator="kind"),
]

__all__ = [
    "Activity",
    "Audience",
    "Budget",
    "CardDiscount",
    "CardPoints",
    "CashBack",
    "CollectSet",
    "Contest",
    "CumulativeDiscount",
    "DiscountStep",
    "Exceptions",
    "FixedBonus",
    "ForAmount",
    "FundingShare",
    "Gift",
    "Limit",
    "Mechanic",
    "MechanicBase",
    "MechanicCore",
    "Money",
    "MonthsValid",
    "Multiplier",
    "Occasion",
    "Offer",
    "PaidMembership",
    "Pass",
    "PassPartner",
    "PercentRate",
    "PointRate",
    "PointsOnSpend",
    "PositiveMoney",
    "PricePromise",
    "Privilege",
    "PrivilegeService",
    "Prize",
    "PrizeDraw",
    "RebateStep",
    "RoundUp",
    "RoundUpMatch",
    "StampCard",
    "Tier",
    "TierEntry",
    "TierLevel",
    "TradeIn",
    "VolumeRebate",
    "When",
]
