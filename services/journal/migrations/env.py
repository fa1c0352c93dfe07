"""Runs migrations on the connection and in the schema that `services.journal.migrate` hands over."""

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]
schema: str = context.config.attributes["schema"]

context.configure(connection=connection, version_table="migration", version_table_schema=schema, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
