"""Arrays written by hand come out of PostgreSQL as they went in."""

import psycopg
import pytest

from services.journal.arrays import plain, texts
from services.runtime.local import Addresses

ODD = ("", "NULL", "null", "a,b", "{}", '"', '\\"', "\\", "a\\", "tab\there", "line\nbreak", " space ", "ü€😀", "'; drop table entry; --", '{"a": ["b"]}')


@pytest.mark.parametrize("values", [(), ODD, tuple(f"card-{no}" for no in range(1000)), *((odd,) for odd in ODD)])
def test_any_text_comes_out_as_it_went_in(addresses: Addresses, values: tuple[str, ...]) -> None:
    with psycopg.connect(addresses.postgres_uri) as connection:
        row = connection.execute("select %s::text[]", (texts(values),)).fetchone()
    assert row == (list(values),)


def test_numbers_days_and_null_come_out_as_they_went_in(addresses: Addresses) -> None:
    with psycopg.connect(addresses.postgres_uri) as connection:
        row = connection.execute("select %s::bigint[], %s::date[]::text[], %s::int[]", (plain([1, -2, 1 << 62]), plain(["2026-03-02", "NULL"]), plain([])))
        assert row.fetchone() == ([1, -2, 1 << 62], ["2026-03-02", None], [])
