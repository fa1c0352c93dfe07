-- Names and their numbers: rows of the journal carry numbers.
create table party    (no smallint generated always as identity primary key, id text not null unique);
create table contract (no int generated always as identity primary key, party smallint not null references party, valid_from date not null, unique (party, valid_from));
create table mechanic (no smallint generated always as identity primary key, id text not null unique);
create table unit     (no smallint generated always as identity primary key, id text not null unique);
create table source   (no int generated always as identity primary key, uri text not null unique);
create table topic    (no smallint generated always as identity primary key, name text not null unique);

-- The programme file, every version that was ever applied.
create table programme (no int generated always as identity primary key, sha256 text not null, text text not null, body jsonb not null, applied_at timestamptz not null default now());

-- Windows: one for each business day; where each partition was cut; what the night has done.
create table settlement_window (
  day date primary key,
  state text not null check (state in ('open', 'draining', 'closed', 'netted', 'approved', 'instructed', 'settled', 'defaulted')),
  received_at timestamptz,                      -- where all events count as received at one moment (scenarios)
  booked boolean not null default false,        -- the night's own bookings are committed: booking may go on behind the cut
  ends_at timestamptz                           -- its cut-off by the programme's clock; null where it is only closed by hand
);
create table cut (day date not null references settlement_window, topic smallint not null references topic, part int not null, end_offset bigint not null, primary key (day, topic, part));
create table night_step (day date not null references settlement_window, step text not null, figures jsonb not null, primary key (day, step));

-- How far each partition is booked: the fence of the processors.
create table progress (topic smallint not null references topic, part int not null, next_offset bigint not null, primary key (topic, part));

-- What became of the records of each partition, added to by each batch.
create table tally (day date not null, topic smallint not null, part int not null, party smallint, outcome text not null, code text, events bigint not null);
create index tally_day on tally (day);

-- Who has ever sent which id, with a hash of its bytes; for ever.
create table identity (source int not null, id text not null, content bytea not null, record bigint not null, day date not null, primary key (source, id)) partition by hash (source, id);
create table identity_0 partition of identity for values with (modulus 4, remainder 0);
create table identity_1 partition of identity for values with (modulus 4, remainder 1);
create table identity_2 partition of identity for values with (modulus 4, remainder 2);
create table identity_3 partition of identity for values with (modulus 4, remainder 3);

-- Entries: one for each event, with what it was and what became of it.
create table entry (
  record bigint not null,                       -- topic, partition and offset in one number
  day date not null,                            -- the window in which it was received
  booked date,                                  -- the window in which it took effect; null while held, waiting, or when rejected
  outcome text not null,
  type text, source int, id text, party smallint, contract int, member int, card text,
  event_day date, received_at timestamptz not null,
  code text, detail text, pointer text,
  applied text,                                 -- mechanics that applied, where that depends on the member
  answer text not null,                         -- what was answered
  body text,                                    -- the event as it came; null where it may not be kept
  raw bytea                                     -- the record where it is no text
) partition by range (day);
create index entry_record on entry (record);
create index entry_member on entry (member, record);
create index entry_day on entry using brin (day) with (pages_per_range = 32, autosummarize = on);
create index entry_late on entry (booked) where booked <> day;  -- held events that became known in a later window

-- New attempts at events that had been refused for a reason that lay with the house.
create table attempt (
  record bigint not null, no int not null, at timestamptz not null default now(), by_whom text not null,
  day date not null,                            -- the window in which it was tried
  code text not null,                           -- why it had been refused before
  outcome text not null, refused text,          -- what became of it, and why it was refused again
  primary key (record, no)
);

-- The journal. An entry owns its transfers; entry numbers below zero are the night's own.
create table transfer (
  entry bigint not null, line int not null, day date not null,
  code smallint not null, amount bigint not null check (amount > 0), unit smallint not null,
  debit bigint not null, credit bigint not null,
  member int, sponsor smallint not null, contract int, counterparty smallint, counter_contract int, mechanic smallint,
  expiry date, earned date, release_on date,
  first boolean not null                        -- the first row of its entry under its pricing key
) partition by range (day);
create index transfer_entry on transfer (entry);
create index transfer_night on transfer (member, day) where entry < 0;
create index transfer_day on transfer using brin (day) with (pages_per_range = 32, autosummarize = on);

-- Totals of each batch: the first path to every obligation.
create table total (
  day date not null, code smallint not null, sponsor smallint not null, contract int, counterparty smallint, counter_contract int, unit smallint not null,
  quantity bigint not null check (quantity > 0), events bigint not null
);
create index total_day on total (day);

-- Cards, members, lots.
create sequence member_no as int;
create table card (card text primary key, member int, blocked boolean not null default false);
create index card_member on card (member);
create table member (
  no int primary key, id text not null unique, kind text not null, closed boolean not null default false,
  available bigint not null default 0, pending bigint not null default 0, held bigint not null default 0, owed bigint not null default 0,
  last_activity date, state text not null default '{}', attributes text not null default '{}'
) with (fillfactor = 70);
create index member_owing on member (no) where owed > 0;
create table lot (
  member int not null, sponsor smallint not null, contract int not null, expiry date not null, earned date not null,
  release_on date not null,                     -- 0001-01-01: available
  points bigint not null check (points >= 0), expired bigint not null default 0 check (expired >= 0),
  live boolean not null,                        -- points > 0; an empty lot leaves the indexes below
  primary key (member, sponsor, contract, expiry, earned, release_on)
) with (fillfactor = 80);
create index lot_expiry on lot (expiry) where live;
create index lot_release on lot (release_on) where live and release_on > '0001-01-01';

-- What waits: for a card's owner, for an original, for a capture.
create table held (record bigint primary key, day date not null, card text not null, event_day date not null, received_at timestamptz not null);
create index held_card on held (card);
create index held_event_day on held (event_day);
create table waiting (record bigint primary key, day date not null, received_at timestamptz not null);
create table deferred (record bigint primary key, day date not null, received_at timestamptz not null);
create index deferred_day on deferred (day);
-- What limits and budgets of the whole programme have given so far, by limit and period.
create table shared_use (name text primary key, used bigint not null);
create table original (record bigint primary key, member int not null, kind text not null, expires_at timestamptz, state text not null);
create index original_open on original (expires_at) where expires_at is not null;

-- Answers to send, in the order of transactions.
create table outbox (seq bigint generated always as identity, xid xid8 not null default pg_current_xact_id(), record bigint, day date, topic text, key text, body text);
create index outbox_order on outbox (xid, seq);
create table relay (shard smallint primary key, xid xid8 not null, seq bigint not null);
insert into relay values (0, '0', 0);

-- What the night worked out.
create table obligation (
  day date not null, line int not null, kind text not null, detail text, debtor text not null, creditor text not null, currency text not null,
  quantity bigint, unit_price numeric, amount bigint not null, events bigint, contract date, sources jsonb not null, primary key (day, line)
);
create table carried (day date not null, currency text not null, party text not null, amount bigint not null, since date not null, primary key (day, currency, party));
create table run (
  no int generated always as identity primary key, day date not null references settlement_window, sha256 text not null, previous text, report text not null,
  reception jsonb not null,                     -- what each partition brought; not part of what is approved, since a duplicate changes no figure
  made_at timestamptz not null default now()
);
create index run_day on run (day, no);

-- Nobody changes what is written: not the application, not its owner.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the journal is append-only: % on % is refused', tg_op, tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger append_only before update or delete or truncate on transfer for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on identity for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on total for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on run for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on attempt for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on programme for each statement execute function refuse_change();
create trigger no_deletion before delete or truncate on entry for each statement execute function refuse_change();
