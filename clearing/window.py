"""The life of a window, as one table. Every move of a window's state goes through `advance`."""

from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from clearing.errors import ClearingError


@unique
class State(StrEnum):
    """Where a window stands."""

    OPEN = "open"
    """Takes what is received."""
    DRAINING = "draining"
    """Cut off: the end offset of every partition is recorded, the next window is open; what lies before the cut is being booked."""
    CLOSED = "closed"
    """Every partition is booked to its cut, the night's own bookings are done, the entries are sealed."""
    NETTED = "netted"
    """A run has priced, netted and checked it."""
    APPROVED = "approved"
    """Two people have signed the run's report."""
    INSTRUCTED = "instructed"
    """The payments are with the bank."""
    SETTLED = "settled"
    """Every payment is confirmed by a statement. Final: nothing moves any more."""
    DEFAULTED = "defaulted"
    """A payment was missing at the deadline; a new run without the defaulter follows."""


@unique
class Event(StrEnum):
    """What moves a window on."""

    CUT_OFF = "cut_off"
    """The cut-off was recorded."""
    DRAINED = "drained"
    """Every partition is booked to its cut and the night's own bookings are done."""
    NETTED = "netted"
    """A run's report is complete and its checks hold."""
    APPROVED = "approved"
    """The second of two approvals came."""
    REJECTED = "rejected"
    """A person refused the report, with a reason; a new run, linked to the old one, follows."""
    VOIDED = "voided"
    """The run before it was made anew, so this one rests on carried positions that no longer stand."""
    INSTRUCTED = "instructed"
    """The payment instructions went out; a run without payments has none to send and goes on at once."""
    CONFIRMED = "confirmed"
    """Statements confirm all its payments."""
    UNPAID_AT_DEADLINE = "unpaid_at_deadline"
    """A payment was not confirmed in time."""


TRANSITIONS: Final = MappingProxyType(
    {
        (State.OPEN, Event.CUT_OFF): State.DRAINING,
        (State.DRAINING, Event.DRAINED): State.CLOSED,
        (State.CLOSED, Event.NETTED): State.NETTED,
        (State.NETTED, Event.APPROVED): State.APPROVED,
        (State.NETTED, Event.REJECTED): State.CLOSED,
        (State.NETTED, Event.VOIDED): State.CLOSED,
        (State.APPROVED, Event.INSTRUCTED): State.INSTRUCTED,
        (State.APPROVED, Event.REJECTED): State.CLOSED,
        (State.APPROVED, Event.VOIDED): State.CLOSED,
        (State.INSTRUCTED, Event.CONFIRMED): State.SETTLED,
        (State.INSTRUCTED, Event.UNPAID_AT_DEADLINE): State.DEFAULTED,
        (State.DEFAULTED, Event.NETTED): State.NETTED,
    }
)
"""The only moves there are: where a window stands and what happens → where it stands then."""


@unique
class Misplaced(StrEnum):
    """Why a window cannot take an event: the code under which it is refused."""

    TOO_EARLY = "window-too-early"
    """The window has not come so far yet, or is to be made anew first."""
    TOO_LATE = "window-too-late"
    """The window has gone past it."""
    FINAL = "window-final"
    """The window is settled; what has to be put right is put right in the current one."""


_WAY: Final = MappingProxyType(
    {
        State.OPEN: 0, State.DRAINING: 1, State.CLOSED: 2, State.DEFAULTED: 2, State.NETTED: 3, State.APPROVED: 4, State.INSTRUCTED: 5, State.SETTLED: 6,
    }
)  # fmt: skip
"""How far a window has come. One that is defaulted waits for a new run, as a closed one does."""


def misplaced(state: State, event: Event) -> Misplaced:
    """Why a window in `state` does not take `event`, for a pair that is not in the table."""
    if state is State.SETTLED:
        return Misplaced.FINAL
    first = min(_WAY[where] for where, what in TRANSITIONS if what is event)
    return Misplaced.TOO_EARLY if _WAY[state] < first else Misplaced.TOO_LATE


class WrongTransition(ClearingError):  # named as what it is; callers catch it by this name
    """A window in `state` cannot take `event`, for the reason in `code`; nothing has changed."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"a window that is {state} cannot be moved by {event}")
        self.state = state
        self.event = event
        self.code = misplaced(state, event)


def advance(state: State, event: Event) -> State:
    """Where a window stands after `event`. Raises WrongTransition where the table has no such move."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise WrongTransition(state, event) from None
