"""A person is erased from what senders wrote in other ways: characters by their numbers, a field twice, bytes in another encoding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from clearing.erasure import stand_in
from services.journal.erasure import erase
from services.runtime.local import Addresses
from tests.coalition import Coalition, coalition, event, purchase
from tests.integration.test_erasure import ANNA, AT, CARD, MONDAY, OPERATOR, PERSONAL, leave, lives


def by_numbers(text: str) -> str:
    return "".join(f"\\u{ord(one):04x}" for one in text)


def written_otherwise(one: Coalition) -> None:
    """Records of others, refused or not readable, that name Anna or her card."""
    linked = json.dumps(event("card-linked.v1", "w1", "m-bert", {"member": "m-bert", "card": CARD}, source=OPERATOR, time=AT))
    one.publish(linked.replace(CARD, by_numbers(CARD)).encode())
    enrolled = {"member": ANNA, "cards": ["c-new-1"], "kind": "consumer", "enrolled_on": "2026-03-02", "attributes": {}}
    one.publish(json.dumps(event("member-enrolled.v1", "w2", ANNA, enrolled, source=OPERATOR, time=AT)).replace(ANNA, by_numbers(ANNA)).encode())
    one.publish(b'{"id":"w3","card":"' + by_numbers(CARD).encode() + b'" \xff}')
    for number, encoding in enumerate(("utf-16", "utf-16-le", "utf-16-be", "utf-32"), start=4):
        one.publish(json.dumps({"id": f"w{number}", "note": CARD}).encode(encoding))
    one.publish(b"\xff" + json.dumps({"id": "w8", "note": CARD}).encode("utf-16-le"))
    one.publish(f'{{"id":"w9","card":"{CARD}","card":"c-bert"}}'.encode())
    one.publish(b'{"id":"w10","card":"' + by_numbers(CARD).encode() + b'"')
    one.publish(purchase("w11", "c-bert", 700, time=AT), b"\xff of somebody else \\u0063", b'{"id":"w12","store":"a\\/b"}')
    one.book()


def texts(owner: psycopg.Connection) -> Iterator[tuple[str, str, str]]:
    """Every value of every table, in every way in which it may be read: table, column, text."""
    columns = owner.execute(
        "select c.table_name, c.column_name from information_schema.columns c join information_schema.tables t using (table_schema, table_name) "
        "where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.data_type in ('text', 'bytea', 'jsonb')"
    ).fetchall()
    for table, column in columns:
        for (value,) in owner.execute(sql.SQL("select {0} from {1} where {0} is not null").format(sql.Identifier(column), sql.Identifier(table))):
            data = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
            readings = [data.decode("latin-1"), *(data[at:].decode(f"utf-{bits}", "ignore") for bits in ("16-le", "16-be", "32-le") for at in range(4))]
            for reading in readings:
                yield table, column, reading
                yield table, column, reading.encode("ascii", "ignore").decode("unicode_escape", "ignore")


def left(owner: psycopg.Connection) -> list[tuple[str, str, str, str]]:
    return [(table, column, word, text[:200]) for table, column, text in texts(owner) for word in PERSONAL if word in text]


@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
def test_nothing_says_who_it_was_however_it_was_written_and_what_is_of_others_stays(addresses: Addresses) -> None:
    with coalition(addresses, day=MONDAY) as one:
        lives(one)
        written_otherwise(one)
        leave(one)
        one.close(MONDAY)
        with one.books(owner=True) as owner:
            kept = "select record, body, raw from entry where id = 'w11' or body like '%w12%' or raw like '%somebody else%' order by record"
            before = owner.execute(kept).fetchall()
            assert len(before) == 3
            assert len({word for _, _, word, _ in left(owner)}) == len(PERSONAL)
            erased = erase(owner, ANNA, "asked for it", "olga", datetime.now(UTC))
            assert left(owner) == []
            assert owner.execute(kept).fetchall() == before
            (of_linked,) = owner.execute("select body from entry where id = 'w1'").fetchone() or ("",)
            assert json.loads(of_linked)["data"] == {"member": "m-bert", "card": stand_in(erased.member)}
