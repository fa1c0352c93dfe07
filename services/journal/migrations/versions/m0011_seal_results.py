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
ERASURES = """
create table erasure (
  no int generated always as identity primary key,
  member int not null,                          -- the number alone: who it was is gone
  reason text not null check (btrim(reason) <> ''), by_whom text not null check (by_whom <> ''), at timestamptz not null,
  figures jsonb not null                        -- from how many rows of what
);
create trigger append_only before update or delete or truncate on erasure for each statement execute function refuse_change();
"""
# A card's token in files of banks, and in what was expected of them, can go as a person does from a seal. Only the owner erases: the application may no more.
GUARDS = """
create function refuse_all_but_a_cards_erasure() returns trigger language plpgsql as $$
begin
  if to_jsonb(new) - 'card_ref' <> to_jsonb(old) - 'card_ref' or new.card_ref not like 'erased-%' then
    raise exception 'the journal is append-only: only a person can be erased from %', tg_table_name using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
drop trigger append_only on bank_line;
drop trigger append_only on recon_expected;
create trigger no_deletion before delete or truncate on bank_line for each statement execute function refuse_change();
create trigger only_erasure before update on bank_line for each row execute function refuse_all_but_a_cards_erasure();
create trigger no_deletion before delete or truncate on recon_expected for each statement execute function refuse_change();
create trigger only_erasure before update on recon_expected for each row execute function refuse_all_but_a_cards_erasure();
do $$ begin
  if exists (select from pg_roles where rolname = 'clh_app') then
    revoke update (salt, personal, member) on seal_leaf from clh_app;
  end if;
end $$;
"""


def upgrade() -> None:
    """One column with a default, two tables, one constraint that becomes wider, guards exchanged: no row is read."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    for script in (RESULTS, ERASURES, GUARDS):
        driver.execute(script)
