"""What is found goes back to Kafka: figures by partner, the latest only, and signals about cards.

Figures go out when they changed, at most once a second, and all of them every `STILL_HERE_S`, so that whoever reads them sees that the worker lives.
A worker that was started again has read the stream before it tells anything: until then, what was told before stays as it is.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog
from confluent_kafka import KafkaError, Message

from schemas.events.insights import PartnerFigures, PartnerFiguresEvent, SignalEvent
from schemas.ids import PartyId, ProgrammeId
from schemas.topics import FIGURES_TOPIC, SIGNALS_TOPIC, topic_name
from services.insights.reading import DAY_S
from services.insights.state import State
from services.insights.velocity import Found
from services.kafka.producer import producer

log = structlog.get_logger()

SOURCE = "/house/insights"
HEADERS: dict[str, str | bytes | None] = {"content-type": "application/cloudevents+json"}
DAYS = 2
"""The window: what was received today and yesterday (UTC)."""
STILL_HERE_S = 20
SEND_S = 10


class NotTold(Exception):
    """The broker did not take everything in time; it is tried again."""


class Outlet:
    """Tells what the state holds."""

    def __init__(self, bootstrap: str, programme: ProgrammeId, state: State, parties: Iterable[PartyId] = ()) -> None:
        """`parties`: partners whose figures were told before."""
        self.state = state
        self._figures, self._signals = topic_name(programme, FIGURES_TOPIC), topic_name(programme, SIGNALS_TOPIC)
        self._producer = producer(bootstrap, **{"message.timeout.ms": SEND_S * 1000})
        self._failed: list[KafkaError] = []
        self._told_all_at = datetime.fromtimestamp(0, UTC)
        state.figures.parties.update(parties)

    async def tick(self, now: datetime) -> None:
        """Moves the window on and tells what is new. What cannot be told now is told later."""
        self.state.drop_before(first_day(now))
        figures = self.state.figures
        everything = now - self._told_all_at >= timedelta(seconds=STILL_HERE_S)
        parties = figures.parties if everything else figures.changed
        signals = list(self.state.signals)
        if not parties and not signals:
            return
        telling = [self._figures_of(party, now) for party in sorted(parties)]
        figures.changed.clear()
        try:
            await asyncio.to_thread(self._send, telling, [_signal(found, now) for found in signals])
        except NotTold as error:
            log.warning("not told yet; tried again", error=str(error))
            figures.changed.update(event.data.party for event in telling)
            return
        del self.state.signals[: len(signals)]
        if everything:
            self._told_all_at = now

    def _figures_of(self, party: PartyId, now: datetime) -> PartnerFiguresEvent:
        figures = self.state.figures
        since = datetime.fromtimestamp(figures.first_day * DAY_S, UTC)
        data = PartnerFigures(party=party, since=since, hours=figures.of(party))
        return PartnerFiguresEvent(id=f"figures:{party}:{now.isoformat()}", source=SOURCE, time=now, subject=party, data=data)

    def _send(self, figures: Iterable[PartnerFiguresEvent], signals: Iterable[SignalEvent]) -> None:
        """Blocks until the broker has everything. Raises `NotTold`."""
        self._failed.clear()
        try:
            for topic, events in ((self._signals, signals), (self._figures, figures)):
                for event in events:
                    self._producer.produce(topic, event.model_dump_json(exclude_none=True), event.subject, headers=HEADERS, on_delivery=self._delivered)
        except BufferError as error:
            raise NotTold("the queue is full") from error
        if self._producer.flush(SEND_S):
            raise NotTold("the broker does not answer")
        if self._failed:
            raise NotTold(self._failed[0].str())

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed.append(error)


def first_day(now: datetime) -> int:
    """The first day of the window, in days since 1970."""
    return int(now.timestamp()) // DAY_S - (DAYS - 1)


def _signal(found: Found, now: datetime) -> SignalEvent:
    return SignalEvent(id=found.id, source=SOURCE, time=now, subject=found.signal.card, data=found.signal)
