"""Runs nights: the windows whose time has come, or one that a person closes by hand. Started by the platform's cron or by `clh run cron`."""

import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from functools import partial

from clearing.night import Progress, run_night
from services.disputes.life import lapse_due
from services.house import House
from services.night.books import PgNight
from services.settings import settings

# Windows that are not netted, oldest first.
TO_CLEAR = "select day, state, ends_at from settlement_window where state in ('open', 'draining', 'closed', 'defaulted') order by day"
PAUSE_SECONDS = 0.02


def wait_for_processors(night: PgNight, day: date) -> None:
    """Returns when processors elsewhere have booked every partition to its cut."""
    while night.behind(day):
        time.sleep(PAUSE_SECONDS)


def clear_due(
    house: House,
    programme: str,
    *,
    now: datetime | None = None,
    booked_to_cut: Callable[[PgNight, date], None] = wait_for_processors,
    progress: Progress = lambda _: None,
    half_done_only: bool = False,
) -> list[date]:
    """Clears every window whose end has passed, or that was left half done; returns their days. Run twice, the second finds nothing to do.

    `progress` is told the window with each step. `half_done_only`: windows that are open stay open, whatever the clock says.
    """
    night = house.night(programme, booked_to_cut)
    moment = now or datetime.now(UTC)
    with closing(night.connection):
        return _clear_all(night, moment, progress, half_done_only=half_done_only)


def _clear_all(night: PgNight, moment: datetime, progress: Progress, *, half_done_only: bool) -> list[date]:
    cleared: list[date] = []
    while True:
        rows = night.connection.execute(TO_CLEAR).fetchall()
        due = [day for day, state, ends_at in rows if state != "open" or (not half_done_only and ends_at is not None and ends_at <= moment)]
        if not due:
            if not cleared:  # what an earlier run cleared and did not come to seal
                _seal(night, None, progress)
            _lapse(night, moment)
            return cleared
        run_night(due[0], night.plan.file, night, partial(_of_window, progress, due[0]))
        _seal(night, due[0], progress)
        cleared.append(due[0])


def _lapse(night: PgNight, moment: datetime) -> None:
    """Lets disputes lapse that nobody decided in time; what they withheld is due again in the window that is open, or with a later night where none is."""
    if night.connection.execute("select 1 from settlement_window where state = 'open'").fetchone() is not None:
        lapse_due(night.connection, moment, moment.astimezone(night.plan.zone).date())


def _of_window(progress: Progress, day: date, step: str) -> None:
    progress(f"{day}: {step}")


def _seal(night: PgNight, day: date | None, progress: Progress) -> None:
    """Seals what is cleared and not sealed, where the house has a key. What fails here leaves the window netted; the next run seals it."""
    path = settings().seal_key
    if path is not None:
        from services.seal.keys import FileSigner
        from services.seal.results import seal_results_due
        from services.seal.sealing import seal_due

        if day is not None:
            _of_window(progress, day, "seal")
        signer = FileSigner(path)
        seal_due(night.connection, signer, through=day)
        seal_results_due(night.connection, signer)


def close_by_hand(
    house: House,
    programme: str,
    day: date,
    *,
    booked_to_cut: Callable[[PgNight, date], None] = wait_for_processors,
    progress: Progress = lambda _: None,
) -> None:
    """Cuts the window now, whatever the clock says, and clears it."""
    night = house.night(programme, booked_to_cut, by_hand=True)
    with closing(night.connection):
        run_night(day, night.plan.file, night, partial(_of_window, progress, day))
        _seal(night, day, progress)
