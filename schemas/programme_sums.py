"""Where a programme file names currencies, and sums that must fit one.

Prices of a unit may have more places than their currency; sums may not, since they are compared with whole
minor units. A sum without a currency beside it is in the programme's first.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import BaseModel

from schemas.contracts import MonthlyFee, PerTransactionFee

if TYPE_CHECKING:
    from schemas.programme import ProgrammeFile

Place = tuple[str | int, ...]

_SUMS = frozenset(["amount", "cost", "gift_value", "least_payout", "least_spend", "multiple", "net_debit_cap", "per_visit", "prefunded", "turnover", "value"])
_PRICED_BY_UNIT = (PerTransactionFee, MonthlyFee)


def currencies_named(file: ProgrammeFile) -> Iterator[tuple[Place, str]]:
    """Every currency that stands in the file outside the programme's own list, with its place."""
    for currency in file.programme.minimum_settlement:
        yield ("programme", "minimum_settlement", currency), currency
    for place, model in _models_of(file):
        named = getattr(model, "currency", None)
        if named is not None:
            yield (*place, "currency"), named


def sums_named(file: ProgrammeFile) -> Iterator[tuple[Place, Decimal, str]]:
    """Every sum that stands in the file, with its place and its currency."""
    for currency, least in file.programme.minimum_settlement.items():
        yield ("programme", "minimum_settlement", currency), least, currency
    for place, model in _models_of(file):
        if isinstance(model, _PRICED_BY_UNIT):
            continue
        in_currency: str = getattr(model, "currency", None) or file.programme.currencies[0]
        for name in _SUMS & type(model).model_fields.keys():
            value = getattr(model, name)
            if isinstance(value, Decimal):
                yield (*place, name), value, in_currency
            elif isinstance(value, tuple):
                yield from (((*place, name, index), each, in_currency) for index, each in enumerate(value))


def _models_of(file: ProgrammeFile) -> Iterator[tuple[Place, BaseModel]]:
    for name in ("contracts", "mechanics"):
        for position, part in enumerate(getattr(file, name)):
            yield from _models(part, (name, position))


def _models(value: object, place: Place) -> Iterator[tuple[Place, BaseModel]]:
    """A model and all models in it, each with its path in the file."""
    if isinstance(value, BaseModel):
        yield place, value
        for name, field in type(value).model_fields.items():
            yield from _models(getattr(value, name), (*place, field.alias or name))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _models(each, (*place, index))
