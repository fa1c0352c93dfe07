"""The relays of all programmes in one process: a thread for each, begun when its programme is there, ended when it is gone."""

import threading
from collections.abc import Sequence

import psycopg
import structlog

from services.house import House
from services.journal.migrate import schema_of
from services.outage import Outage
from services.outbox.relay import Relay
from services.processes.gone import REMOVED, is_gone
from services.stop import Stop

log = structlog.get_logger()

NEW_PROGRAMMES_S = 5.0
"""How often it is looked for programmes that have come into force."""


def run_relays(house: House, stop: Stop, programmes: Sequence[str] = ()) -> bool:
    """Relays these programmes, or all there are and will be, until it is told to stop. False: one of them failed, and all were stopped.

    While PostgreSQL is away it is waited for. A programme whose books are removed ends its own relay only; one that comes back gets a new one.
    """
    failed = threading.Event()
    threads: dict[str, threading.Thread] = {}
    outage = Outage()

    def relay(programme: str) -> None:
        try:
            Relay(house.postgres_uri, house.kafka_bootstrap, schema_of(programme)).run(stop)
        except Exception as error:
            if isinstance(error, REMOVED) or is_gone(house, programme):
                log.warning("the books of this programme are gone: its relay ends, the others go on", programme=programme)
                return
            log.exception("the relay cannot go on", programme=programme)
            failed.set()
            stop.set()

    while not stop():
        try:
            for programme in _in_force(house, programmes):
                if programme not in threads or not threads[programme].is_alive():
                    threads[programme] = threading.Thread(target=relay, args=(programme,), name=f"relay {programme}")
                    threads[programme].start()
        except psycopg.OperationalError as error:
            stop.wait(outage.pause_s(error))
        else:
            stop.wait(NEW_PROGRAMMES_S)
    for thread in threads.values():
        thread.join()
    return not failed.is_set()


def _in_force(house: House, wanted: Sequence[str]) -> list[str]:
    """The programmes that have books now, of those that are wanted."""
    schemas = {schema_of(programme) for programme in wanted}
    return [programme for programme in house.programmes() if not wanted or schema_of(programme) in schemas]
