"""Whether a worker still does its work: it fails when nothing was counted for some time while there is something to count.

What is asked is how far the state is, not what Faust has committed: commits can run ahead of the work. It is asked by a thread of its own, which
ends the process: a loop that hangs cannot tell that it hangs, and what the process knew is rebuilt by the next one.
"""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog
from confluent_kafka import KafkaException

from services.insights.agents import FATAL
from services.insights.state import Place, State
from services.insights.stream import Tail, ends_now
from services.kafka.clients import administrator
from services.stop import Stop

log = structlog.get_logger()

PATIENCE_S = 60.0
LOOK_S = 5.0
STOP_S = 0.2


@dataclass(slots=True)
class Progress:
    """When the positions last moved."""

    patience_s: float
    at_s: float
    positions: dict[Place, int] = field(default_factory=dict)

    def stuck(self, now_s: float, positions: Mapping[Place, int], ends: Mapping[Place, int] | None) -> dict[Place, int]:
        """The positions behind which something waits, when none has moved for too long; else nothing.

        `ends` is None while the broker cannot be asked: nobody can work then, and the time starts anew.
        """
        waiting = {place: positions.get(place, 0) for place, end in (ends or {}).items() if positions.get(place, 0) < end}
        if not waiting or dict(positions) != self.positions:
            self.positions = dict(positions)
            self.at_s = now_s
            return {}
        return waiting if now_s - self.at_s >= self.patience_s else {}


def watch(bootstrap: str, state: State, stop: Stop, monotonic: Callable[[], float]) -> None:
    """Starts the thread that ends the process: with 0 when it is time to stop, with `FATAL` when the work stands still."""
    threading.Thread(target=_watch, args=(bootstrap, state, stop, monotonic), name="liveness", daemon=True).start()


def _watch(bootstrap: str, state: State, stop: Stop, monotonic: Callable[[], float]) -> None:
    try:
        _look(bootstrap, state, stop, monotonic)
    except BaseException:  # without this thread nobody would notice anything
        log.exception("the watch failed")
    os._exit(0 if stop() else FATAL)


def _look(bootstrap: str, state: State, stop: Stop, monotonic: Callable[[], float]) -> None:
    admin = administrator(bootstrap)
    progress = Progress(PATIENCE_S, monotonic())
    looked_s = monotonic()
    while not stop():
        stop.wait(STOP_S)
        if monotonic() - looked_s < LOOK_S:
            continue
        looked_s = monotonic()
        places = list(state.positions)
        try:
            ends = ends_now(admin, places)
        except (KafkaException, TimeoutError):
            ends = None
        stuck = progress.stuck(monotonic(), {place: state.positions[place] for place in places}, ends)
        if stuck and holds_records(bootstrap, stuck):
            log.error("nothing was counted while there is something to count", seconds=round(monotonic() - progress.at_s), partitions=len(stuck))
            return


def holds_records(bootstrap: str, places: Mapping[Place, int]) -> bool:
    """Whether a record follows one of the positions: the last offsets of a partition may be marks of transactions, which nobody gets."""
    try:
        for (topic, partition), offset in places.items():
            with Tail(bootstrap, topic, offset, partition) as tail:
                if next(tail.present(), None) is not None:
                    return True
    except KafkaException:
        return False
    return False
