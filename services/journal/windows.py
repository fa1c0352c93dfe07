"""Windows in the books: the first one is opened when a programme starts, the others at each cut-off; every move of one is told."""

import json
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import psycopg

from clearing.settlement_days import window_day, window_end
from clearing.window import Event, State, advance
from schemas.programme import ProgrammeFile
from schemas.topics import CLEARING_TOPIC

HOUSE: Final = "house"
"""Who moves a window where no person does."""
OPEN = "insert into settlement_window (day, state, ends_at, received_at) values (%s, 'open', %s, %s) on conflict do nothing"
# Every step of the night, and every signature, holds the window's row: they take turns.
LOCK_WINDOW = "select state from settlement_window where day = %s for update"
MOVE_STATE = "update settlement_window set state = %(after)s, booked = booked or %(after)s not in ('open', 'draining') where day = %(day)s"
# The moment is part of what is told, so that it reads the same however often it is sent.
KEEP_MOVE = """
insert into window_move (day, event, before, after, run, by_whom, because, at) values (%s, %s, %s, %s, %s, %s, %s, coalesce(%s::timestamptz, now()))
"""
TELL = "insert into outbox (topic, key, body) values (%s, %s, (%s::jsonb || jsonb_build_object('at', coalesce(%s::timestamptz, now())))::text)"


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


def lock_window(connection: psycopg.Connection, day: date) -> State:
    """Where a window stands; nobody else moves it until the transaction ends. Raises LookupError for a day that has no window."""
    row = connection.execute(LOCK_WINDOW, (day,)).fetchone()
    if row is None:
        raise LookupError(f"there is no window {day}")
    return State(row[0])


def move_window(
    connection: psycopg.Connection,
    programme: str,
    day: date,
    event: Event,
    *,
    run: tuple[int, str] | None = None,
    at: datetime | None = None,
    by: str = HOUSE,
    because: str | None = None,
) -> State:
    """Moves a window, keeps the move and tells of it on `clearing.events.v1`, in the caller's transaction; returns where it stands then.

    `run`: number and hash of the run that it is about. `at`: when, by the clock of whoever moves it; the database's unless told. `by`: the person, who
    is kept and not told. `because`: the bank's statement that moved it. Raises `WrongTransition` where the window does not take the event.
    """
    before = lock_window(connection, day)
    after = advance(before, event)
    connection.execute(MOVE_STATE, {"after": after.value, "day": day})
    no, sha256 = run or (None, None)
    connection.execute(KEEP_MOVE, (day, event.value, before.value, after.value, no, by, because, at))
    told = {"programme": programme, "window": day.isoformat(), "state": after.value, "event": event.value, "run": no, "report_sha256": sha256}
    if because is not None:
        told["because"] = because
    connection.execute(TELL, (CLEARING_TOPIC, programme, json.dumps(told), at))
    return after
