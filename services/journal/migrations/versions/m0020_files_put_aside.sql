-- A file that was noted, and of which two people have decided that it was not made and never goes: of the file as a whole, by any payment in it. As long as it was
-- not handed over after all, which the bank would tell.
create function file_put_aside(name text) returns boolean language sql stable as $$
  select not exists (select from handed_over h where h.message_id = name)
    and exists (select from payment_attempt a join bank_decision d on d.end_to_end_id = a.end_to_end_id
      where a.message_id = name and d.verdict = 'not paid' and d.decides and payment_verdict(a.end_to_end_id) = 'not paid')
    and not exists (select from payment_attempt a join bank_status s on s.end_to_end_id = a.end_to_end_id where a.message_id = name)
    and not exists (select from payment_attempt a join bank_entry e on e.end_to_end_id = a.end_to_end_id and e.booked where a.message_id = name)
$$;

-- Who decides that a payment was not made of which the bank has said nothing puts its file aside: only while nobody hands it over, and it was not handed over.
create function check_put_aside() returns trigger language plpgsql as $$
begin
  if new.verdict <> 'not paid' or new.known > 0 then
    return new;
  end if;
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' paying'));
  if exists (select from handed_over h join payment_attempt a on a.message_id = h.message_id where a.end_to_end_id = new.end_to_end_id) then
    raise exception 'the file of % was handed over', new.end_to_end_id using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger check_put_aside before insert on bank_decision for each row execute function check_put_aside();

-- As before, and: what was put aside was not made.
create or replace function check_attempt() returns trigger language plpgsql as $$
declare
  last record; shown bigint; refused boolean; verdict text; both_said text;
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' payment ' || new.payment));
  if new.attempt = 1 then
    return new;
  end if;
  select * into last from payment_attempt where run = new.run and payment = new.payment order by attempt desc limit 1;
  if last.attempt is distinct from new.attempt - 1 then
    raise exception 'payment %: attempt % does not follow attempt %', new.payment, new.attempt, last.attempt using errcode = 'restrict_violation';
  end if;
  select coalesce(sum(confirmed), 0) into shown from payment_confirmed where run = new.run and payment = new.payment;
  verdict := payment_verdict(last.end_to_end_id);
  select exists (select from entry_payment m join statement_counted c on c.report = m.report where m.end_to_end_id = last.end_to_end_id and m.amount < 0)
    or (exists (select from bank_status s where s.fact in ('rejected', 'recalled') and s.end_to_end_id = last.end_to_end_id)
        and (verdict = 'not paid' or (verdict is null and not exists (select from entry_payment m where m.end_to_end_id = last.end_to_end_id))))
    or file_put_aside(last.message_id) into refused;
  if shown > 0 or not refused then
    raise exception 'payment %: attempt % may still be paid', new.payment, last.attempt using errcode = 'restrict_violation';
  end if;
  select a.end_to_end_id into both_said from payment_attempt a
    where a.run = new.run and a.payment = new.payment and payment_contradicted(a.end_to_end_id, a.message_id)
      and payment_verdict(a.end_to_end_id) is distinct from 'not paid'
      and not exists (select from entry_payment m join statement_counted c on c.report = m.report where m.end_to_end_id = a.end_to_end_id and m.amount < 0)
    limit 1;
  if both_said is not null then
    raise exception 'payment %: the bank says of % both that it was made and that it was not', new.payment, both_said using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
