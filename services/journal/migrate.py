"""Creates and migrates the books of a programme, and opens connections to them with no more rights than the work needs."""

from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from services.journal.programmes import NoProgramme

APPLICATION_ROLE = "clh_app"
READER_ROLE = "clh_reader"

APPEND_ONLY = (
    "transfer", "identity", "total", "tally", "run", "programme", "attempt", "signature", "voided", "payment", "seal", "seal_party", "seal_leaf", "seal_result",
    "correction",
    "bank_line", "bank_bad_line", "recon_expected", "recon_match", "recon_turn", "recon_run",
    "recon_signature", "recon_booking", "bank_answer",
    "window_move", "payment_file", "payment_attempt", "recall", "handed_over", "bank_message", "bank_status", "bank_report", "bank_entry",
    "statement_counted", "payment_correction", "payment_move", "payment_baseline", "bank_decision",
    "dispute", "dispute_turn", "decision_signature", "funding", "funding_signature", "cash_back_payout",
)  # fmt: skip
ADDED_TO = ("party", "contract", "mechanic", "unit", "source", "topic", "cut", "night_step", "headroom")
"""Tables that the application adds rows to: names, and what nights have noted. The owner of the books may put one right."""
CHANGEABLE = (
    "settlement_window", "lot", "original", "shared_use", "relay", "obligation", "carried", "bank_file", "recon_break", "cash_back_account",
)  # fmt: skip
CHANGED_IN_PART = {
    "entry": ("booked", "outcome", "party", "contract", "member", "card", "code", "detail", "pointer", "applied", "answer", "body"),
    "progress": ("next_offset",),
    "card": ("member", "blocked"),
    "member": ("kind", "closed", "available", "pending", "held", "owed", "last_activity", "state", "attributes"),
    "headroom_use": ("used",),
}
"""Columns that the application may change, of tables whose other columns it only fills in once."""
CONSUMED = ("held", "waiting", "deferred", "unfunded", "outbox")
"""Tables whose rows go when they are done with."""
ADMINISTERED = ("person", "person_key", "key_revocation", "erasure", "by_name")
"""Tables that only the owner of the books appends to: who may sign, who is erased, and what took no signature, is not for the application to say."""


def schema_of(programme: str) -> str:
    """The PostgreSQL schema that holds a programme's books."""
    return "clh_" + programme.replace("-", "_").replace(".", "_").lower()


def migrate(uri: str, schema: str) -> None:
    """Creates the schema where it is missing, and brings it to the newest version. Safe to call from several processes at once."""
    from alembic import command  # here, and not above: every process connects, few migrate, and these two take 0.5 s to import
    from alembic.config import Config
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    engine = create_engine(uri.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool, hide_parameters=True)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext('clh migrations'))"))
        connection.execute(text(f'create schema if not exists "{schema}"'))
        connection.execute(text(f'set local search_path to "{schema}"'))
        connection.execute(text("set local client_min_messages to warning"))
        config.attributes["connection"] = connection
        config.attributes["schema"] = schema
        command.upgrade(config, "head")
    with psycopg.connect(uri) as admin:
        _grant(admin, schema)
    engine.dispose()


def _grant(admin: psycopg.Connection, schema: str) -> None:
    """The application appends to the journal and changes balances; a reader reads. Neither can update or delete what is written."""
    name = sql.Identifier(schema)
    with admin.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('clh migrations'))")
        for role in (APPLICATION_ROLE, READER_ROLE):
            cursor.execute("select 1 from pg_roles where rolname = %s", (role,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
            cursor.execute(sql.SQL("grant usage on schema {} to {}").format(name, sql.Identifier(role)))
            cursor.execute(sql.SQL("grant select on all tables in schema {} to {}").format(name, sql.Identifier(role)))
        app = sql.Identifier(APPLICATION_ROLE)
        cursor.execute(sql.SQL("grant usage on all sequences in schema {} to {}").format(name, app))
        cursor.execute("select tablename from pg_tables where schemaname = %s", (schema,))
        there = {table for (table,) in cursor.fetchall()}  # books that stand at an earlier version lack some
        cursor.execute(sql.SQL("revoke insert, update, delete, truncate on all tables in schema {} from {}").format(name, app))  # what an earlier version gave
        added = (*APPEND_ONLY, *ADDED_TO, *CHANGED_IN_PART)
        for tables, rights in ((added, "insert"), (CHANGEABLE, "insert, update"), (CONSUMED, "insert, update, delete")):
            for table in there.intersection(tables):
                cursor.execute(sql.SQL("grant {} on {}.{} to {}").format(sql.SQL(rights), name, sql.Identifier(table), app))
        cursor.execute(sql.SQL("grant delete on {0}.obligation, {0}.carried to {1}").format(name, app))
        for table in there.intersection(CHANGED_IN_PART):
            columns = sql.SQL(", ").join(map(sql.Identifier, CHANGED_IN_PART[table]))
            cursor.execute(sql.SQL("grant update ({}) on {}.{} to {}").format(columns, name, sql.Identifier(table), app))


def add_month(uri: str, schema: str, day: date) -> None:
    """Makes the partitions for the month of a window and for the next one; does nothing where they are there."""
    with psycopg.connect(uri) as admin, admin.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('clh migrations'))")
        first = day.replace(day=1)
        for start in (first, (first + timedelta(days=32)).replace(day=1)):
            end = (start + timedelta(days=32)).replace(day=1)
            for table in ("entry", "transfer"):
                name = f"{table}_{start:%Y_%m}"
                cursor.execute("select 1 from pg_tables where schemaname = %s and tablename = %s", (schema, name))
                if cursor.fetchone() is None:
                    cursor.execute(
                        sql.SQL("create table {0}.{1} partition of {0}.{2} for values from ({3}) to ({4})").format(
                            sql.Identifier(schema), sql.Identifier(name), sql.Identifier(table), sql.Literal(start), sql.Literal(end)
                        )
                    )


def connect(uri: str, schema: str, *, role: str | None = APPLICATION_ROLE, autocommit: bool = False) -> psycopg.Connection:
    """A connection to a programme's books under the role that the work needs; None keeps the rights of the login.

    Raises `NoProgramme` in a database to which no programme was ever applied: the roles come with the first.
    """
    connection = psycopg.connect(uri, autocommit=True, prepare_threshold=1)
    with connection.cursor() as cursor:
        if role is not None:
            try:
                cursor.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            except psycopg.errors.InvalidParameterValue:
                connection.close()
                raise NoProgramme from None
        cursor.execute("select set_config('search_path', %s, false)", (schema,))
        cursor.execute("set timezone to 'UTC'")
    connection.autocommit = autocommit
    return connection


def drop(uri: str, schema: str) -> None:
    """Removes a namespace of scenarios or tests with all that is in it."""
    with psycopg.connect(uri) as admin:
        admin.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
