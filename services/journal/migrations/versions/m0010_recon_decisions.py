"""Breaks are decided by two signatures, what a decision costs is noted, answers to banks are known; matching has its indexes.

Why so: a name that is typed in proves nothing about who decided. Breaks that are decided already stay as they are: the guards look at what changes from now on.
Indexes are built in the transaction of the migration: the tables are those of matching, which nothing books into, and a run that comes meanwhile waits.
"""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Creates tables, guards, indexes, and a column of revocations with a default; no row is rewritten."""
    script = Path(__file__).with_name("m0010_recon_decisions.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
