-- Of a message with card numbers in its texts the bytes are kept with those struck out: how many, and the hash of what the bank had sent.
alter table bank_message add column masked int not null default 0, add column original_sha256 text;

-- What people have decided about what the bank says: whether a payment of which it says both was made, and that a statement is no part of the chain.
create table bank_decision (
  no bigint generated always as identity primary key,
  end_to_end_id text references payment_attempt, report int references bank_report,  -- about which of the two
  verdict text not null check (verdict in ('paid', 'not paid', 'withdrawn')),
  begins int references bank_report,           -- of a withdrawn statement: the one with which the chain begins in its place, where it had been the first
  known int not null,                          -- the newest message of the bank about it when it was signed
  decides boolean not null,                    -- a second person, or one whose word is enough: from here on it holds
  reason text not null check (btrim(reason) <> ''), person text not null, key int not null, at timestamptz not null,
  document text not null,                      -- the words that were signed
  signature bytea not null check (octet_length(signature) = 64),
  foreign key (key, person) references person_key (no, person),
  check ((end_to_end_id is null) <> (report is null)), check ((verdict = 'withdrawn') = (report is not null)), check (begins is null or report is not null)
);
create index bank_decision_payment on bank_decision (end_to_end_id) where end_to_end_id is not null;
create unique index bank_decision_once on bank_decision (coalesce(end_to_end_id, ''), coalesce(report, 0), verdict, known, person);
create index bank_status_rejected on bank_status (end_to_end_id) where fact in ('rejected', 'recalled');
create trigger append_only before update or delete or truncate on bank_decision for each statement execute function refuse_change();

-- Statements that two people have taken out of the chain; what is shown of payments is never taken out.
create view statement_withdrawn as select report, begins from bank_decision where verdict = 'withdrawn' and decides;

-- The newest message of the bank about an attempt at a payment, and about a statement.
create function bank_heard(name text, of_report int) returns int language sql stable as $$
  select coalesce(max(told), 0) from (
    select max(s.message) told from bank_status s where s.end_to_end_id = name
    union all select max(r.message) from bank_entry e join bank_report r on r.no = e.report where e.end_to_end_id = name and name <> ''
    union all select message from bank_report where no = of_report
  ) heard
$$;

-- What has been decided about an attempt, as long as the bank has said nothing more against it.
create function payment_verdict(name text) returns text language sql stable as $$
  select d.verdict from bank_decision d where d.end_to_end_id = name and d.decides and d.no = (
      select max(newest.no) from bank_decision newest where newest.end_to_end_id = name and newest.decides)
    and case d.verdict
      when 'paid' then not exists (select from bank_status s where s.end_to_end_id = name and s.fact in ('rejected', 'recalled') and s.message > d.known)
      else not exists (select from bank_status s where s.end_to_end_id = name and s.status in ('ACSC', 'ACCC') and s.message > d.known)
        and not exists (select from bank_entry e join bank_report r on r.no = e.report
          where e.end_to_end_id = name and e.booked and not e.credit and r.message > d.known) end
$$;

-- What the bank says of an attempt. Settled on the debtor's account (ACSC, ACCC) or booked, and rejected as well: it cannot be both.
create function payment_contradicted(name text, of_message text) returns boolean language sql stable as $$
  with said as (
    select coalesce(bool_or(fact = 'rejected' and original_message_id = of_message), false) rejected, coalesce(bool_or(fact = 'recalled'), false) recalled,
      coalesce(bool_or(status in ('ACSC', 'ACCC')), false) made
    from bank_status where end_to_end_id = name
  )
  select (rejected and (made or exists (select from entry_payment m where m.end_to_end_id = name and m.amount > 0)))
    or (recalled and made and not exists (
      select from entry_payment m join statement_counted c on c.report = m.report where m.end_to_end_id = name and m.amount > 0)) from said
$$;

create function check_bank_decision() returns trigger language plpgsql as $$
declare
  said jsonb := new.document::jsonb; last int;
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  if said ->> 'end_to_end_id' is distinct from new.end_to_end_id or (said ->> 'report')::int is distinct from new.report or said ->> 'verdict' <> new.verdict
    or said ->> 'person' <> new.person or (said ->> 'known')::int <> new.known or (said ->> 'begins')::int is distinct from new.begins
    or said ->> 'reason' <> new.reason then
    raise exception 'what was signed is about something else' using errcode = 'restrict_violation';
  end if;
  if exists (select from key_revocation where key = new.key) then
    raise exception 'the key of % is revoked', new.person using errcode = 'restrict_violation';
  end if;
  if new.known <> bank_heard(new.end_to_end_id, new.report) then
    raise exception 'the bank has said more since' using errcode = 'restrict_violation';
  end if;
  if new.verdict = 'not paid' and exists (
      select from entry_payment m join bank_report r on r.no = m.report where m.end_to_end_id = new.end_to_end_id and m.amount > 0 and r.kind = 'statement') then
    raise exception 'payment % is on a statement', new.end_to_end_id using errcode = 'restrict_violation';
  end if;
  if new.verdict = 'withdrawn' then
    if exists (select from entry_payment m where m.report = new.report) then
      raise exception 'statement % shows payments', new.report using errcode = 'restrict_violation';
    end if;
    select c.report into last from statement_counted c join bank_report r on r.no = c.report
      join bank_report own on own.no = new.report and own.iban = r.iban and own.currency = r.currency
      where c.report not in (select w.report from statement_withdrawn w) order by c.no desc limit 1;
    if exists (select from statement_counted where report = new.report) and last is distinct from new.report then
      raise exception 'statement % is not the last that counts', new.report using errcode = 'restrict_violation';
    end if;
  end if;
  new.decides = new.verdict = 'paid' or exists (
    select from bank_decision d where d.end_to_end_id is not distinct from new.end_to_end_id and d.report is not distinct from new.report
      and d.verdict = new.verdict and d.known = new.known and d.begins is not distinct from new.begins and d.person <> new.person and d.key <> new.key
      and not exists (select from key_revocation r where r.key = d.key)
      and not exists (select from bank_decision later where later.end_to_end_id = new.end_to_end_id and later.verdict <> new.verdict and later.no > d.no));
  return new;
end $$;
create trigger check_bank_decision before insert on bank_decision for each row execute function check_bank_decision();

-- As before, and: nothing is sent again of which the bank says both, until two people have decided that it was not made.
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
        and (verdict = 'not paid' or (verdict is null and not exists (select from entry_payment m where m.end_to_end_id = last.end_to_end_id)))) into refused;
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
