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
