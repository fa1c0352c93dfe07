"""A payment that came back goes out anew to another account that two people have signed, and never while an earlier attempt at it may be with the bank.

Why so: the payee's account was closed, and the only way on was a payment made by hand at the bank. And an attempt that the bank took after its file had been
put aside was no hindrance to a further one. Old code goes on as before: it refuses an account that was changed, signed or not.
"""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Adds a column, a function and guards; no row is touched."""
    script = Path(__file__).with_name("m0025_readdressed.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
