-- A withdrawal of a statement can be undone by two people: it waits again then, and counts anew in its place in the chain. What was decided last about it holds.
alter table bank_decision
  drop constraint bank_decision_verdict_check,
  add check (verdict in ('paid', 'not paid', 'withdrawn', 'restored', 'funds', 'given back', 'kept'));
do $$
declare name text;
begin
  select conname into strict name from pg_constraint
  where conrelid = 'bank_decision'::regclass and pg_get_constraintdef(oid) ~ '''withdrawn''::text\) = \(report IS NOT NULL';
  execute format('alter table bank_decision drop constraint %I', name);
end $$;
alter table bank_decision add check ((verdict in ('withdrawn', 'restored')) = (report is not null));
-- Of a payment and of money people say a thing once; of a statement once until it is decided (check_statement_word).
drop index bank_decision_once;
create unique index bank_decision_once on bank_decision (
  coalesce(end_to_end_id, ''), coalesce(entry, 0), coalesce(party, ''), coalesce(reference, ''), coalesce(given_back, 0), verdict, known, person)
where report is null;
create index bank_decision_report on bank_decision (report, no) where report is not null;

create or replace view statement_withdrawn as
select d.report, d.begins from bank_decision d where d.verdict = 'withdrawn' and d.decides
  and not exists (select from bank_decision later where later.report = d.report and later.decides and later.no > d.no);

-- Runs after check_bank_decision, which asks what it asks of every word: two who say the same of a statement say it after what was decided last about it.
create function check_statement_word() returns trigger language plpgsql as $$
declare
  last bigint;
begin
  if (new.verdict = 'restored') <> exists (select from statement_withdrawn w where w.report = new.report) then
    raise exception 'statement % is %withdrawn', new.report, case new.verdict when 'restored' then 'not ' else '' end using errcode = 'restrict_violation';
  end if;
  select coalesce(max(d.no), 0) into last from bank_decision d where d.report = new.report and d.decides;
  if exists (
      select from bank_decision d where d.report = new.report
        and (d.signature = new.signature or (d.no > last and d.verdict = new.verdict and d.person = new.person))) then
    raise exception '% has said so already', new.person using errcode = 'unique_violation', constraint = 'bank_decision_once';
  end if;
  new.decides = exists (
    select from bank_decision d where d.report = new.report and d.no > last and d.verdict = new.verdict and d.known = new.known
      and d.begins is not distinct from new.begins and lower(d.person) <> lower(new.person) and d.key <> new.key
      and not exists (select from key_revocation r where r.key = d.key));
  return new;
end $$;
create trigger check_statement_word before insert on bank_decision for each row when (new.report is not null) execute function check_statement_word();

-- A statement counts from when it took its place in the chain until something else is decided about it.
alter table statement_counted add column after_decision bigint not null default 0, drop constraint statement_counted_report_key;
alter table statement_counted add unique (report, after_decision);
create function note_place() returns trigger language plpgsql as $$
begin
  if exists (select from statement_withdrawn w where w.report = new.report) then
    raise exception 'statement % is withdrawn, and does not count', new.report using errcode = 'restrict_violation';
  end if;
  new.after_decision = coalesce((select max(d.no) from bank_decision d where d.report = new.report and d.decides), 0);
  return new;
end $$;
create trigger note_place before insert on statement_counted for each row execute function note_place();
create view statement_counts as
select c.no, c.report, c.at from statement_counted c
where c.after_decision = coalesce((select max(d.no) from bank_decision d where d.report = c.report and d.decides), 0);

-- As before, of statements that count.
create or replace view payment_confirmed as
select m.run, m.payment, sum(m.amount)::bigint confirmed, bool_or(m.amount < 0) came_back, array_agg(distinct r.id order by r.id) statements, max(c.no) counted
from entry_payment m join statement_counts c on c.report = m.report join bank_report r on r.no = m.report group by m.run, m.payment;
create or replace view entry_astray as
select e.no entry, e.report, e.amount, e.currency, e.credit, e.bank_reference
from statement_counts c join bank_entry e on e.report = c.report
where e.booked and e.amount > 0 and not exists (select from entry_payment m where m.entry = e.no)
  and not exists (select from payment_attempt a where a.end_to_end_id = e.end_to_end_id and e.end_to_end_id <> '')
  and not exists (select from payment p where right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21) = e.reference)
  and not exists (select from bank_decision d where d.entry = e.no and d.decides)
  and not exists (select from bank_decision d where d.given_back = e.no and d.decides);
-- What asks for statements that count, word for word as it stands but for that.
do $$
declare function text;
begin
  foreach function in array array['payment_contradicted(text, text)', 'check_attempt()', 'check_bank_decision()'] loop
    execute replace(pg_get_functiondef(function::regprocedure), 'statement_counted', 'statement_counts');
  end loop;
end $$;

-- Corrections that belong to nothing in the books, and that the owner of the books answers for: by their numbers.
alter table by_name drop constraint by_name_what_check, add check (what in ('opened', 'decided', 'defaulted', 'corrected'));

-- A dispute lapses by its deadline: on a day after the last on which it could be decided, and by nobody.
create function check_lapse() returns trigger language plpgsql as $$
begin
  if new.who <> 'deadline' or new.at > clock_timestamp() + interval '1 day' or (select d.decide_by from dispute d where d.no = new.dispute)
      >= (new.at at time zone (select p.body -> 'programme' ->> 'timezone' from programme p order by p.no desc limit 1))::date then
    raise exception 'dispute % lapses by its deadline, and not before', new.dispute using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger check_lapse before insert on dispute_turn for each row when (new.to_state = 'lapsed') execute function check_lapse();
