-- What matching asks of many rows at once, and what it asks of breaks, is answered from an index.
create index recon_break_ours on recon_break (ours) where ours is not null;
create index recon_break_theirs on recon_break (theirs) where theirs is not null;
create index bank_line_original on bank_line (bank, original_bank_txn_id) where original_bank_txn_id is not null;

-- What two people signed about a break: one proposes a write-off, a forced match or a creation, another decides it.
create table recon_signature (
  no bigint generated always as identity primary key, break bigint not null references recon_break,
  turn int not null,                            -- the turn in the break's life that this signature makes
  action text not null check (action in ('propose', 'decide')), decision text not null check (decision in ('write-off', 'forced-match', 'create')),
  proposal bigint unique references recon_signature,  -- of a decision: the signature that proposed it, which is decided once
  person text not null, key int not null, at timestamptz not null, document text not null,  -- the words that were signed
  signature bytea not null check (octet_length(signature) = 64),
  foreign key (key, person) references person_key (no, person), unique (break, turn), check ((action = 'decide') = (proposal is not null))
);
-- What a decision was booked as: each an adjustment in the window that was open.
create table recon_booking (
  signature bigint not null references recon_signature, line int not null, debtor text not null, creditor text not null, currency text not null,
  amount bigint not null check (amount > 0), reference text not null, primary key (signature, line), check (debtor <> creditor)
);

-- A signature is about the break as it stands, by a key that is in force; the one who decides is not the one who proposed.
create function check_recon_signature() returns trigger language plpgsql as $$
declare
  about record; maker record; turns int; said jsonb := new.document::jsonb;
begin
  if (said ->> 'break')::bigint <> new.break or (said ->> 'turn')::int <> new.turn or said ->> 'action' <> new.action or said ->> 'decision' <> new.decision
    or said ->> 'person' <> new.person then
    raise exception 'break %: what was signed is about something else', new.break using errcode = 'restrict_violation';
  end if;
  select state, proposal, proposed_by into about from recon_break where no = new.break for update;
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  select coalesce(max(t.no), 0) into turns from recon_turn t where t.break = new.break;
  if new.turn <> turns + 1 then
    raise exception 'break %: the next turn is %, not %', new.break, turns + 1, new.turn using errcode = 'restrict_violation';
  end if;
  if exists (select from key_revocation where key = new.key) then
    raise exception 'the key of % is revoked', new.person using errcode = 'restrict_violation';
  end if;
  if new.action = 'propose' then
    if about.state not in ('open', 'investigating', 'awaiting bank') then
      raise exception 'break % is %: nothing can be proposed', new.break, about.state using errcode = 'restrict_violation';
    end if;
    return new;
  end if;
  select s.break, s.turn, s.person, s.decision, s.key into maker from recon_signature s where s.no = new.proposal;
  if about.state <> 'proposed' or maker.break <> new.break or maker.decision <> new.decision or about.proposal <> new.decision
    or about.proposed_by <> maker.person or maker.turn <> turns then
    raise exception 'break %: % was not proposed by signature %', new.break, new.decision, new.proposal using errcode = 'restrict_violation';
  end if;
  if maker.person = new.person or maker.key = new.key then
    raise exception 'break %: % proposed it, a second person decides', new.break, new.person using errcode = 'restrict_violation';
  end if;
  if exists (select from key_revocation where key = maker.key) then
    raise exception 'break %: the key of %, who proposed it, is revoked', new.break, maker.person using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger check_recon_signature before insert on recon_signature for each row execute function check_recon_signature();

-- A break that people propose about or decide is moved by their signatures only, each made for this very turn; one that matching resolves has its cause gone.
create function check_recon_break() returns trigger language plpgsql as $$
declare
  about bigint := new.no; said record;
begin
  if new.state = 'resolved' and new.decided_by is null then
    if not exists (select from recon_match m where m.ours = new.ours) and not exists (select from recon_match m where m.theirs = new.theirs)
      and not exists (select from recon_break b where b.ours = new.ours and b.no > new.no)
      and not exists (select from recon_break b where b.theirs = new.theirs and b.no > new.no) then
      raise exception 'break %: its cause is not gone', new.no using errcode = 'restrict_violation';
    end if;
    return new;
  end if;
  if new.proposal = 'forced-match' and new.state = 'resolved' and not exists (
    select from recon_signature s where s.break = new.no and s.turn = (select coalesce(max(t.no), 0) + 1 from recon_turn t where t.break = new.no)
  ) then
    about := new.counterpart;                   -- the break of the other side goes with the one that was decided
    if not exists (select from recon_break b where b.no = about and b.counterpart = new.no) then
      raise exception 'break %: no forced match names it', new.no using errcode = 'restrict_violation';
    end if;
  end if;
  select s.action, s.decision, s.person, p.person maker, s.turn into said
  from recon_signature s left join recon_signature p on p.no = s.proposal where s.break = about order by s.no desc limit 1;
  if said.turn is distinct from (select coalesce(max(t.no), 0) + 1 from recon_turn t where t.break = about) or said.decision <> new.proposal
    or (new.state = 'proposed' and (said.action <> 'propose' or said.person <> new.proposed_by))
    or (new.state <> 'proposed' and (said.action <> 'decide' or said.person <> new.decided_by or said.maker <> new.proposed_by)) then
    raise exception 'break %: nobody signed that it is %', new.no, new.state using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger signed_by_two before update of state on recon_break for each row
  when (new.state in ('proposed', 'resolved', 'written off') and old.state <> new.state) execute function check_recon_break();

-- What came before a revocation does not depend on clocks: it notes the last signature of either kind.
alter table key_revocation add column after_recon_signature bigint not null default 0;
create function note_recon_signatures() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  new.after_recon_signature = coalesce((select max(no) from recon_signature), 0);
  return new;
end $$;
create trigger note_recon_signatures before insert on key_revocation for each row execute function note_recon_signatures();

-- Files that told a bank what became of its lines.
create table bank_answer (
  no int generated always as identity primary key, bank text not null, day date not null, sequence int not null, file_id text not null,
  sha256 text not null, lines int not null, manifest jsonb not null, made_at timestamptz not null, unique (bank, day, sequence), unique (bank, file_id)
);

create trigger append_only before update or delete or truncate on recon_signature for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on recon_booking for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on bank_answer for each statement execute function refuse_change();
