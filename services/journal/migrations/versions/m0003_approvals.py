"""People sign runs: their keys, their signatures, and what the database itself holds them to.

Why so: an approval is worth what it takes to forge one. So nobody but the owner of the books enrols people, signatures are only appended to, and maker
and checkers are told apart by unique keys and triggers too, whatever the code above them does. Old code goes on booking and clearing: it never makes a
second run of a window, which is all that `check_replaced` asks about.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Creates tables and guards, and adds a column that may be empty to `run`: no row is touched."""
    script = Path(__file__).with_name("m0003_approvals.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
