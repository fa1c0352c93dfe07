-- The lines of a window, and what it carries on, are as they were approved. One look for each statement, whatever it changes.
create function check_final() returns trigger language plpgsql as $$
declare
  final date;
begin
  if current_user <> 'clh_app' then
    return null;
  end if;
  select w.day into final from settlement_window w
  where w.state in ('approved', 'instructed', 'settled') and exists (select from changed c where c.day = w.day) limit 1;
  if final is not null then
    raise exception 'window %: what was approved is not changed (%)', final, tg_table_name using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
create trigger final_added after insert on obligation referencing new table as changed for each statement execute function check_final();
create trigger final_before after update on obligation referencing old table as changed for each statement execute function check_final();
create trigger final_after after update on obligation referencing new table as changed for each statement execute function check_final();
create trigger final_removed after delete on obligation referencing old table as changed for each statement execute function check_final();
create trigger final_added after insert on carried referencing new table as changed for each statement execute function check_final();
create trigger final_before after update on carried referencing old table as changed for each statement execute function check_final();
create trigger final_after after update on carried referencing new table as changed for each statement execute function check_final();
create trigger final_removed after delete on carried referencing old table as changed for each statement execute function check_final();

-- A break is opened as open, stays about the same rows and figures, and moves as the table of moves says; only what two people signed is decided (check_recon_break).
create function refuse_break() returns trigger language plpgsql as $$
begin
  if current_user = 'clh_app' then
    raise exception 'break % (%): it cannot become % so', new.no, new.code, new.state using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger opened_as_open before insert on recon_break for each row
  when (new.state <> 'open' or new.proposal is not null or new.proposed_by is not null or new.decided_by is not null or new.counterpart is not null)
  execute function refuse_break();
create trigger stays_itself before update on recon_break for each row
  when (row(old.no, old.bank, old.day, old.code, old.ours, old.theirs, old.programme_units, old.bank_units, old.unit, old.first_seen)
    is distinct from row(new.no, new.bank, new.day, new.code, new.ours, new.theirs, new.programme_units, new.bank_units, new.unit, new.first_seen))
  execute function refuse_break();
create trigger moves_by_the_table before update on recon_break for each row
  when ((old.state <> new.state and (old.state, new.state) not in (:moves))
    or (old.state = new.state
      and row(old.proposal, old.proposed_by, old.decided_by, old.counterpart) is distinct from row(new.proposal, new.proposed_by, new.decided_by, new.counterpart))
    or (new.proposal is null) <> (new.proposed_by is null)
    or (new.state in ('open', 'investigating', 'awaiting bank') and new.proposal is not null)
    or (new.state = 'proposed' and (new.proposal is null or new.decided_by is not null))
    or (new.state in ('resolved', 'written off') and (new.proposal is null) <> (new.decided_by is null))
    or (new.state not in ('resolved', 'written off') and new.decided_by is not null))
  execute function refuse_break();

-- A card file stays what was noted of it; its lines are counted once, and then published.
create function check_bank_file() returns trigger language plpgsql as $$
declare
  good int; bad int;
begin
  if current_user <> 'clh_app' then
    return new;
  end if;
  if row(old.no, old.bank, old.file_id, old.day, old.sequence, old.sha256, old.previous, old.manifest, old.received_at)
      is not distinct from row(new.no, new.bank, new.file_id, new.day, new.sequence, new.sha256, new.previous, new.manifest, new.received_at)
      and old.state = new.state and old.state = 'taken' and old.lines = 0 and old.bad = 0 then
    select count(*) into good from bank_line where file = new.no;
    select count(*) into bad from bank_bad_line where file = new.no;
    if (good, bad) = (new.lines, new.bad) then
      return new;
    end if;
  end if;
  raise exception 'file % of %: what was noted of it is not changed', new.file_id, new.bank using errcode = 'restrict_violation';
end $$;
create trigger stays_as_noted before update on bank_file for each row
  when (row(old.no, old.bank, old.file_id, old.day, old.sequence, old.sha256, old.previous, old.manifest, old.received_at, old.lines, old.bad)
    is distinct from row(new.no, new.bank, new.file_id, new.day, new.sequence, new.sha256, new.previous, new.manifest, new.received_at, new.lines, new.bad)
    or (old.state, new.state) not in (('taken', 'taken'), ('taken', 'published'), ('published', 'published')))
  execute function check_bank_file();

-- Who submits and who approves a run signs the same accounts: SHA-256 of the parties that pay or are paid, with the account of each.
alter table signature add column accounts_sha256 text check (accounts_sha256 ~ '^[0-9a-f]{64}$');  -- null: signed before this version, and in a rejection
create function check_signed_accounts() returns trigger language plpgsql as $$
begin
  if (new.action = 'reject') <> (new.accounts_sha256 is null) then
    raise exception 'run %: who submits or approves it signs accounts, who rejects it signs none', new.run using errcode = 'restrict_violation';
  end if;
  if exists (select from signature s where s.run = new.run and s.action <> 'reject' and s.accounts_sha256 <> new.accounts_sha256) then
    raise exception 'run %: other accounts were signed before', new.run using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger check_signed_accounts before insert on signature for each row execute function check_signed_accounts();
