"""The base of everything that people write as a file, and the scalar types that such files use.

Unknown fields are refused. Prices, rates and sums are decimal text: a bare number would be a float.
"""

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from schemas.ids import MechanicId, MemberId, PartyId, ProgrammeId
from schemas.money import MINOR_MAX, is_currency

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class Document(BaseModel):
    """A part of a file: unknown fields are refused, what was read does not change any more."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _plain(value: Decimal) -> str:
    return format(value, "f")


def _decimal(least: str, most: str, *, above_least: bool = False, places: int = 12) -> tuple[Any, ...]:
    """What makes a field exact: read from decimal text only, written as plain text."""
    pattern = rf"[0-9]{{1,20}}(\.[0-9]{{1,{places}}})?"
    plain = re.compile(pattern, re.ASCII)
    smallest, largest = Decimal(least), Decimal(most)

    def read(value: object) -> Decimal:
        if isinstance(value, str):
            if plain.fullmatch(value) is None:
                raise ValueError('must be plain decimal digits without a sign, such as "0.0100"')
            value = Decimal(value)
        if not isinstance(value, Decimal):
            raise ValueError('must be decimal text in quotes, such as "0.0100"; a bare number would be a float')  # noqa: TRY004 - pydantic reports ValueError
        if not (value.is_finite() and smallest <= value <= largest) or (above_least and value == smallest):
            raise ValueError(f"must be {'above' if above_least else 'at least'} {least} and at most {most}")
        return value

    return (
        BeforeValidator(read),
        PlainSerializer(_plain, return_type=str, when_used="json"),
        WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"}),
    )


def _read_day(value: object) -> object:
    is_day = (isinstance(value, dt.date) and not isinstance(value, dt.datetime)) or (isinstance(value, str) and _DAY.fullmatch(value))
    if not is_day:
        raise ValueError("must be a day such as 2026-03-02")
    return value


def _known_currency(code: str) -> str:
    if not is_currency(code):
        raise ValueError("must be an ISO 4217 currency code in use, such as EUR")
    return code


_PRICE = _decimal("0", "1000000000")
_EXACT = _decimal("0", "1000000000000", places=40)
_SUM = _decimal("0", str(MINOR_MAX))
_SUM_ABOVE_ZERO = _decimal("0", str(MINOR_MAX), above_least=True)
_PERCENT = _decimal("0", "1000")
_SHARE = _decimal("0", "1")
_FACTOR = _decimal("1", "1000000")

Price = Annotated[Decimal, *_PRICE]
"""Exact price of a unit (a point, a purchase, a month), not negative, up to 12 decimal places."""
ExactPrice = Annotated[Decimal, *_EXACT]
"""A price times shares, with all its places."""
Sum = Annotated[Decimal, *_SUM]
"""A sum of money, not negative; it may have no more places than its currency."""
PositiveSum = Annotated[Decimal, *_SUM_ABOVE_ZERO]
"""A sum of money above zero."""
Percent = Annotated[Decimal, *_PERCENT]
"""Per hundred: "19" is 19 %."""
Share = Annotated[Decimal, *_SHARE]
"""A part of one, from "0" to "1"."""
Factor = Annotated[Decimal, *_FACTOR]
"""By how much something is multiplied, at least "1"."""

Day = Annotated[dt.date, BeforeValidator(_read_day)]
"""A day in the programme's time zone."""
Count = Annotated[int, Field(strict=True, ge=0, le=10**12)]
"""A whole number, not negative; text and fractions are refused."""
PositiveCount = Annotated[int, Field(strict=True, ge=1, le=10**12)]
Months = Annotated[int, Field(strict=True, ge=1, le=1200)]
MonthsOrNone = Annotated[int, Field(strict=True, ge=0, le=1200)]
Days = Annotated[int, Field(strict=True, ge=0, le=36525)]
Flag = Annotated[bool, Field(strict=True)]
Currency = Annotated[str, AfterValidator(_known_currency), Field(json_schema_extra={"pattern": "^[A-Z]{3}$"})]
"""ISO 4217 code."""
Word = Annotated[str, Field(min_length=1, max_length=128)]
"""A name that the programme gives to something: a category, a segment, a gift."""
ClockTime = Annotated[str, Field(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day in the programme's time zone, "17:00"."""

PartyRef = Annotated[PartyId, Field(pattern=_ID)]
MechanicRef = Annotated[MechanicId, Field(pattern=_ID)]
MemberRef = Annotated[MemberId, Field(min_length=1, max_length=64)]
ProgrammeRef = Annotated[ProgrammeId, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$")]
