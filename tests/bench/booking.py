"""How many purchases a second go from Kafka into the committed journal, with everything on; and how long one takes at half that load."""

import multiprocessing
import os
import resource
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

from schemas.ids import CardId, MemberId
from services.house import House
from services.journal import programmes
from services.journal.members import enrol
from services.journal.migrate import add_month, connect, drop, migrate, schema_of
from services.journal.windows import open_window
from services.kafka import topics
from services.kafka.producer import producer
from tests.bench import workload

TOPIC = "partner.transactions.v1"
PARTITIONS = 12
SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Booked:
    """What a run of processors reached."""

    per_second: float
    seconds: float
    peak_mb: float


def prepare(house: House, name: str, **settings: object) -> str:
    """Fresh books and topics with the benchmark's programme and members; returns their schema."""
    file = workload.programme(id=name, **settings)
    schema = schema_of(name)
    drop(house.postgres_uri, schema)
    topics.delete(house.kafka_bootstrap, name)
    migrate(house.postgres_uri, schema)
    topics.create(house.kafka_bootstrap, name, partitions={TOPIC: PARTITIONS})
    with connect(house.postgres_uri, schema) as connection:
        programmes.store(connection, file, "")
        enrol(connection, [(MemberId(f"m{no:05d}"), "consumer", {}, [CardId(f"card-{no:05d}")]) for no in range(workload.MEMBERS)])
        open_window(connection, workload.DAY, None, datetime(2026, 3, 2, 22, 59, 59, tzinfo=UTC))
    add_month(house.postgres_uri, schema, workload.DAY)
    return schema


def run_processor(house: House, name: str, stop: Event, report: Path) -> None:
    """A processor in a process of its own; leaves its peak memory in a file."""
    house.processor(name).run(stop.is_set)
    report.write_text(str(peak_mb()), encoding="ascii")


def peak_mb() -> float:
    """Most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Processors:
    """Some processors that share a programme's topics, each in a process of its own."""

    def __init__(self, house: House, name: str, count: int, folder: Path) -> None:
        self.stop = SPAWN.Event()
        self.reports = [folder / f"{name}-{no}.mb" for no in range(count)]
        self.processes = [SPAWN.Process(target=run_processor, args=(house, name, self.stop, report)) for report in self.reports]
        for process in self.processes:
            process.start()

    def end(self) -> float:
        """Stops them; returns the largest peak of memory, in MiB."""
        self.stop.set()
        for process in self.processes:
            process.join()
        return max(float(report.read_text(encoding="ascii")) for report in self.reports)


def booked_so_far(house: House, schema: str) -> int:
    """Records that are committed."""
    with connect(house.postgres_uri, schema, autocommit=True) as connection:
        row = connection.execute("select coalesce(sum(next_offset), 0)::bigint from progress").fetchone()
    assert row is not None
    return int(row[0])


def measure_booking(house: House, name: str, count: int, processors: int, folder: Path) -> Booked:
    """Publishes a backlog, then lets processors book it; the clock runs from the first commit to the last."""
    schema = prepare(house, name)
    workload.publish(producer(house.kafka_bootstrap), f"{name}.{TOPIC}", 0, count)
    running = Processors(house, name, processors, folder)
    with connect(house.postgres_uri, schema, autocommit=True) as connection:
        first, start = 0, 0.0
        while True:
            row = connection.execute("select coalesce(sum(next_offset), 0)::bigint from progress").fetchone()
            assert row is not None
            now = time.perf_counter()
            if row[0] and not first:
                first, start = row[0], now
            if row[0] >= count:
                break
            time.sleep(0.02)
    seconds = now - start
    return Booked((count - first) / seconds, seconds, running.end())


if __name__ == "__main__":
    here = House.here(Path(os.environ.get("CLH_STATE_DIR", ".clh")))
    for n in (1, 2):
        print(n, measure_booking(here, "bench", int(os.environ.get("N", "200000")), n, Path("/tmp")))  # noqa: S108
