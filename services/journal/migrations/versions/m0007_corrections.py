"""Amounts between two parties that no event brings: adjustments, disputes, losses of a default.

Why so: what is put right is put right by an entry in the current window, and whoever reads the journal later has to see for what, why and by whom. The
entry itself is a row of the journal like any other; this table says the rest of it. Old code knows neither: it books none and prices none.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

CORRECTION = """
create table correction (
  no bigint generated always as identity primary key,
  code smallint not null check (code in (33, 34, 35)), reference text not null check (reference <> ''),
  day date not null references settlement_window,  -- the window in which it was booked
  debtor text not null references party (id), creditor text not null references party (id), currency text not null references unit (id),
  amount bigint not null check (amount > 0), reason text not null check (btrim(reason) <> ''), by_whom text not null check (by_whom <> ''),
  at timestamptz not null default now(),
  unique (code, reference), check (debtor <> creditor)
)
"""
INDEX = "create index correction_day on correction (day)"
GUARD = "create trigger append_only before update or delete or truncate on correction for each statement execute function refuse_change()"


def upgrade() -> None:
    """Creates one table that is only appended to."""
    op.execute(CORRECTION)
    op.execute(INDEX)
    op.execute(GUARD)
