-- What people had opened, decided or declared under typed names when decisions began to take signatures: numbers of disputes, of disputes that were decided, and
-- of runs that defaulted. Nobody but the owner of the books can write here.
create table by_name (what text not null check (what in ('opened', 'decided', 'defaulted')), no bigint not null, primary key (what, no));
insert into by_name select 'opened', no from dispute;
insert into by_name select distinct 'decided', dispute from dispute_turn where to_state in ('upheld', 'released');
insert into by_name select distinct 'defaulted', run from window_move where event = 'unpaid_at_deadline';

-- What people signed about disputes and defaults. A dispute: `propose` opens it, `decide` upholds or releases it. A default of a run: one proposes it, another decides.
create table decision_signature (
  no bigint generated always as identity primary key, dispute bigint references dispute, run int references run,
  action text not null check (action in ('propose', 'decide')),
  proposal bigint unique references decision_signature,  -- of a decision: what it agrees or answers to; none where that was opened under a typed name
  person text not null, key int not null, at timestamptz not null, document text not null,  -- the words that were signed
  signature bytea not null unique check (octet_length(signature) = 64),
  foreign key (key, person) references person_key (no, person), check ((dispute is null) <> (run is null)), check (action = 'decide' or proposal is null)
);
create unique index decision_of_dispute on decision_signature (dispute, action) where dispute is not null;
create unique index decision_of_run on decision_signature (run) where action = 'decide';  -- a run may be proposed anew, and is decided once
create index decision_signature_run on decision_signature (run) where run is not null;

-- A signature is about the dispute or the run as it stands, by a key that is in force; the one who decides is not the one who proposed, however the name is written.
create function check_decision_signature() returns trigger language plpgsql as $$
declare
  said jsonb := new.document::jsonb; about record; maker record; opener text;
begin
  if new.dispute is not null then
    select d.day, d.line, d.amount, d.opened_by into about from dispute d where d.no = new.dispute;
    opener := about.opened_by;
  else
    select r.day into about from run r where r.no = new.run;
    perform from settlement_window where day = about.day for update;
    select r.day, r.sha256, w.state, (select max(no) from run where day = r.day) newest into about
    from run r join settlement_window w on w.day = r.day where r.no = new.run;
  end if;
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  if said ->> 'action' is distinct from new.action or said ->> 'person' is distinct from new.person or said ->> 'window' is distinct from about.day::text then
    raise exception 'what was signed is about something else' using errcode = 'restrict_violation';
  end if;
  if exists (select from key_revocation where key = new.key) then
    raise exception 'the key of % is revoked', new.person using errcode = 'restrict_violation';
  end if;
  if new.dispute is not null then
    if (said ->> 'line')::int is distinct from about.line or (said ->> 'amount_minor')::bigint is distinct from about.amount then
      raise exception 'dispute %: what was signed is about something else', new.dispute using errcode = 'restrict_violation';
    end if;
    if new.action = 'propose' then
      if new.person <> opener or exists (select from dispute_turn where dispute = new.dispute) then
        raise exception 'dispute % was opened by %, and is opened once', new.dispute, opener using errcode = 'restrict_violation';
      end if;
      return new;
    end if;
    if (said ->> 'dispute')::bigint is distinct from new.dispute then
      raise exception 'dispute %: what was signed is about another one', new.dispute using errcode = 'restrict_violation';
    end if;
  else
    if (said ->> 'run')::int is distinct from new.run or said ->> 'report_sha256' is distinct from about.sha256 or about.newest <> new.run
      or about.state <> 'instructed' then
      raise exception 'run % does not stand, or is not instructed: nobody can be in default in it', new.run using errcode = 'restrict_violation';
    end if;
    if new.action = 'propose' then
      return new;
    end if;
  end if;
  select s.dispute, s.run, s.action, s.person, s.key, exists (select from key_revocation r where r.key = s.key) revoked into maker
  from decision_signature s where s.no = new.proposal;
  if new.proposal is null then
    if new.dispute is null or not exists (select from by_name where what = 'opened' and no = new.dispute) then
      raise exception '% agrees to nothing that was proposed', new.person using errcode = 'restrict_violation';
    end if;
  elsif maker.action <> 'propose' or maker.dispute is distinct from new.dispute or maker.run is distinct from new.run then
    raise exception 'signature % proposes something else', new.proposal using errcode = 'restrict_violation';
  elsif maker.key = new.key or lower(maker.person) = lower(new.person) then
    raise exception '% proposed it, a second person decides', maker.person using errcode = 'restrict_violation';
  elsif maker.revoked and said ->> 'outcome' is distinct from 'released' then  -- that a line stands can be said of whatever was disputed
    raise exception 'the key of %, who proposed it, is revoked', maker.person using errcode = 'restrict_violation';
  end if;
  if lower(opener) = lower(new.person) then
    raise exception '% opened it, a second person decides', opener using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger check_decision_signature before insert on decision_signature for each row execute function check_decision_signature();
create trigger append_only before update or delete or truncate on decision_signature for each statement execute function refuse_change();

-- A dispute begins with the signature of who opened it, and is decided by that of another person.
create or replace function check_dispute_turn() returns trigger language plpgsql as $$
declare
  stands text; opener text;
begin
  select opened_by into opener from dispute where no = new.dispute;
  select to_state into stands from dispute_turn where dispute = new.dispute order by no desc limit 1;
  if stands is distinct from new.from_state then
    raise exception 'dispute % is %, not %', new.dispute, stands, new.from_state using errcode = 'restrict_violation';
  end if;
  if stands in ('upheld', 'released', 'lapsed') then
    raise exception 'dispute % is % already', new.dispute, stands using errcode = 'restrict_violation';
  end if;
  if new.from_state is null and (new.who <> opener or not exists (
    select from decision_signature s where s.dispute = new.dispute and s.action = 'propose' and s.person = new.who
  )) then
    raise exception 'dispute %: % has not signed that it is opened', new.dispute, new.who using errcode = 'restrict_violation';
  end if;
  if new.to_state in ('upheld', 'released') then
    if lower(new.who) = lower(opener) then
      raise exception 'dispute % is decided by another person than %', new.dispute, opener using errcode = 'restrict_violation';
    end if;
    if not exists (
      select from decision_signature s where s.dispute = new.dispute and s.action = 'decide' and s.person = new.who
        and s.document::jsonb ->> 'outcome' = new.to_state
    ) then
      raise exception 'dispute %: % has not signed that it is %', new.dispute, new.who, new.to_state using errcode = 'restrict_violation';
    end if;
  end if;
  return new;
end $$;

-- A window defaults where two people have signed who has not paid of its newest run.
create function check_default() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  if not exists (select from decision_signature s where s.run = (select max(no) from run where day = new.day) and s.action = 'decide') then
    raise exception 'window %: two people have not signed who is in default', new.day using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger default_by_two before update of state on settlement_window for each row
  when (old.state <> 'defaulted' and new.state = 'defaulted') execute function check_default();

-- What came before a revocation does not depend on clocks.
alter table key_revocation add column after_decision bigint not null default 0;
create function note_decisions() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  new.after_decision = coalesce((select max(no) from decision_signature), 0);
  return new;
end $$;
create trigger note_decisions before insert on key_revocation for each row execute function note_decisions();

create trigger append_only before update or delete or truncate on by_name for each statement execute function refuse_change();
