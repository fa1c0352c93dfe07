"""What each member has earned of cash-back and was paid, where the programme says when it is paid.

Why so: what is earned is owed to the payer at once and stays in the journal; what the member has coming is a balance beside it, added up night by night, so
that no night reads the years before it. It begins at nothing: what was earned before was paid as payer and member saw fit. Old code enters nothing here.
"""

from alembic import op

revision = "0012"
down_revision = "0011"

TABLES = """
create table cash_back_account (
  member int not null, mechanic smallint not null references mechanic, payer smallint not null references party, unit smallint not null references unit,
  earned bigint not null,                       -- given less taken back; below what was paid where more came back since
  paid bigint not null default 0,
  card text,                                    -- of the last transaction that moved it: the payer knows no other name of the member
  primary key (member, mechanic, payer, unit)
);
create index cash_back_account_due on cash_back_account (mechanic) where earned > paid;
create table cash_back_payout (                 -- what a payer was told to pay, once for each window
  no bigint generated always as identity primary key, day date not null references settlement_window,
  member int not null, mechanic smallint not null references mechanic, payer smallint not null references party, unit smallint not null references unit,
  amount bigint not null check (amount > 0), card text,
  unique (day, member, mechanic, payer, unit)
);
"""
GUARD = "create trigger append_only before update or delete or truncate on cash_back_payout for each statement execute function refuse_change()"


def upgrade() -> None:
    """Creates two tables; no other is touched."""
    op.execute(TABLES)
    op.execute(GUARD)
