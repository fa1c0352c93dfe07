"""Matching has its indexes.

Why so: breaks were looked for by their rows, and what was taken back of a transaction by its original, line by line through whole tables. The indexes are
built in the transaction of the migration: nothing is booked into these tables, and a run of matching that comes meanwhile waits.
"""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Creates indexes; no row is touched."""
    script = Path(__file__).with_name("m0010_recon_decisions.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
