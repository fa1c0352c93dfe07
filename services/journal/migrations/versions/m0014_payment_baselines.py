"""What of each payment counted as paid when its window defaulted, so that what statements show later is compared with it and put right.

Why so: the further run rests on these sums. Money that comes, or comes back, after them belongs to somebody, and the payments of the replaced run are the only
place where it shows. Late money of a defaulter goes to several, and the operator's own share of it needs no entry: a difference may have many corrections, or
none. Runs that were replaced before this version have no such sums; what comes for them stays a finding (`LATE`). Old code goes on as before.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

BASELINE = """
create table payment_baseline (
  run int not null, payment text not null,
  confirmed bigint not null,                             -- what counted as paid: of what statements showed, no more than the amount
  excess bigint not null check (excess >= 0),            -- what they showed beyond it: it is put right with the next statement
  primary key (run, payment), foreign key (run, payment) references payment (run, id)
)
"""
INDEX = "create index payment_baseline_excess on payment_baseline (run, payment) where excess > 0"
GUARD = "create trigger append_only before update or delete or truncate on payment_baseline for each statement execute function refuse_change()"
# A row for each correction; without one for what stays with the operator, once for a statement.
MANY = """
alter table payment_correction drop constraint payment_correction_pkey, alter column correction drop not null;
create unique index payment_correction_once on payment_correction (run, payment, report, coalesce(correction, 0))
"""


def upgrade() -> None:
    """Creates one table, and lets a difference have several corrections."""
    for statement in (BASELINE, INDEX, GUARD, MANY):
        op.execute(statement)
