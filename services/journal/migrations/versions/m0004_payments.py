"""The payments of approved runs, with their value dates.

Why so: what is paid, and when, is fixed in the moment of approval: a calendar that is changed later, or a newer list of holidays, moves no payment that
people have approved. Old code does not know the table and approves nothing.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

PAYMENT = """
create table payment (
  id text not null check (length(id) between 1 and 35),  -- the EndToEndId of the bank's messages
  run int not null references run, currency text not null, payer text not null, payee text not null,
  amount bigint not null check (amount > 0), value_date date not null, primary key (run, id), check (payer <> payee)
)
"""
GUARD = "create trigger append_only before update or delete or truncate on payment for each statement execute function refuse_change()"


def upgrade() -> None:
    """Creates one table that is only appended to."""
    op.execute(PAYMENT)
    op.execute(GUARD)
