-- Why a decision cannot be undone any more, as before, and: what counted as paid when a window defaulted rests on it too, of its entry and of the debit that gave
-- it back.
create or replace function rests_on(decision bigint) returns text language plpgsql as $$
declare
  stood record; after record; held record; left_of numeric;
begin
  select * into stood from bank_decided d where d.no = decision;
  if stood.end_to_end_id is not null then
    perform pg_advisory_xact_lock(hashtext(current_schema() || ' paying'));
    select r.day, w.state, exists (select from payment_baseline b where b.run = a.run) defaulted into after
      from payment_attempt a join run r on r.no = a.run join settlement_window w on w.day = r.day where a.end_to_end_id = stood.end_to_end_id;
    if after.defaulted then
      return format('window %s has defaulted since, and what counted as paid then stays', after.day);
    end if;
    if after.state = 'settled' then
      return format('window %s is settled', after.day);
    end if;
    select later.end_to_end_id into after from payment_attempt own join payment_attempt later
        on later.run = own.run and later.payment = own.payment and later.attempt > own.attempt
      where own.end_to_end_id = stood.end_to_end_id
        or (stood.known = 0 and own.message_id = (select a.message_id from payment_attempt a where a.end_to_end_id = stood.end_to_end_id))
      order by later.end_to_end_id limit 1;
    if found then
      return format('it was sent again as %s', after.end_to_end_id);
    end if;
    return null;
  end if;
  select r.day, p.id, b.run is not null defaulted into after
    from bank_entry e join payment p on right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21) = e.reference
      and p.kind = 'incoming' and p.currency = e.currency
    join run r on r.no = p.run join settlement_window w on w.day = r.day left join payment_baseline b on b.run = p.run and b.payment = p.id
    where e.no in (stood.entry, stood.given_back)
      and (b.run is not null or (w.state = 'settled' and r.no = (select max(newest.no) from run newest where newest.day = r.day)))
    order by p.run desc limit 1;
  if found and after.defaulted then
    return format('it names payment %s, and what counted as paid when window %s defaulted stays', after.id, after.day);
  elsif found then
    return format('it names payment %s, whose window %s is settled', after.id, after.day);
  end if;
  if stood.verdict = 'funds' then
    perform pg_advisory_xact_lock(hashtext(current_schema() || ' funding'));
    select f.amount, f.currency into held from funding f
      where f.party = stood.party and f.kind = 'paid in' and f.reference = stood.reference and f.by_whom = stood.person and f.at = stood.at;
    if found then
      select sum(f.amount) into left_of from funding f where f.party = stood.party and f.currency = held.currency;
      if left_of < held.amount then
        return format('%s has used the funds, or had them paid out', stood.party);
      end if;
    end if;
  end if;
  return null;
end $$;

-- Whoever undoes a decision, or puts a file aside, waits for who pays or enters funds before it signs: paying, then funding, then signatures, whoever asks.
do $$
declare
  asked text := pg_get_functiondef('check_bank_decision()'::regprocedure); begins constant text := $b$  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));$b$;
begin
  if position(begins in asked) = 0 then
    raise exception 'check_bank_decision() is not as it was: %', begins;
  end if;
  execute replace(asked, begins, $b$  if new.end_to_end_id is not null and new.verdict in ('not paid', 'undone') then
    perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' paying'));
  elsif new.entry is not null and new.verdict in ('funds', 'undone') then
    perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' funding'));
  end if;
$b$ || begins);
end $$;
