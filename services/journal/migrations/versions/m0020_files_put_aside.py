"""Payment files that two people have put aside, since an earlier file may have paid what is in them.

Why so: a corrected file that was noted and not handed over was handed over later, though the bank had said meanwhile that the first payment was made. It
stays then, and there has to be a way on for what else is in it. Old code goes on as before: it knows no such file, and hands none over that was not put aside.
"""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Adds a function and two guards; no row is touched."""
    script = Path(__file__).with_name("m0020_files_put_aside.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)
