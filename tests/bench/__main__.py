"""`make bench`: everything in one run on this machine, as a table and as build/bench.json."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.house import House
from services.journal.migrate import drop, schema_of
from services.kafka import topics
from services.kafka.producer import producer, producer_settings
from tests.bench import workload
from tests.bench.booking import TOPIC, measure_booking
from tests.bench.closing import measure_closing
from tests.bench.latency import measure_latency
from tests.bench.limit import measure_limit
from tests.bench.matching import measure_matching
from tests.bench.rendering import measure_rendering
from tests.bench.sealing import measure_sealing

BACKLOG = int(os.environ.get("BENCH_BACKLOG", "500000"))
PROCESSORS = int(os.environ.get("BENCH_PROCESSORS", "2"))
LARGE = int(os.environ.get("BENCH_LARGE", "1000000"))
SMALL = LARGE // 10
FAUST = min(BACKLOG, 100_000)
LIMIT = 250_000
LATENCY_SECONDS = 15
RESULT = Path("build/bench.json")
FORMS = ("pdf", "xlsx", "html", "csv")
SERVER_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size", "wal_compression", "server_version")


class Steps:
    """How long each step of the whole run takes, with what it makes ready."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.begun: list[tuple[str, float]] = []

    def begin(self, step: str) -> None:
        """Says what is done from now on."""
        self.begun.append((step, time.monotonic()))
        self.say(step)

    def took(self) -> dict[str, float]:
        """Seconds of each step so far; the last ends now."""
        ends = [*(at for _, at in self.begun[1:]), time.monotonic()]
        return {step: round(end - at, 1) for (step, at), end in zip(self.begun, ends, strict=True)}


def main() -> None:
    """Measures, prints, writes."""
    err = Console(stderr=True)
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err) as progress, tempfile.TemporaryDirectory() as folder:
        task = progress.add_task("start Kafka and PostgreSQL", total=None)
        house = House.here()
        steps = Steps(lambda step: progress.update(task, description=step))
        found = measure(house, Path(folder), steps.begin) | {"took_s": steps.took()}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    Console().print(table(found))


def measure(house: House, folder: Path, say: Any) -> dict[str, Any]:
    """All figures. The limit is taken before and after the booking, and the mean counts: machines are not steady."""
    say("limit: PostgreSQL alone")
    before = measure_limit(house.postgres_uri, LIMIT)
    say(f"booking a backlog of {BACKLOG:,} purchases with {PROCESSORS} processors")
    booked = measure_booking(house, "bench", BACKLOG, PROCESSORS, folder)
    say("limit again")
    after = measure_limit(house.postgres_uri, LIMIT)
    say("latency at half of that load")
    remove(house, "bench")  # its tables have only just been filled: tidying them up would be measured too
    latency = measure_latency(house, "bench-latency", booked.per_second / 2, LATENCY_SECONDS, PROCESSORS, folder)
    say(f"closing a window of {SMALL:,} purchases")
    small = measure_closing(house, "bench-close", SMALL)
    say(f"closing a window of {LARGE:,} purchases")
    large = measure_closing(house, "bench-close", LARGE)
    say("sealing that window, and verifying its export twice")
    sealed = measure_sealing(house, "bench-close", folder)
    say(f"matching {LARGE:,} lines of a bank")
    remove(house, "bench-close")
    matched = measure_matching(house.postgres_uri, LARGE)
    matched_small = measure_matching(house.postgres_uri, SMALL)
    say("rendering a report of 2,000 lines")
    rendered = measure_rendering()
    say("a plain Faust agent that decodes and counts")
    faust = measure_faust(house)
    for name in ("bench-latency", "bench-faust"):
        remove(house, name)
    limit = (before + after) / 2
    return {
        "booking_per_s": round(booked.per_second),
        "booking_processors": PROCESSORS,
        "limit_per_s": round(limit),
        "limit_before_after": [round(before), round(after)],
        "booking_to_limit": round(booked.per_second / limit, 3),
        "latency_p50_ms": round(latency.p50_ms, 1),
        "latency_p99_ms": round(latency.p99_ms, 1),
        "latency_load_per_s": round(latency.per_second),
        "close_100k_s": round(small.seconds, 3),
        "close_1m_s": round(large.seconds, 3),
        "close_steps_1m_s": {step: round(seconds, 3) for step, seconds in large.steps.items()},
        "close_peak_mb": round(large.peak_mb),
        "processor_peak_mb": round(booked.peak_mb),
        "matching": {"large": asdict(matched), "small": asdict(matched_small)},
        "sealing": {name: round(value, 2) for name, value in asdict(sealed).items()},
        "rendering": {name: round(seconds, 2) for name, seconds in rendered.items()},
        "faust_per_s": round(faust),
        "purchases": {"backlog": BACKLOG, "close_small": SMALL, "close_large": LARGE},
        "settings": settings(house),
    }


def remove(house: House, name: str) -> None:
    """Books and topics of one measurement; what they have left to write is written."""
    drop(house.postgres_uri, schema_of(name))
    topics.delete(house.kafka_bootstrap, name)
    with psycopg.connect(house.postgres_uri, autocommit=True) as connection:
        connection.execute("checkpoint")


