"""What is asked for every batch, and whenever somebody follows a figure, is answered from an index, however large the books are."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest

from services.accrual.batch import LOCK_PROGRESS, MOVE_PROGRESS
from services.accrual.claims import CLAIMED_BEFORE
from services.journal import reading
from services.journal.arrays import plain, texts
from services.journal.migrate import add_month, connect, drop, migrate, schema_of
from services.night import funding, payouts, statements
from services.runtime.local import Addresses

DAY = date(2026, 3, 2)
FILL = """
insert into party (id) select 'p' || no from generate_series(1, 5) no;
insert into contract (party, valid_from) select no, '2026-01-01' from party;
insert into unit (id) values ('points');
insert into source (uri) values ('/partners/p1');
insert into topic (name) values ('partner.transactions.v1');
insert into settlement_window (day, state) values ('2026-03-02', 'open');
insert into progress select 1, no, 0 from generate_series(0, 3) no;
insert into member (no, id, kind) select no, 'm' || no, 'consumer' from generate_series(1, 2000) no;
insert into card (card, member) select 'c' || no, no from generate_series(1, 2000) no;
insert into identity select 1, 'e' || no, '\\x00', no, '2026-03-02' from generate_series(1, 20000) no;
insert into entry (record, day, booked, outcome, type, source, id, party, member, received_at, answer, body)
  select no, '2026-03-02', '2026-03-02', 'accepted', 'purchase.v1', 1, 'e' || no, 1, no % 2000 + 1, now(), '{}', repeat('x', 200)
  from generate_series(1, 20000) no;
insert into transfer (entry, line, day, code, amount, unit, debit, credit, member, sponsor, contract, expiry, earned, release_on, first)
  select no, 0, '2026-03-02', 1, 5, 1, -1, no, no % 2000 + 1, 1, 1, '2028-03-31', '2026-03-02', '0001-01-01', true from generate_series(1, 20000) no;
insert into lot (member, sponsor, contract, expiry, earned, release_on, points, live)
  select no, 1, 1, date '2026-04-01' + no % 700, date '2026-03-02' - kind,
    case when kind = 0 then date '2026-03-02' + no % 300 else '0001-01-01' end, no % 2, no % 2 > 0
  from generate_series(1, 2000) no, generate_series(0, 2) kind;
insert into held select no, '2026-03-02', 'h' || no, date '2026-03-02' - no % 30, now() from generate_series(1, 20000) no;
insert into original (record, member, kind, expires_at, state)
  select no, 1, 'hold', case when no % 500 = 0 then now() + make_interval(days => no / 500) end, '{}' from generate_series(1, 20000) no;
insert into mechanic (id) select 'back' || no from generate_series(1, 20) no;
insert into unit (id) values ('EUR');
insert into cash_back_account (member, mechanic, payer, unit, earned, paid, card)
  select no, no % 20 + 1, 1, 2, 500, case when no % 100 = 0 then 0 else 500 end, 't' || no from generate_series(1, 20000) no;
insert into unfunded (entry, line, received_at, member, sponsor, contract, expiry, earned, release_on, points)
  select no, 0, timestamptz '2026-03-02' + make_interval(secs => no), no % 2000 + 1, 1, 1, date '2026-04-01' + no % 700, '2026-03-02', '5000-01-01', 5
  from generate_series(1, 20000) no;
