-- People, by name, with the public keys they sign with. Only the owner of the books enrols and revokes; private keys are nowhere here.
create table person (name text primary key check (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'), enrolled_at timestamptz not null);
create table person_key (
  no int generated always as identity primary key, person text not null references person,
  public_key bytea not null unique check (octet_length(public_key) = 32),  -- Ed25519; one key is one person's for ever
  enrolled_at timestamptz not null, unique (no, person)
);
create table key_revocation (
  key int primary key references person_key, at timestamptz not null, reason text not null check (reason <> ''),
  after_signature bigint not null               -- the last signature before it: what came first does not depend on clocks
);

-- A run that takes the place of one that was rejected or made void names it.
alter table run add column replaces int references run;

-- What people signed about runs, and runs that fell with one before them.
create table signature (
  no bigint generated always as identity primary key, run int not null references run, day date not null references settlement_window,
  action text not null check (action in ('submit', 'approve', 'reject')), person text not null, key int not null,
  report_sha256 text not null, reason text, at timestamptz not null, signature bytea not null check (octet_length(signature) = 64),
  foreign key (key, person) references person_key (no, person),
  check ((action = 'reject') = (reason is not null and btrim(reason) <> ''))
);
create unique index signature_once on signature (run, person) where action <> 'reject';  -- the maker is no checker, and nobody counts twice
create unique index signature_maker on signature (run) where action = 'submit';
create unique index signature_rejected on signature (run) where action = 'reject';
create index signature_day on signature (day);
create table voided (run int primary key references run, because int not null references run, at timestamptz not null, check (because <> run));

-- Signatures and revocations come one after the other, so that each sees what was before it.
create function note_signatures() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  new.after_signature = coalesce((select max(no) from signature), 0);
  return new;
end $$;
create trigger note_signatures before insert on key_revocation for each row execute function note_signatures();

create function one_key_in_force() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  if exists (select from person_key k where k.person = new.person and not exists (select from key_revocation r where r.key = k.no)) then
    raise exception '% has a key that is in force', new.person using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger one_key_in_force before insert on person_key for each row execute function one_key_in_force();

-- A signature is about the newest run of its window, whose report is still the one that has the hash, by a key that is in force.
create function check_signature() returns trigger language plpgsql as $$
declare
  newest record; stands text; maker record; approvals int;
begin
  select state into stands from settlement_window where day = new.day for update;
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  select * into newest from run where day = new.day order by no desc limit 1;
  if newest.no is distinct from new.run then
    raise exception 'run % is not the newest of window %', new.run, new.day using errcode = 'restrict_violation';
  end if;
  if new.report_sha256 is distinct from newest.sha256 or newest.sha256 <> encode(sha256(convert_to(newest.report, 'UTF8')), 'hex') then
    raise exception 'the report of run % is not the one that is signed', new.run using errcode = 'restrict_violation';
  end if;
  if exists (select from key_revocation where key = new.key) then
    raise exception 'the key of % is revoked', new.person using errcode = 'restrict_violation';
  end if;
  if not (stands = 'netted' or (stands = 'approved' and new.action = 'reject')) then
    raise exception 'window % is %: it takes no %', new.day, stands, new.action using errcode = 'restrict_violation';
  end if;
  if new.action = 'approve' then
    select s.person, exists (select from key_revocation r where r.key = s.key) revoked into maker from signature s where s.run = new.run and s.action = 'submit';
    if maker.person is null or maker.person = new.person or maker.revoked then
      raise exception 'run % has no maker other than %', new.run, new.person using errcode = 'restrict_violation';
    end if;
    select count(*) into approvals from signature s
    where s.run = new.run and s.action = 'approve' and not exists (select from key_revocation r where r.key = s.key);
    if approvals >= 2 then
      raise exception 'run % has two approvals', new.run using errcode = 'restrict_violation';
    end if;
  end if;
  return new;
end $$;
create trigger check_signature before insert on signature for each row execute function check_signature();

-- A window is approved by two people beside the maker, and goes back only where its run was rejected or fell with one before it.
create function check_window() returns trigger language plpgsql as $$
declare
  newest int; makers int; approvals int;
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  select max(no) into newest from run where day = new.day;
  if new.state = 'closed' then
    if not exists (select from signature where run = newest and action = 'reject') and not exists (select from voided where run = newest) then
      raise exception 'window %: run % was neither rejected nor made void', new.day, newest using errcode = 'restrict_violation';
    end if;
    return new;
  end if;
  select count(*) filter (where action = 'submit'), count(distinct person) filter (where action = 'approve') into makers, approvals
  from signature s where s.run = newest and not exists (select from key_revocation r where r.key = s.key);
  if makers <> 1 or approvals <> 2 or exists (select from signature where run = newest and action = 'reject') then
    raise exception 'window %: run % is not approved by two people', new.day, newest using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger approved_by_two before update of state on settlement_window for each row
  when (old.state not in ('approved', 'instructed', 'settled', 'defaulted') and new.state in ('approved', 'instructed', 'settled', 'defaulted'))
  execute function check_window();
create trigger rejected_or_void before update of state on settlement_window for each row
  when (old.state in ('netted', 'approved') and new.state = 'closed') execute function check_window();

-- A further run of a window names the one before it, which no longer stands.
create function check_replaced() returns trigger language plpgsql as $$
declare
  earlier int;
begin
  select max(no) into earlier from run where day = new.day;
  if new.replaces is distinct from earlier then
    raise exception 'window %: a new run takes the place of run %, not of %', new.day, earlier, new.replaces using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger check_replaced before insert on run for each row execute function check_replaced();

create trigger append_only before update or delete or truncate on person for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on person_key for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on key_revocation for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on signature for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on voided for each statement execute function refuse_change();
