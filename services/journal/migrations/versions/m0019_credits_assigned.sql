-- What came before a revocation does not depend on clocks. Keys that are revoked by now have signed nothing after it: the database refused that.
do $$ begin
  execute format('alter table key_revocation add column after_bank_decision bigint not null default %s', (select coalesce(max(no), 0) from bank_decision));
end $$;
alter table key_revocation alter column after_bank_decision set default 0;
create or replace function note_decisions() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  new.after_decision = coalesce((select max(no) from decision_signature), 0);
  new.after_bank_decision = coalesce((select max(no) from bank_decision), 0);
  return new;
end $$;

-- Money that came in and names no payment: two people say what became of it. Funds of a party, under a reference; given back, by the debit that shows it; or kept.
alter table bank_decision
  add column entry bigint references bank_entry, add column party text references party (id), add column reference text check (btrim(reference) <> ''),
  add column given_back bigint references bank_entry,
  drop constraint bank_decision_verdict_check, drop constraint bank_decision_check, drop constraint bank_decision_check1,
  add check (verdict in ('paid', 'not paid', 'withdrawn', 'funds', 'given back', 'kept')),
  add check (num_nonnulls(end_to_end_id, report, entry) = 1), add check ((verdict = 'withdrawn') = (report is not null)),
  add check ((verdict in ('funds', 'given back', 'kept')) = (entry is not null)),
  add check ((verdict = 'funds') = (party is not null and reference is not null)), add check ((party is null) = (reference is null)),
  add check ((verdict = 'given back') = (given_back is not null));
drop index bank_decision_once;
create unique index bank_decision_once on bank_decision (
  coalesce(end_to_end_id, ''), coalesce(report, 0), coalesce(entry, 0), coalesce(party, ''), coalesce(reference, ''), coalesce(given_back, 0),
  verdict, known, person);
-- Of each entry one thing is decided, and a debit gives back one credit, and funds are those of one credit.
create unique index bank_decision_entry on bank_decision (entry) where decides;
create unique index bank_decision_given_back on bank_decision (given_back) where decides;
create unique index bank_decision_funds on bank_decision (party, reference) where decides and reference is not null;

-- As before, and: an entry counts for no payment once people have said what became of it.
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
  and not exists (select from bank_decision d where d.entry = e.no and d.decides);

-- Booked entries of statements that count which name no payment, ours or one that was, and about which nobody has decided.
create view entry_astray as
select e.no entry, e.report, e.amount, e.currency, e.credit, e.bank_reference
from statement_counted c join bank_entry e on e.report = c.report
where e.booked and e.amount > 0 and not exists (select from statement_withdrawn w where w.report = e.report)
  and not exists (select from entry_payment m where m.entry = e.no)
  and not exists (select from payment_attempt a where a.end_to_end_id = e.end_to_end_id and e.end_to_end_id <> '')
  and not exists (select from payment p where right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21) = e.reference)
  and not exists (select from bank_decision d where d.entry = e.no and d.decides)
  and not exists (select from bank_decision d where d.given_back = e.no and d.decides);

