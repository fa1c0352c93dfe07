"""The clock of the nights: each minute, every programme whose cut-off has passed is cleared. For houses whose platform brings no cron."""

from datetime import UTC, date, datetime, timedelta

import psycopg
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from confluent_kafka import KafkaException

from clearing.ports import Refusal
from services.house import House
from services.night.books import PgNight
from services.night.run import PAUSE_SECONDS, TO_CLEAR, clear_due
from services.outage import Outage, first_line
from services.processes.gone import REMOVED
from services.stop import Stop

log = structlog.get_logger()

SECOND = 1
"""Of each minute: cut-offs lie on whole minutes, and the broker's clock may be a little behind ours."""
MISSED_S = 55
LOOK = " look"
"""Name of the job that looks for programmes; no programme has a blank in its id."""
PAUSE_MAX_S = 60.0


class Interrupted(Exception):  # no error: the night goes on where it stopped when it is started again
    """The night was told to stop while it waited for the processors."""


def run_cron(house: House, stop: Stop) -> None:
    """Clears what is due, each programme by itself, until it is told to stop."""
    scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISSED_S})
    clock = CronTrigger(second=SECOND, timezone=UTC)

    outage = Outage(PAUSE_MAX_S)

    def look() -> None:
        """A job for each programme in force: they wait for one another no more than the database does. One that is gone has none any more."""
        try:
            in_force = house.programmes()
        except psycopg.OperationalError as error:
            again = datetime.now(UTC) + timedelta(seconds=outage.pause_s(error))
            scheduler.modify_job(LOOK, next_run_time=again)
            return
        for job in scheduler.get_jobs():
            if job.id != LOOK and job.id not in in_force:
                log.warning("the books of this programme are gone: no more nights of it", programme=job.id)
                job.remove()
        for programme in in_force:
            if scheduler.get_job(programme) is None:
                scheduler.add_job(clear, clock, args=(house, programme, stop), id=programme, next_run_time=datetime.now(UTC))

    scheduler.add_job(look, clock, id=LOOK, next_run_time=datetime.now(UTC))
    scheduler.start()
    log.info("the clock of the nights runs")
    while not stop():
        stop.wait(60)
    scheduler.shutdown(wait=True)


def clear(house: House, programme: str, stop: Stop) -> None:
    """Clears what is due of one programme; what goes wrong is logged, and tried again in the next minute."""
    bound = log.bind(programme=programme)
    try:
        if not is_due(house, programme, datetime.now(UTC)):
            return
        for day in clear_due(house, programme, booked_to_cut=Waiting(stop), progress=lambda step: bound.debug("night run", step=step)):
            bound.info("window cleared", window=day.isoformat())
    except Interrupted:
        bound.info("stopped in the middle of a night; it goes on at the next start")
    except Refusal as refusal:
        bound.error("the window was not cleared: a check does not hold", checks=[check.name for check in refusal.failed])
    except REMOVED:
        bound.debug("the programme is gone")  # said where it is looked for programmes
    except psycopg.OperationalError as error:
        bound.warning("the night waits for PostgreSQL; it is tried again in the next minute", why=first_line(error))
    except KafkaException as error:
        bound.warning("the night waits for Kafka; it is tried again in the next minute", why=first_line(error))
    except Exception:
        log.exception("the night run failed; it is tried again in the next minute", programme=programme)


def is_due(house: House, programme: str, now: datetime) -> bool:
    """Whether a window's end has passed, or a night was left half done."""
    with house.books(programme) as connection:
        rows = connection.execute(TO_CLEAR).fetchall()
    return any(state != "open" or (ends_at is not None and ends_at <= now) for _, state, ends_at in rows)


class Waiting:
    """Returns when every partition is booked to its cut. Raises `Interrupted` when it is time to stop."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def __call__(self, night: PgNight, day: date) -> None:
        while night.behind(day):
            if self.stop():
                raise Interrupted
            self.stop.wait(PAUSE_SECONDS)
