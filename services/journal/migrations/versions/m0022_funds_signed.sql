-- What people signed about funds: one proposes that a sum was paid in, or is paid out, under its reference; another decides exactly that.
create table funding_signature (
  no bigint generated always as identity primary key, party text not null references party (id), currency text not null references unit (id),
  amount bigint not null check (amount > 0), kind text not null check (kind in ('paid in', 'paid out')), reference text not null check (btrim(reference) <> ''),
  action text not null check (action in ('propose', 'decide')), proposal bigint unique references funding_signature,
  person text not null, key int not null, at timestamptz not null, document text not null,  -- the words that were signed
  signature bytea not null unique check (octet_length(signature) = 64),
  foreign key (key, person) references person_key (no, person), check ((action = 'decide') = (proposal is not null))
);
create unique index funding_decided on funding_signature (party, kind, reference) where action = 'decide';
create index funding_proposed on funding_signature (party, reference, no);

-- A signature is about funds that are not entered yet, by a key that is in force; who decides is not who proposed, and decides what was proposed last.
create function check_funding_signature() returns trigger language plpgsql as $$
declare
  said jsonb := new.document::jsonb; maker record;
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' funding')), pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  if row(said ->> 'action', said ->> 'person', said ->> 'party', said ->> 'currency', said ->> 'kind', said ->> 'reference', (said ->> 'amount_minor')::bigint)
    is distinct from row(new.action, new.person, new.party, new.currency, new.kind, new.reference, new.amount) then
    raise exception 'what was signed is about something else' using errcode = 'restrict_violation';
  end if;
  if exists (select from key_revocation where key = new.key) then
    raise exception 'the key of % is revoked', new.person using errcode = 'restrict_violation';
  end if;
  if exists (select from funding f where row(f.party, f.kind, f.reference) = row(new.party, new.kind, new.reference)) then
    raise exception 'funds of % under % are entered already', new.party, new.reference using errcode = 'restrict_violation';
  end if;
  if new.action = 'propose' then
    return new;
  end if;
  select s.no, s.amount, s.currency, s.person, s.key, exists (select from key_revocation r where r.key = s.key) revoked into maker
  from funding_signature s where row(s.party, s.kind, s.reference) = row(new.party, new.kind, new.reference) and s.action = 'propose' order by s.no desc limit 1;
  if row(maker.no, maker.amount, maker.currency) is distinct from row(new.proposal, new.amount, new.currency) then
    raise exception 'funds of % under %: signature % proposes something else', new.party, new.reference, new.proposal using errcode = 'restrict_violation';
  elsif maker.key = new.key or lower(maker.person) = lower(new.person) then
    raise exception '% proposed it, a second person decides', maker.person using errcode = 'restrict_violation';
  elsif maker.revoked then
    raise exception 'the key of %, who proposed it, is revoked', maker.person using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger check_funding_signature before insert on funding_signature for each row execute function check_funding_signature();
create trigger append_only before update or delete or truncate on funding_signature for each statement execute function refuse_change();

-- What came before a revocation does not depend on clocks.
alter table key_revocation add column after_funding bigint not null default 0;
create function note_funding_signatures() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  new.after_funding = coalesce((select max(no) from funding_signature), 0);
  return new;
end $$;
create trigger note_funding_signatures before insert on key_revocation for each row execute function note_funding_signatures();

-- Funds that rest on nothing: neither on the signatures of two people, nor on money of a statement that two people have assigned, nor on a default that two
-- people have declared, nor on the word of the owner of the books.
alter table by_name drop constraint by_name_what_check, add check (what in ('opened', 'decided', 'defaulted', 'corrected', 'funded'));
create view funding_unfounded as
select f.* from funding f
where not exists (select from by_name n where n.what = 'funded' and n.no = f.no)
  and not exists (select from funding_signature s join funding_signature p on p.no = s.proposal
    where s.action = 'decide' and p.action = 'propose' and p.key <> s.key and lower(p.person) <> lower(s.person)
      and row(s.party, s.currency, s.kind, s.reference, s.amount) = row(f.party, f.currency, f.kind, f.reference, abs(f.amount)))
  and not exists (select from bank_decision d join bank_entry e on e.no = d.entry
    where f.kind = 'paid in' and d.decides and d.verdict = 'funds'
      and row(d.party, d.reference, e.amount, e.currency) = row(f.party, f.reference, f.amount, f.currency))
  and not exists (select from decision_signature s join decision_signature p on p.no = s.proposal join run r on r.no = s.run
    cross join lateral jsonb_array_elements(s.document::jsonb -> 'unpaid') one
    where f.kind = 'used' and s.action = 'decide' and p.action = 'propose' and p.run = s.run and p.key <> s.key and lower(p.person) <> lower(s.person)
      and f.reference = 'default of ' || r.day || ', run ' || r.no || ', ' || f.currency
      and row(one ->> 0, one ->> 1, (one ->> 3)::bigint) = row(f.party, f.currency, -f.amount));
insert into by_name select 'funded', no from funding_unfounded;

-- Asked when the transaction ends: the second word about a bank's money enters its funds before that word itself is there.
create function check_funding() returns trigger language plpgsql as $$
begin
  if exists (select from funding_unfounded f where f.no = new.no) then
    raise exception 'funds of % under %: two people have not signed that they are %', new.party, new.reference, new.kind using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
create constraint trigger funded_by_two after insert on funding deferrable initially deferred for each row execute function check_funding();