def measure_faust(house: House) -> float:
    """Records a second of a Faust agent that only decodes and counts, on the same kind of records."""
    topics.delete(house.kafka_bootstrap, "bench-faust")
    topics.create(house.kafka_bootstrap, "bench-faust", partitions={TOPIC: 12}, only=[TOPIC])
    workload.publish(producer(house.kafka_bootstrap), f"bench-faust.{TOPIC}", 0, FAUST)
    command = [sys.executable, "-m", "tests.bench.faust_plain", house.kafka_bootstrap, f"bench-faust.{TOPIC}", str(FAUST)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return float(done.stdout.split()[-1])


def settings(house: House) -> dict[str, str]:
    """Under which settings of database and broker's client the figures were taken."""
    with psycopg.connect(house.postgres_uri) as connection:
        rows = connection.execute("select name, setting || coalesce(unit, '') from pg_settings where name = any(%s) order by name", (list(SERVER_SETTINGS),))
        found = {f"postgresql.{name}": str(value) for name, value in rows}
    client = producer_settings("")
    return found | {f"producer.{name}": str(client[name]) for name in ("acks", "enable.idempotence", "compression.type", "linger.ms")}


def table(found: dict[str, Any]) -> Table:
    """The figures beside their bars."""
    rows = Table("figure", "measured", "bar", "holds", title="Bench")
    booking, limit = found["booking_per_s"], found["limit_per_s"]
    growth = found["close_1m_s"] / found["close_100k_s"]
    matching, matching_small = found["matching"]["large"], found["matching"]["small"]
    backend = matching["backend_peak_mb"]
    sealing, rendering = found["sealing"], found["rendering"]
    for name, measured, bar, holds in (
        ("(a) booked, purchases/s", f"{booking:,} ({found['booking_processors']} processors)", "≥ 15,000", booking >= 15_000),
        ("(b) limit, purchases/s", f"{limit:,}", "", None),
        ("(a) ÷ (b)", f"{booking / limit:.2f}", "≥ 0.50", booking / limit >= 0.5),
        ("(c) latency p50, ms", f"{found['latency_p50_ms']}", "", None),
        ("(c) latency p99, ms", f"{found['latency_p99_ms']} at {found['latency_load_per_s']:,}/s", "≤ 1,000", found["latency_p99_ms"] <= 1000),
        ("(d) close the small window, s", f"{found['close_100k_s']}", "", None),
        ("(d) close the large window, s", f"{found['close_1m_s']}", "≤ 10", found["close_1m_s"] <= 10),
        ("(d) large ÷ small", f"{growth:.1f}", "≤ 11", growth <= 11),
        ("(d) memory of the night run, MB", f"{found['close_peak_mb']}", "≤ 300", found["close_peak_mb"] <= 300),
        ("(e) memory of a processor, MB", f"{found['processor_peak_mb']}", "≤ 300", found["processor_peak_mb"] <= 300),
        (f"(g) match {matching['rows_a_side']:,} lines a side, s", f"{matching['seconds']}", "≤ 60", matching["seconds"] <= 60),
        ("(g) limit: one hash join of the same two tables, s", f"{matching['limit_seconds']}", "", None),
        ("(g) memory of matching, MB", f"{matching['peak_mb']}", "≤ 300", matching["peak_mb"] <= 300),
        (
            "(g) memory of its backend, MB; with a tenth of the lines",
            f"{backend}; {matching_small['backend_peak_mb']}",
            "≤ 300",
            None if backend is None else backend <= 300,
        ),
        (f"(h) seal {sealing['leaves']:,} leaves; export them, s", f"{sealing['seal_s']}; {sealing['export_s']}", "", None),
        ("(h) memory of sealing and exporting, MB", f"{sealing['seal_peak_mb']}", "≤ 300", sealing["seal_peak_mb"] <= 300),
        ("(h) clh verify, s", f"{sealing['verify_s']}", "≤ 30", sealing["verify_s"] <= 30),
        ("(h) memory of a process of clh verify, MB", f"{sealing['verify_peak_mb']}", "≤ 300", sealing["verify_peak_mb"] <= 300),
        ("(h) the auditor's verifier, s", f"{sealing['auditor_s']}", "≤ 30", sealing["auditor_s"] <= 30),
        (f"(h) limit: SHA-256 of the same {sealing['export_mb']:,.0f} MB, s", f"{sealing['sha256_s']}", "", None),
        ("(i) report of 2,000 lines: PDF; XLSX, HTML, CSV, s", "; ".join(f"{rendering[f'{form}_s']}" for form in FORMS), "", None),
        ("(i) limit: a plain table of as many cells as PDF, s", f"{rendering['plain_table_s']}", "", None),
        ("(f) plain Faust agent, records/s", f"{found['faust_per_s']:,}", "< (a)", found["faust_per_s"] < booking),
        ("the whole run, min", f"{sum(found['took_s'].values()) / 60:.1f}; longest: {max(found['took_s'], key=found['took_s'].get)}", "", None),
    ):
        rows.add_row(name, measured, bar, "" if holds is None else "yes" if holds else "NO")
    return rows


if __name__ == "__main__":
    main()
