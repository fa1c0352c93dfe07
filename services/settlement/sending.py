"""Whether a payment file that is noted may still be handed over: between the note and the bank, the bank may have said that its payments were made before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from clearing.payment_states import SENT_AGAIN, PaymentState
from schemas.money import to_text
from services.bank.errors import BankCode, BankError
from services.settlement.noted_files import NotedFile
from services.settlement.payment_states import Attempt, Standing
from services.settlement.runs import SignedRun

AT_THE_BANK: Final = "the bank, which had spoken of it"
"""Where a file went that somebody handed over and could not note any more."""
OUR_OWN: Final = frozenset({PaymentState.PLANNED, PaymentState.NOTED, PaymentState.RECALL_ASKED})
"""Where an attempt is as long as the bank has said nothing about it."""


def is_at_the_bank(file: NotedFile, standings: Sequence[Standing]) -> bool:
    """Whether the bank has said anything about an attempt in a file."""
    return any(attempt.state not in OUR_OWN or attempt.contradicted for _, attempt in _in(file, standings))


def require_unpaid(file: NotedFile, standings: Sequence[Standing], run: SignedRun, *, settled: bool) -> None:
    """Hands nothing over that may have been paid by an earlier file: what was certain when the file was noted need not be so any more.

    `settled`: its window is. Raises `BankError`: may-be-paid.
    """
    for one, attempt in _in(file, standings):
        why = _may_be_paid(one, attempt, settled=settled)
        if why is not None:
            out = f"ask the bank whether it has the file: if not, two people put it aside (clh settlement decide {attempt.end_to_end_id} not-paid), and "
            then = f"clh settlement pay {run.day} --corrected pays what else was in it"
            raise BankError(BankCode.MAY_BE_PAID, f"{file.message_id} is not handed over: of payment {one.id} {why}; {out}{then}")


def _may_be_paid(one: Standing, attempt: Attempt, *, settled: bool) -> str | None:
    if settled:
        return "the window is settled"
    if one.confirmed_minor > 0:
        return f"statements show {to_text(one.confirmed_minor, one.currency)} {one.currency}"
    if one.attempts[-1] is not attempt:
        return "a later file holds it"
    for earlier in one.attempts[: one.attempts.index(attempt)]:
        if earlier.contradicted:
            return f"the bank says both that {earlier.end_to_end_id} was made and that it was not"
        if earlier.state not in SENT_AGAIN:
            return f"the bank has not refused {earlier.end_to_end_id}: it is {earlier.state}"
    return None


def _in(file: NotedFile, standings: Sequence[Standing]) -> list[tuple[Standing, Attempt]]:
    return [(one, attempt) for one in standings for attempt in one.attempts if attempt.message_id == file.message_id]