insert into outbox (record, day) select no, '2026-03-02' from generate_series(1, 5000) no;
analyze;
"""
"""2,000 members with three lots each, 20,000 events of one window."""


@pytest.fixture(scope="module")
def books(addresses: Addresses) -> Iterator[psycopg.Connection]:
    """Books with some thousands of members and events, analyzed."""
    schema = schema_of(f"hot-{secrets.token_hex(5)}")
    migrate(addresses.postgres_uri, schema)
    add_month(addresses.postgres_uri, schema, DAY)
    try:
        with connect(addresses.postgres_uri, schema, role=None, autocommit=True) as connection:
            connection.execute(FILL)
            yield connection
    finally:
        drop(addresses.postgres_uri, schema)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def plan_of(books: psycopg.Connection, statement: str, arguments: Any) -> list[dict[str, Any]]:
    """The nodes of the plan that PostgreSQL makes for a statement; `FOR UPDATE` needs a transaction, and nothing is changed."""
    with books.transaction(force_rollback=True):
        row = books.execute(f"explain (format json) {statement}", arguments).fetchone()
    assert row is not None
    found = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return list(nodes(found[0]["Plan"]))


def indexes(plan: list[dict[str, Any]]) -> set[str]:
    """Names of the indexes in a plan; those of partitions by the columns of their index."""
    return {node["Index Name"] for node in plan if "Index Name" in node}


def read_whole(plan: list[dict[str, Any]]) -> set[str]:
    """Tables that a plan reads from end to end."""
    return {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}


CARDS = ["c1", "c7", "c77"]
HOT = {
    "cards of a batch": (reading.CARDS, (texts(CARDS),), "card_pkey"),
    "unknown cards, locked": (reading.LOCK_CARDS, (texts(CARDS),), "card_pkey"),
    "members of a batch, locked": (reading.LOCK_MEMBERS, (plain([1, 7, 77]),), "member_pkey"),
    "lots of members": (reading.LOTS, ([1, 7, 77],), "lot_pkey"),
    "held by card": (reading.HELD, (["h1", "h7"],), "held_card"),
    "originals that are named": (reading.ORIGINALS, ([1, 1], ["e1", "e7"]), "identity_"),
    "what an original gave": (reading.GIVEN, ([1, 7], [1, 21, 51]), "transfer_"),
    "holds by record": (reading.HOLDS, ([500, 1000],), "original_pkey"),
    "a member by its id": (reading.MEMBER_NUMBERS, (["m1"],), "member_id_key"),
    "entry by record": ("select * from entry where record = %s", (77,), "entry_"),
    "entries of a member": ("select * from entry where member = %s order by record", (77,), "entry_"),
    "transfers of an entry": ("select * from transfer where entry = %s", (77,), "transfer_"),
    "an event by source and id": ("select record, day from identity where source = %s and id = %s", (1, "e77"), "identity_"),
    "cards of a member": ("select card from card where member = %s", (77,), "card_member"),
    "lots to expire": ("select * from lot l where l.live and l.expiry <= %s", (date(2026, 4, 5),), "lot_expiry"),
    "lots to release": ("select * from lot where live and release_on > '0001-01-01' and release_on <= %s", (DAY,), "lot_release"),
    "cash-back to pay": (
        payouts.PAY,
        {"day": DAY, "due": ["back1"], "leasts": [500], "currency": "EUR"},
        "cash_back_account_due",
    ),
    "what waits to be funded, in order of receipt": (f"{funding.QUEUE} limit 1000", ([2],), "unfunded_order"),
    "points that wait, by sponsor": (statements.WAIT, (), "lot_release"),
    "holds that ran out": (statements.RUN_OUT, (DAY,), "original_open"),
}


@pytest.mark.parametrize("what", HOT)
def test_a_hot_query_uses_its_index(books: psycopg.Connection, what: str) -> None:
    statement, arguments, index = HOT[what]
    plan = plan_of(books, statement, arguments)
    large = {"entry", "transfer", "identity", "card", "member", "lot", "held", "original", "cash_back_account"}
    assert any(name.startswith(index) for name in indexes(plan)), plan
    whole = {name for name in read_whole(plan) if name.split("_20")[0].split("_0")[0] in large}
    assert whole - {"entry_2026_04", "transfer_2026_04"} == set(), plan


def test_ids_that_came_before_are_found_by_the_index_of_identities(books: psycopg.Connection) -> None:
    with books.transaction(force_rollback=True):
        numbers = range(1, 51)
        batch = {"source": plain(1 for _ in numbers), "id": texts([f"e{no}" for no in numbers]), "record": plain(no + 100_000 for no in numbers)}
        row = books.execute(f"explain (format json) {CLAIMED_BEFORE}", batch).fetchone()
    assert row is not None
    plan = list(nodes(row[0][0]["Plan"]))
    assert any(name.startswith("identity_") for name in indexes(plan)), plan
    assert read_whole(plan) <= {"entry_2026_04"}


def test_expiry_looks_only_at_lots_whose_day_has_come(books: psycopg.Connection) -> None:
    question = statements.DUE_EXPIRY.partition(" as\n")[2]
    plan = plan_of(books, question, {"day": date(2026, 4, 2)})
    assert "lot_expiry" in indexes(plan), plan


def test_the_outbox_is_read_in_its_order(books: psycopg.Connection) -> None:
    plan = plan_of(books, "select * from outbox where (xid, seq) > ('0'::xid8, 0) order by xid, seq limit 100", ())
    assert "outbox_order" in indexes(plan)


@pytest.mark.parametrize(("statement", "arguments"), [(LOCK_PROGRESS, ([1], [0])), (MOVE_PROGRESS, ([1], [0], [0], [5]))])
def test_the_fence_touches_only_the_partitions_of_its_batch(books: psycopg.Connection, statement: str, arguments: Any) -> None:
    with books.transaction(force_rollback=True):
        done = books.execute(statement, arguments)
        assert done.rowcount == 1
