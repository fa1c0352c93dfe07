"""How a bank's reward detail is matched with what the house expects, and what becomes of what does not match (banks.md, "Matching").

Policy only: the order of the passes, the codes in the order in which a difference is named, the life of a break, and what needs a second person. The
work itself is done by the database (`services/recon`).
"""

from datetime import date
from enum import IntEnum, StrEnum, unique
from types import MappingProxyType
from typing import Final

from clearing.errors import ClearingError
from clearing.people import same_person

WINDOW_DAYS: Final = 4
"""So far apart two records of one transaction may be where nothing but circumstances ties them together."""


@unique
class Pass(IntEnum):
    """The passes in their order; each consumes the rows that it matches. Never by amount alone, never by percent."""

    REPLAY = 1
    """A line of the bank's that is the same as one before it: put out."""
    TRANSACTION = 2
    """The bank's transaction id and the event type."""
    ARN = 3
    """Acquirer reference, card, and the sign of the event."""
    RRN = 4
    """Retrieval reference, authorisation code and card, within `WINDOW_DAYS`."""
    CIRCUMSTANCES = 5
    """Card, acceptor, amount and currency within `WINDOW_DAYS`, where that is unique on both sides; else a proposal."""
    GROUP = 6
    """All that is left under one settlement reference, where the sums are the same."""


@unique
class BreakCode(StrEnum):
    """Why something is not matched, or differs. A pair that differs gets the first that fits."""

    WRONG_CARD = "WRONG_CARD"
    WRONG_PROGRAMME = "WRONG_PROGRAMME"
    CURRENCY = "CURRENCY"
    DIRECTION = "DIRECTION"
    SPLIT_INCOMPLETE = "SPLIT_INCOMPLETE"
    RULE_VERSION = "RULE_VERSION"
    INELIGIBLE_MCC = "INELIGIBLE_MCC"
    FX_RATE = "FX_RATE"
    CAP_DIFFERENCE = "CAP_DIFFERENCE"
    AMOUNT_OVER = "AMOUNT_OVER"
    AMOUNT_UNDER = "AMOUNT_UNDER"
    KEY_REUSED = "KEY_REUSED"
    DUPLICATE_BANK = "DUPLICATE_BANK"
    DUPLICATE_PROGRAMME = "DUPLICATE_PROGRAMME"
    LATE = "LATE"
    OVER_REVERSED = "OVER_REVERSED"
    REVERSED_UNMATCHED = "REVERSED_UNMATCHED"
    AMBIGUOUS = "AMBIGUOUS"
    MISSING_AT_BANK = "MISSING_AT_BANK"
    MISSING_AT_PROGRAMME = "MISSING_AT_PROGRAMME"


REFUSED_AS: Final = MappingProxyType(
    {
        "too-old": BreakCode.LATE,
        "returned-too-much": BreakCode.OVER_REVERSED,
        "unknown-original": BreakCode.REVERSED_UNMATCHED,
        "original-of-other-card": BreakCode.WRONG_CARD,
        "currency-not-accepted": BreakCode.CURRENCY,
        "id-reused": BreakCode.KEY_REUSED,
    }
)
"""What a line of the bank's breaks as whose event the house has refused under a code; under any other it is missing at the programme."""


