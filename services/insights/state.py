"""All that a worker knows: figures, cards, and how far each partition was read. Given up with the process, and rebuilt from the stream."""

from collections.abc import Iterable, Mapping

import structlog

from schemas.topics import ACCRUALS_TOPIC, REJECTED_TOPIC
from services.insights.figures import Figures
from services.insights.reading import Sent, Unreadable, read_answer, read_refusal, read_sent
from services.insights.velocity import Cards, Found, Rules

log = structlog.get_logger()

TRANSACTIONS_TOPIC = "partner.transactions.v1"
SOURCES = (TRANSACTIONS_TOPIC, ACCRUALS_TOPIC, REJECTED_TOPIC)
"""What is read: accruals say that an event was accepted and what it gave, only the event itself says what kind it is, when it was, and for how much."""

Place = tuple[str, int]
"""Kafka's topic name and partition."""


class State:
    """What the agents change and everybody else reads; all of it in the thread of the event loop, but for the positions."""

    def __init__(self, first_day: int, starts: Mapping[Place, int], *, told: Iterable[str] = (), rules: Rules | None = None) -> None:
        """`starts`: where reading begins; `told`: ids of signals that were told before."""
        self.cards = Cards(rules, told)
        self.figures = Figures(first_day, self._purchase)
        self.signals: list[Found] = []
        """Found, and not told yet."""
        self.unreadable = 0
        self.positions: dict[Place, int] = dict(starts)
        """The next offset of each partition: everything before it is counted."""

    def take(self, source: str, place: Place, offset: int, received_ms: int, value: bytes | None) -> None:
        """Counts one record of a topic of `SOURCES`, unless it was counted before. What cannot be read is passed over."""
        if offset < self.positions.get(place, 0):
            return
        try:
            if source == TRANSACTIONS_TOPIC:
                self.figures.sent(read_sent(value or b"", received_ms))
            elif source == ACCRUALS_TOPIC:
                self.figures.answered(read_answer(value or b""))
            else:
                self.figures.refused(read_refusal(value or b""))
        except Unreadable:
            self.unreadable += 1
            if source != TRANSACTIONS_TOPIC:  # what senders send is for the house to refuse
                log.warning("an answer that cannot be read was passed over", topic=place[0], partition=place[1], offset=offset)
        self.positions[place] = offset + 1

    def drop_before(self, first_day: int) -> None:
        """The window moves on."""
        self.figures.drop_before(first_day)
        self.cards.drop_before(first_day)

    def _purchase(self, sent: Sent) -> None:
        self.signals += self.cards.used(sent)
