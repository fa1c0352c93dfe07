"""Live figures: ``python -m services.insights.main [PROGRAMME]``. Runs a worker for the programme and starts it again whenever it ends.

Without a programme, one for each that is in force, now or later.

A worker ends at once when it cannot go on, and knows nothing that the stream does not: so whatever happens to it, a new one is the cure.
Runs until SIGTERM or SIGINT, or, where standard input is a pipe, until whoever holds its other end is gone.
"""

import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psycopg
import structlog

from services import logs
from services.house import House
from services.outage import Outage
from services.processes.gone import GONE
from services.runtime.local import ensure
from services.settings import settings
from services.stop import Stop

log = structlog.get_logger()

LOOK_S = 0.2
PAUSE_MAX_S = 30.0
NEW_PROGRAMMES_S = 5.0
"""How often it is looked for programmes that have come into force."""
HEALTHY_S = 60.0
"""A worker that ran for so long is started again without a pause."""
STOP_S = 5.0
NO_PROGRAMME = 2
"""Exit code of a worker that has nothing to read (worker.py; not imported from there: that would load Faust here)."""


def supervise(bootstrap: str, programme: str, stop: Stop) -> bool:
    """Keeps a worker running until it is time to stop. False: there is nothing that it could read."""
    command = (sys.executable, "-m", "services.insights.worker", bootstrap, programme)
    pauses = _pauses()
    while not stop():
        started = time.monotonic()
        worker = subprocess.Popen(command, stdin=subprocess.PIPE)
        try:
            while worker.poll() is None and not stop():
                stop.wait(LOOK_S)
        finally:
            _end(worker)
        if stop() or worker.returncode == NO_PROGRAMME:
            break
        if time.monotonic() - started >= HEALTHY_S:
            pauses = _pauses()
        pause_s = next(pauses)
        log.warning("the worker ended; another one is started", exit_code=worker.returncode, in_seconds=pause_s)
        stop.wait(pause_s)
    return stop()


def supervise_all(house: House, stop: Stop) -> None:
    """Keeps a worker running for each programme in force, until it is time to stop."""
    threads: dict[str, threading.Thread] = {}
    outage = Outage()
    while not stop():
        try:
            in_force = house.programmes()
        except psycopg.OperationalError as error:
            stop.wait(outage.pause_s(error))
            continue
        for gone in [name for name, thread in threads.items() if name not in in_force and not thread.is_alive()]:
            del threads[gone]
        for programme in in_force:
            if programme not in threads:
                threads[programme] = threading.Thread(target=supervise, args=(house.kafka_bootstrap, programme, stop), name=programme)
                threads[programme].start()
        stop.wait(NEW_PROGRAMMES_S)
    for thread in threads.values():
        thread.join()


def _pauses() -> Iterator[float]:
    """Seconds before a worker is started again: longer each time, while none of them lasts."""
    pause_s = 0.2
    while True:
        yield pause_s
        pause_s = min(PAUSE_MAX_S, pause_s * 2)


def _end(worker: "subprocess.Popen[bytes]") -> None:
    worker.terminate()
    try:
        worker.wait(STOP_S)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
    assert worker.stdin is not None
    worker.stdin.close()


def main() -> None:
    """The process; the addresses are those of the environment, or of the local instance."""
    if len(sys.argv) > 2:
        sys.stderr.write("usage: python -m services.insights.main [PROGRAMME]\n")
        raise SystemExit(2)
    told = settings()
    logs.configure(told.log_format, told.log_level)
    stop = Stop().on_signals()
    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        stop.with_parent()
    if len(sys.argv) == 2:
        raise SystemExit(0 if supervise(told.kafka_bootstrap or ensure(make=False).kafka_bootstrap, sys.argv[1], stop) else GONE)
    supervise_all(House.here(make=False), stop)


if __name__ == "__main__":
    main()
