"""The Faust app of one programme: three agents that hand batches to the state, set up so that nothing is lost on the way.

Faust's defaults lose events (docs/adr/0002). Here they cannot: no exception leaves an agent's body, so Faust never skips a batch; and Faust's
committed offsets, which may run ahead of what was counted, are not where reading starts. On every assignment each partition is read from where
the state is: what came before was counted, by an agent or when the state was rebuilt (docs/adr/0010).
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import mode.loop

mode.loop.use("uvloop")  # before Faust takes a loop

import faust  # noqa: E402
import structlog  # noqa: E402
from faust.transport.drivers import aiokafka as driver  # noqa: E402
from faust.types import TP, EventT, TransportT  # noqa: E402

from schemas.ids import ProgrammeId  # noqa: E402
from schemas.topics import topic_name  # noqa: E402
from services.insights.state import SOURCES, State  # noqa: E402

log = structlog.get_logger()

BATCH_MAX = 500
BATCH_WITHIN_S = 0.2
TICK_S = 1.0
SESSION_S = 10
REQUEST_S = 30
FATAL = 70
"""Exit code of a worker that cannot go on; it is started again and rebuilds what it knew."""


class Consumer(driver.Consumer):
    """Reads each partition from where the state is."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Called by Faust on every assignment; what was committed does not count."""
        assert isinstance(self.app, App)
        positions = self.app.counted.positions
        offsets = {tp: positions.get((tp.topic, tp.partition), 0) for tp in self.assignment()}
        await self.seek_wait(offsets)
        return offsets


class Transport(driver.Transport):
    """Faust's transport over aiokafka, with our consumer."""

    Consumer = Consumer


class App(faust.App):
    """A Faust app that carries the state which its agents change."""

    counted: State

    def _new_transport(self) -> TransportT:
        return Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """None: nothing is kept in files."""


def build(bootstrap: str, programme: ProgrammeId, state: State, tick: Callable[[], Awaitable[None]]) -> App:
    """The app; `tick` is called about every second, in the thread of the event loop. What it or an agent raises ends the process."""
    name = f"clh.insights.{programme}"
    app = App(
        name,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        value_serializer="raw",
        consumer_group_instance_id=name,  # fixed: a worker that is started again takes the place of the one that died at once
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=SESSION_S / 3,
        broker_request_timeout=REQUEST_S,  # not below the session's
        broker_max_poll_records=BATCH_MAX,
        broker_commit_interval=1.0,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        web_tables_enabled=False,
    )
    app.counted = state
    for source in SOURCES:
        _add_agent(app, source, topic_name(programme, source), state)

    @app.timer(interval=TICK_S)  # type: ignore[untyped-decorator]
    async def each_second() -> None:
        try:
            await tick()
        except Exception as error:  # noqa: BLE001  # whatever it is, the process has to end with it
            die("what was counted cannot be told", error)

    return app


def _add_agent(app: App, source: str, name: str, state: State) -> None:
    topic = app.topic(name, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw")

    async def count(stream: Any) -> None:
        batches: AsyncIterator[list[EventT[bytes]]] = stream.take_events(BATCH_MAX, within=BATCH_WITHIN_S)
        async for events in batches:
            try:
                for event in events:
                    message = event.message
                    state.take(source, (message.topic, message.partition), message.offset, round(message.timestamp * 1000), message.value)
            except Exception as error:  # noqa: BLE001  # one that left this body would lose the batch (docs/adr/0002)
                die("a record cannot be counted", error)

    app.agent(topic, name=f"count.{source}", concurrency=1)(count)


def die(why: str, error: Exception) -> NoReturn:
    """Ends the process at once, with the error in the log. Nothing is lost by it: the next one reads the stream again."""
    log.error("the worker cannot go on", why=why, exc_info=error)
    os._exit(FATAL)


def run(app: App, loglevel: str = "WARN") -> NoReturn:
    """Runs the app until the process ends. Signals are left to the process: Faust's way of stopping can wait for ever."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # forty lines a second while the broker is away, which others say once
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:  # Faust draws a spinner on standard output
        worker = _Worker(app, loglevel=loglevel, quiet=True, stdout=nowhere, override_logging=False, redirect_stdouts=False)
        worker.execute_from_commandline()


class _Worker(faust.Worker):
    def install_signal_handlers(self) -> None:
        """None: see run."""
