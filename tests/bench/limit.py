"""The limit of the machine: the same purchases from memory into PostgreSQL alone, over one connection, with nothing else in the way.

Each batch: offsets locked, rows by binary COPY into a temporary table, one statement for event, transfers, lots, outbox and balances, offsets
moved, commit. Server defaults: fsync and synchronous_commit are on.
"""

import random
import time
from datetime import UTC, date, datetime
from hashlib import blake2b

import psycopg

from tests.bench.workload import MEMBERS

BATCH = 5_000
COLUMNS = ("text", "text", "bytea", "timestamptz", "int4", "int8", "int4")

TABLES = """
drop schema if exists bench_limit cascade;
create schema bench_limit;
set search_path to bench_limit;
create table event (seq bigint generated always as identity primary key, source text, id text, hash bytea, at timestamptz, unique (source, id));
create table transfer (event bigint, debit int, credit int, amount bigint, code smallint);
create table balance (member int primary key, points bigint);
create table lot (
  member int, sponsor smallint, contract smallint, expiry date, earned date, points bigint, primary key (member, sponsor, contract, expiry, earned)
);
create table outbox (seq bigint generated always as identity, key text, body text);
create table reached (part int primary key, next_offset bigint);
insert into reached select part, 0 from generate_series(0, 11) part;
create temporary table incoming (source text, id text, hash bytea, at timestamptz, member int, points bigint, stamps int) on commit delete rows;
"""
BOOK = """
with new_event as (
  insert into event (source, id, hash, at) select source, id, hash, at from incoming on conflict do nothing returning seq, source, id
), booked as (
  select new_event.seq, incoming.* from new_event join incoming using (source, id)
), journal as (
  insert into transfer select seq, 1, 2, points, 1 from booked union all select seq, 3, 4, stamps, 2 from booked
), lots as (
  insert into lot as l select member, 1, 1, %(expiry)s::date, %(earned)s::date, sum(points) from booked group by member
  on conflict (member, sponsor, contract, expiry, earned) do update set points = l.points + excluded.points
), answers as (
  insert into outbox (key, body)
  select member::text, '{"event":{"source":"' || source || '","id":"' || id ||
    '"},"outcome":"accepted","effects":[{"mechanic":"base","kind":"points","points":' || points || '}]}' from booked
)
insert into balance as b select member, sum(points) from booked group by member on conflict (member) do update set points = b.points + excluded.points
"""


def measure_limit(uri: str, count: int) -> float:
    """Purchases a second that PostgreSQL alone commits."""
    rnd, at = random.Random(1), datetime(2026, 3, 2, 9, tzinfo=UTC)
    rows = [
        ("/partners/grocer", f"e{no}", blake2b(str(no).encode(), digest_size=16).digest(), at, rnd.randrange(MEMBERS), rnd.randrange(1, 90), rnd.randrange(2))
        for no in range(count)
    ]
    days = {"expiry": date(2028, 3, 31), "earned": date(2026, 3, 2)}
    with psycopg.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        connection.commit()
        start = time.perf_counter()
        for first in range(0, count, BATCH):
            cursor.execute("select next_offset from reached order by part for update")
            with cursor.copy("copy incoming from stdin (format binary)") as copy:
                copy.set_types(COLUMNS)
                for row in rows[first : first + BATCH]:
                    copy.write_row(row)
            cursor.execute(BOOK, days)
            cursor.execute("update reached set next_offset = next_offset + 1")
            connection.commit()
        seconds = time.perf_counter() - start
        cursor.execute("drop schema bench_limit cascade")
    return count / seconds
