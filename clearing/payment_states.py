"""Where a payment stands, as one table, and what its money says. Pure: what the bank has said is handed in, in whatever order it came.

Messages of a bank come late, twice and in the wrong order. So each event is a fact that stays true, and the table takes it in any order: the state is the
furthest that the facts reach, and the same set of facts always ends in the same state. What a lower fact says of a payment that is further has no effect.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum, unique
from itertools import product
from types import MappingProxyType
from typing import Final

from clearing.errors import ClearingError
from schemas.bank_messages import PaymentStatus, RecallStatus


@unique
class PaymentKind(StrEnum):
    """Who moves the money."""

    OUTGOING = "outgoing"
    """The operator pays: it is in a payment file."""
    INCOMING = "incoming"
    """A party pays the operator, under the payment's creditor reference."""
    DIRECT = "direct"
    """One party pays another (bilateral and gross netting): the house's account never sees it, and nothing waits for it."""


@unique
class PaymentState(StrEnum):
    """Where a payment stands, from the least that is known to the most."""

    PLANNED = "planned"
    """Approved; nothing has happened yet."""
    NOTED = "noted"
    """In a payment file that is in the books. It may have been handed over: from here on it is never put into another file without a reason."""
    SENT = "sent"
    """Handed to the bank, or the bank has said that it has it."""
    ACCEPTED = "accepted"
    """The bank means to execute it. That is no settlement."""
    RECALL_ASKED = "recall asked"
    RECALL_REFUSED = "recall refused"
    """The bank does not give it back: it goes on."""
    REJECTED = "rejected"
    """The bank does not execute it."""
    RECALLED = "recalled"
    """The bank has cancelled it before it was executed."""
    BOOKED = "booked"
    """Notified as booked: provisional."""
    PARTLY_CONFIRMED = "partly confirmed"
    """Statements show a part of it."""
    CONFIRMED = "confirmed"
    """Statements show all of it."""
    RETURNED = "returned"
    """It was executed, and statements show that it came back."""


@unique
class Fact(StrEnum):
    """What is known of one attempt at an outgoing payment."""

    NOTED = "noted"
    SENT = "sent"
    ACCEPTED = "accepted"
    RECALL_ASKED = "recall_asked"
    RECALL_REFUSED = "recall_refused"
    REJECTED = "rejected"
    RECALLED = "recalled"
    BOOKED = "booked"
    CONFIRMED = "confirmed"
    RETURNED = "returned"


_LEADS_TO: Final = MappingProxyType({fact: PaymentState(fact.value.replace("_", " ")) for fact in Fact})
_ORDER: Final = tuple(PaymentState)

DUPLICATE: Final = frozenset({"DUPL", "AM05", "DU01", "DU02", "DU03", "DU04", "DU05"})
"""Reasons with which a bank refuses what it has had before."""
_SAYS: Final = MappingProxyType(
    {
        PaymentStatus.RECEIVED: Fact.SENT,
        PaymentStatus.TECHNICALLY_ACCEPTED: Fact.SENT,
        PaymentStatus.PENDING: Fact.SENT,
        PaymentStatus.PARTLY: Fact.SENT,
        PaymentStatus.PROFILE_ACCEPTED: Fact.ACCEPTED,
        PaymentStatus.FUNDS_ACCEPTED: Fact.ACCEPTED,
        PaymentStatus.CHANGED: Fact.ACCEPTED,
        PaymentStatus.IN_PROCESS: Fact.ACCEPTED,
        PaymentStatus.SETTLED: Fact.ACCEPTED,
        PaymentStatus.PAID: Fact.ACCEPTED,
        PaymentStatus.CANCELLED: Fact.RECALLED,
        PaymentStatus.REJECTED: Fact.REJECTED,
    }
)


def fact_of_status(status: PaymentStatus, reason: str) -> Fact:
    """What a status of the bank says of a payment. Even "settled" is only an acceptance; and a duplicate was received before: nothing is rejected by it."""
    return Fact.SENT if status is PaymentStatus.REJECTED and reason in DUPLICATE else _SAYS[status]


def fact_of_recall(status: RecallStatus) -> Fact | None:
    """What an answer to a recall says; None while the bank has not decided."""
    return {RecallStatus.ACCEPTED: Fact.RECALLED, RecallStatus.REJECTED: Fact.RECALL_REFUSED, RecallStatus.PENDING: None}[status]


TRANSITIONS: Final[Mapping[tuple[PaymentState, Fact], PaymentState]] = MappingProxyType(
    {(state, fact): max(state, _LEADS_TO[fact], key=_ORDER.index) for state, fact in product(PaymentState, Fact) if state is not PaymentState.PARTLY_CONFIRMED}
)
"""All moves of one attempt. A booking outranks a refusal: what may have left the account is not sent again. A statement outranks them all."""

SENT_AGAIN: Final = frozenset({PaymentState.REJECTED, PaymentState.RECALLED, PaymentState.RETURNED})
"""Where a payment may go into a corrected file: it is certain that its money is not with the payee."""


def advance(state: PaymentState, fact: Fact) -> PaymentState:
    """Where an attempt stands once a fact is known of it."""
    return TRANSITIONS[state, fact]


def attempt_state(facts: Iterable[Fact]) -> PaymentState:
    """Where an attempt stands by all that is known of it, in any order, each as often as it likes."""
    state = PaymentState.PLANNED
    for fact in facts:
        state = advance(state, fact)
    return state


def payment_state(
    kind: PaymentKind, amount_minor: int, *, confirmed_minor: int, came_back: bool, announced_minor: int, attempts: Sequence[PaymentState]
) -> PaymentState:
    """Where a payment stands: by what statements show of it (net of what came back), and else by its newest attempt or by what is announced.

    All sums in minor units: `confirmed_minor` is net, below zero where more came back than went; `announced_minor` what notifications show.
    """
    if confirmed_minor >= amount_minor:
        return PaymentState.CONFIRMED
    if confirmed_minor > 0:
        return PaymentState.PARTLY_CONFIRMED
    if kind is PaymentKind.OUTGOING:
        return attempts[-1] if attempts else PaymentState.PLANNED
    if came_back:
        return PaymentState.RETURNED
    return PaymentState.BOOKED if announced_minor > 0 else PaymentState.PLANNED


ATTEMPTS_MAX: Final = 35
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class TooManyAttempts(ClearingError):
    """A payment was tried so often that its ids are used up; nothing has changed."""

    def __init__(self, payment: str) -> None:
        super().__init__(f"payment {payment} was tried {ATTEMPTS_MAX} times: settle it by hand, and correct it in the current window")
        self.payment = payment


def end_to_end_id(payment: str, attempt: int) -> str:
    """The EndToEndId of an attempt, counted from 1: the payment's id, from the second on with one more letter or digit behind it. Unique for ever."""
    if attempt > ATTEMPTS_MAX:
        raise TooManyAttempts(payment)
    return payment if attempt == 1 else f"{payment}-{_DIGITS[attempt]}"
