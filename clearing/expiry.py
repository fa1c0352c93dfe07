"""When points expire (rule 8), as whole days of the programme's time zone.

A lot carries one date. Points that expire by inactivity carry a marker instead of a day, which encodes the months;
their day follows from the member's last activity, so that a purchase need not touch all the member's lots.
"""

from calendar import monthrange
from datetime import date, timedelta

from schemas.expiry import Expiry, FixedExpiry, InactivityExpiry, NeverExpiry, RollingExpiry

NEVER = date(9999, 12, 31)
_INACTIVITY = date(9000, 1, 1)
_INACTIVITY_END = date(9004, 1, 1)


def month_end(day: date) -> date:
    """The last day of the month of `day`."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def add_months(day: date, months: int) -> date:
    """The same day so many months later; where that month is shorter, its last day (31 January and a month: 28 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def expiry_of(rule: Expiry, day: date) -> date:
    """The expiry date that a lot earned on `day` carries; `NEVER` where points do not expire."""
    match rule:
        case RollingExpiry():
            return month_end(add_months(day.replace(day=1), rule.months))
        case FixedExpiry():
            return _next_fixed(rule.month, rule.day, day)
        case InactivityExpiry():
            return _INACTIVITY + timedelta(days=rule.months)
        case NeverExpiry():
            return NEVER


def _next_fixed(month: int, day_of_month: int, day: date) -> date:
    for year in range(day.year, day.year + 9):
        if day_of_month <= monthrange(year, month)[1] and date(year, month, day_of_month) > day:
            return date(year, month, day_of_month)
    raise AssertionError("even 29 February comes within eight years")


def effective_expiry(expiry: date, last_activity: date | None, earned: date) -> date:
    """The day until which (inclusive) a lot can be spent; inactivity counts from the member's last earning or spending."""
    months = inactivity_months(expiry)
    if months is None:
        return expiry
    return month_end(add_months(max(last_activity or earned, earned).replace(day=1), months))


def inactivity_months(expiry: date) -> int | None:
    """The months of an inactivity marker, None for a real day."""
    if _INACTIVITY <= expiry < _INACTIVITY_END:
        return (expiry - _INACTIVITY).days
    return None
