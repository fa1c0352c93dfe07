"""Disputes of lines; funds that parties paid in beforehand, the room that limits leave, and points that wait to be funded.

Why so: whatever is decided about money is appended to and never changed, so that it can be followed later; what only repeats the journal (room and its
use) is thrown away with its window. Only new tables: no batch waits, and old code, which knows neither limits nor disputes, goes on.
"""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Creates tables and their guards."""
    script = Path(__file__).with_name("m0009_risk.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
