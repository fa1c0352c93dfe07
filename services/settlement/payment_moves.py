"""Every move of a payment is kept and told once: where it stood when the house last looked, where it stands now, because of what."""

from __future__ import annotations

import json
from datetime import datetime

import psycopg

from schemas.topics import CLEARING_TOPIC
from services.journal.windows import TELL
from services.settlement.payment_states import Standing, states_of

# Runs whose payments may have moved: those that are instructed, and those that a statement is about.
MOVING = """
select distinct r.no, r.day from run r join settlement_window w on w.day = r.day
where w.state = 'instructed' and r.no = (select max(no) from run newest where newest.day = r.day)
union
select r.no, r.day from entry_payment m join run r on r.no = m.run where m.report = %s
"""
LAST = "select distinct on (payment) payment, after from payment_move where run = %s order by payment, no desc"
KEEP = "insert into payment_move (run, payment, before, after, because, at) values (%s, %s, %s, %s, %s, %s)"


def note_moves(connection: psycopg.Connection, programme: str, now: datetime, *, report: int | None = None) -> int:
    """Keeps and tells, in the caller's transaction, each payment that stands elsewhere than when the house last looked; returns how many.

    Looks at instructed windows, and at what the statement `report` is about.
    """
    moved = 0
    for run, day in connection.execute(MOVING, (report,)).fetchall():
        before: dict[str, str] = dict(connection.execute(LAST, (run,)).fetchall())
        for one in states_of(connection, run):
            stood = before.get(one.id, "planned")
            if stood == one.state:
                continue
            connection.execute(KEEP, (run, one.id, stood, one.state.value, _because(one), now))
            told = {"programme": programme, "window": day.isoformat(), "run": run, "payment": one.id, "before": stood, "state": one.state.value}
            connection.execute(TELL, (CLEARING_TOPIC, programme, json.dumps(told | {"event": "payment_moved", "because": _because(one)}), now))
            moved += 1
    return moved


def _because(one: Standing) -> str | None:
    """The newest statement that shows it, or else the file that it stands in."""
    if one.statements:
        return one.statements[-1]
    return one.attempts[-1].message_id if one.attempts else None
