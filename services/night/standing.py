"""Where windows stand: their state, what they received, which steps of the night are done, and what they wait for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from services.journal.programmes import load
from services.night.books import STEPS as BOOKED_BY_THE_NIGHT

STEPS = (*BOOKED_BY_THE_NIGHT, "close")
"""What the night books by itself, and the close after it."""

APPROVAL = "submission and the approval of two people"
"""What a cleared window waits for: `clh settlement status` says who has signed."""

# The newest windows, with the latest run of each.
WINDOWS = """
select w.day, w.state, w.ends_at, r.no, r.sha256, r.previous, r.made_at, (select count(*) from run where run.day = w.day)
from settlement_window w left join lateral (select no, sha256, previous, made_at from run where run.day = w.day order by no desc limit 1) r on true
where w.day >= coalesce(%(since)s, (select min(day) from (select day from settlement_window order by day desc limit %(last)s) newest)) order by w.day
"""
RECEIVED = """
select day, outcome, sum(events)::bigint from tally
where day = any(%s) and outcome in ('accepted', 'rejected', 'held', 'waiting', 'duplicate') group by day, outcome
"""
DONE = "select day, step, figures from night_step where day = any(%s)"
BEHIND = """
select t.name, c.part, c.end_offset, coalesce(p.next_offset, 0) from cut c join topic t on t.no = c.topic
left join progress p on p.topic = c.topic and p.part = c.part where c.day = %s and c.end_offset > coalesce(p.next_offset, 0) order by t.name, c.part
"""


@dataclass(frozen=True, slots=True)
class Behind:
    """A partition that is not booked to its cut."""

    topic: str
    partition: int
    cut_offset: int
    next_offset: int

    @property
    def records(self) -> int:
        """So many records lie between the books and the cut."""
        return self.cut_offset - self.next_offset


@dataclass(frozen=True, slots=True)
class Run:
    """The latest clearing run of a window."""

    no: int
    sha256: str
    previous: str | None
    made_at: datetime
    runs: int
    """How many runs the window has had: more than one where a run was rejected or made void."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One window. `received` counts events by what became of them."""

    day: date
    state: str
    ends_at: datetime | None
    received: dict[str, int]
    done: dict[str, dict[str, Any]]
    behind: tuple[Behind, ...]
    run: Run | None

    @property
    def waits_for(self) -> str:
        """What has to happen next, in a sentence."""
        match self.state:
            case "open":
                return f"its end at {self.ends_at.isoformat(timespec='minutes')}" if self.ends_at is not None else "somebody who closes it"
            case "draining" if self.behind:
                records = sum(part.records for part in self.behind)
                which = "1 record" if records == 1 else f"{records:,} records"
                where = "1 partition" if len(self.behind) == 1 else f"{len(self.behind)} partitions"
                return f"{which} in {where} not booked to the cut"
            case "draining":
                return f"the night's own bookings: {sum(step in self.done for step in STEPS)} of {len(STEPS)} steps are done"
            case "closed":
                return "pricing, netting and checks"
            case "netted":
                return APPROVAL
            case "approved":
                return "payment instructions"
            case "instructed":
                return "confirmation by statements"
            case "defaulted":
                return "a new run without the defaulter"
            case _:
                return ""


def standings(connection: psycopg.Connection, *, last: int = 30, since: date | None = None) -> list[Standing]:
    """The newest windows, oldest first; with `since`, those from that day on. Times are in the programme's zone."""
    zone = ZoneInfo(load(connection).programme.timezone)
    windows = connection.execute(WINDOWS, {"last": last, "since": since}).fetchall()
    days = [row[0] for row in windows]
    received: dict[date, dict[str, int]] = {}
    for day, outcome, events in connection.execute(RECEIVED, (days,)):
        received.setdefault(day, {})[outcome] = events
    done: dict[date, dict[str, dict[str, Any]]] = {}
    for day, step, figures in connection.execute(DONE, (days,)):
        done.setdefault(day, {})[step] = figures
    return [
        Standing(
            day, state, ends_at.astimezone(zone) if ends_at is not None else None, received.get(day, {}), done.get(day, {}),
            behind(connection, day) if state == "draining" else (),
            Run(no, sha256, previous, made_at.astimezone(zone), runs) if no is not None else None,
        )
        for day, state, ends_at, no, sha256, previous, made_at, runs in windows
    ]  # fmt: skip


def behind(connection: psycopg.Connection, day: date) -> tuple[Behind, ...]:
    """The partitions of a window that are not booked to its cut."""
    return tuple(Behind(*row) for row in connection.execute(BEHIND, (day,)))
