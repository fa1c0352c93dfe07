"""The database itself holds to what is final (lines of approved windows, breaks and their decisions, card files) and to the accounts that people sign.

Why so: the code asks before each change; now the application role can make no other, whatever code runs under it, as version 0015 did for the moves of windows.
A signature names the accounts between which is paid, so that a programme applied between two signatures is not taken unseen; those of before name none, and
hold as before. Where rows come by the million the question stands in the trigger's condition, or is asked once for a statement: nothing is called for each row.
"""

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"

MOVES = (
    ("open", "investigating"), ("awaiting bank", "investigating"), ("open", "awaiting bank"), ("investigating", "awaiting bank"), ("open", "proposed"),
    ("investigating", "proposed"), ("awaiting bank", "proposed"), ("proposed", "investigating"), ("proposed", "written off"), ("proposed", "resolved"),
    ("open", "resolved"), ("investigating", "resolved"), ("awaiting bank", "resolved"), ("resolved", "open"), ("written off", "open"),
)  # fmt: skip
"""From where to where a break moves: the pairs of `clearing.matching.TRANSITIONS`."""


def upgrade() -> None:
    """Creates triggers, and adds a column that may be empty to `signature`; no row is touched."""
    script = Path(__file__).with_name("m0017_guards.sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script.replace(":moves", ", ".join(f"('{before}', '{after}')" for before, after in MOVES)))
