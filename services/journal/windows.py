"""Windows in the books: the first one is opened when a programme starts, the others at each cut-off."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import psycopg

from clearing.settlement_days import window_day, window_end
from schemas.programme import ProgrammeFile

OPEN = "insert into settlement_window (day, state, ends_at, received_at) values (%s, 'open', %s, %s) on conflict do nothing"


def open_window(connection: psycopg.Connection, day: date, ends_at: datetime | None, received_at: datetime | None = None) -> None:
    """Opens a window; does nothing where it is there already."""
    connection.execute(OPEN, (day, ends_at, received_at))


def open_first(connection: psycopg.Connection, file: ProgrammeFile, now: datetime) -> date:
    """Opens the window that holds this moment, where the programme has none yet; returns the oldest open day."""
    row = connection.execute("select min(day) from settlement_window where state = 'open'").fetchone()
    if row is not None and row[0] is not None:
        found: date = row[0]
        return found
    zone = ZoneInfo(file.programme.timezone)
    day = window_day(now, file.programme.cutoff, zone)
    open_window(connection, day, window_end(day, file.programme.cutoff, zone))
    return day
