-- Which way a payment goes follows from the run's report, whoever stores it.
alter table payment add column kind text check (kind in ('outgoing', 'incoming', 'direct'));
create function payment_kind() returns trigger language plpgsql as $$
declare
  operator text;
begin
  select report::jsonb ->> 'operator' into operator from run where no = new.run;
  new.kind = case operator when new.payer then 'outgoing' when new.payee then 'incoming' else 'direct' end;
  return new;
end $$;
create trigger payment_kind before insert on payment for each row execute function payment_kind();
alter table payment disable trigger append_only;
update payment p set kind = case r.report::jsonb ->> 'operator' when p.payer then 'outgoing' when p.payee then 'incoming' else 'direct' end from run r where r.no = p.run;
alter table payment enable trigger append_only;
create index payment_id on payment (id, run);
-- A creditor reference (ISO 11649) ends with the last 21 letters and digits of the payment's id; the check digits before them are proven when it is read.
create index payment_reference on payment (right(regexp_replace(upper(id), '[^A-Z0-9]', '', 'g'), 21));

-- Every move of a window: what moved it, who, and because of which message of the bank. Windows that moved before this version have none for that.
create table window_move (
  no bigint generated always as identity primary key, day date not null references settlement_window, event text not null,
  before text not null, after text not null, run int references run, by_whom text not null, because text, at timestamptz not null
);
create index window_move_day on window_move (day, no);

-- Files for the bank: noted with their bytes before they are sent; each handing over is noted after it.
create table payment_file (
  message_id text primary key check (length(message_id) between 1 and 35), run int not null references run, file_no int not null check (file_no > 0),
  sha256 text not null check (sha256 = encode(sha256(content), 'hex')), content bytea not null, noted_at timestamptz not null, by_whom text not null,
  unique (run, file_no)
);
create table payment_attempt (
  end_to_end_id text primary key check (length(end_to_end_id) between 1 and 35),  -- unique for ever: no two files hold the same
  run int not null, payment text not null, attempt int not null check (attempt > 0), message_id text not null references payment_file,
  block text not null, value_date date not null,  -- the payment information block it stands in, and the day on which it is to be made
  foreign key (run, payment) references payment (run, id), unique (run, payment, attempt)
);
create index payment_attempt_file on payment_attempt (message_id);
create table recall (
  message_id text primary key check (length(message_id) between 1 and 35), end_to_end_id text not null unique references payment_attempt,
  reason text not null, sha256 text not null check (sha256 = encode(sha256(content), 'hex')), content bytea not null, noted_at timestamptz not null, by_whom text not null
);
create table handed_over (message_id text not null, at timestamptz not null, by_whom text not null, sent_to text not null);
create index handed_over_message on handed_over (message_id);

-- What the bank says. A message is known by its kind and id; a statement and a notification by their own id as well, since banks send them again.
create table bank_message (
  no int generated always as identity primary key, kind text not null check (kind in ('status_report', 'notification', 'statement', 'return', 'recall_answer')),
  message_id text not null, sha256 text not null, content bytea not null, name text not null, received_at timestamptz not null, unique (kind, message_id)
);
create table bank_status (
  message int not null references bank_message, line int not null,
  original_message_id text not null, end_to_end_id text,                -- null: of the whole file; what it means for each payment stands in its own row
  status text not null,
  fact text check (fact in ('sent', 'accepted', 'rejected', 'recalled', 'recall_refused', 'return_announced')),  -- what it means; null: nothing by itself
  reason_code text not null, reason_text text not null, primary key (message, line)
);
create index bank_status_payment on bank_status (end_to_end_id) where end_to_end_id is not null;
create table bank_report (
  no int generated always as identity primary key, message int not null references bank_message, kind text not null check (kind in ('statement', 'notification')),
  iban text not null, currency text not null, id text not null, sequence bigint, year int, from_date date, to_date date, opening bigint, closing bigint,
  first boolean not null default false,         -- the house's records of this account begin with it
  sha256 text not null, unique (kind, iban, currency, id), check ((kind = 'statement') = (sequence is not null and opening is not null and closing is not null))
);
create index bank_report_sequence on bank_report (iban, currency, sequence) where kind = 'statement';
create table bank_entry (
  no bigint generated always as identity primary key, report int not null references bank_report, line int not null, bank_reference text not null,
  amount bigint not null check (amount >= 0), currency text not null, credit boolean not null, booked boolean not null, booking_date date, value_date date,
  end_to_end_id text not null, reference text,  -- of a valid creditor reference, what stands behind its check digits
  remittance text not null, counterparty text not null, counterparty_iban text not null, return_reason text not null, unique (report, line)
);
create index bank_entry_end_to_end on bank_entry (end_to_end_id) where end_to_end_id <> '';
create index bank_entry_reference on bank_entry (reference) where reference is not null;
-- Statements that count, in their order: an unbroken chain for each account and currency.
create table statement_counted (no int generated always as identity primary key, report int not null unique references bank_report, at timestamptz not null);

