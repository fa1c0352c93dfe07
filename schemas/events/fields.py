"""Scalar types of event data. All constraints are checked without a line of Python, since this is the hot path."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from schemas.ids import CardId, EventId, MechanicId, MemberId
from schemas.money import MINOR_MAX
from schemas.pointer import Path

LINES_MAX = 10_000

Problem = tuple[Path, str]
"""Path in the data, and a sentence."""


class _Text:
    """Text of a pattern, read as another type: numbers that would pass for a time or a quantity are refused."""

    def __init__(self, pattern: str, json_format: str | None, target: CoreSchema) -> None:
        self.pattern = pattern
        self.json_format = json_format
        self.target = target

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(pattern=self.pattern, max_length=64, strict=True)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema([text, self.target]),
            python_schema=self.target,
            serialization=core_schema.to_string_ser_schema(when_used="json") if self.json_format is None else None,
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = {"type": "string", "pattern": self.pattern}
        return described if self.json_format is None else described | {"format": self.json_format}


_TIME = (
    r"^(?:19[7-9]|2[0-9]{2})[0-9]-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,9})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
)
_DAY = r"^(?:1[89]|2[0-9])[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"
_ABOVE_ZERO = r"^(?:0{0,8}[1-9][0-9]{0,8}(?:\.[0-9]{1,6})?|0{1,9}\.[0-9]{0,5}[1-9][0-9]{0,5})$"

Timestamp = Annotated[dt.datetime, _Text(_TIME, "date-time", core_schema.datetime_schema(tz_constraint="aware"))]
"""RFC 3339 with offset, from 1970 to 2999."""
Day = Annotated[dt.date, _Text(_DAY, "date", core_schema.date_schema())]
"""A day, ``2026-03-02``."""
Quantity = Annotated[Decimal, _Text(_ABOVE_ZERO, None, core_schema.decimal_schema())]
"""A decimal above zero, written as text: pieces, kilograms, litres."""

AmountMinor = Annotated[int, Field(strict=True, ge=0, le=MINOR_MAX)]
"""Money in whole minor units of the currency beside it, never negative."""
PointCount = Annotated[int, Field(strict=True, ge=1, le=10**12)]
"""Points, at least one."""
LineNumber = Annotated[int, Field(strict=True, ge=0, le=10**9)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217 code; whether the programme accepts it is asked later."""
Id = Annotated[EventId, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
Source = Annotated[str, Field(pattern=r"^/(?:partners|banks|operator)/[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Card = Annotated[CardId, Field(min_length=1, max_length=128)]
"""What identifies a member: a card, a token, an account. Never a payment card's number."""
Member = Annotated[MemberId, Field(min_length=1, max_length=64)]
MechanicName = Annotated[MechanicId, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=128)]
"""A short text of the sender's: a store, a receipt, an article, a category."""
FreeText = Annotated[str, Field(max_length=1000)]
Mcc = Annotated[str, Field(pattern=r"^[0-9]{4}$")]
AttributeValue = Annotated[str, Field(max_length=256)] | Annotated[bool, Field(strict=True)] | Annotated[int, Field(strict=True)] | list[Name]


class Data(BaseModel):
    """Data of an event: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    def keys_read(self) -> int:
        """How many keys of JSON objects it was read from; more in the text means that one stood twice."""
        return len(self.__pydantic_fields_set__)

    def problem(self) -> Problem | None:
        """The first thing that is wrong though each field by itself is right, or None."""
        return None


def value_without_currency(currency: str | None) -> Problem:
    """A value and its currency stand beside each other or not at all."""
    return ("currency" if currency is None else "value_minor",), "A value and its currency stand beside each other or not at all."


def repeated_line(numbers: Iterable[int]) -> Problem | None:
    """Line numbers are unique in an event."""
    seen: set[int] = set()
    for index, number in enumerate(numbers):
        if number in seen:
            return ("lines", index, "line"), "A line number stands twice."
        seen.add(number)
    return None
