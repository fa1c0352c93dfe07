"""Seals: what each window was, as leaves of a tree whose root is chained and signed.

Why so: the leaves are kept because an entry goes on living after its window (what was held is booked later, a refused event is tried again), and a person
can be erased; what was sealed is what it was then. Only what is said of a person, and the salt that hides it, can be removed from a leaf, and nothing else.
Only new tables: no batch waits for it.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
create table seal (
  no int primary key,                           -- one after the other, without a gap
  day date not null references settlement_window,
  run int not null unique references run,       -- a run made anew is sealed anew
  root bytea not null, leaves bigint not null,
  head text not null, sha256 text not null,     -- what is signed, and its hash: the next head names it
  key text not null, signature bytea not null,
  sealed_at timestamptz not null default now()
);
create index seal_day on seal (day, no);
create table seal_party (                       -- the leaves of the tree over the parties, so that one party's proof needs no leaf of another
  seal int not null, party text collate "C" not null, leaves bigint not null, hash bytea not null, primary key (seal, party)
);
create table seal_leaf (
  seal int not null, party text collate "C" not null, place bigint not null,
  kind text not null, key text not null, body text not null,
  salt bytea, personal text, member int,        -- null once the person is erased
  committed bytea not null,                     -- stands for salt and personal data, and stays
  primary key (seal, party, place)
);
create index seal_leaf_member on seal_leaf (member) where member is not null;
"""

GUARDS = """
create function refuse_all_but_erasure() returns trigger language plpgsql as $$
begin
  if (new.seal, new.party, new.place, new.kind, new.key, new.body, new.committed) is distinct from
     (old.seal, old.party, old.place, old.kind, old.key, old.body, old.committed)
     or new.salt is not null or new.personal is not null or new.member is not null then
    raise exception 'a sealed leaf is append-only: only a person can be erased from it' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger append_only before update or delete or truncate on seal for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on seal_party for each statement execute function refuse_change();
create trigger no_deletion before delete or truncate on seal_leaf for each statement execute function refuse_change();
create trigger only_erasure before update on seal_leaf for each row execute function refuse_all_but_erasure();
"""


def upgrade() -> None:
    """Adds the tables and who guards them."""
    op.execute(TABLES)
    op.execute(GUARDS)
