"""Mechanics on card transactions of banks."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.document import Document, Months, PartyRef, Percent, PositiveCount, PositiveSum, Sum
from schemas.mechanics.base import MechanicBase
from schemas.mechanics.conditions import Exclusion, Limits, MccRange, PositiveMoney


def _in_a_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Codes = Annotated[tuple[MccRange, ...], BeforeValidator(_in_a_list, json_schema_input_type=MccRange | tuple[MccRange, ...]), Field(min_length=1)]
"""One merchant category code or range, or a list of them."""


class PointRate(Document):
    """Points for transactions of some categories."""

    mcc: Codes = Field(description="Merchant category codes and ranges.")
    points: PositiveCount = Field(description="Points for each step.")
    per: PositiveMoney = Field(description="Size of a step.")


class CardPoints(MechanicBase):
    """Points for card transactions."""

    kind: Literal["card_points"] = Field(description="Points for card transactions.")
    rates: tuple[PointRate, ...] = Field(min_length=1, description="Rates; the first that fits applies.")
    exclude_mcc: tuple[Exclusion, ...] = Field((), description="Codes, ranges, or quasi_cash, that bring nothing.")


class PercentRate(Document):
    """A percentage for transactions of some categories."""

    mcc: Codes = Field(description="Merchant category codes and ranges.")
    percent: Percent = Field(description="Per hundred, as decimal text.")


class CashBack(MechanicBase):
    """Part of the amount back."""

    kind: Literal["cash_back"] = Field(description="Part of a card transaction's amount back.")
    percent: Percent | None = Field(None, description="Per hundred of every transaction, as decimal text.")
    rates: tuple[PercentRate, ...] = Field((), description="Percentages by category; the first that fits applies.")
    exclude_mcc: tuple[Exclusion, ...] = Field((), description="Codes, ranges, or quasi_cash, that bring nothing.")
    least_spend: Sum | None = Field(None, description="Transactions below it bring nothing, decimal text.")
    least_payout: Sum | None = Field(
        None, description="Less than this is not yet paid to the member, decimal text in the first currency; told to the bank as PAYOUT."
    )
    payout: Literal["each_window", "monthly"] = Field(
        "each_window", description="When the member is paid: with each window, or with that of the month's last day."
    )
    payer: PartyRef | None = Field(None, description="Who pays the member; left out: the card's bank.")

    @model_validator(mode="after")
    def _percent_or_rates(self) -> Self:
        if (self.percent is None) == (not self.rates):
            raise ValueError("cash_back has either percent or rates")
        return self


class RoundUpMatch(Document):
    """What a party adds to the savings."""

    party: PartyRef = Field(description="The party that adds it.")
    percent: Percent = Field(description="Per hundred of what was saved, as decimal text.")
    limit: Limits = Field((), description="The most that is added.")
    months: Months | None = Field(None, description="For so many months from the first saving.")


class RoundUp(MechanicBase):
    """The difference to the next multiple is saved."""

    kind: Literal["round_up"] = Field(description="Rounding up for savings.")
    multiple: PositiveSum = Field(description="Decimal text in the programme's first currency.")
    match: RoundUpMatch | None = Field(None, description="What a party adds.")
