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
    CONTRADICTED = "contradicted"
    """The bank says both that it was made and that it was not: people decide."""
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
    SAID_PAID = "said_paid"
    """The bank says that it has debited the account: more than an acceptance, and less than a booking."""
    RECALL_ASKED = "recall_asked"
    RECALL_REFUSED = "recall_refused"
    REJECTED = "rejected"
    RECALLED = "recalled"
    BOOKED = "booked"
    CONFIRMED = "confirmed"
    RETURNED = "returned"


@unique
class Verdict(StrEnum):
    """What people have decided where the bank says both."""

    PAID = "paid"
    NOT_PAID = "not paid"


_LEADS_TO: Final = MappingProxyType({fact: PaymentState.ACCEPTED if fact is Fact.SAID_PAID else PaymentState(fact.value.replace("_", " ")) for fact in Fact})
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


_NO_SINGLE_FACT: Final = frozenset({PaymentState.PARTLY_CONFIRMED, PaymentState.CONTRADICTED})
TRANSITIONS: Final[Mapping[tuple[PaymentState, Fact], PaymentState]] = MappingProxyType(
    {(state, fact): max(state, _LEADS_TO[fact], key=_ORDER.index) for state, fact in product(PaymentState, Fact) if state not in _NO_SINGLE_FACT}
)
"""All moves of one attempt by one fact. A booking outranks a refusal: what may have left the account is not sent again. A statement outranks them all."""

SETTLED_ON_THE_ACCOUNT: Final = frozenset({PaymentStatus.SETTLED, PaymentStatus.PAID})
"""Statuses with which the bank says that the money has left the account."""
_AGAINST: Final = MappingProxyType({Verdict.PAID: frozenset({Fact.REJECTED, Fact.RECALLED}), Verdict.NOT_PAID: frozenset({Fact.SAID_PAID, Fact.BOOKED})})
"""What a decision says is wrong."""

SENT_AGAIN: Final = frozenset({PaymentState.REJECTED, PaymentState.RECALLED, PaymentState.RETURNED})
"""Where a payment may go into a corrected file: it is certain that its money is not with the payee."""


def advance(state: PaymentState, fact: Fact) -> PaymentState:
    """Where an attempt stands once a fact is known of it."""
    return TRANSITIONS[state, fact]


def contradictory(facts: Iterable[Fact]) -> bool:
    """Whether the bank says both that an attempt was made and that it was not: which of the two it said first says nothing about which holds.

    What it has booked and then agreed to bring back is no contradiction; nor is what statements show to have come back.
    """
    known = frozenset(facts)
    if Fact.RETURNED in known:
        return False
    made = known & {Fact.SAID_PAID, Fact.BOOKED, Fact.CONFIRMED}
    return (Fact.REJECTED in known and bool(made)) or (Fact.RECALLED in known and Fact.SAID_PAID in known and Fact.CONFIRMED not in known)


def attempt_state(facts: Iterable[Fact], verdict: Verdict | None = None) -> PaymentState:
    """Where an attempt stands by all that is known of it, in any order, each as often as it likes, and by what people have decided about it.

    Neither a contradiction nor a decision changes what statements show.
    """
    known = frozenset(facts) - (_AGAINST[verdict] if verdict is not None else frozenset())
    if contradictory(known) and Fact.CONFIRMED not in known:
        return PaymentState.CONTRADICTED
    state = PaymentState.PLANNED
    for fact in known:
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
        return _of_attempts(attempts)
    if came_back:
        return PaymentState.RETURNED
    return PaymentState.BOOKED if announced_minor > 0 else PaymentState.PLANNED


def _of_attempts(attempts: Sequence[PaymentState]) -> PaymentState:
    """That of the newest; but as long as an earlier one is contradicted, or may have been made after all, it is no payment to be sent again."""
    if not attempts:
        return PaymentState.PLANNED
    if PaymentState.CONTRADICTED in attempts:
        return PaymentState.CONTRADICTED
    open_ones = [one for one in attempts if one not in SENT_AGAIN]
    return max(open_ones, key=_ORDER.index) if attempts[-1] in SENT_AGAIN and open_ones else attempts[-1]


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
