-- Disputes of lines, as they were when they were opened, and every turn of each. Nothing of them is ever changed.
create table dispute (
  no bigint generated always as identity primary key,
  day date not null references settlement_window, run int not null references run, line int not null,
  kind text not null, detail text, debtor text not null references party (id), creditor text not null references party (id),
  currency text not null references unit (id), line_amount bigint not null,
  amount bigint not null check (amount > 0 and amount <= line_amount),  -- what is disputed of it
  withheld boolean not null,                    -- the line was not paid: its amount is withheld by an entry
  opened_by text not null check (opened_by <> ''), opened_at timestamptz not null, decide_by date not null,
  reason text not null check (btrim(reason) <> ''), check (debtor <> creditor)
);
create index dispute_line on dispute (day, line);
create table dispute_turn (
  dispute bigint not null references dispute, no int not null, at timestamptz not null, who text not null check (who <> ''),
  from_state text, to_state text not null check (to_state in ('open', 'held', 'evidence', 'upheld', 'released', 'lapsed')), note text not null,
  file_name text, file_sha256 text, file bytea, primary key (dispute, no),
  check ((no = 1) = (from_state is null)), check ((file_name is null) = (file is null) and (file is null) = (file_sha256 is null))
);
-- A turn begins where the one before it ended; what is decided is decided once, and not by the person who opened it.
create function check_dispute_turn() returns trigger language plpgsql as $$
declare
  stands text; opener text;
begin
  select opened_by into opener from dispute where no = new.dispute;
  select to_state into stands from dispute_turn where dispute = new.dispute order by no desc limit 1;
  if stands is distinct from new.from_state then
    raise exception 'dispute % is %, not %', new.dispute, stands, new.from_state using errcode = 'restrict_violation';
  end if;
  if stands in ('upheld', 'released', 'lapsed') then
    raise exception 'dispute % is % already', new.dispute, stands using errcode = 'restrict_violation';
  end if;
  if new.to_state in ('upheld', 'released') and new.who = opener then
    raise exception 'dispute % is decided by another person than %', new.dispute, opener using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger check_dispute_turn before insert on dispute_turn for each row execute function check_dispute_turn();

create trigger append_only before update or delete or truncate on dispute for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on dispute_turn for each statement execute function refuse_change();

-- What parties pay in beforehand, what of it was used for a default, what was paid out again. Each under its reference, once.
create table funding (
  no bigint generated always as identity primary key, party text not null references party (id), currency text not null references unit (id),
  amount bigint not null check (amount <> 0), kind text not null check (kind in ('paid in', 'paid out', 'used')), check ((kind = 'paid in') = (amount > 0)),
  reference text not null check (btrim(reference) <> ''), by_whom text not null check (by_whom <> ''), at timestamptz not null, unique (party, kind, reference)
);
-- The room that a window's limits leave: of each partition, in minor units; and what its points have used of it. More than there is cannot be used.
create table headroom (
  day date not null references settlement_window, party smallint not null references party, room bigint not null check (room >= 0),
  parts int not null check (parts > 0), primary key (day, party)
);
create table headroom_use (
  day date not null, party smallint not null, part int not null, room bigint not null, used numeric not null check (used >= 0 and used <= room),
  primary key (day, party, part)
);
-- Points that wait to be funded, by the row of the journal that gave them, in order of receipt; those funded are gone from here.
create table unfunded (
  entry bigint not null, line int not null, received_at timestamptz not null, member int not null, sponsor smallint not null, contract int not null,
  mechanic smallint, expiry date not null, earned date not null, release_on date not null, points bigint not null check (points > 0), primary key (entry, line)
);
create index unfunded_order on unfunded (received_at, entry, line);
create index unfunded_expiry on unfunded (expiry);

create trigger append_only before update or delete or truncate on funding for each statement execute function refuse_change();
