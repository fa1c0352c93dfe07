"""How long it takes to close a window: the night's own bookings, price, net, check by both paths, report; step by step, and its memory."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clearing.night import run_night
from services.house import House
from services.journal.migrate import connect
from tests.bench import workload
from tests.bench.booking import SPAWN, peak_mb, prepare

MEMBERS_EACH = 10
"""Purchases for each member. A tenth of the members have points to release, another tenth lots to expire."""

# A window as booking leaves it behind: entries with a body of the usual size, two transfers each, batches of 4,000 in the totals.
SEED = """
truncate card, member cascade;
insert into member (no, id, kind, available, pending)
select m, 'm' || m, 'consumer', 0, case when m %% 10 = 1 then 25 else 0 end from generate_series(1, %(members)s) m;

create temporary table bought on commit drop as
select i, (1::bigint << 56) | ((i %% 12)::bigint << 40) | (i / 12) record, i %% 12 part, 2 + i %% 3 party, 1 + i %% 3 contract, 1 + i %% %(members)s member,
  5 + i %% 80 points, 1 + i %% 7 extra
from generate_series(0, %(count)s - 1) i;

insert into entry (record, day, booked, outcome, type, source, id, party, contract, member, event_day, received_at, answer, body)
select record, %(day)s, %(day)s, 'accepted', 'purchase.v1', 4, 'b' || i, party, contract, member, %(day)s, %(day)s::timestamp + interval '10 hours',
  repeat('a', 200), repeat('b', 560) from bought;

insert into transfer (entry, line, day, code, amount, unit, debit, credit, member, sponsor, contract, mechanic, expiry, earned, release_on, first)
select record, line, %(day)s, 1, amount, 1, -((party::bigint * 16 + 1) * 256 + 1), member::bigint * 4, member, party, contract, line + 1,
  '2028-03-31', %(day)s, '0001-01-01', line = 0
from bought, lateral (values (0, points), (1, extra)) rows (line, amount);

insert into total (day, code, sponsor, contract, unit, quantity, events)
select %(day)s, 1, party, contract, 1, sum(points + extra), count(*) from bought group by party, contract, i / 4000;
insert into total (day, code, sponsor, contract, unit, quantity, events)
select %(day)s, 41, party, contract, 2, count(*), count(*) from bought group by party, contract, i / 4000;

insert into lot (member, sponsor, contract, expiry, earned, release_on, points, live)
select member, party, contract, '2028-03-31', %(day)s, '0001-01-01', sum(points + extra), true from bought group by member, party, contract;
insert into lot (member, sponsor, contract, expiry, earned, release_on, points, live)
select m, 2, 1, '2028-02-29', %(day)s::date - 3, %(day)s, 25, true from generate_series(1, %(members)s) m where m %% 10 = 1;
insert into lot (member, sponsor, contract, expiry, earned, release_on, points, live)
select m, 2, 1, %(day)s, %(day)s::date - 700, '0001-01-01', 40, true from generate_series(1, %(members)s) m where m %% 10 = 2;
update member m set available = l.points
from (select member, sum(points) points from lot where release_on = '0001-01-01' group by member) l where l.member = m.no;

insert into tally (day, topic, part, party, outcome, events) select %(day)s, 1, part, party, 'accepted', count(*) from bought group by part, party;
insert into cut (day, topic, part, end_offset) select %(day)s, 1, part, max(record & ((1::bigint << 40) - 1)) + 1 from bought group by part;
insert into progress (topic, part, next_offset) select topic, part, end_offset from cut where day = %(day)s
on conflict (topic, part) do update set next_offset = excluded.next_offset;
update settlement_window set state = 'draining' where day = %(day)s;
"""


@dataclass(slots=True)
class Closed:
    """How long a window took, by step, and the memory of the night run."""

    purchases: int
    seconds: float
    peak_mb: float
    steps: dict[str, float] = field(default_factory=dict)


def seed(house: House, name: str, count: int) -> str:
    """Books with a window of so many purchases, ready to be closed."""
    schema = prepare(house, name)
    named = {"count": count, "members": count // MEMBERS_EACH, "day": workload.DAY}
    with connect(house.postgres_uri, schema, role=None) as connection:
        connection.execute("set synchronous_commit = off")
        for statement in SEED.split(";\n"):
            if statement.strip():
                connection.execute(statement, named)
    with connect(house.postgres_uri, schema, role=None, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
    return schema


def close(house: House, name: str, report: Any) -> None:
    """The night run, in a process of its own."""
    night = house.night(name, lambda *_: None)
    steps: dict[str, float] = {}
    at = start = time.perf_counter()
    last = ""

    def progress(step: str) -> None:
        nonlocal at, last
        now = time.perf_counter()
        if last:
            steps[last] = now - at
        at, last = now, step

    run_night(workload.DAY, night.plan.file, night, progress)
    progress("")
    report.put((time.perf_counter() - start, peak_mb(), steps))


def measure_closing(house: House, name: str, count: int) -> Closed:
    """Seeds a window, closes it in a fresh process."""
    seed(house, name, count)
    report = SPAWN.Queue()
    process = SPAWN.Process(target=close, args=(house, name, report))
    process.start()
    seconds, peak, steps = report.get()
    process.join()
    return Closed(count, seconds, peak, steps)


if __name__ == "__main__":
    here = House.here(Path(os.environ.get("CLH_STATE_DIR", ".clh")))
    for n in (100_000, int(os.environ.get("N", "1000000"))):
        closed = measure_closing(here, "close", n)
        print(closed.purchases, round(closed.seconds, 2), "s", round(closed.peak_mb), "MB")
        for step, seconds in closed.steps.items():
            print(f"  {step:25s} {seconds:6.2f}")
