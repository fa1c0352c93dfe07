"""Files of co-brand banks, what the house expects them to say, and what of both is matched or breaks.

Why so: a file that was taken has to be known for ever, since one that comes twice is refused; its lines are kept as they came, beside the journal, so
that matching is one question to the database. Matches and turns of breaks are only ever added; a break itself moves on. New tables only: old code goes on.
"""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Creates the tables; no other table is touched."""
    script = Path(__file__).with_name("m0006_bank_files.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
