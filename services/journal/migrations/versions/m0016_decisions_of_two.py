"""A dispute is opened and decided, and a default proposed and decided, by two people who sign; the database asks for both signatures.

Why so: a name that is typed in proves nothing, and `Ann` and `ann` were two people. What was opened, decided or declared under typed names before stays as it
is, and is listed once, here, by the owner of the books. A process of the old version goes on booking; it opens no dispute and declares no default any more.
"""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Creates two tables and their guards, and adds a column with a default to `key_revocation`; no row is changed."""
    script = Path(__file__).with_name("m0016_decisions_of_two.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