-- What was put right in a later window: what statements showed of a payment of a settled window beyond, or short of, its amount.
create table payment_correction (
  run int not null, payment text not null, report int not null references bank_report, amount bigint not null check (amount <> 0),  -- above zero: more than its amount
  correction bigint not null references correction, primary key (run, payment, report), foreign key (run, payment) references payment (run, id)
);
-- Where each payment stood after the house had looked: so that each move is told once.
create table payment_move (
  no bigint generated always as identity primary key, run int not null, payment text not null, before text not null, after text not null,
  because text, at timestamptz not null, foreign key (run, payment) references payment (run, id)
);
create index payment_move_payment on payment_move (run, payment, no);

-- Which payment an entry is about, and what it adds to what was paid: outgoing ones by the EndToEndId that the house gave, incoming ones by the
-- creditor reference, for the newest run that has it. What names a payment in another currency is about none.
create view entry_payment as
select e.no entry, e.report, p.run, p.id payment, a.end_to_end_id, case when e.credit then -e.amount else e.amount end amount
from bank_entry e join payment_attempt a on a.end_to_end_id = e.end_to_end_id join payment p on p.run = a.run and p.id = a.payment
where e.booked and e.currency = p.currency and e.end_to_end_id <> ''
union all
select e.no, e.report, p.run, p.id, null, case when e.credit then e.amount else -e.amount end
from bank_entry e join payment p on right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21) = e.reference
where e.booked and e.currency = p.currency and e.reference is not null and p.kind = 'incoming'
  and not exists (select from payment later where later.id = p.id and later.run > p.run)
  and not exists (select from payment_attempt a where a.end_to_end_id = e.end_to_end_id and e.end_to_end_id <> '');
-- What statements that count show of each payment: net, and whether any of it came back.
create view payment_confirmed as
select m.run, m.payment, sum(m.amount)::bigint confirmed, bool_or(m.amount < 0) came_back, array_agg(distinct r.id order by r.id) statements, max(c.no) counted
from entry_payment m join statement_counted c on c.report = m.report join bank_report r on r.no = m.report group by m.run, m.payment;

-- How many runs of the same window were instructed before a run: those made after a default pay under other ids.
create function payment_series(of_run int) returns bigint language sql stable as $$
  select count(distinct m.run) from run r join window_move m on m.day = r.day and m.event = 'instructed' and m.run < r.no where r.no = of_run
$$;

-- Payments go out once the run is approved and all that the operator pays is noted; a window is settled when statements that count show every payment.
create function check_payments() returns trigger language plpgsql as $$
declare
  newest int; missing text;
begin
  select max(no) into newest from run where day = new.day;
  if new.state = 'instructed' then
    if old.state <> 'approved' then
      raise exception 'window % is %: only what is approved is instructed', new.day, old.state using errcode = 'restrict_violation';
    end if;
    select p.id into missing from payment p where p.run = newest and p.kind = 'outgoing'
      and not exists (select from payment_attempt a where a.run = p.run and a.payment = p.id) order by p.id limit 1;
    if missing is not null then
      raise exception 'window %: payment % is in no file', new.day, missing using errcode = 'restrict_violation';
    end if;
    return new;
  end if;
  if old.state <> 'instructed' then
    raise exception 'window % is %: only what is instructed is settled', new.day, old.state using errcode = 'restrict_violation';
  end if;
  select p.id into missing from payment p left join payment_confirmed c on c.run = p.run and c.payment = p.id
    where p.run = newest and p.kind <> 'direct' and coalesce(c.confirmed, 0) < p.amount order by p.id limit 1;
  if missing is not null then
    raise exception 'window %: no statement shows payment %', new.day, missing using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger paid before update of state on settlement_window for each row
  when (old.state is distinct from new.state and new.state in ('instructed', 'settled')) execute function check_payments();

-- A settled window stays settled.
create function settled_is_final() returns trigger language plpgsql as $$
begin
  raise exception 'window % is settled, and final', old.day using errcode = 'restrict_violation';
end $$;
create trigger settled_is_final before update of state on settlement_window for each row
  when (old.state = 'settled' and new.state <> 'settled') execute function settled_is_final();

-- A payment goes into a further file only where it is certain that its money is not with the payee: the bank has rejected or cancelled the last attempt and
-- booked nothing, or all of it came back. Attempts at one payment come one after the other.
create function check_attempt() returns trigger language plpgsql as $$
declare
  last record; shown bigint; refused boolean;
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
  select exists (select from entry_payment m join statement_counted c on c.report = m.report where m.end_to_end_id = last.end_to_end_id and m.amount < 0)
    or (exists (select from bank_status s where s.fact in ('rejected', 'recalled') and s.end_to_end_id = last.end_to_end_id)
        and not exists (select from entry_payment m where m.end_to_end_id = last.end_to_end_id)) into refused;
  if shown > 0 or not refused then
    raise exception 'payment %: attempt % may still be paid', new.payment, last.attempt using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger check_attempt before insert on payment_attempt for each row execute function check_attempt();

create trigger append_only before update or delete or truncate on window_move for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on payment_file for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on payment_attempt for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on recall for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on handed_over for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on bank_message for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on bank_status for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on bank_report for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on bank_entry for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on statement_counted for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on payment_correction for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on payment_move for each statement execute function refuse_change();
