"""Rule 2: where windows end, also on the days when the clocks change. Rule 28: who settles when."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing.settlement_days import Frequency, is_month_end, is_settlement_day, next_bank_day, value_date, window_day, window_end

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "cutoff", "end"),
    [
        (date(2026, 3, 2), "02:00", "2026-03-03T01:00:00Z"),  # in the night after the day
        (date(2026, 3, 2), "12:00", "2026-03-02T11:00:00Z"),  # noon itself is the first at or after noon
        (date(2026, 3, 2), "11:59", "2026-03-03T10:59:00Z"),
        (date(2026, 3, 2), "23:30", "2026-03-02T22:30:00Z"),
        (date(2026, 3, 2), "00:00", "2026-03-02T23:00:00Z"),
        (date(2026, 12, 31), "02:00", "2027-01-01T01:00:00Z"),
        (date(2028, 2, 28), "02:00", "2028-02-29T01:00:00Z"),
        # 29 March 2026: from 02:00 the clocks jump to 03:00
        (date(2026, 3, 28), "02:00", "2026-03-29T01:00:00Z"),  # skipped: the moment of the jump, 03:00 local
        (date(2026, 3, 28), "02:30", "2026-03-29T01:30:00Z"),  # skipped: half an hour after the jump, 03:30 local
        (date(2026, 3, 28), "03:00", "2026-03-29T01:00:00Z"),
        (date(2026, 3, 29), "02:00", "2026-03-30T00:00:00Z"),
        # 25 October 2026: at 03:00 the clocks go back to 02:00
        (date(2026, 10, 24), "02:00", "2026-10-25T00:00:00Z"),  # shown twice: the first time
        (date(2026, 10, 24), "02:30", "2026-10-25T00:30:00Z"),
        (date(2026, 10, 24), "03:00", "2026-10-25T02:00:00Z"),
        (date(2026, 10, 25), "02:00", "2026-10-26T01:00:00Z"),
    ],
)
def test_a_window_ends_at_the_first_cut_off_at_or_after_noon(day: date, cutoff: str, end: str) -> None:
    assert window_end(day, cutoff, BERLIN) == datetime.fromisoformat(end)
    assert window_end(day, cutoff, BERLIN).tzinfo is UTC


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-03-02T12:00:00+01:00", date(2026, 3, 2)),
        ("2026-03-03T01:59:59.999999+01:00", date(2026, 3, 2)),
        ("2026-03-03T02:00:00+01:00", date(2026, 3, 3)),
        ("2026-03-03T01:00:00Z", date(2026, 3, 3)),
        ("2026-03-29T01:59:59+01:00", date(2026, 3, 28)),
        ("2026-03-29T03:00:00+02:00", date(2026, 3, 29)),
        ("2026-10-25T01:59:59+02:00", date(2026, 10, 24)),
        ("2026-10-25T02:00:00+02:00", date(2026, 10, 25)),
        ("2026-10-25T02:00:00+01:00", date(2026, 10, 25)),  # the second 02:00 of that night cuts nothing off
    ],
)
def test_an_instant_at_the_cut_off_belongs_to_the_next_window(instant: str, day: date) -> None:
    assert window_day(datetime.fromisoformat(instant), "02:00", BERLIN) == day


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^an instant needs its offset from UTC$"):
        window_day(datetime(2026, 3, 2, 12), "02:00", BERLIN)  # noqa: DTZ001


zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Apia", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo"])
cutoffs = st.times().map(lambda at: at.strftime("%H:%M"))


@given(instant=st.datetimes(datetime(1995, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)), cutoff=cutoffs, zone=zones)  # noqa: DTZ001
def test_every_instant_lies_in_exactly_one_window(instant: datetime, cutoff: str, zone: str) -> None:
    tz = ZoneInfo(zone)
    day = window_day(instant, cutoff, tz)
    assert window_end(day - timedelta(days=1), cutoff, tz) <= instant < window_end(day, cutoff, tz)


@given(day=st.dates(date(1995, 1, 1), date(2035, 1, 1)), cutoff=cutoffs, zone=zones)
def test_windows_follow_each_other(day: date, cutoff: str, zone: str) -> None:
    tz = ZoneInfo(zone)
    assert window_end(day, cutoff, tz) <= window_end(day + timedelta(days=1), cutoff, tz)


@pytest.mark.parametrize(
    ("day", "frequencies"),
    [
        (date(2026, 3, 7), {"daily"}),
        (date(2026, 3, 8), {"daily", "weekly"}),  # a Sunday
        (date(2026, 3, 9), {"daily"}),
        (date(2026, 3, 31), {"daily", "monthly"}),  # a Tuesday
        (date(2026, 5, 31), {"daily", "weekly", "monthly"}),  # a Sunday
        (date(2026, 2, 28), {"daily", "monthly"}),
        (date(2028, 2, 28), {"daily"}),
        (date(2028, 2, 29), {"daily", "monthly"}),
        (date(2026, 12, 31), {"daily", "monthly"}),
    ],
)
def test_who_settles_on_a_day(day: date, frequencies: set[Frequency]) -> None:
    every: tuple[Frequency, ...] = ("daily", "weekly", "monthly")
    assert {frequency for frequency in every if is_settlement_day(day, frequency)} == frequencies
    assert is_month_end(day) is ("monthly" in frequencies)


def weekday(day: date) -> bool:
    """A bank that works from Monday to Friday, but not on Wednesday, 4 March."""
    return day.weekday() < 5 and day != date(2026, 3, 4)


@pytest.mark.parametrize(
    ("day", "bank_days", "paid"),
    [
        (2, 0, 2),  # Monday itself
        (2, 1, 3),
        (2, 2, 5),  # over the holiday
        (3, 1, 5),
        (4, 0, 5),  # a holiday: the next bank day
        (4, 1, 5),  # the first bank day after it
        (6, 1, 9),  # Friday to Monday
        (7, 0, 9),
        (7, 1, 9),
        (8, 2, 10),
    ],
)
def test_payments_are_made_so_many_bank_days_after_their_window(day: int, bank_days: int, paid: int) -> None:
    assert value_date(date(2026, 3, day), bank_days, weekday) == date(2026, 3, paid)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 20))
def test_a_value_date_is_a_bank_day_with_as_many_bank_days_on_the_way(day: date, bank_days: int) -> None:
    found = value_date(day, bank_days, weekday)
    on_the_way = [day + timedelta(days=no) for no in range((found - day).days + 1)]
    assert weekday(found)
    assert sum(map(weekday, on_the_way[1:] if bank_days else on_the_way)) == (bank_days or 1)


def test_a_bank_that_never_opens_is_no_bank() -> None:
    assert next_bank_day(date(2026, 3, 2), lambda day: day >= date(2026, 4, 1)) == date(2026, 4, 1)
    with pytest.raises(ValueError, match="no bank day within 30 days from 2026-03-02"):
        next_bank_day(date(2026, 3, 2), lambda day: day >= date(2026, 4, 2))
