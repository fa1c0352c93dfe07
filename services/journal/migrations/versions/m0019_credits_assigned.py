"""What people decide about money that came in and names no payment, and how much they had decided when a key was revoked.

Why so: such money could only be hidden, by leaving out old entries; nobody had said what became of it. Now two people say it: a party's funds, given
back at the bank, or kept. It is said once, and from then on the entry counts for no payment. Old code goes on as before.
"""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Adds columns, guards and a view; no row is touched."""
    script = Path(__file__).with_name("m0019_credits_assigned.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
