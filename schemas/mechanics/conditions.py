"""What all mechanics share: conditions on the event, audience, funding, limits, budget.

Sums without a currency beside them are in the programme's first currency.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.document import (
    Count,
    Currency,
    Day,
    Document,
    Flag,
    MemberRef,
    PartyRef,
    PositiveCount,
    PositiveSum,
    Share,
    Sum,
    Word,
)

MccRange = Annotated[str, Field(pattern=r"^[0-9]{4}(?:-[0-9]{4})?$")]
"""A merchant category code, "5411", or a range with both ends in it, "5500-5599"."""
Exclusion = Annotated[str, Field(pattern=r"^(?:[0-9]{4}(?:-[0-9]{4})?|quasi_cash)$")]
"""A code, a range, or the word ``quasi_cash`` for the list of codes that stand for money."""
AttributeValue = Annotated[str, Field(max_length=256)] | Flag | Annotated[int, Field(strict=True)]

_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


def _in_a_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class Money(Document):
    """A sum with its currency."""

    amount: Sum = Field(description="Decimal text in the currency beside it.")
    currency: Currency = Field(description="Currency of the amount.")


class PositiveMoney(Document):
    """A sum above zero with its currency."""

    amount: PositiveSum = Field(description="Decimal text above zero in the currency beside it.")
    currency: Currency = Field(description="Currency of the amount.")


class Exceptions(Document):
    """Lines that do not qualify, whatever else they are."""

    categories: tuple[Word, ...] = Field((), description="Categories that do not qualify, with all below them.")
    skus: tuple[Word, ...] = Field((), description="Articles that do not qualify.")


class When(Document):
    """Conditions on the event; all that are named must hold."""

    categories: tuple[Word, ...] = Field((), description="Categories that qualify a line, with all below them.")
    skus: tuple[Word, ...] = Field((), description="Articles that qualify a line; beside categories either will do.")
    except_: Exceptions = Field(Exceptions(), alias="except", description="Lines that do not qualify.")
    stores: tuple[Word, ...] = Field((), description="Stores in which it applies.")
    channels: tuple[Word, ...] = Field((), description="Channels in which it applies, such as store.")
    weekdays: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field((), description="Days of the week of the event date.")
    hours: tuple[str, str] | None = Field(None, description="Local time from (included) to (not included).")
    days: tuple[Day, ...] = Field((), description="Event dates on which it applies.")
    minimum: Money | None = Field(None, description="Least earning base of the qualifying lines together.")
    mcc: tuple[MccRange, ...] = Field((), description="Merchant category codes and ranges.")

    @model_validator(mode="after")
    def _hours_are_times(self) -> Self:
        if self.hours is not None:
            start, end = self.hours
            if _CLOCK.fullmatch(start) is None or _CLOCK.fullmatch(end) is None:
                raise ValueError('hours are two times such as "17:00" and "19:00"; midnight is "00:00"')
            if start == end:
                raise ValueError("hours begin and end at the same time: no event can qualify")
        return self


class Audience(Document):
    """The members it is for; all that is named must hold."""

    kinds: tuple[Word, ...] = Field((), description="Kinds of member, such as consumer.")
    segments: tuple[Word, ...] = Field((), description="Segments, of which the member is in one.")
    tiers: tuple[Word, ...] = Field((), description="Tiers, of which the member has one.")
    members: tuple[MemberRef, ...] = Field((), description="Members by id.")
    attributes: dict[str, AttributeValue | tuple[AttributeValue, ...]] = Field(
        {}, description="Attributes with the value, or one of the values, that the member has."
    )
    activated_offer: Flag = Field(False, description="Only members who have activated the offer.")


class FundingShare(Document):
    """Who pays which part of what a mechanic gives (rule 6)."""

    party: PartyRef = Field(description="A party's id, or purchase_partner for the sender of the event.")
    share: Share = Field(description='Part of one, as decimal text; all shares add up to "1".')


class Limit(Document):
    """What is over it is cut off; room under it comes back with returns."""

    points: Count | None = Field(None, description="Most points.")
    amount: Sum | None = Field(None, description="Largest amount, in the programme's first currency.")
    times: Count | None = Field(None, description="How often at most.")
    per: Literal["event", "day", "month", "year", "ever"] = Field(description="Over what time, by event date.")
    of: Literal["member", "programme"] = Field("member", description="For one member, or for all together.")

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if [self.points, self.amount, self.times].count(None) != 2:
            raise ValueError("a limit has exactly one of points, amount, times")
        return self


class Budget(Document):
    """What a mechanic may give in all."""

    points: PositiveCount | None = Field(None, description="Points in all.")
    amount: PositiveSum | None = Field(None, description="Amount in all, in the programme's first currency.")
    at_end: Literal["stop", "warn"] = Field(description="What happens when it is used up: stop cuts off, warn does not.")

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if [self.points, self.amount].count(None) != 1:
            raise ValueError("a budget has exactly one of points, amount")
        return self


Limits = Annotated[tuple[Limit, ...], BeforeValidator(_in_a_list, json_schema_input_type=Limit | tuple[Limit, ...])]
"""One limit or a list of them; a tuple once it is read."""
