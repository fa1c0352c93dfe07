"""Funds are entered and paid out by two people who sign; the database asks for both signatures before they count.

Why so: one typed name was enough to enter funds that nobody had paid in, and points and defaults rest on them. What was entered before stays as it is, and is
listed once, here, for the owner of the books to answer for. A process of the old version goes on booking; it enters no funds any more.
"""

from pathlib import Path

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Creates a table with its guards and a guard of funds, and adds a column with a default to `key_revocation`; no row of funds is changed."""
    script = Path(__file__).with_name("m0022_funds_signed.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
