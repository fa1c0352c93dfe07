"""The life of a dispute about a line of a report, as one table. Pure: the state, the event and the day are handed in.

Whoever disputes a line says that it does not owe it, or not all of it. What was netted is never changed: what a dispute brings is an entry in the current
window, between the line's own two parties (clearing.md, "The window"; kind `dispute`).
"""

from datetime import date, timedelta
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from clearing.errors import ClearingError
from clearing.people import same_person
from schemas.ids import PartyId
from schemas.money import to_text


@unique
class DisputeState(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"
    """Opened about a line that was paid already: nothing is withheld."""
    HELD = "held"
    """Opened before the line was paid: its amount is withheld until the decision."""
    EVIDENCE = "evidence"
    """Evidence has come: it waits for the decision, and may get more."""
    UPHELD = "upheld"
    """The disputing party was right: the line is booked back."""
    RELEASED = "released"
    """The line stands."""
    LAPSED = "lapsed"
    """Nobody decided by the deadline: the line stands."""


@unique
class DisputeEvent(StrEnum):
    """What moves a dispute on."""

    HOLD = "hold"
    ADD_EVIDENCE = "add_evidence"
    UPHOLD = "uphold"
    RELEASE = "release"
    LAPSE = "lapse"


UNDECIDED: Final = (DisputeState.OPEN, DisputeState.HELD, DisputeState.EVIDENCE)
"""The states of a dispute that is not over."""

TRANSITIONS: Final = MappingProxyType(
    {
        (DisputeState.OPEN, DisputeEvent.HOLD): DisputeState.HELD,
        **{(state, DisputeEvent.ADD_EVIDENCE): DisputeState.EVIDENCE for state in UNDECIDED},
        **{(state, DisputeEvent.UPHOLD): DisputeState.UPHELD for state in UNDECIDED},
        **{(state, DisputeEvent.RELEASE): DisputeState.RELEASED for state in UNDECIDED},
        **{(state, DisputeEvent.LAPSE): DisputeState.LAPSED for state in UNDECIDED},
    }
)
"""The only moves there are: where a dispute stands and what happens → where it stands then."""


@unique
class DisputeCode(StrEnum):
    """Why something about a dispute is refused; each code has a line in docs/errors.md."""

    DISPUTE_OVER = "dispute-over"
    SECOND_PERSON = "second-person"
    NOT_THE_DEBTOR = "not-the-debtor"
    AMOUNT_TOO_LARGE = "amount-too-large"
    NOT_DUE = "not-due"
    DEADLINE_PASSED = "deadline-passed"
    REASON_MISSING = "reason-missing"
    DISPUTED_ALREADY = "disputed-already"
    OF_A_DISPUTE = "of-a-dispute"
    NO_DISPUTE = "no-dispute"
    NO_LINE = "no-line"
    NO_OPEN_WINDOW = "no-open-window"
    NOT_SIGNED = "not-signed"
    DISPUTE_CHANGED = "dispute-changed"
    EVIDENCE_UNREADABLE = "evidence-unreadable"


class DisputeRefused(ClearingError):
    """It cannot be done so, for the reason in `code`; nothing has changed."""

    def __init__(self, code: DisputeCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@unique
class Booking(StrEnum):
    """What an event books in the current window, with the line's amount."""

    BACK = "back"
    """The line's creditor owes its debtor: the line is taken back, or withheld."""
    AGAIN = "again"
    """The line's debtor owes its creditor: what was withheld is due again."""


def moved(state: DisputeState, event: DisputeEvent) -> DisputeState:
    """Where a dispute stands after `event`. Raises `DisputeRefused`: dispute-over (or a hold of what is held)."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise DisputeRefused(DisputeCode.DISPUTE_OVER, f"a dispute that is {state} takes no {event}") from None


def booking(event: DisputeEvent, *, withheld: bool) -> Booking | None:
    """What an event books; `withheld`: whether the line's amount is withheld already. All that is withheld is due again, or was taken back, exactly once."""
    match event:
        case DisputeEvent.HOLD:
            return Booking.BACK
        case DisputeEvent.ADD_EVIDENCE:
            return None
        case DisputeEvent.UPHOLD:
            return None if withheld else Booking.BACK
        case DisputeEvent.RELEASE | DisputeEvent.LAPSE:
            return Booking.AGAIN if withheld else None


def deadline(opened_on: date, days: int) -> date:
    """The last day on which a dispute can be decided."""
    return opened_on + timedelta(days=days)


def may_open(party: PartyId, debtor: PartyId, amount_minor: int, line_minor: int, currency: str, reason: str) -> None:
    """Whether a party may dispute so much of a line, in its minor units. Raises `DisputeRefused`: not-the-debtor, amount-too-large, reason-missing."""
    if party != debtor:
        raise DisputeRefused(DisputeCode.NOT_THE_DEBTOR, f"{debtor} owes the line: {party} cannot dispute it")
    if not 0 < amount_minor <= line_minor:
        most = f"{to_text(line_minor, currency)} {currency}"
        raise DisputeRefused(DisputeCode.AMOUNT_TOO_LARGE, f"an amount above nothing, and at most the line's {most}, can be disputed")
    if not reason.strip():
        raise DisputeRefused(DisputeCode.REASON_MISSING, "a dispute has a reason")


def may_decide(person: str, opened_by: str, decide_by: date, today: date) -> None:
    """Whether a person may uphold or release it today. Raises `DisputeRefused`: second-person, deadline-passed."""
    if same_person(person, opened_by):
        raise DisputeRefused(DisputeCode.SECOND_PERSON, f"{opened_by} has opened it: another person decides")
    if today > decide_by:
        raise DisputeRefused(DisputeCode.DEADLINE_PASSED, f"it could be decided until {decide_by}, and lapses with the next night")


def may_lapse(decide_by: date, today: date) -> None:
    """Whether it lapses. Raises `DisputeRefused`: not-due."""
    if today <= decide_by:
        raise DisputeRefused(DisputeCode.NOT_DUE, f"it can be decided until {decide_by}")
