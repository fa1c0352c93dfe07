"""Results of settled windows are sealed too, and the erasure of a person is recorded.

Why so: a run has two seals now, one of what it cleared and, once the bank's statements show its payments, one of who signed it and what was paid. Of an
erasure it is kept that it was done, why and by whom, and nothing of the person but the number that the books go on with. No row is rewritten.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

RESULTS = """
alter table seal drop constraint seal_run_key;
alter table seal add column settled boolean not null default false;
alter table seal add constraint seal_run unique (run, settled);
create table seal_result (
  seal int primary key,
  content text not null                         -- canonical JSON: signatures of the run, and each party's payments
);
create trigger append_only before update or delete or truncate on seal_result for each statement execute function refuse_change();
"""


def upgrade() -> None:
    """One column with a default, one table, one constraint that becomes wider."""
    op.execute(RESULTS)
