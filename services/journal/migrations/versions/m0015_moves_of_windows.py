"""The database itself holds windows to the table of their moves.

Why so: whoever could set an instructed window back could have it paid a second time. The code asks `clearing/window.py` before each move; now the application
role can make no other, whatever code runs under it. The owner of the books still can: a migration, or somebody who mends books by hand and says so.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

MOVES = (
    ("open", "draining"), ("draining", "closed"), ("closed", "netted"), ("netted", "approved"), ("netted", "closed"), ("approved", "instructed"),
    ("approved", "closed"), ("instructed", "settled"), ("instructed", "defaulted"), ("defaulted", "netted"),
)  # fmt: skip
"""From where to where: the pairs of `clearing.window.TRANSITIONS`."""
FUNCTION = f"""
create function check_move() returns trigger language plpgsql as $$
begin
  if current_user = 'clh_app' and (old.state, new.state) not in ({", ".join(f"('{before}', '{after}')" for before, after in MOVES)}) then
    raise exception 'window %: there is no move from % to %', new.day, old.state, new.state using errcode = 'restrict_violation';
  end if;
  return new;
end $$
"""
TRIGGER = """
create trigger moves_by_the_table before update of state on settlement_window for each row when (old.state <> new.state) execute function check_move()
"""


def upgrade() -> None:
    """Creates one trigger; no row is touched."""
    op.execute(FUNCTION)
    op.execute(TRIGGER)
