"""One programme's worker: ``python -m services.insights.worker BOOTSTRAP PROGRAMME``. Rebuilds its figures from the stream and keeps them.

Started by main.py, which starts it again whenever it ends.
"""

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import structlog
from confluent_kafka import KafkaException

from schemas.ids import PartyId, ProgrammeId
from schemas.topics import FIGURES_TOPIC, SIGNALS_TOPIC, topic_name
from services import logs
from services.insights import agents
from services.insights.liveness import watch
from services.insights.outlet import Outlet, first_day
from services.insights.reading import DAY_S
from services.insights.state import SOURCES, Place, State
from services.insights.stream import begins_and_ends, keys_and_values, replay
from services.kafka import topics
from services.outage import first_line
from services.settings import settings
from services.stop import Stop

log = structlog.get_logger()

NO_PROGRAMME = 2
"""Exit code: another try would not help."""


def run(bootstrap: str, programme: ProgrammeId, stop: Stop) -> NoReturn:
    """Runs until the process ends: told to stop, or because it cannot go on. With `NO_PROGRAMME` where there are no topics to read."""
    first = first_day(datetime.now(UTC))
    since = datetime.fromtimestamp(first * DAY_S, UTC)
    sources = {topic_name(programme, source): source for source in SOURCES}
    try:
        starts, ends = begins_and_ends(bootstrap, sources, since)
    except KeyError as error:
        log.error("there is no such topic: is the programme in force?", topic=error.args[0])  # noqa: TRY400  # where it was asked for says nothing
        raise SystemExit(NO_PROGRAMME) from None
    topics.create(bootstrap, programme, only=[FIGURES_TOPIC, SIGNALS_TOPIC])  # a programme may be older than they are
    state = State(first, starts, told=_told_signals(bootstrap, programme, since))
    parties = {PartyId(key.decode()) for key, _ in keys_and_values(bootstrap, topic_name(programme, FIGURES_TOPIC))}
    outlet = Outlet(bootstrap, programme, state, parties)
    watch(bootstrap, state, stop, time.monotonic)
    _rebuild(bootstrap, sources, state, starts, ends)
    agents.run(agents.build(bootstrap, programme, state, lambda: outlet.tick(datetime.now(UTC))))


def _rebuild(bootstrap: str, sources: Mapping[str, str], state: State, starts: Mapping[Place, int], ends: Mapping[Place, int]) -> None:
    """Counts what the window holds already. Faust goes on from there: reading this much through it would take ten times as long."""

    def count(topic: str, partition: int, offset: int, received_ms: int, value: bytes | None) -> None:
        state.take(sources[topic], (topic, partition), offset, received_ms, value)

    began_s = time.monotonic()
    replay(bootstrap, starts, ends, count)
    records = sum(state.positions[place] - start for place, start in starts.items())
    log.info("figures rebuilt from the stream", records=records, seconds=round(time.monotonic() - began_s, 1))


def _told_signals(bootstrap: str, programme: ProgrammeId, since: datetime) -> set[str]:
    """Ids of the signals told from the beginning of the window on: they are found again, and not told again."""
    records = keys_and_values(bootstrap, topic_name(programme, SIGNALS_TOPIC), since - timedelta(days=1))
    return {json.loads(value)["id"] for _, value in records if value}


def main() -> None:
    """The process."""
    told = settings()
    logs.configure(told.log_format, told.log_level)
    bootstrap, programme = sys.argv[1:3]
    try:
        run(bootstrap, ProgrammeId(programme), Stop().on_signals().with_parent())
    except KafkaException as error:
        log.warning("Kafka cannot be reached", why=first_line(error))
        raise SystemExit(agents.FATAL) from None


if __name__ == "__main__":
    main()
