"""Which earlier event an event names, and in which order events are booked that name each other."""

from collections.abc import Sequence

from clearing.events import EventKey, Received

NAMES_ORIGINAL = frozenset({"return.v1", "price-adjustment.v1", "redemption-reversal.v1", "redemption-capture.v1", "redemption-release.v1"})
CARD_TRANSACTION = "card-transaction.v1"
PASS_SOLD, PASS_VISIT, PRIVILEGE = "pass-sold.v1", "pass-visit.v1", "privilege-rendered.v1"
BY_NAME = frozenset({PASS_SOLD, PASS_VISIT, PRIVILEGE})
"""Events that name their mechanic; those of their kind `cancelled` are about an earlier one."""


def names_original(received: Received) -> bool:
    """Whether the event is about an earlier one: by its type; of card transactions all that is no clearing, and says of what it is; cancellations."""
    kind = received.event.type
    if kind in BY_NAME:
        return received.event.data.original_id is not None
    if kind == CARD_TRANSACTION:
        return received.event.data.kind != "clearing" and received.event.data.original_id is not None
    return kind in NAMES_ORIGINAL


def original_key(received: Received) -> EventKey:
    """Source and id of the event that a return, adjustment, reversal, capture, release, refund or chargeback names."""
    data = received.event.data
    return getattr(data, "original_source", None) or received.event.source, data.original_id


def originals_first(events: Sequence[Received]) -> list[Received]:
    """Events in their order, but each behind the one that it names: a return that came before its purchase after all that came in order.

    The reversal of a chargeback names the chargeback and this the clearing, so it may stand behind two.
    """
    place = {event.key: no for no, event in enumerate(events)}
    named = [place.get(original_key(event), no) if names_original(event) else no for no, event in enumerate(events)]

    def late(no: int, hops: int) -> int:
        of = named[no]
        return 0 if of == no or not hops else late(of, hops - 1) + (of > no)

    return [events[no] for no in sorted(range(len(events)), key=lambda no: (late(no, 2), no))]