-- As before, and: what is said of a credit is about one that names no payment; its second signature enters the funds.
create or replace function check_bank_decision() returns trigger language plpgsql as $$
declare
  said jsonb := new.document::jsonb; last int; credit record; given record; funds record;
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  if said ->> 'end_to_end_id' is distinct from new.end_to_end_id or (said ->> 'report')::int is distinct from new.report or said ->> 'verdict' <> new.verdict
    or said ->> 'person' <> new.person or (said ->> 'known')::int <> new.known or (said ->> 'begins')::int is distinct from new.begins
    or said ->> 'reason' <> new.reason or (said ->> 'entry')::bigint is distinct from new.entry or said ->> 'party' is distinct from new.party
    or said ->> 'reference' is distinct from new.reference or (said ->> 'given_back')::bigint is distinct from new.given_back then
    raise exception 'what was signed is about something else' using errcode = 'restrict_violation';
  end if;
  if exists (select from key_revocation where key = new.key) then
    raise exception 'the key of % is revoked', new.person using errcode = 'restrict_violation';
  end if;
  if new.known <> bank_heard(new.end_to_end_id, coalesce(new.report, (select e.report from bank_entry e where e.no = new.entry))) then
    raise exception 'the bank has said more since' using errcode = 'restrict_violation';
  end if;
  if new.verdict = 'not paid' and exists (
      select from entry_payment m join bank_report r on r.no = m.report where m.end_to_end_id = new.end_to_end_id and m.amount > 0 and r.kind = 'statement') then
    raise exception 'payment % is on a statement', new.end_to_end_id using errcode = 'restrict_violation';
  end if;
  if new.verdict = 'withdrawn' then
    if exists (select from entry_payment m where m.report = new.report)
        or exists (select from bank_decision d join bank_entry e on e.no in (d.entry, d.given_back) where e.report = new.report and d.decides) then
      raise exception 'statement % shows payments, or what people have assigned', new.report using errcode = 'restrict_violation';
    end if;
    select c.report into last from statement_counted c join bank_report r on r.no = c.report
      join bank_report own on own.no = new.report and own.iban = r.iban and own.currency = r.currency
      where c.report not in (select w.report from statement_withdrawn w) order by c.no desc limit 1;
    if exists (select from statement_counted where report = new.report) and last is distinct from new.report then
      raise exception 'statement % is not the last that counts', new.report using errcode = 'restrict_violation';
    end if;
  end if;
  if new.entry is not null then
    select a.report, a.amount, a.currency, r.iban into credit from entry_astray a join bank_report r on r.no = a.report where a.entry = new.entry and a.credit;
    if credit is null then
      raise exception 'entry % is no money that names no payment, or people have assigned it', new.entry using errcode = 'restrict_violation';
    end if;
    if (said ->> 'amount_minor')::bigint is distinct from credit.amount or said ->> 'currency' is distinct from credit.currency then
      raise exception 'entry % is of another sum than was signed', new.entry using errcode = 'restrict_violation';
    end if;
    if new.verdict = 'given back' then
      select a.amount, a.currency, r.iban into given from entry_astray a join bank_report r on r.no = a.report where a.entry = new.given_back and not a.credit;
      if given is null or given.amount <> credit.amount or given.currency <> credit.currency or given.iban <> credit.iban then
        raise exception 'entry % does not give back entry %', new.given_back, new.entry using errcode = 'restrict_violation';
      end if;
    end if;
  end if;
  new.decides = new.verdict = 'paid' or exists (
    select from bank_decision d where d.end_to_end_id is not distinct from new.end_to_end_id and d.report is not distinct from new.report
      and d.verdict = new.verdict and d.known = new.known and d.begins is not distinct from new.begins
      and row(d.entry, d.party, d.reference, d.given_back) is not distinct from row(new.entry, new.party, new.reference, new.given_back)
      and d.person <> new.person and d.key <> new.key
      and not exists (select from bank_decision later where later.entry = new.entry and later.person = d.person and later.no > d.no)
      and not exists (select from key_revocation r where r.key = d.key)
      and not exists (select from bank_decision later where later.end_to_end_id = new.end_to_end_id and later.verdict <> new.verdict and later.no > d.no));
  if new.decides and new.verdict = 'funds' then
    perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' funding'));
    select f.amount, f.currency into funds from funding f where f.party = new.party and f.kind = 'paid in' and f.reference = new.reference;
    if funds is null then
      insert into funding (party, currency, amount, kind, reference, by_whom, at)
        values (new.party, credit.currency, credit.amount, 'paid in', new.reference, new.person, new.at);
    elsif funds.amount <> credit.amount or funds.currency <> credit.currency then
      raise exception 'funds of % under % are of another sum', new.party, new.reference using errcode = 'restrict_violation';
    end if;
  end if;
  return new;
end $$;
