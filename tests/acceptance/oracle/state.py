"""What the house knows at a moment of a scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from tests.acceptance.oracle.basket import Line, Purchase
from tests.acceptance.oracle.books import Books, Window
from tests.acceptance.oracle.credit import Credit
from tests.acceptance.oracle.limits import Limits
from tests.acceptance.oracle.points import Account, Lot, Taking
from tests.acceptance.oracle.programme import Programme, Written
from tests.acceptance.oracle.reading import Event
from tests.acceptance.oracle.stamps import Stamps


class Refused(Exception):
    """An event is rejected."""

    def __init__(self, code: str) -> None:
        """`code`: as in events.md."""
        self.code = code
        super().__init__(code)


class Held(Exception):
    """An event waits for its card to become known."""


class Waits(Exception):
    """An event waits for its original, until the end of the window."""


@dataclass
class Pass:
    """A pass that was sold, and the visits left on it."""

    event: Event
    member: str
    sold: date
    mechanic: Written
    left: int
    end: date
    """The first day on which it is no longer good."""
    back: bool = False


@dataclass
class Named:
    """A service or a visit: what it costs, and what each funder still has given for it."""

    event: Event
    member: str
    day: date
    mechanic: Written
    seller: str
    """Who stands for `purchase_partner` among the funders."""
    cost: int
    has: dict[str, int] = field(default_factory=dict)
    on: Pass | None = None
    undecided: bool = False
    cancelled: bool = False


@dataclass
class PutOff:
    """What waits for the night to be decided in order of receipt: a purchase, a return of one that waits, or room that a return brings back."""

    event: Event
    bought: Purchase | None
    """None: a stamp choice, or what is `named`."""
    left: list[Line]
    room: tuple[Written, int, int] | None = None
    """Mechanic, what is taken back of it (below zero), and how often it has given less."""
    named: Named | None = None
    """A service that waits to be decided, its cancellation, or the room that this brings back."""


@dataclass
class State:
    """Members, points, purchases and what happened to each event."""

    programme: Programme
    day: date = date.min
    cards: dict[str, str] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    facts: dict[str, Written] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    seen: dict[tuple[str, str], Event] = field(default_factory=dict)
    events: Written = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    held: list[Event] = field(default_factory=list)
    waiting: list[Event] = field(default_factory=list)
    purchases: dict[tuple[str, str], Purchase] = field(default_factory=dict)
    taken: dict[tuple[str, str], Taking] = field(default_factory=dict)
    holds: dict[tuple[str, str], Taking] = field(default_factory=dict)
    stamps: dict[tuple[str, str], Stamps] = field(default_factory=dict)
    lots_of: dict[tuple[str, str, str, str], Lot] = field(default_factory=dict)
    passes: dict[tuple[str, str], Pass] = field(default_factory=dict)
    named: dict[tuple[str, str], Named] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    """Members who have left."""
    put_off: list[PutOff] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    credit: Credit = field(default_factory=Credit)
    books: Books = field(init=False)

    def __post_init__(self) -> None:
        """Opens empty books."""
        self.books = Books(self.programme)

    def open(self, day: date) -> None:
        """The next window."""
        self.day, self.books.window = day, Window(day)
        self.credit.open(self.programme, day)

    def day_of(self, event: Event) -> date:
        """Rule 1: the event date."""
        return event.time.astimezone(self.programme.zone).date()

    def mechanic(self, name: str) -> Written:
        """A mechanic by its id."""
        return next(one for one in self.programme.mechanics if one["id"] == name)

    def account(self, member: str) -> Account:
        """A member's points."""
        return self.accounts.setdefault(member, Account())

    def clear_waiting(self) -> list[Event]:
        """What waited for its original, at the end of the window."""
        waited, self.waiting = self.waiting, []
        return waited

    def clear_held(self, which: Callable[[Event], bool]) -> list[Event]:
        """Held events that are held no longer, in the order in which they came."""
        freed = [event for event in self.held if which(event)]
        self.held = [event for event in self.held if not which(event)]
        return freed

    def lapse(self, event: Event) -> None:
        """A held event whose card nobody enrolled in time."""
        self.events.pop(event.id, None)
        self.refuse(event, "claim-expired")

    def refuse(self, event: Event, code: str) -> None:
        """Notes a rejection; that an id came again with other content stays, whatever else it is refused for."""
        if self.rejected.get(event.id) != "id-reused":
            self.rejected[event.id] = code
