"""From records to what is counted of them. Fields that are not needed are passed over; nothing here judges an event, the answers do.

All three topics name an event by ``(source, id)``. Here it is a number of 64 bits, so that millions fit into memory; that two events of a
window share one has a chance of about one in a million.
"""

import datetime as dt
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from schemas.events.answers import RejectionCode
from schemas.ids import CardId, EventId, PartyId

HOUR_S = 3_600
DAY_S = 86_400

Identity = int
"""Which event, as a number."""


class Sent(NamedTuple):
    """An event as it was sent; counted when it is answered."""

    identity: Identity
    day: int
    """Day of receipt at the broker, UTC, in days since 1970."""
    party: PartyId
    source: str
    id: EventId
    type: str
    time_s: int
    """When it happened, in seconds since 1970."""
    card: CardId
    store: str
    amount_minor: int
    """What was paid, or paid back."""
    currency: str


class Answered(NamedTuple):
    """What the house said of an event that it accepted or holds."""

    identity: Identity
    day: int
    """Day of receipt of the event."""
    party: PartyId
    accepted: bool
    """False: held."""
    given: int
    """Points that mechanics gave, less those they took back."""
    spent: int
    """Points that were redeemed, less those of a reversal."""


class Refusal(NamedTuple):
    """What the house refused."""

    identity: Identity | None
    """None where the event could not be read, or its sender is not proven."""
    key: Identity
    """The same for the same refusal, however often it is sent."""
    day: int
    """Day of receipt."""
    party: PartyId
    hour: int
    """Hour it is counted in, in hours since 1970."""
    code: RejectionCode


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Line(_Part):
    amount_minor: int = 0


class _SentData(_Part):
    store: str = ""
    currency: str = ""
    total_minor: int | None = None
    lines: list[_Line] | None = None


class _SentEvent(_Part):
    id: str
    source: str
    type: str
    time: AwareDatetime
    subject: str
    data: _SentData


class _Ref(_Part):
    source: str
    id: str


class _Effect(_Part):
    mechanic: str | None
    kind: str
    points: int | None = None


class _Accrual(_Part):
    event: _Ref
    outcome: Literal["accepted", "held"]
    effects: list[_Effect]


class _AccrualEvent(_Part):
    type: Literal["accrual.v1"]
    time: AwareDatetime
    data: _Accrual


class _Record(_Part):
    topic: str
    partition: int
    offset: int


class _Rejection(_Part):
    event: _Ref | None
    code: RejectionCode
    record: _Record
    original: Any = None


class _RejectionEvent(_Part):
    type: Literal["rejection.v1"]
    time: AwareDatetime
    subject: str
    data: _Rejection


_SENT, _ACCRUAL, _REJECTION, _TIME = (TypeAdapter[Any](each) for each in (_SentEvent, _AccrualEvent, _RejectionEvent, AwareDatetime))

_TIME_UNTRUSTED = frozenset({RejectionCode.WRONG_SOURCE, RejectionCode.TIME_IN_FUTURE, RejectionCode.TOO_OLD})


class Unreadable(ValueError):
    """A record that is not what its topic holds."""


def read_sent(value: bytes, received_ms: int) -> Sent:
    """An event on ``partner.transactions.v1``. Raises `Unreadable`: the house will refuse such an event, which counts it."""
    try:
        event: _SentEvent = _SENT.validate_json(value)
    except ValidationError as error:
        raise Unreadable from error
    data = event.data
    amount = data.total_minor if data.total_minor is not None else sum(line.amount_minor for line in data.lines or ())
    return Sent(
        identity_of(event.source, event.id), received_ms // (DAY_S * 1000), party_of(event.source), event.source, EventId(event.id), event.type,
        _seconds(event.time), CardId(event.subject), data.store, amount, data.currency,
    )  # fmt: skip


def read_answer(value: bytes) -> Answered:
    """An answer on ``points.accruals.v1``. Raises `Unreadable`."""
    try:
        event: _AccrualEvent = _ACCRUAL.validate_json(value)
    except ValidationError as error:
        raise Unreadable from error
    ref = event.data.event
    given = spent = 0
    for effect in event.data.effects:
        if effect.kind == "points" and effect.points is not None:
            if effect.mechanic is not None:
                given += effect.points
            else:
                spent -= effect.points
    accepted = event.data.outcome == "accepted"
    return Answered(identity_of(ref.source, ref.id), _seconds(event.time) // DAY_S, party_of(ref.source), accepted, given, spent)


def read_refusal(value: bytes) -> Refusal:
    """An answer on ``events.rejected.v1``. Raises `Unreadable`."""
    try:
        event: _RejectionEvent = _REJECTION.validate_json(value)
    except ValidationError as error:
        raise Unreadable from error
    data = event.data
    received_s = _seconds(event.time)
    if data.event is not None:
        source, identity = data.event.source, identity_of(data.event.source, data.event.id)
        key = identity_of(source, f"{data.event.id} {data.code.value}")
    else:
        source, identity = event.subject, None
        key = identity_of(data.record.topic, f"{data.record.partition} {data.record.offset}")
    return Refusal(identity, key, received_s // DAY_S, party_of(source), _counted_s(data, received_s) // HOUR_S, data.code)


def identity_of(source: str, event_id: str) -> Identity:
    """The number that stands for an event."""
    return int.from_bytes(blake2b(f"{source} {event_id}".encode(), digest_size=8).digest())


@lru_cache(10_000)
def party_of(source: str) -> PartyId:
    """Who sends as this source: ``/partners/grocer`` → ``grocer``; ``unknown`` for what nobody is proven to have sent."""
    return PartyId(source.rpartition("/")[2])


def _counted_s(data: _Rejection, received_s: int) -> int:
    """When a refusal counts: at the event's own time where that can be trusted, else when it was received."""
    if data.event is None or data.code in _TIME_UNTRUSTED:
        return received_s
    time_s = _time_of(data.original, received_s)
    return min(time_s, received_s) if data.code is RejectionCode.MALFORMED else time_s  # of a malformed event nobody judged whether it lies in the future


def _time_of(original: Any, otherwise_s: int) -> int:
    """The time that a refused event gives itself, or another one where it has none."""
    try:
        time: dt.datetime = _TIME.validate_python(original["time"])
    except (TypeError, KeyError, ValidationError):
        return otherwise_s
    return _seconds(time)


def _seconds(time: dt.datetime) -> int:
    return int(time.timestamp())
