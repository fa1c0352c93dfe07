"""What was final when a window defaulted or was settled stays so; and a payment that came back less the bank's charges has an end.

Why so: an assignment undone after a default brought back money that no figure had any more, since what counted as paid then is kept; and one that named the
debit of a settled window took its payment out of it. A payment of which the bank kept a part as it came back left its window instructed for ever. Old code goes
on as before: it is told of what it is refused.
"""

from pathlib import Path

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Adds a column, a view and guards; no row is touched."""
    script = Path(__file__).with_name("m0026_rests_on.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
