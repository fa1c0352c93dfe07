"""Payments at the bank: the files that were made, what the bank has said, which statements count, and every move of a window.

Why so: whatever is sent is in the books before it is sent, with the bytes that are sent, so that a process that dies between the two sends the same bytes
again, and nothing else. What the bank says is only ever added, and where a payment stands is worked out from all of it: messages may come late, twice and in
any order. The database itself lets a window be settled only when statements that count show every payment. Old code goes on: it makes no payments.
"""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Creates tables, views and guards; tells of each payment which way it goes."""
    script = Path(__file__).with_name("m0008_payments_at_the_bank.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
