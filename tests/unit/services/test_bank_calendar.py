"""The bank's days: weekends and the holidays of the countries that are named, as they are known outside."""

from datetime import date

import pytest

from schemas.programme import BankCalendar
from services.settlement.calendar import UnknownCountry, bank_days, known, value_date_of

GERMANY_2026 = [(1, 1), (4, 3), (4, 6), (5, 1), (5, 14), (5, 25), (10, 3), (12, 25), (12, 26)]
"""Holidays of all of Germany: New Year, Good Friday, Easter Monday, Labour Day, Ascension, Whit Monday, Unity, two of Christmas."""


def test_the_bank_works_from_monday_to_friday_but_for_the_holidays_of_its_country() -> None:
    works = bank_days(["DE"])
    year = [date.fromordinal(no) for no in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())]
    closed = [(day.month, day.day) for day in year if day.weekday() < 5 and not works(day)]
    assert closed == [day for day in GERMANY_2026 if date(2026, *day).weekday() < 5]
    assert not any(works(day) for day in year if day.weekday() >= 5)


@pytest.mark.parametrize(
    ("window", "countries", "days", "paid"),
    [
        ("2026-04-02", ("DE",), 1, "2026-04-07"),  # Maundy Thursday: Good Friday to Easter Monday lie between
        ("2026-04-02", (), 1, "2026-04-03"),
        ("2026-12-24", ("DE",), 1, "2026-12-28"),
        ("2026-07-02", ("US",), 1, "2026-07-06"),  # Independence Day on a Saturday: Friday is free
        ("2026-07-02", ("DE",), 1, "2026-07-03"),
        ("2026-07-02", ("DE", "US"), 1, "2026-07-06"),
        ("2026-05-01", ("DE",), 0, "2026-05-04"),
    ],
)
def test_value_dates_move_over_holidays(window: str, countries: tuple[str, ...], days: int, paid: str) -> None:
    assert value_date_of(date.fromisoformat(window), BankCalendar(holidays=countries, value_date_days=days)) == date.fromisoformat(paid)


@pytest.mark.parametrize("country", ["XX", "GERMANY", "de", "", "DE "])
def test_a_country_without_known_holidays_is_no_calendar(country: str) -> None:
    assert not known(country)
    with pytest.raises(UnknownCountry):
        bank_days([country])(date(2026, 3, 2))
    assert known("DE")
