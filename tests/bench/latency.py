"""From published to committed, at a steady load: the time from handing an event to the producer until the books have its offset."""

import bisect
import os
import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.house import House
from services.journal.migrate import connect
from services.kafka.producer import producer
from tests.bench import workload
from tests.bench.booking import TOPIC, Processors, prepare

TICK_SECONDS = 0.01
PUBLISH_SECONDS = 0.01
WARM_UP_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from published to committed."""

    per_second: float
    p50_ms: float
    p99_ms: float
    events: int


class Watch(threading.Thread):
    """Notes when each partition's committed offset moved, to within a tick of 10 ms."""

    def __init__(self, house: House, schema: str) -> None:
        super().__init__(daemon=True)
        self.connection = connect(house.postgres_uri, schema, autocommit=True)
        self.done = threading.Event()
        self.offsets: dict[int, list[int]] = {}
        self.times: dict[int, list[float]] = {}

    def run(self) -> None:
        """Asks the books until it is told to stop."""
        while not self.done.wait(TICK_SECONDS):
            rows = self.connection.execute("select part, next_offset from progress p join topic t on t.no = p.topic where t.name = %s", (TOPIC,)).fetchall()
            now = time.perf_counter()
            for part, offset in rows:
                known = self.offsets.setdefault(part, [])
                if not known or offset > known[-1]:
                    known.append(offset)
                    self.times.setdefault(part, []).append(now)

    def committed(self, part: int, offset: int) -> float:
        """When the record was seen to be committed."""
        return self.times[part][bisect.bisect_right(self.offsets[part], offset)]


def measure_latency(house: House, name: str, per_second: float, seconds: int, processors: int, folder: Path) -> Latency:
    """Publishes at a steady rate for so long, and looks at all events after the first three seconds."""
    schema = prepare(house, name)
    running = Processors(house, name, processors, folder)
    watch = Watch(house, schema)
    watch.start()
    sent: list[tuple[int, int, float]] = []
    sender = producer(house.kafka_bootstrap)
    total = int(per_second * seconds)
    events = list(workload.purchases(0, total))
    _warm(sender, name, watch)
    start = time.perf_counter()
    no = 0
    while no < total:  # every tick, what is due by now: a publisher that spins would take a core from those it measures
        time.sleep(PUBLISH_SECONDS)
        now = time.perf_counter()
        due = min(total, int((now - start) * per_second))
        for key, value in events[no:due]:
            sender.produce(f"{name}.{TOPIC}", value, key, on_delivery=_noting(sent, now))
        no = max(no, due)
        sender.poll(0)
    sender.flush()
    while sum(offsets[-1] for offsets in watch.offsets.values()) < total + 1:
        time.sleep(0.05)
    watch.done.set()
    watch.join()
    running.end()
    found = [watch.committed(part, offset) - at for part, offset, at in sent if at >= start + WARM_UP_SECONDS]
    cuts = statistics.quantiles(found, n=100)
    return Latency(per_second, cuts[49] * 1000, cuts[98] * 1000, len(found))


def _warm(sender: Any, name: str, watch: Watch) -> None:
    """One purchase, so that everything is connected before the clock runs."""
    key, value = next(workload.purchases(10**9, 1))
    sender.produce(f"{name}.{TOPIC}", value, key)
    sender.flush()
    while not any(offsets[-1] for offsets in watch.offsets.values()):
        time.sleep(0.05)


def _noting(sent: list[tuple[int, int, float]], at: float) -> Any:
    def delivered(error: Any, message: Any) -> None:
        assert error is None, error
        sent.append((message.partition(), message.offset(), at))

    return delivered


if __name__ == "__main__":
    here = House.here(Path(os.environ.get("CLH_STATE_DIR", ".clh")))
    print(measure_latency(here, "latency", float(os.environ.get("RATE", "3000")), 12, 2, Path("/tmp")))  # noqa: S108