@unique
class BreakState(StrEnum):
    """Where a break stands."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    AWAITING_BANK = "awaiting bank"
    PROPOSED = "proposed"
    """Somebody asks for a write-off, a forced match or a creation; a second person decides."""
    RESOLVED = "resolved"
    WRITTEN_OFF = "written off"


@unique
class Move(StrEnum):
    """What moves a break on."""

    INVESTIGATE = "investigate"
    ASK_BANK = "ask-bank"
    PROPOSE = "propose"
    WITHDRAW = "withdraw"
    """The proposal is taken back, or the second person refuses it."""
    WRITE_OFF = "write-off"
    FORCE_MATCH = "forced-match"
    CREATE = "create"
    RESOLVE = "resolve"
    """Its cause is gone: a late arrival matched, or it breaks under another code. Only matching does that."""
    REOPEN = "reopen"


BY_MATCHING: Final = frozenset({Move.RESOLVE})
"""What nobody can do by hand: it would be a way around the second person."""
SECOND_PERSON: Final = frozenset({Move.WRITE_OFF, Move.FORCE_MATCH, Move.CREATE})
"""What one person proposes and another decides."""

_OPEN, _INVESTIGATING, _AWAITING, _PROPOSED = BreakState.OPEN, BreakState.INVESTIGATING, BreakState.AWAITING_BANK, BreakState.PROPOSED
TRANSITIONS: Final = MappingProxyType(
    {
        (_OPEN, Move.INVESTIGATE): _INVESTIGATING,
        (_AWAITING, Move.INVESTIGATE): _INVESTIGATING,
        (_OPEN, Move.ASK_BANK): _AWAITING,
        (_INVESTIGATING, Move.ASK_BANK): _AWAITING,
        (_OPEN, Move.PROPOSE): _PROPOSED,
        (_INVESTIGATING, Move.PROPOSE): _PROPOSED,
        (_AWAITING, Move.PROPOSE): _PROPOSED,
        (_PROPOSED, Move.WITHDRAW): _INVESTIGATING,
        (_PROPOSED, Move.WRITE_OFF): BreakState.WRITTEN_OFF,
        (_PROPOSED, Move.FORCE_MATCH): BreakState.RESOLVED,
        (_PROPOSED, Move.CREATE): BreakState.RESOLVED,
        (_OPEN, Move.RESOLVE): BreakState.RESOLVED,
        (_INVESTIGATING, Move.RESOLVE): BreakState.RESOLVED,
        (_AWAITING, Move.RESOLVE): BreakState.RESOLVED,
        (_PROPOSED, Move.RESOLVE): BreakState.RESOLVED,
        (BreakState.RESOLVED, Move.REOPEN): _OPEN,
        (BreakState.WRITTEN_OFF, Move.REOPEN): _OPEN,
    }
)


@unique
class Unmoved(StrEnum):
    """Why a break is not moved: the code under which it is refused."""

    NO_BREAK = "no-break"
    WRONG_MOVE = "wrong-move"
    NOT_BY_HAND = "not-by-hand"
    NOT_PROPOSED = "not-proposed"
    OTHER_PROPOSAL = "other-proposal"
    SECOND_PERSON = "second-person"
    NOBODY = "nobody"
    NOTE_MISSING = "note-missing"
    NOT_SIGNED = "not-signed"
    BREAK_CHANGED = "break-changed"
    WRONG_COUNTERPART = "wrong-counterpart"
    NOT_CREATED = "not-created"
    NO_OPEN_WINDOW = "no-open-window"


class MoveRefused(ClearingError):
    """A break cannot be moved so, for the reason in `code`; nothing has changed."""

    def __init__(self, code: Unmoved, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def moved(state: BreakState, move: Move, *, who: str, proposal: Move | None, proposed_by: str | None) -> BreakState:
    """The state after a move. `proposal` is what was proposed, and by whom; raises `MoveRefused`.

    A write-off, a forced match and a creation are decided as they were proposed, by another person than the one who proposed them.
    """
    if not who.strip():
        raise MoveRefused(Unmoved.NOBODY, "a move has somebody who makes it")
    after = TRANSITIONS.get((state, move))
    if after is None:
        unproposed = move in SECOND_PERSON and (state, Move.PROPOSE) in TRANSITIONS
        code, words = (Unmoved.NOT_PROPOSED, "; it has to be proposed first") if unproposed else (Unmoved.WRONG_MOVE, "")
        raise MoveRefused(code, f"a break that is {state} cannot be moved by {move}{words}")
    if move in SECOND_PERSON:
        if proposal is not move:
            raise MoveRefused(Unmoved.OTHER_PROPOSAL, f"{proposal or 'nothing'} was proposed, not {move}")
        if proposed_by is not None and same_person(proposed_by, who):
            raise MoveRefused(Unmoved.SECOND_PERSON, f"{who} proposed it: a second person decides")
    return after


def age_days(since: date, today: date) -> int:
    """Whole days from a day to another; a day that lies ahead has no age."""
    return max(0, (today - since).days)
