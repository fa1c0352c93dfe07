"""What people decide where the bank contradicts itself about a payment, or where a statement stands in the chain that does not belong there.

Why so: a bank that says that a payment was made and that it was rejected leaves nobody but people to say which holds; sent again on its word, money would go
twice. And the first statement of an account could be wrong with no way to go on. Both are decided here, signed and kept; what was said stays as it was.
Old code goes on as before, but the database refuses it to send again what is contradicted.
"""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Creates a table, views, functions and guards; no row is touched."""
    script = Path(__file__).with_name("m0018_bank_decisions.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
