"""The house: the addresses of its books and its broker, and what each programme has there (a schema, topics, windows)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

from clearing.settlement_days import window_end
from schemas.programme import ProgrammeFile
from schemas.topics import TOPICS_BY_NAME
from services.accrual.incoming import SenderKeys
from services.accrual.processor import BATCH_MAX, Processor
from services.journal import programmes
from services.journal.headroom import TOPIC, open_first_room
from services.journal.migrate import add_month, connect, migrate, schema_of
from services.journal.windows import open_first, open_window
from services.kafka import topics
from services.night.books import PgNight
from services.runtime.local import ensure

PREFIX = "clh_"


@dataclass(frozen=True, slots=True)
class House:
    """Addresses of PostgreSQL and Kafka; everything else is found from them."""

    postgres_uri: str
    kafka_bootstrap: str

    @staticmethod
    def here(state_dir: Path | None = None, *, make: bool = True) -> "House":
        """The house that the environment names, or the local one, started unless it runs; without `make` there has to be one."""
        addresses = ensure(state_dir, make=make)
        return House(addresses.postgres_uri, addresses.kafka_bootstrap)

    def apply(self, file: ProgrammeFile, text: str, *, first_window: date | None = None) -> bool:
        """Puts a programme into force: books, topics, names, and its first window where it has none. Returns whether anything changed.

        `first_window` opens that day instead of the one that holds this moment (a demo of another year).
        """
        programme = file.programme.id
        schema = schema_of(programme)
        migrate(self.postgres_uri, schema)
        topics.create(self.kafka_bootstrap, programme)
        with connect(self.postgres_uri, schema) as connection:
            changed = programmes.store(connection, file, text)
            if first_window is not None:
                open_window(connection, first_window, None)
                day = first_window
            else:
                day = open_first(connection, file, datetime.now(UTC))
            open_first_room(connection, file, day, TOPICS_BY_NAME[TOPIC].partitions)
        add_month(self.postgres_uri, schema, day)
        return changed

    def books(self, programme: str, *, autocommit: bool = True) -> psycopg.Connection:
        """A connection to a programme's books. Raises `NoProgramme` where there are none."""
        schema = schema_of(programme)
        connection = connect(self.postgres_uri, schema, autocommit=autocommit)
        if connection.execute("select to_regclass(%s)", (f"{schema}.programme",)).fetchone() == (None,):
            connection.close()
            raise programmes.NoProgramme
        return connection

    def programmes(self) -> list[str]:
        """Ids of the programmes in force, by their books."""
        found = []
        with psycopg.connect(self.postgres_uri) as connection:
            schemas = connection.execute(
                "select schemaname from pg_tables where tablename = 'settlement_window' and schemaname like 'clh\\_%' order by 1"
            ).fetchall()
        for (schema,) in schemas:
            if not schema.startswith(PREFIX + "scenario_"):
                with connect(self.postgres_uri, schema) as connection:
                    try:
                        found.append(programmes.load(connection).programme.id)
                    except (programmes.NoProgramme, psycopg.errors.UndefinedTable):
                        continue  # it is being made, or removed
        return [str(programme) for programme in found]

    def processor(self, programme: str, *, keys: SenderKeys | None = None, batch_max: int = BATCH_MAX) -> Processor:
        """A processor that books a programme's topics and shares them with others of its kind."""
        return Processor(self.postgres_uri, self.kafka_bootstrap, schema_of(programme), keys=keys, batch_max=batch_max)

    def night(self, programme: str, booked_to_cut: Callable[[PgNight, date], None], *, by_hand: bool = False) -> PgNight:
        """The night of a programme. `booked_to_cut(night, day)` returns when processors have booked the window to its cut.

        `by_hand` cuts now; otherwise the cut is where the programme's clock says. The window of the next day is opened with it.
        """
        from clearing.plan import Plan

        schema = schema_of(programme)
        connection = self.books(programme)
        plan = Plan(programmes.load(connection))
        numbers: dict[str, int] = dict(connection.execute("select name, no from topic").fetchall())
        kafka_topics = {no: f"{plan.programme.id}.{name}" for name, no in numbers.items()}
        ends = topics.Ends(self.kafka_bootstrap, {name: no for no, name in kafka_topics.items()})
        zone = ZoneInfo(plan.programme.timezone)

        def following(day: date) -> tuple[date, datetime | None, datetime | None]:
            later = day + timedelta(days=1)
            add_month(self.postgres_uri, schema, later)
            clock = connection.execute("select ends_at from settlement_window where day = %s", (day,)).fetchone()
            by_clock = clock is not None and clock[0] is not None
            return later, window_end(later, plan.programme.cutoff, zone) if by_clock else None, None

        night: PgNight
        night = PgNight(connection, plan, kafka_topics, ends.at, lambda day: booked_to_cut(night, day), following, by_hand=by_hand)
        return night
