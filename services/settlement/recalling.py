"""Recalls: the bank is asked to cancel a payment, or to bring it back (camt.055). Noted before it is asked, like everything that goes to the bank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import psycopg

from clearing.payment_states import PaymentState
from schemas.bank_messages import Recall
from schemas.canonical import sha256_hex
from services.bank.errors import BankCode, BankError
from services.bank.pain001 import message_id
from services.bank.recalls import recall_message
from services.bank.references import transaction_uuid
from services.journal.programmes import load
from services.settlement.instructing import HANDED_OVER, Paying, alone, no_transport
from services.settlement.payment_states import Attempt, Standing, states_of

# An attempt by its EndToEndId, or the newest at a payment by the payment's id (the EndToEndId of its first as well), or the one that is named by its number.
FIND = """
select a.run, a.payment, a.end_to_end_id, a.block from payment_attempt a
where (a.end_to_end_id = %(id)s or a.payment = %(id)s) and a.attempt = coalesce(%(attempt)s, a.attempt)
order by a.run desc, a.end_to_end_id = %(id)s and a.end_to_end_id <> a.payment desc, a.attempt desc limit 1
"""
RECALLS_OF_RUN = "select count(*) from recall c join payment_attempt a on a.end_to_end_id = c.end_to_end_id where a.run = %s"
NOTED = """
select c.message_id, c.content, exists (select from handed_over h where h.message_id = c.message_id) from recall c where c.end_to_end_id = %s
"""
SETTLED = "select w.state = 'settled' from run r join settlement_window w on w.day = r.day where r.no = %s"
NOTE = "insert into recall (message_id, end_to_end_id, reason, sha256, content, noted_at, by_whom) values (%s, %s, %s, %s, %s, %s, %s)"

RECALLABLE: Final = frozenset({PaymentState.NOTED, PaymentState.SENT, PaymentState.ACCEPTED, PaymentState.BOOKED, PaymentState.CONFIRMED})
"""Where an attempt may still be with the bank, or with the payee."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A recall that is with the bank: its message, and the attempt that it is about."""

    message_id: str
    payment: str
    end_to_end_id: str
    settled: bool
    """The window of the payment is settled: what comes back does not open it again."""


def recall(connection: psycopg.Connection, payment: str, reason: str, how: Paying, *, attempt: int | None = None) -> Recalled:
    """Asks the bank to give a payment back; called again after it died, it asks again in the same words.

    `payment`: its id, or the EndToEndId of an attempt; `attempt`: which one, counted from 1; left out: of a payment named by its id the newest. `reason`: one
    of `services.bank.recalls.REASONS`. Raises `BankError`: unknown-payment, not-recallable, no-transport, not-handed-over (where the
    transport cannot be the bank's, such as a folder that is not there, before anything is noted).
    """
    if how.transport is None:
        raise no_transport("a recall")
    how.transport.expect()
    with alone(connection):
        with connection.transaction():
            found = connection.execute(FIND, {"id": payment, "attempt": attempt}).fetchone()
            if found is None:
                raise BankError(BankCode.UNKNOWN_PAYMENT, f"no payment {payment} went to the bank: clh settlement status WINDOW names them")
            run, name, end_to_end, block = found
            noted = connection.execute(NOTED, (end_to_end,)).fetchone()
            if noted is None:
                _note(connection, run, end_to_end, block, reason, how)
                noted = connection.execute(NOTED, (end_to_end,)).fetchone()
            elif noted[2]:
                raise BankError(BankCode.NOT_RECALLABLE, f"payment {name} was recalled before: clh settlement status")
            assert noted is not None
        how.tell("noted")
        where = how.transport.hand_over(noted[0], bytes(noted[1]), how.tell)
        how.tell("handed over")
        connection.execute(HANDED_OVER, (noted[0], how.now, how.by, where))
        ((settled,),) = connection.execute(SETTLED, (run,)).fetchall()
        return Recalled(noted[0], name, end_to_end, settled)


def _note(connection: psycopg.Connection, run: int, name: str, block: str, reason: str, how: Paying) -> None:
    one, attempt = _attempt(states_of(connection, run), name)
    if attempt.state not in RECALLABLE:
        raise BankError(BankCode.NOT_RECALLABLE, f"payment {one.id} is {attempt.state}: there is nothing to recall")
    row = connection.execute(RECALLS_OF_RUN, (run,)).fetchone()
    assert row is not None
    file = load(connection)
    message = message_id(how.programme, run, row[0] + 1, kind="C")
    asked = Recall(
        message_id=message, case_id=attempt.end_to_end_id, created_at=how.now, original_message_id=attempt.message_id, payment_information_id=block,
        end_to_end_id=attempt.end_to_end_id, uetr=transaction_uuid(attempt.message_id, attempt.end_to_end_id), amount_minor=one.amount_minor,
        currency=one.currency, value_date=attempt.value_date, reason_code=reason,
    )  # fmt: skip
    operator = next(party for party in file.parties if party.id == file.programme.operator.party)
    content = recall_message(asked, operator.name)
    connection.execute(NOTE, (message, attempt.end_to_end_id, reason, sha256_hex(content), content, how.now, how.by))


def _attempt(standings: list[Standing], name: str) -> tuple[Standing, Attempt]:
    return next((one, attempt) for one in standings for attempt in one.attempts if attempt.end_to_end_id == name)
