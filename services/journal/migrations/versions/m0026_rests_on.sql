-- A payment that came back less what the bank kept of it: two people say that the operator bears the difference, in minor units, and it came back in full. A word
-- about the entry with which it came back, or the charge that the bank booked beside it under the payment's id.
alter table bank_decision add column charge bigint check (charge > 0), add check (charge is null or (verdict = 'borne' and entry is not null));
create index bank_decision_charge on bank_decision (entry) where charge is not null;
create or replace view bank_decided as
select d.no, d.end_to_end_id, d.entry, d.verdict, d.known, d.party, d.reference, d.given_back, d.person, d.at, d.payee_iban, d.charge from bank_decision d
where d.decides and d.report is null and d.verdict <> 'undone' and not exists (select from bank_decision u where u.undoes = d.no and u.decides);
-- As before, and: what is borne of an entry counts as if it had come back.
create or replace view entry_payment as
select e.no entry, e.report, p.run, p.id payment, a.end_to_end_id,
  case when e.credit then -e.amount else e.amount end - coalesce((select d.charge from bank_decided d where d.entry = e.no and d.charge is not null), 0) amount
from bank_entry e join payment_attempt a on a.end_to_end_id = e.end_to_end_id join payment p on p.run = a.run and p.id = a.payment
where e.booked and e.currency = p.currency and e.end_to_end_id <> ''
union all
select e.no, e.report, p.run, p.id, null, case when e.credit then e.amount else -e.amount end
from bank_entry e join payment p on right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21) = e.reference
where e.booked and e.currency = p.currency and e.reference is not null and p.kind = 'incoming'
  and not exists (select from payment later where later.id = p.id and later.run > p.run)
  and not exists (select from payment_attempt a where a.end_to_end_id = e.end_to_end_id and e.end_to_end_id <> '')
  and not exists (select from bank_decided d where d.entry = e.no) and not exists (select from bank_decided d where d.given_back = e.no);
-- Entries of which that may be said: of an attempt, in a run that stands and whose window is instructed, at a payment of which statements show that it came back
-- and was made for a part; its last return, or a debit of the very sum that is missing. `charge`: that sum.
create view entry_short as
select e.no entry, e.report, e.amount, e.currency, e.bank_reference, s.shown::bigint charge
from settlement_window w join lateral (select no from run where run.day = w.day order by no desc limit 1) r on true
join payment p on p.run = r.no and p.kind = 'outgoing' join payment_attempt a on a.run = p.run and a.payment = p.id
join lateral (
  select sum(m.amount) shown, max(m.entry) filter (where m.amount < 0) came_back
  from entry_payment m join statement_counts c on c.report = m.report where m.end_to_end_id = a.end_to_end_id
) s on s.came_back is not null and s.shown > 0 and s.shown < p.amount
join bank_entry e on e.end_to_end_id = a.end_to_end_id and e.booked and e.currency = p.currency
join statement_counts c on c.report = e.report
where w.state = 'instructed' and (e.no = s.came_back or (not e.credit and e.amount = s.shown)) and not exists (select from bank_decided d where d.entry = e.no);

-- Why a decision cannot be undone any more, as before, and: what counted as paid when a window defaulted rests on it too, of its entry and of the debit that gave
-- it back.
create or replace function rests_on(decision bigint) returns text language plpgsql as $$
declare
  stood record; after record; held record; left_of numeric; about text;
begin
  select * into stood from bank_decided d where d.no = decision;
  about := coalesce(stood.end_to_end_id, (select e.end_to_end_id from bank_entry e where e.no = stood.entry and stood.charge is not null));
  if about is not null then
    perform pg_advisory_xact_lock(hashtext(current_schema() || ' paying'));
    select r.day, w.state, exists (select from payment_baseline b where b.run = a.run) defaulted into after
      from payment_attempt a join run r on r.no = a.run join settlement_window w on w.day = r.day where a.end_to_end_id = about;
    if after.defaulted then
      return format('window %s has defaulted since, and what counted as paid then stays', after.day);
    end if;
    if after.state = 'settled' then
      return format('window %s is settled', after.day);
    end if;
    select later.end_to_end_id into after from payment_attempt own join payment_attempt later
        on later.run = own.run and later.payment = own.payment and later.attempt > own.attempt
      where own.end_to_end_id = about
        or (stood.known = 0 and own.message_id = (select a.message_id from payment_attempt a where a.end_to_end_id = about))
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

-- Whoever undoes a decision, or puts a file aside, waits for who pays or enters funds before it signs: paying, then funding, then signatures, whoever asks. And
-- what is borne of a payment is the sum that is missing of it; two name the same.
do $$
declare
  change text[]; asked text;
begin
  foreach change slice 1 in array array[
    array['check_bank_decision()', '  perform pg_advisory_xact_lock(hashtext(tg_table_schema || '' signatures''));',
      '  if (new.end_to_end_id is not null and new.verdict in (''not paid'', ''undone'')) or exists (
      select from bank_decision d where d.no = new.undoes and d.charge is not null) then
    perform pg_advisory_xact_lock(hashtext(tg_table_schema || '' paying''));
  elsif new.entry is not null and new.verdict in (''funds'', ''undone'') then
    perform pg_advisory_xact_lock(hashtext(tg_table_schema || '' funding''));
  end if;
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || '' signatures''));'],
    array['check_bank_decision()', 'is distinct from new.given_back then',
      'is distinct from new.given_back
      or (said ->> ''charge_minor'')::bigint is distinct from new.charge then'],
    array['check_bank_decision()', 'into credit from entry_astray a join',
      'into credit from (
      select s.entry, s.report, s.amount, s.currency, s.credit, null::bigint charge from entry_astray s where new.charge is null
      union all select s.entry, s.report, s.amount, s.currency, false, s.charge from entry_short s where new.charge is not null) a join'],
    array['check_bank_decision()', 'where a.entry = new.entry and a.credit = (new.verdict <> ''borne'');',
      'where a.entry = new.entry and a.credit = (new.verdict <> ''borne'') and a.charge is not distinct from new.charge;'],
    array['check_bank_decision()', 'and d.payee_iban is not distinct from new.payee_iban',
      'and d.payee_iban is not distinct from new.payee_iban and d.charge is not distinct from new.charge'],
    array['check_undoing()', 'd.undoes, d.payee_iban)', 'd.undoes, d.payee_iban, d.charge)'],
    array['check_undoing()', 'new.undoes, new.payee_iban)', 'new.undoes, new.payee_iban, new.charge)']
  ] loop
    asked := pg_get_functiondef(change[1]::regprocedure);
    if position(change[2] in asked) = 0 then
      raise exception '% is not as it was: %', change[1], change[2];
    end if;
    execute replace(asked, change[2], change[3]);
  end loop;
end $$;
