"""Until when a payment has to be on a statement: its value date and so many bank days more as the programme gives those who pay late."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from clearing.payment_states import PaymentKind
from clearing.settlement_days import value_date
from schemas.programme import Programme
from services.settlement.calendar import UnknownCountry, bank_days
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.payment_states import Standing


def deadline_of(due: date, programme: Programme) -> date:
    """The last day on which a payment with this value date is in time: `default.deadline_days` bank days after it; without such rules, none.

    Raises `SettlementError`: unknown-country.
    """
    days = programme.default.deadline_days if programme.default is not None else 0
    try:
        return value_date(due, days, bank_days(programme.bank_calendar.holidays))
    except UnknownCountry as unknown:
        raise SettlementError(SettlementCode.UNKNOWN_COUNTRY, str(unknown)) from None


def is_late(one: Standing, programme: Programme, now: datetime) -> bool:
    """Whether a payment is missing though its deadline has passed, by the programme's clock."""
    today = now.astimezone(ZoneInfo(programme.timezone)).date()
    return one.kind is not PaymentKind.DIRECT and one.missing_minor > 0 and today > deadline_of(one.value_date, programme)
