"""The relays of all programmes in one process: a thread for each, begun when its programme is there."""

import threading
from collections.abc import Sequence

import structlog

from services.house import House
from services.journal.migrate import schema_of
from services.outbox.relay import Relay
from services.stop import Stop

log = structlog.get_logger()

NEW_PROGRAMMES_S = 5.0
"""How often it is looked for programmes that have come into force."""


def run_relays(house: House, stop: Stop, programmes: Sequence[str] = ()) -> bool:
    """Relays these programmes, or all there are and will be, until it is told to stop. False: one of them failed, and all were stopped."""
    failed = threading.Event()
    threads: dict[str, threading.Thread] = {}

    def relay(programme: str) -> None:
        try:
            Relay(house.postgres_uri, house.kafka_bootstrap, schema_of(programme)).run(stop)
        except Exception:
            log.exception("the relay cannot go on", programme=programme)
            failed.set()
            stop.set()

    while not stop():
        for programme in programmes or house.programmes():
            if programme not in threads:
                threads[programme] = threading.Thread(target=relay, args=(programme,), name=f"relay {programme}")
                threads[programme].start()
        stop.wait(NEW_PROGRAMMES_S)
    for thread in threads.values():
        thread.join()
    return not failed.is_set()
