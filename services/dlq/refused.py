"""Which events were refused for a reason that lay with the house, and were not accepted since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import psycopg

from schemas.events.answers import RejectionCode

RETRYABLE = tuple(code.value for code in RejectionCode if code.retryable)

# The days are known from the counts of each batch, so that only their entries are read.
REFUSED = """
select e.record, e.day, s.uri, e.id, e.type, e.code, e.detail, e.received_at, (select count(*) from attempt a where a.record = e.record)
from entry e join source s on s.no = e.source
where e.day = any(array(select distinct day from tally where outcome = 'rejected' and code = any(%(retryable)s)))
  and e.outcome = 'rejected' and e.code = any(%(codes)s) and e.body is not null
  and (%(party)s::text is null or split_part(s.uri, '/', 3) = %(party)s)
  and (%(ids)s::text[] is null or e.id = any(%(ids)s)) and (%(day)s::date is null or e.day = %(day)s)
order by e.received_at, e.record limit %(limit)s
"""
COUNTED = """
select e.code, split_part(s.uri, '/', 3), count(*) from entry e join source s on s.no = e.source
where e.day = any(array(select distinct day from tally where outcome = 'rejected' and code = any(%s)))
  and e.outcome = 'rejected' and e.code = any(%s) and e.body is not null group by 1, 2 order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of them are meant; what is None does not choose."""

    codes: Sequence[str] = RETRYABLE
    party: str | None = None
    ids: Sequence[str] | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """One event, and how often it was tried again."""

    record: int
    day: date
    source: str
    id: str
    type: str
    code: str
    detail: str
    received_at: datetime
    attempts: int


def refused(connection: psycopg.Connection, chosen: Chosen, *, limit: int | None = None) -> list[RefusedEvent]:
    """The events, in the order in which they were received."""
    ids = list(chosen.ids) if chosen.ids is not None else None
    values = {"retryable": list(RETRYABLE), "codes": list(chosen.codes), "party": chosen.party, "ids": ids, "day": chosen.day, "limit": limit}
    return [RefusedEvent(*row) for row in connection.execute(REFUSED, values)]


def counted(connection: psycopg.Connection) -> list[tuple[str, str, int]]:
    """How many there are, by code and party."""
    return connection.execute(COUNTED, (list(RETRYABLE), list(RETRYABLE))).fetchall()
