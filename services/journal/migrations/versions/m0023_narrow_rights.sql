-- What the application never does is refused to it; the owner of the books may put things right.
create function refuse_application() returns trigger language plpgsql as $$
begin
  if current_user = 'clh_app' then
    raise exception '% is not changed so: %', tg_table_name, tg_argv[0] using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger keeps_its_owner before update on card for each row
  when (old.member is not null and (new.member is distinct from old.member or (old.blocked and not new.blocked)))
  execute function refuse_application('a card that is somebody''s stays so, and one that is blocked stays blocked');
create trigger only_forward before update on progress for each row when (new.next_offset < old.next_offset)
  execute function refuse_application('what is booked is not booked again');
create trigger from_the_start before insert on progress for each row when (new.next_offset <> 0)
  execute function refuse_application('a partition is booked from its start');

-- What is used of the room of a window is measured against the room that its night has opened.
create function check_room() returns trigger language plpgsql as $$
begin
  if current_user = 'clh_app' and not exists (select from headroom h where row(h.day, h.party, h.room) = row(new.day, new.party, new.room)) then
    raise exception 'window %: no night has opened a room of % for party number %', new.day, new.room, new.party using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger of_the_night before insert on headroom_use for each row execute function check_room();

-- What counted as paid when a run defaulted is what statements showed then, said in the transaction in which two people have declared it.
create function check_baseline() returns trigger language plpgsql as $$
declare
  paid record; shown bigint; counted bigint; beyond bigint;
begin
  if current_user <> 'clh_app' then
    return new;
  end if;
  if not exists (select from decision_signature s join decision_signature p on p.no = s.proposal
      where s.run = new.run and s.action = 'decide' and p.run = s.run and p.action = 'propose' and p.key <> s.key and lower(p.person) <> lower(s.person))
    or exists (select from window_move m where m.run = new.run and m.event = 'unpaid_at_deadline') then
    raise exception 'run %: two people are not declaring its default', new.run using errcode = 'restrict_violation';
  end if;
  select p.kind, p.amount into paid from payment p where row(p.run, p.id) = row(new.run, new.payment);
  select coalesce(sum(c.confirmed), 0) into shown from payment_confirmed c where row(c.run, c.payment) = row(new.run, new.payment);
  counted := case paid.kind when 'direct' then paid.amount else least(shown, paid.amount) end;
  beyond := case paid.kind when 'direct' then 0 else greatest(shown - paid.amount, 0) end;
  if row(new.confirmed, new.excess) is distinct from row(counted, beyond) then
    raise exception 'payment %: statements show %, not % and % beyond it', new.payment, shown, new.confirmed, new.excess using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger as_statements_show before insert on payment_baseline for each row execute function check_baseline();

create index bank_decision_of_entry on bank_decision (entry) where entry is not null;
