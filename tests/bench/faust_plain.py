"""A plain Faust agent that only decodes and counts: ``python -m tests.bench.faust_plain BOOTSTRAP TOPIC COUNT`` prints its records/s.

The other end of the scale that booking is measured on: what the same records cost when a stream processor of Faust merely looks at them. It runs as
docs/adr/0002 says that Faust has to run (raw bytes in, uvloop, one agent instance), reads the topic from its beginning, books nothing and keeps nothing.
The clock runs from the first record to the last, so that joining the group is not counted.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path

import mode.loop

mode.loop.use("uvloop")  # before Faust takes a loop

import faust  # noqa: E402


def counting_app(bootstrap: str, topic: str, count: int) -> faust.App:
    """An app whose agent decodes and counts, prints records/s after `count` of them, and ends the process."""
    run = uuid.uuid4().hex[:8]
    app = faust.App(
        f"clh.bench.{run}",
        broker=f"kafka://{bootstrap}",
        datadir=Path(tempfile.gettempdir()) / "clh-faust-plain",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=5_000,
    )
    records = app.topic(topic, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw")
    seen = 0
    started = 0.0

    @app.agent(records, concurrency=1)
    async def count_records(stream: faust.StreamT[bytes]) -> None:
        nonlocal seen, started
        async for value in stream:
            if seen == 0:
                started = time.perf_counter()
            json.loads(value)
            seen += 1
            if seen == count:
                os.write(1, f"{round((seen - 1) / (time.perf_counter() - started))}\n".encode())
                os._exit(0)

    return app


def main() -> None:
    """Runs until so many records were counted."""
    bootstrap, topic, count = sys.argv[1:4]
    asyncio.set_event_loop(asyncio.new_event_loop())
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:  # Faust draws a spinner on standard output
        counting_app(bootstrap, topic, int(count)).Worker(loglevel="ERROR", quiet=True, stdout=nowhere).execute_from_commandline()


if __name__ == "__main__":
    main()
