"""When a business day's window ends (rule 2), and on which days a party settles (rule 28). Pure functions of the calendar."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, assert_never

Frequency = Literal["daily", "weekly", "monthly"]

NOON: Final = time(12)
SUNDAY: Final = 6
ONE_DAY: Final = timedelta(days=1)


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
