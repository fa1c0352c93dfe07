"""When a business day's window ends (rule 2), on which days a party settles (rule 28), and when the bank pays. Pure functions of the calendar."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, assert_never

Frequency = Literal["daily", "weekly", "monthly"]

NOON: Final = time(12)
SUNDAY: Final = 6
ONE_DAY: Final = timedelta(days=1)
CLOSED_DAYS_MAX: Final = 30
"""No bank is closed for longer: a calendar that says so is wrong."""


def window_end(day: date, cutoff: str, tz: tzinfo) -> datetime:
    """The instant at which the window of `day` ends, in UTC: the first cut-off ("HH:MM", local) at or after noon of that day (rule 2).

    Where the clocks are put back and show the cut-off twice, the first time counts. Where they are put forward and skip it, it comes as long
    after the jump as it lies after the skipped hour's beginning (RFC 5545 reads such times so). In UTC, since Python compares two times
    of one zone by what the clock shows.
    """
    at = time.fromisoformat(cutoff)
    local_day = day if at >= NOON else day + ONE_DAY
    return datetime.combine(local_day, at, tz).astimezone(UTC)


def window_day(instant: datetime, cutoff: str, tz: tzinfo) -> date:
    """The business day in whose window `instant` (aware) lies; an instant at a window's end belongs to the next window (rule 2)."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its offset from UTC")
    day = instant.astimezone(tz).date() - 2 * ONE_DAY
    while window_end(day, cutoff, tz) <= instant:
        day += ONE_DAY
    return day


def is_month_end(day: date) -> bool:
    """Whether `day` is the last of its month."""
    return (day + ONE_DAY).day == 1


def is_settlement_day(day: date, frequency: Frequency) -> bool:
    """Whether a party that settles with this `frequency` pays or is paid in the window of `day` (rule 28)."""
    match frequency:
        case "daily":
            return True
        case "weekly":
            return day.weekday() == SUNDAY
        case "monthly":
            return is_month_end(day)
        case _:
            assert_never(frequency)


def next_bank_day(day: date, is_bank_day: Callable[[date], bool]) -> date:
    """`day` itself where the bank works then, else the first day after it on which it does. Raises ValueError for a calendar without bank days."""
    for later in range(CLOSED_DAYS_MAX + 1):
        if is_bank_day(day + later * ONE_DAY):
            return day + later * ONE_DAY
    raise ValueError(f"there is no bank day within {CLOSED_DAYS_MAX} days from {day}")


def value_date(day: date, bank_days: int, is_bank_day: Callable[[date], bool]) -> date:
    """On which day the payments of the window of `day` are made: so many bank days after it; with none, on the first bank day from it on."""
    found = next_bank_day(day, is_bank_day) if bank_days == 0 else day
    for _ in range(bank_days):
        found = next_bank_day(found + ONE_DAY, is_bank_day)
    return found
