"""Mechanics that count over several events: tiers, stamps, sets, draws, contests, rebates."""

from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.document import Count, Day, Document, Flag, Months, Percent, PositiveCount, PositiveSum, Sum, Word
from schemas.mechanics.base import MechanicBase
from schemas.mechanics.conditions import Money
from schemas.mechanics.purchases import Period


class TierEntry(Document):
    """Where a level begins."""

    turnover: Sum | None = Field(None, description="Sum of earning bases, decimal text.")
    points: Count | None = Field(None, description="Points earned.")
    purchases: Count | None = Field(None, description="Number of purchases.")

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if [self.turnover, self.points, self.purchases].count(None) != 2:
            raise ValueError("a level begins at exactly one of turnover, points, purchases")
        return self


class TierLevel(Document):
    """One level."""

    id: Word = Field(description="Name of the level.")
    threshold: TierEntry = Field(alias="from", description="Where it begins.")


class MonthsValid(Document):
    """So many months from the day on which the tier was reached."""

    months: Months = Field(description="Months.")


class Tier(MechanicBase):
    """The member's tier, from the next event on."""

    kind: Literal["tier"] = Field(description="Levels that members rise to.")
    levels: tuple[TierLevel, ...] = Field(min_length=1, description="Levels, lowest first.")
    single_purchase: dict[Word, Sum] = Field({}, description="Level by a single purchase strictly above the amount, decimal text.")
    period: Period = Field(description="Over what time it is counted.")
    downgrade: Literal["one_level", "to_earned", "never"] | None = Field(None, description="What happens to a level that was not earned again.")
    valid: Literal["end_of_next_year"] | MonthsValid | None = Field(None, description="How long a level is kept.")

    @model_validator(mode="after")
    def _levels_are_known(self) -> Self:
        ids = [level.id for level in self.levels]
        if len(set(ids)) < len(ids):
            raise ValueError("a level is named twice")
        if not set(self.single_purchase) <= set(ids):
            raise ValueError("single_purchase names a level that is not in levels")
        return self


class PaidMembership(MechanicBase):
    """A tier against a fee."""

    kind: Literal["paid_membership"] = Field(description="A tier that is paid for.")
    fee: Money = Field(description="Fee for the whole time.")
    months: Months = Field(description="How long it lasts.")
    tier: Word = Field(description="The tier that it brings.")


class ForAmount(Document):
    """One for each whole amount."""

    amount: PositiveSum = Field(description="Decimal text in the programme's first currency.")


class StampCard(MechanicBase):
    """Stamps, and a gift at each full row."""

    kind: Literal["stamp_card"] = Field(description="A card of stamps.")
    stamp_for: Literal["purchase", "unit"] | ForAmount = Field(description="What brings a stamp.")
    rows: tuple[PositiveCount, ...] = Field(min_length=1, description="Stamps in each row.")
    gift: Word | tuple[Word, ...] = Field(description="The gift of every row, or a list with one for each row.")
    gift_value: Sum | tuple[Sum, ...] | None = Field(None, description="What the partner that hands the gift out is owed, or a list with one for each row.")
    on_full: Literal["restart"] = Field("restart", description="What happens when the card is full.")
    months: Months | None = Field(None, description="How long a card lasts.")

    @model_validator(mode="after")
    def _one_for_each_row(self) -> Self:
        for given in (self.gift, self.gift_value):
            if isinstance(given, tuple) and len(given) != len(self.rows):
                raise ValueError("a list of gifts or values has one for each row")
        return self

    def gift_of(self, row: int) -> str:
        """Name of the gift of a row, counted from 0."""
        return self.gift if isinstance(self.gift, str) else self.gift[row]

    def value_of(self, row: int) -> Decimal | None:
        """What the gift of a row, counted from 0, is worth to the partner that hands it out."""
        return self.gift_value[row] if isinstance(self.gift_value, tuple) else self.gift_value


class CollectSet(MechanicBase):
    """A prize for a complete set, while there are any."""

    kind: Literal["collect_set"] = Field(description="A set of items to collect.")
    items: tuple[Word, ...] = Field(min_length=1, description="The items of the set.")
    prize: Word = Field(description="The prize.")
    prizes_max: PositiveCount = Field(description="How many prizes there are.")


class Prize(Document):
    """Prizes of one sort."""

    prize: Word = Field(description="Name of the prize.")
    count: PositiveCount = Field(1, description="How many there are.")


class PrizeDraw(MechanicBase):
    """Entries, and winners that anyone can verify."""

    kind: Literal["prize_draw"] = Field(description="A draw.")
    entry_for: Literal["purchase", "unit"] | ForAmount = Field(description="What brings an entry.")
    prizes: tuple[Prize, ...] = Field(min_length=1, description="The prizes, first drawn first.")
    draw_on: Day = Field(description="Day of the draw.")
    seed: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the seed, published before the draw.")


class Contest(MechanicBase):
    """A prize for the first places."""

    kind: Literal["contest"] = Field(description="A contest.")
    measure: Literal["turnover", "points", "purchases"] = Field(description="What is compared.")
    period: Literal["month", "year", "ever"] = Field("ever", description="Over what time, within its dates.")
    winners: tuple[Prize, ...] = Field(min_length=1, description="The prizes by place.")
    invited: Flag = Field(False, description="Only members who were invited take part.")


class RebateStep(Document):
    """A rate from a turnover on."""

    threshold: Sum = Field(alias="from", description="Turnover of the year, decimal text.")
    percent: Percent = Field(description="Per hundred, as decimal text.")


class VolumeRebate(MechanicBase):
    """Rebate on the year's whole turnover at the rate of the step reached."""

    kind: Literal["volume_rebate"] = Field(description="A rebate on the year's turnover.")
    steps: tuple[RebateStep, ...] = Field(min_length=1, description="Steps, rising.")
    year_end: str = Field("12-31", pattern=r"^(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$", description="Last day of the year, month and day.")
