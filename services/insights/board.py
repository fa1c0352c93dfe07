"""Reads the figures back: what the worker told last of each partner, and what it tells from now on."""

from collections.abc import Iterator

from schemas.events.insights import PartnerFiguresEvent
from schemas.ids import PartyId, ProgrammeId
from schemas.topics import FIGURES_TOPIC, topic_name
from services.insights.stream import Tail
from services.kafka.clients import administrator
from services.kafka.topics import SECONDS

LOOK_S = 1.0


def programmes(bootstrap: str) -> list[str]:
    """Programmes that have live figures. Raises KafkaException when the broker does not answer."""
    ending = f".{FIGURES_TOPIC}"
    return sorted(name.removesuffix(ending) for name in administrator(bootstrap).list_topics(timeout=SECONDS).topics if name.endswith(ending))


class Board:
    """The figures of all partners of a programme. Raises KafkaException when the broker does not answer."""

    def __init__(self, bootstrap: str, programme: ProgrammeId) -> None:
        self.latest: dict[PartyId, PartnerFiguresEvent] = {}
        """What was told last, by partner."""
        self._tail = Tail(bootstrap, topic_name(programme, FIGURES_TOPIC))
        values: dict[bytes, bytes] = {}
        for message in self._tail.present():
            values[_bytes(message.key())] = _bytes(message.value())
        for value in values.values():  # only the last one of each partner is worth reading
            self._take(value)

    def following(self) -> Iterator[PartyId | None]:
        """Who was told of, each time that somebody was; None when nobody was for a second."""
        while True:
            message = self._tail.next(LOOK_S)
            yield self._take(_bytes(message.value())) if message is not None else None

    def close(self) -> None:
        """Gives up the connection."""
        self._tail.close()

    def _take(self, value: bytes) -> PartyId | None:
        if not value:
            return None
        event = PartnerFiguresEvent.model_validate_json(value)
        self.latest[event.data.party] = event
        return event.data.party


def _bytes(content: str | bytes | None) -> bytes:
    return content.encode() if isinstance(content, str) else content or b""
