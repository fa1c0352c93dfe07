"""The bank's calendar: on which days it works, and the value dates of payments. Holidays come from the package `holidays`, by country."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from typing import Final

from clearing.settlement_days import value_date
from schemas.programme import BankCalendar

SATURDAY: Final = 5


class UnknownCountry(LookupError):
    """No holidays are known of the country in `country`."""

    def __init__(self, country: str) -> None:
        super().__init__(f"no bank holidays are known of {country!r}: a country is named by its two letters of ISO 3166, such as DE")
        self.country = country


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    """Public holidays of a whole country, and its bank holidays where the package keeps them apart."""
    from holidays import country_holidays, list_supported_countries

    if country not in list_supported_countries(include_aliases=False):
        raise UnknownCountry(country)
    kept = country_holidays(country, years=year)
    categories = {"public", "bank"} & set(kept.supported_categories)
    return frozenset(country_holidays(country, years=year, categories=tuple(sorted(categories)))) if categories else frozenset(kept)


def known(country: str) -> bool:
    """Whether holidays of a country are known."""
    try:
        _holidays(country, 2026)
    except UnknownCountry:
        return False
    return True


def bank_days(countries: Iterable[str]) -> Callable[[date], bool]:
    """Whether the bank works on a day: from Monday to Friday, unless one of the countries has a holiday. Raises `UnknownCountry` when it is asked."""
    every = tuple(countries)

    def is_bank_day(day: date) -> bool:
        return day.weekday() < SATURDAY and not any(day in _holidays(country, day.year) for country in every)

    return is_bank_day


def value_date_of(day: date, calendar: BankCalendar) -> date:
    """The value date of a window's payments by a programme's calendar. Raises `UnknownCountry`."""
    return value_date(day, calendar.value_date_days, bank_days(calendar.holidays))
