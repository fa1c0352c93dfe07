"""Books of their own for tests of migrations: made from nothing, or as an older version made them and then brought up to date."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from alembic import command

from services.journal.migrate import APPLICATION_ROLE, connect, drop, migrate, schema_of

COLUMNS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'p') order by 1, a.attnum
"""
INDEXES = "select tablename, indexname, indexdef from pg_indexes where schemaname = %s order by 1, 2"
CONSTRAINTS = "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = %s::regnamespace order by 1, 2, 3"
TRIGGERS = """
select c.relname, t.tgname, pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = %s::regnamespace and not t.tgisinternal order by 1, 2
"""
RIGHTS = """
select table_name, grantee, privilege_type from information_schema.role_table_grants
where table_schema = %s and grantee in ('clh_app', 'clh_reader') order by 1, 2, 3
"""
Shape = dict[str, list[tuple[object, ...]]]


@contextmanager
def namespace(uri: str) -> Iterator[str]:
    """A name for books that nobody else has; they are gone afterwards."""
    schema = schema_of(f"migration-{secrets.token_hex(5)}")
    try:
        yield schema
    finally:
        drop(uri, schema)


def shape(uri: str, schema: str) -> Shape:
    """Everything that a schema is, without its name."""
    found: Shape = {}
    with psycopg.connect(uri, autocommit=True) as connection:
        for name, question in (("columns", COLUMNS), ("indexes", INDEXES), ("constraints", CONSTRAINTS), ("triggers", TRIGGERS), ("rights", RIGHTS)):
            rows = connection.execute(question, (schema,)).fetchall()
            found[name] = [tuple(re.sub(rf'"?{schema}"?\.', "", cell) if isinstance(cell, str) else cell for cell in row) for row in rows]
    return found


@dataclass(frozen=True, slots=True)
class OldBooks:
    """Books as an older version made them, until they are brought up to date."""

    uri: str
    schema: str

    def open(self, role: str | None = APPLICATION_ROLE) -> psycopg.Connection:
        """A connection to them under a role; None: the owner."""
        return connect(self.uri, self.schema, role=role, autocommit=True)

    def bring_up_to_date(self) -> None:
        """Has to be called by each test."""
        migrate(self.uri, self.schema)


@contextmanager
def books_of_version(uri: str, version: str) -> Iterator[OldBooks]:
    """Books that a version such as `0015` made. In the end they have to be as if they had been made from nothing."""
    upgrade = command.upgrade
    with namespace(uri) as schema, namespace(uri) as fresh:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(command, "upgrade", lambda config, _: upgrade(config, version))
            migrate(uri, schema)
        yield OldBooks(uri, schema)
        migrate(uri, fresh)
        assert shape(uri, schema) == shape(uri, fresh)
