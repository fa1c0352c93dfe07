"""Which statements count is said in one place, and a withdrawal can be undone; turns of disputes that nobody signs follow the calendar.

Why so: a window settled on a statement that had been withdrawn, since what asked for statements that count did not look at withdrawals; and a statement that
was withdrawn by mistake never came back. A dispute could be said to have lapsed on the day on which it was opened. Old code goes on as before.
"""

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Adds a column, views and guards; no row is touched."""
    script = Path(__file__).with_name("m0021_what_counts.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
