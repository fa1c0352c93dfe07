"""Events sent, and what the house answered to each."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaException, Message

from schemas.ids import ProgrammeId
from schemas.topics import topic_name
from services.accrual.incoming import SIGNATURE
from services.events.answers import Answered, AnswerReader, Place
from services.events.files import Line
from services.events.signing import Signer
from services.kafka.producer import producer
from services.outbox.envelopes import CONTENT_TYPE
from services.runtime.progress import Progress, silent
from services.scenario.expand import pass_through

POLL_EVERY = 1_000


@dataclass(slots=True)
class Fate:
    """What became of one line: nothing yet, or its answer."""

    line: int
    id: str | None
    place: Place | None = None
    answer: Answered | None = None
    received_ms: int = 0
    """When the broker took it, in milliseconds since 1970."""

    @property
    def as_before(self) -> bool:
        """Whether the answer is that of an event which had come before with the same id: it was received earlier than this one."""
        return self.answer is not None and self.received_ms > 0 and self.answer.received_ms < self.received_ms

    @property
    def outcome(self) -> str:
        """accepted, held, rejected, or unanswered."""
        return self.answer.outcome if self.answer is not None else "unanswered"


@dataclass(slots=True)
class Sent:
    """Lines that were sent, in order, and what is known of them."""

    fates: list[Fate] = field(default_factory=list)
    _by_event: dict[tuple[str, str], deque[Fate]] = field(default_factory=dict)
    _by_place: dict[Place, Fate] = field(default_factory=dict)
    answered: int = 0

    def add(self, fate: Fate, source: str | None) -> None:
        """A line that is being sent."""
        self.fates.append(fate)
        if source is not None and fate.id is not None:
            self._by_event.setdefault((source, fate.id), deque()).append(fate)

    def lies_at(self, fate: Fate, place: Place) -> None:
        """Where the broker has put a line."""
        fate.place = place
        self._by_place[place] = fate

    def take(self, answer: Answered) -> bool:
        """Notes an answer; False where it answers nothing of ours. A refusal names its record; of lines with one id, each answer is the next one's."""
        fate = self._by_place.get(answer.place) if answer.place is not None else None
        waiting = self._by_event.get(answer.event) if answer.event is not None else None
        if fate is None and waiting:
            while len(waiting) > 1 and waiting[0].answer is not None:
                waiting.popleft()
            fate = waiting[0]
        if fate is None:
            return False
        self.answered += fate.answer is None
        fate.answer = answer
        return True

    def count(self, outcome: str) -> int:
        """How many lines had this outcome."""
        return sum(1 for fate in self.fates if fate.outcome == outcome)

    @property
    def rejected(self) -> dict[str, list[Fate]]:
        """What was refused, by code."""
        found: dict[str, list[Fate]] = {}
        for fate in self.fates:
            if fate.answer is not None and fate.outcome == "rejected":
                found.setdefault(fate.answer.data["code"], []).append(fate)
        return dict(sorted(found.items()))


class Sender:
    """Sends lines to a programme's topics, each keyed by the card that it shows, so that the events of one card keep their order."""

    def __init__(self, bootstrap: str, programme: str, signer: Signer | None = None) -> None:
        self._producer = producer(bootstrap)
        self._programme = ProgrammeId(programme)
        self._signer = signer
        self._failed: list[str] = []

    def send(self, lines: Iterable[Line], progress: Progress = silent, *, total: int | None = None) -> Sent:
        """Sends lines in order and returns when the broker has them all. Raises KafkaException where it did not take one."""
        sent = Sent()
        for line in lines:
            outgoing = pass_through(line.value)
            fate = Fate(line.no, outgoing.event_id)
            sent.add(fate, outgoing.source)
            self._produce(sent, fate, topic_name(self._programme, outgoing.topic), outgoing.key, outgoing.value)
            if len(sent.fates) % POLL_EVERY == 0:
                self._producer.poll(0)
                progress("Sending", len(sent.fates), total)
        while self._producer.flush(1) and not self._failed:
            pass
        if self._failed:
            raise KafkaException(self._failed[0])
        progress("Sending", len(sent.fates), len(sent.fates))
        return sent

    def _produce(self, sent: Sent, fate: Fate, topic: str, key: bytes, value: bytes) -> None:
        headers: list[tuple[str, str | bytes | None]] = [CONTENT_TYPE]
        if self._signer is not None:
            headers.append((SIGNATURE, self._signer.sign(value)))

        def delivered(error: Any, message: Message) -> None:
            if error is not None:
                self._failed.append(f"line {fate.line}: {error}")
            else:
                fate.received_ms = message.timestamp()[1]
                sent.lies_at(fate, (message.topic() or "", message.partition() or 0, message.offset() or 0))

        while True:
            try:
                self._producer.produce(topic, value=value, key=key, headers=headers, on_delivery=delivered)
            except BufferError:
                self._producer.poll(0.05)
            else:
                return


def await_answers(sent: Sent, reader: AnswerReader, patience_s: float, progress: Progress = silent) -> Iterator[Answered]:
    """Notes answers as they come and yields those to what was sent; ends when all is answered, or when for so long nothing came."""
    deadline = time.monotonic() + patience_s
    while sent.answered < len(sent.fates) and time.monotonic() < deadline:
        for answer in reader.read(0.2):
            if sent.take(answer):
                deadline = time.monotonic() + patience_s
                yield answer
        progress("Waiting for answers", sent.answered, len(sent.fates))
