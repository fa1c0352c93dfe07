"""The topic catalogue: who writes what, under which key, for whom, how long it is kept.

Each programme has a set of topics of its own: its id and a dot stand before the names here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from schemas.ids import ProgrammeId

Compatibility = Literal["exact", "additive"]
"""exact: unknown fields are refused, so any change is a new version; additive: optional fields may come, readers pass over them."""

_EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic, as each programme has it.

    `types` are the event types that belong in it, `examples` the names of example files of them, which are tests.
    Timestamps are those of the broker (LogAppendTime): they cut the windows.
    """

    name: str
    owner: str
    key: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    partitions: int
    retention_days: int
    compatibility: Compatibility
    description: str
    types: tuple[str, ...] = ()
    latest_only: bool = False
    """Only the latest record of each key is kept (compacted), and for no longer than the retention."""

    @property
    def examples(self) -> tuple[str, ...]:
        """Types of which there is an example: those whose data are defined."""
        return tuple(name for name in self.types if (_EXAMPLES / f"{name}.json").exists())


TOPICS = (
    Topic(
        name="partner.transactions.v1",
        owner="partners",
        key="card",
        producers=("partners", "operator"),
        consumers=("accrual",),
        partitions=4,
        retention_days=400,
        compatibility="exact",
        description="Purchases, returns, price adjustments, redemptions, activities, choices of stamp cards, passes and visits on them, privileges.",
        types=(
            "purchase.v1",
            "return.v1",
            "price-adjustment.v1",
            "redemption.v1",
            "redemption-reversal.v1",
            "redemption-hold.v1",
            "redemption-capture.v1",
            "redemption-release.v1",
            "activity.v1",
            "stamp-choice.v1",
            "pass-sold.v1",
            "pass-visit.v1",
            "privilege-rendered.v1",
        ),
    ),
    Topic(
        name="bank.card-transactions.v1",
        owner="banks",
        key="card token",
        producers=("banks",),
        consumers=("accrual",),
        partitions=4,
        retention_days=400,
        compatibility="exact",
        description="Transactions of members' payment cards, by token.",
        types=("card-transaction.v1",),
    ),
    Topic(
        name="member.events.v1",
        owner="operator",
        key="member",
        producers=("operator", "partners that enrol"),
        consumers=("accrual",),
        partitions=4,
        retention_days=400,
        compatibility="exact",
        description="Enrolment, cards, consent, attributes, closing, merging.",
        types=(
            "member-enrolled.v1",
            "card-linked.v1",
            "card-blocked.v1",
            "member-attributes.v1",
            "consent-changed.v1",
            "member-closed.v1",
            "members-merged.v1",
            "members-unmerged.v1",
        ),
    ),
    Topic(
        name="points.accruals.v1",
        owner="the house",
        key="member",
        producers=("outbox",),
        consumers=("partners", "banks", "insights"),
        partitions=4,
        retention_days=60,
        compatibility="additive",
        description="What an event brought about, one answer for each accepted event.",
        types=("accrual.v1",),
    ),
    Topic(
        name="events.rejected.v1",
        owner="the house",
        key="source",
        producers=("outbox",),
        consumers=("partners", "banks", "operator", "insights"),
        partitions=4,
        retention_days=60,
        compatibility="additive",
        description="What was refused, why, and the event itself.",
        types=("rejection.v1",),
    ),
    Topic(
        name="member.messages.v1",
        owner="the house",
        key="member",
        producers=("insights",),
        consumers=("senders of messages",),
        partitions=2,
        retention_days=7,
        compatibility="additive",
        description="Messages to send.",
    ),
    Topic(
        name="points.signals.v1",
        owner="the house",
        key="card",
        producers=("insights",),
        consumers=("operator",),
        partitions=2,
        retention_days=7,
        compatibility="additive",
        description="Signs that a card is used more often than it can be; nothing is booked from them.",
        types=("signal.v1",),
    ),
    Topic(
        name="partner.figures.v1",
        owner="the house",
        key="party",
        producers=("insights",),
        consumers=("partners", "operator"),
        partitions=1,
        retention_days=7,
        compatibility="additive",
        description="Live figures of each partner; nothing is booked from them.",
        types=("partner-figures.v1",),
        latest_only=True,
    ),
    Topic(
        name="clearing.events.v1",
        owner="the house",
        key="programme",
        producers=("outbox",),
        consumers=("operator", "partners", "banks"),
        partitions=1,
        retention_days=400,
        compatibility="additive",
        description="Every move of a window, from its cut-off to settled, and every move of a payment, with the bank's message that moved it.",
    ),
)
"""All topics of a programme."""

TOPICS_BY_NAME: Mapping[str, Topic] = {topic.name: topic for topic in TOPICS}

INPUT_TOPICS = ("partner.transactions.v1", "bank.card-transactions.v1", "member.events.v1")
"""The topics that are booked from."""
ACCRUALS_TOPIC = "points.accruals.v1"
REJECTED_TOPIC = "events.rejected.v1"
MESSAGES_TOPIC = "member.messages.v1"
SIGNALS_TOPIC = "points.signals.v1"
FIGURES_TOPIC = "partner.figures.v1"
CLEARING_TOPIC = "clearing.events.v1"

TOPIC_OF_TYPE: Mapping[str, str] = {name: topic.name for topic in TOPICS for name in topic.types}
"""Which topic an event type belongs in."""


def topic_name(programme: ProgrammeId, topic: str | Topic) -> str:
    """Name in Kafka of a programme's topic: ``harvest.partner.transactions.v1``."""
    return f"{programme}.{topic.name if isinstance(topic, Topic) else topic}"


def example(event_type: str) -> dict[str, Any]:
    """The example of an event type, in its envelope."""
    document: dict[str, Any] = json.loads((_EXAMPLES / f"{event_type}.json").read_text(encoding="utf-8"))
    return document
