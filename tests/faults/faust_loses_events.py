"""Which events Faust loses when an agent fails: ``python -m tests.faults.faust_loses_events [BOOTSTRAP]`` prints a table.

For each pattern 30 records are published, and an agent raises once, when it handles record 14 for the first time (or cannot decode it). The worker runs
until nothing comes any more; then a second one, with the same group, gets whatever Faust would still deliver. A record is lost when neither of the two
ever handled it to the end. The result is quoted in docs/adr/0002-booking-is-not-on-faust.md.

Each worker is a process of its own, as in production: ``… worker BOOTSTRAP TOPIC PATTERN FILE`` is what the first form starts.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import faust
import mode
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from rich.console import Console
from rich.table import Table

from services.kafka.producer import producer

RECORDS = 30
FAILS_AT = 14
TAKEN = 10
QUIET_S = 4.0
"""A worker to which nothing came for so long has got all that it will get."""
STOP_S = 8.0

PATTERNS = {
    "each": "`async for` body raises",
    "take": "`take(10)` body raises",
    "crashing-supervisor": "`take(10)` body raises, CrashingSupervisor",
    "noack-take": "`noack_take(10)` body raises",
    "typed": "record that a typed topic cannot decode",
}


class Item(faust.Record, serializer="json", validation=True):
    """What the records hold."""

    no: int


class Once:
    """Handles records; fails at one of them, the first time that it comes. What was handled is written down as it happens."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.failed = log.with_suffix(".failed")

    def handle(self, *numbers: int) -> None:
        """All of the numbers or none: raises when the failing one is among them."""
        if FAILS_AT in numbers and not self.failed.exists():
            self.failed.touch()
            raise RuntimeError("once")
        with self.log.open("a", encoding="ascii") as file:
            file.writelines(f"{number}\n" for number in numbers)


def worker(bootstrap: str, topic: str, pattern: str, log: Path) -> None:
    """Runs one Faust worker, with Faust's own defaults wherever the pattern does not say otherwise."""
    app = faust.App(
        f"loses.{topic}",
        broker=f"kafka://{bootstrap}",
        datadir=log.parent / "faust",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        broker_commit_interval=0.5,
        broker_session_timeout=6,
        broker_heartbeat_interval=1,
    )
    once = Once(log)
    supervisor = mode.CrashingSupervisor if pattern == "crashing-supervisor" else None
    records = app.topic(topic, value_type=Item) if pattern == "typed" else app.topic(topic, value_type=bytes, value_serializer="raw")

    @app.agent(records, supervisor_strategy=supervisor)
    async def agent(stream: faust.StreamT[bytes]) -> None:
        if pattern == "each":
            async for value in stream:
                once.handle(json.loads(value)["no"])
        elif pattern == "typed":
            async for item in stream:
                once.handle(item.no)  # type: ignore[attr-defined]
        elif pattern == "noack-take":
            async for events in stream.noack_take(TAKEN, within=0.2):  # type: ignore[attr-defined]
                once.handle(*(json.loads(event.value)["no"] for event in events))
                for event in events:
                    event.ack()
        else:
            async for values in stream.take(TAKEN, within=0.2):
                once.handle(*(json.loads(value)["no"] for value in values))

    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        app.Worker(loglevel="CRITICAL", quiet=True, stdout=nowhere).execute_from_commandline()


def try_pattern(bootstrap: str, pattern: str, folder: Path) -> tuple[list[int], int, str]:
    """Numbers of the records that were lost, the committed offset, and how the workers ended."""
    topic = f"loses-{pattern}-{os.getpid()}"
    admin = AdminClient({"bootstrap.servers": bootstrap})  # has to live until the answer is there
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    log = folder / f"{pattern}.handled"
    log.touch()
    undecodable = pattern == "typed"
    sender = producer(bootstrap)
    for number in range(RECORDS):
        sender.produce(topic, b"{" if undecodable and number == FAILS_AT else json.dumps({"no": number}).encode())
    sender.flush(30)
    ends = []
    for _ in range(2):
        ends.append(run_until_quiet([sys.executable, "-m", __spec__.name, "worker", bootstrap, topic, pattern, str(log)], log))
        wait_until_forgotten(admin, f"loses.{topic}")
    committed = committed_offset(admin, f"loses.{topic}")
    handled = {int(line) for line in log.read_text(encoding="ascii").split()}
    return [number for number in range(committed) if number not in handled], committed, ", ".join(ends)


def wait_until_forgotten(admin: AdminClient, group: str) -> None:
    """Returns when the group has no member any more: only then would its partitions go to the next one at once."""
    deadline = time.monotonic() + 30
    while admin.describe_consumer_groups([group])[group].result(10).members:
        assert time.monotonic() < deadline, "the group still has a member"


def committed_offset(admin: AdminClient, group: str) -> int:
    """Up to where the group would never be given anything again."""
    found = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(10).topic_partitions
    return max((partition.offset for partition in found or ()), default=0)


def run_until_quiet(command: list[str], log: Path) -> str:
    """Runs a worker until it ends or nothing comes any more; returns how it ended."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    before = -1
    while True:
        try:
            process.wait(QUIET_S + (STOP_S if before < 0 else 0))  # the first time it has to join its group
        except subprocess.TimeoutExpired:
            size = log.stat().st_size
            if size == before:
                break
            before = size
        else:
            return f"ended by itself ({process.returncode})"
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return "killed: it did not heed SIGTERM"
    return "stopped"


def main() -> None:
    """Tries all patterns on a broker; starts the local one where no address is given."""
    if sys.argv[1:2] == ["worker"]:
        asyncio.set_event_loop(asyncio.new_event_loop())
        worker(sys.argv[2], sys.argv[3], sys.argv[4], Path(sys.argv[5]))
        return
    if len(sys.argv) > 1:
        bootstrap = sys.argv[1]
    else:
        from services.runtime.local import ensure

        bootstrap = ensure().kafka_bootstrap
    versions = ", ".join(f"{name} {version(name)}" for name in ("faust-streaming", "mode-streaming", "aiokafka"))
    title = f"{RECORDS} records, one failure at {FAILS_AT} (Python {sys.version.split()[0]}, {versions})"
    table = Table("pattern", "lost", "committed", "the two workers", title=title, title_justify="left")
    with tempfile.TemporaryDirectory() as folder:
        for pattern, description in PATTERNS.items():
            lost, committed, ends = try_pattern(bootstrap, pattern, Path(folder))
            table.add_row(description, _numbers(lost), str(committed), ends)
    Console(width=140).print(table)


def _numbers(numbers: list[int]) -> str:
    return f"{len(numbers)}: {', '.join(map(str, numbers))}" if numbers else "none"


if __name__ == "__main__":
    main()
