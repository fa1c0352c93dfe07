"""Recalls of a run's payments, and what the bank has answered to each, as it came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg

# Each recall with every answer to it; one that has none once, with nulls.
RECALLS: Final = """
select c.message_id, a.payment, c.end_to_end_id, c.reason, c.noted_at, c.by_whom, (select min(h.at) from handed_over h where h.message_id = c.message_id),
  said.status, said.reason_code, said.reason_text, said.received_at, said.message_id
from payment_attempt a join recall c on c.end_to_end_id = a.end_to_end_id
left join lateral (
  select s.status, s.reason_code, s.reason_text, m.received_at, m.message_id, m.no
  from bank_status s join bank_message m on m.no = s.message where s.end_to_end_id = c.end_to_end_id and m.kind = 'recall_answer'
) said on true
where a.run = %s order by c.noted_at, c.message_id, said.no
"""


@dataclass(frozen=True, slots=True)
class RecallAnswered:
    """One answer (camt.029): its status by the standard's list, the bank's reason, when it was taken, and the id of its message."""

    status: str
    reason_code: str
    reason_text: str
    received_at: datetime
    message_id: str


@dataclass(frozen=True, slots=True)
class AskedBack:
    """A recall. `sent_at`: when it was first handed over; None: it is noted only. `answers`: in the order in which they came."""

    message_id: str
    payment: str
    end_to_end_id: str
    reason: str
    noted_at: datetime
    by: str
    sent_at: datetime | None
    answers: tuple[RecallAnswered, ...]


def recalls_of(connection: psycopg.Connection, run: int) -> list[AskedBack]:
    """The recalls of a run's payments, in the order in which the bank was asked."""
    found: dict[str, AskedBack] = {}
    for message, payment, name, reason, noted_at, by, sent_at, status, code, words, received_at, answer in connection.execute(RECALLS, (run,)):
        before = found[message].answers if message in found else ()
        more = () if status is None else (RecallAnswered(status, code, words, received_at, answer),)
        found[message] = AskedBack(message, payment, name, reason, noted_at, by, sent_at, (*before, *more))
    return list(found.values())
