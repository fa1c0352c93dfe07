"""Every entry of a statement can be brought to an end, and what people decided about the bank can be undone.

Why so: bank charges, and money that names a payment in another currency or of a run that was replaced, were found on every morning for ever. And a decision
that was a mistake stood, unless it was about a statement. Old code goes on as before: it reads decisions that were undone as if they stood, so it is not to
decide anything beside this one.
"""

from pathlib import Path

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Adds a column, views and guards; no row is touched."""
    script = Path(__file__).with_name("m0024_ends.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
