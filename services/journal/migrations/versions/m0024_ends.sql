-- What two people decided about a payment or an entry two people undo: a word that names the first, which stays as it was said. And a debit that nobody ordered is
-- borne by the operator: a charge of the bank, or what does not come back.
alter table bank_decision
  add column undoes bigint references bank_decision,
  drop constraint bank_decision_verdict_check,
  add check (verdict in ('paid', 'not paid', 'withdrawn', 'restored', 'funds', 'given back', 'kept', 'borne', 'undone')),
  add check ((verdict = 'undone') = (undoes is not null));
do $$
declare name text;
begin
  select conname into strict name from pg_constraint
  where conrelid = 'bank_decision'::regclass and pg_get_constraintdef(oid) ~ '''kept''::text\]\)+ = \(entry IS NOT NULL';
  execute format('alter table bank_decision drop constraint %I', name);
end $$;
alter table bank_decision add check (
  case verdict when 'undone' then report is null else (verdict in ('funds', 'given back', 'kept', 'borne')) = (entry is not null) end);
create index bank_decision_undoes on bank_decision (undoes) where undoes is not null;
-- Of one thing one decision stands at a time; another may follow once it is undone. The guards below ask, one word after the other.
drop index bank_decision_once;
drop index bank_decision_entry;
drop index bank_decision_given_back;
drop index bank_decision_funds;
create index bank_decision_given_back on bank_decision (given_back) where given_back is not null;
create index bank_decision_funds on bank_decision (party, reference) where reference is not null;

-- What is decided about payments and entries and was not undone.
create view bank_decided as
select d.no, d.end_to_end_id, d.entry, d.verdict, d.known, d.party, d.reference, d.given_back, d.person, d.at from bank_decision d
where d.decides and d.report is null and d.verdict <> 'undone' and not exists (select from bank_decision u where u.undoes = d.no and u.decides);
-- The last time that something decided about a payment or an entry was undone: what was said before is done with.
create function last_undone(name text, of_entry bigint) returns bigint language sql stable as $$
  select coalesce(max(u.no), 0) from bank_decision u where u.verdict = 'undone' and u.decides and (u.end_to_end_id = name or u.entry = of_entry)
$$;

create or replace function payment_verdict(name text) returns text language sql stable as $$
  select d.verdict from bank_decided d where d.end_to_end_id = name and d.verdict in ('paid', 'not paid') and d.no = (
      select max(newest.no) from bank_decided newest where newest.end_to_end_id = name and newest.verdict in ('paid', 'not paid'))
    and case d.verdict
      when 'paid' then not exists (select from bank_status s where s.end_to_end_id = name and s.fact in ('rejected', 'recalled') and s.message > d.known)
      else not exists (select from bank_status s where s.end_to_end_id = name and s.status in ('ACSC', 'ACCC') and s.message > d.known)
        and not exists (select from bank_entry e join bank_report r on r.no = e.report
          where e.end_to_end_id = name and e.booked and not e.credit and r.message > d.known) end
$$;
create or replace function file_put_aside(name text) returns boolean language sql stable as $$
  select not exists (select from handed_over h where h.message_id = name)
    and exists (select from payment_attempt a join bank_decided d on d.end_to_end_id = a.end_to_end_id
      where a.message_id = name and d.verdict = 'not paid' and payment_verdict(a.end_to_end_id) = 'not paid')
    and not exists (select from payment_attempt a join bank_status s on s.end_to_end_id = a.end_to_end_id where a.message_id = name)
    and not exists (select from payment_attempt a join bank_entry e on e.end_to_end_id = a.end_to_end_id and e.booked where a.message_id = name)
$$;

-- As before, of what was not undone.
create or replace view entry_payment as
select e.no entry, e.report, p.run, p.id payment, a.end_to_end_id, case when e.credit then -e.amount else e.amount end amount
from bank_entry e join payment_attempt a on a.end_to_end_id = e.end_to_end_id join payment p on p.run = a.run and p.id = a.payment
where e.booked and e.currency = p.currency and e.end_to_end_id <> ''
union all
select e.no, e.report, p.run, p.id, null, case when e.credit then e.amount else -e.amount end
from bank_entry e join payment p on right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21) = e.reference
where e.booked and e.currency = p.currency and e.reference is not null and p.kind = 'incoming'
  and not exists (select from payment later where later.id = p.id and later.run > p.run)
  and not exists (select from payment_attempt a where a.end_to_end_id = e.end_to_end_id and e.end_to_end_id <> '')
  and not exists (select from bank_decided d where d.entry = e.no) and not exists (select from bank_decided d where d.given_back = e.no);
-- Booked entries of statements that count of which nobody has said what became of them, and which are about no payment of a run that stands: they name none, or
-- one in another currency, or one of a run whose place another has taken (unless what had come by its default was kept).
create or replace view entry_astray as
select e.no entry, e.report, e.amount, e.currency, e.credit, e.bank_reference
from statement_counts c join bank_entry e on e.report = c.report
left join lateral (select m.run, m.payment from entry_payment m where m.entry = e.no limit 1) m on true
where e.booked and e.amount > 0
  and not exists (select from bank_decided d where d.entry = e.no) and not exists (select from bank_decided d where d.given_back = e.no)
  and (m.payment is null or (m.run <> (select max(newest.no) from run own join run newest on newest.day = own.day where own.no = m.run)
    and not exists (select from payment_baseline b where b.run = m.run and b.payment = m.payment)));

-- As before, word for word, but: a debit may be borne; an undoing is about the decision that it names; and what was said before one is done with.
do $$
declare
  asked text := pg_get_functiondef('check_bank_decision()'::regprocedure); change text[];
begin
  foreach change slice 1 in array array[
    array['if new.entry is not null then', 'if new.entry is not null and new.verdict <> ''undone'' then'],
    array['where a.entry = new.entry and a.credit;', 'where a.entry = new.entry and a.credit = (new.verdict <> ''borne'');'],
    array['and d.person <> new.person and d.key <> new.key', 'and d.undoes is not distinct from new.undoes
      and lower(d.person) <> lower(new.person) and d.key <> new.key and (new.report is not null or d.no > last_undone(new.end_to_end_id, new.entry))'],
    array['d.given_back) where e.report = new.report and d.decides', 'd.given_back) where e.report = new.report'],
    array['from bank_decision d join bank_entry e on e.no in', 'from bank_decided d join bank_entry e on e.no in']
  ] loop
    if position(change[1] in asked) = 0 and position(change[2] in asked) = 0 then
      raise exception 'check_bank_decision() is not as it was: %', change[1];
    end if;
    asked := replace(asked, change[1], change[2]);
  end loop;
  execute asked;
end $$;

-- Runs after check_bank_decision. Of payments and entries: a person says a thing once, until it is undone; funds are those of one credit; what is undone stood,
-- and nothing final rests on it.
create function check_undoing() returns trigger language plpgsql as $$
declare
  last bigint := last_undone(new.end_to_end_id, new.entry); stood record; held record; why text;
begin
  if exists (select from bank_decision d where d.signature = new.signature or (d.no > last and d.person = new.person and d.verdict = new.verdict
      and d.known = new.known and row(d.end_to_end_id, d.entry, d.party, d.reference, d.given_back, d.undoes)
        is not distinct from row(new.end_to_end_id, new.entry, new.party, new.reference, new.given_back, new.undoes))) then
    raise exception '% has said so already', new.person using errcode = 'unique_violation', constraint = 'bank_decision_once';
  end if;
  if new.decides and new.verdict = 'funds' and (exists (select from bank_decided d where d.party = new.party and d.reference = new.reference)
      or exists (select from bank_decision d join funding f on f.party = d.party and f.reference = format('decision %s undone: %s', d.no, d.reference)
        where d.party = new.party and d.reference = new.reference)) then
    raise exception 'funds of % under % are those of another decision, or were paid out as it was undone', new.party, new.reference
      using errcode = 'unique_violation', constraint = 'bank_decision_funds';
  end if;
  if new.verdict <> 'undone' then
    return new;
  end if;
  select * into stood from bank_decided d where d.no = new.undoes;
  if stood is null or (new.document::jsonb ->> 'undoes')::bigint is distinct from new.undoes
      or row(stood.end_to_end_id, stood.entry) is distinct from row(new.end_to_end_id, new.entry) then
    raise exception 'decision % does not stand, or is about something else', new.undoes using errcode = 'restrict_violation';
  end if;
  why := rests_on(new.undoes);
  if why is not null then
    raise exception 'decision % stays: %', new.undoes, why using errcode = 'restrict_violation';
  end if;
  if new.decides and stood.verdict = 'funds' then
    select f.amount, f.currency into held from funding f
    where f.party = stood.party and f.kind = 'paid in' and f.reference = stood.reference and f.by_whom = stood.person and f.at = stood.at;
    if found then
      insert into funding (party, currency, amount, kind, reference, by_whom, at)
        values (stood.party, held.currency, -held.amount, 'paid out', format('decision %s undone: %s', stood.no, stood.reference), new.person, new.at);
    end if;
  end if;
  return new;
end $$;

-- Why a decision cannot be undone any more: what is final and rests on it. Null where nothing does.
create function rests_on(decision bigint) returns text language plpgsql as $$
declare
  stood record; after record; held record; left_of numeric;
begin
  select * into stood from bank_decided d where d.no = decision;
  if stood.end_to_end_id is not null then
    perform pg_advisory_xact_lock(hashtext(current_schema() || ' paying'));
    select r.day, w.state, a.message_id, a.run into after from payment_attempt a join run r on r.no = a.run join settlement_window w on w.day = r.day
      where a.end_to_end_id = stood.end_to_end_id;
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
  select r.day, p.id into after from bank_entry e join payment p on right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21) = e.reference
      and p.kind = 'incoming' and p.currency = e.currency
    join run r on r.no = p.run join settlement_window w on w.day = r.day
    where e.no = stood.entry and w.state = 'settled' and r.no = (select max(newest.no) from run newest where newest.day = r.day) limit 1;
  if found then
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
create trigger check_undoing before insert on bank_decision for each row when (new.report is null) execute function check_undoing();

-- Funds that were paid out as a decision was undone rest on those two words.
do $$
declare
  asked text := pg_get_viewdef('funding_unfounded'::regclass);
begin
  execute format('create or replace view funding_unfounded as select f.* from (%s) f where not exists (
    select from bank_decision u join bank_decision d on d.no = u.undoes join bank_entry e on e.no = d.entry
    where f.kind = ''paid out'' and u.decides and u.verdict = ''undone'' and d.decides and d.verdict = ''funds''
      and row(d.party, format(''decision %%s undone: %%s'', d.no, d.reference), -e.amount, e.currency) = row(f.party, f.reference, f.amount, f.currency))',
    rtrim(asked, '; '));
end $$;
