"""What booking takes in and what it decides: received events, facts, decisions and their effects."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from clearing.basket import Remaining
from clearing.headroom import Headroom
from clearing.member import LotKey, Member
from schemas.events.answers import RejectionCode
from schemas.ids import CardId, EventId, MechanicId, MemberId, MemberNo, PartyId, RecordId

EventKey = tuple[str, EventId]
"""Source and id: what identifies an event for ever."""


class Outcome(StrEnum):
    """What became of an event."""

    ACCEPTED = "accepted"
    HELD = "held"
    """Its card is unknown; booked when the card becomes known, else it lapses."""
    WAITING = "waiting"
    """Its original is unknown; decided when the window is cut."""
    REJECTED = "rejected"


class Refused(Exception):
    """The event is refused; nothing of it is booked. `pointer` is a JSON pointer into the event."""

    def __init__(self, code: RejectionCode, detail: str, pointer: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.pointer = pointer


class Held(Exception):  # no error: a turn in the event's life
    """The event is held until somebody is known to own the card."""

    def __init__(self, card: CardId) -> None:
        super().__init__("the card is unknown")
        self.card = card


class OriginalUnknown(Exception):  # as above
    """The event names an original that has not come (yet)."""


class Received(msgspec.Struct, gc=False):
    """One event as it came: where it lies, when the broker took it, who sent it."""

    record: RecordId
    received_at: datetime
    event: Any
    """One of the models of `schemas.events`."""
    sender: PartyId
    value: bytes = b""
    arrived: bool = True
    """False when the event is booked later than it came: its age and shape were judged on arrival."""

    @property
    def key(self) -> EventKey:
        """Source and id."""
        return self.event.source, self.event.id


class Effect(msgspec.Struct, frozen=True, gc=False):
    """One line of an answer: what a mechanic gave (or took back) on behalf of a sponsor."""

    mechanic: MechanicId | None
    kind: str
    value: int
    """Points, minor units of `currency`, or a count; negative when it was taken."""
    sponsor: PartyId | None
    reason: str
    currency: str | None = None
    gift: str | None = None


class Room(msgspec.Struct, frozen=True, gc=False):
    """Room under limits of what the night decides that comes back with a return: changes of use, below zero, by limit and period."""

    of_all: tuple[tuple[str, int], ...]
    of_member: tuple[tuple[str, int], ...]


class Decision(msgspec.Struct, gc=False):
    """What was decided about one event."""

    received: Received
    outcome: Outcome
    day: date
    """Event date, in the programme's time zone (rule 1)."""
    local: datetime
    """The event's time there."""
    effects: list[Effect] = []
    member: Member | None = None
    card: CardId | None = None
    """The card that a held event waits for."""
    code: RejectionCode | None = None
    detail: str = ""
    pointer: str = ""
    contract: date | None = None
    """The sender's contract version on the event date, of an accepted purchase."""
    applied: tuple[MechanicId, ...] | None = None
    """Mechanics that applied, where that depends on the member or on a group (rule 13 asks for it)."""
    deferred: bool = False
    """Some of what it may give is decided in the night run."""
    sale: RecordId | None = None
    """Of a return: the purchase of which the night decides a part, so that the night takes back what it gave."""
    room: Room | None = None
    """Of a return: the room that it brings back for what is received after it."""
    balance: tuple[int, int] | None = None
    """The member's available and pending points after the event."""
    unfunded: int = 0
    """The member's points that wait to be funded then."""


@dataclass(slots=True)
class Given:
    """What one sponsor still has given for a mechanic on one purchase: points in a lot, minor units, or stamps."""

    mechanic: MechanicId
    effect: str
    sponsor: PartyId | None
    value: int
    lot: LotKey | None


@dataclass(slots=True)
class Sale:
    """A booked purchase and what is left of it. So is a service rendered, a pass sold or a visit: one line, number 1, of one unit and no amount."""

    record: RecordId
    received: Received
    member: MemberNo
    applied: tuple[MechanicId, ...] | None
    given: list[Given]
    left: dict[int, Remaining]
    changed: bool = False
    undecided: bool = False
    """The night has still to decide what some of its mechanics give."""
    on_pass: str = ""
    """Of a visit: the pass that it was taken from."""


@dataclass(slots=True)
class Spending:
    """A booked redemption or capture and what of it has not been put back; lots in the order in which they were spent."""

    record: RecordId
    member: MemberNo
    partner: PartyId
    contract: date | None
    lots: list[tuple[LotKey, int]]
    changed: bool = False


@dataclass(slots=True)
class Hold:
    """Points earmarked at a till, as long as it is open."""

    record: RecordId
    member: MemberNo
    expires_at: datetime
    lots: list[tuple[LotKey, int]]
    open: bool = True
    changed: bool = False


@dataclass(slots=True)
class Pending:
    """An original that cannot be returned against now: it is held (with the card it waits for), waiting, was refused, or is of no such kind."""

    record: RecordId
    outcome: Outcome
    card: CardId | None


@dataclass(slots=True)
class CardGift:
    """What one sponsor gave for a mechanic on a card transaction, and what of it refunds and chargebacks have taken back (of points: where)."""

    mechanic: MechanicId
    effect: str
    sponsor: PartyId
    was: int
    """Points, or minor units, as they were given at first; a reversal never gives more."""
    value: int
    """What is still given."""
    lot: LotKey | None
    expired: dict[LotKey, int] = field(default_factory=dict)
    """Points taken back that had expired, by lot."""
    borne: dict[PartyId, int] = field(default_factory=dict)
    """Points taken back that had been spent, by who bore them in the member's place."""


@dataclass(slots=True)
class CardSpend:
    """A booked card transaction and what is left of it."""

    record: RecordId
    received: Received
    member: MemberNo
    applied: tuple[MechanicId, ...] | None
    given: list[CardGift]
    left_minor: int
    """The amount less refunds and chargebacks."""
    charged: dict[EventId, int]
    """Minor units that each chargeback took and no reversal has brought back, in their order."""
    changed: bool = False


@dataclass(slots=True)
class Chargeback:
    """An accepted chargeback, which leads its reversal to the card transaction that it is of."""

    record: RecordId
    of: EventKey
    changed: bool = False


Original = Sale | Spending | Hold | Pending | CardSpend | Chargeback


class Card(msgspec.Struct, gc=False):
    """A card: whose it is, and whether it may be used to spend."""

    card: CardId
    member: MemberNo | None
    blocked: bool = False
    changed: bool = False


@dataclass(slots=True)
class Facts:
    """All that booking needs to know about the cards, members and originals of a batch. Booking changes it as it goes."""

    cards: dict[CardId, Card] = field(default_factory=dict)
    members: dict[MemberNo, Member] = field(default_factory=dict)
    by_id: dict[MemberId, Member] = field(default_factory=dict)
    originals: dict[EventKey, Original] = field(default_factory=dict)
    held: dict[CardId, list[Received]] = field(default_factory=dict)
    """Held events by the card they wait for, in the order in which they came."""
    numbers: Iterator[MemberNo] = field(default_factory=lambda: iter(()))
    """Numbers for members who are enrolled by this batch."""
    headroom: Headroom | None = None
    """What sponsors with a limit may still give; None where the programme has no limits."""
