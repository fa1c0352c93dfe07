"""The books: what came, the journal, lots and members, windows and runs.

Why so: identities are never partitioned by time, since they must hold for ever; entries and transfers are, by the month of
their window. What the application may do to each table is granted here, and the journal refuses changes from anybody.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates all tables, roles and guards."""
    script = Path(__file__).with_name("m0001_books.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
