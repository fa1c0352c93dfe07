-- Files of co-brand banks: each that was taken, its good lines, and the bad ones with the reason.
create table bank_file (
  no int generated always as identity primary key, bank text not null, file_id text not null, day date not null, sequence int not null,
  sha256 text not null, previous text, lines int not null, bad int not null, manifest jsonb not null, received_at timestamptz not null,
  state text not null check (state in ('taken', 'published')),  -- published: its card transactions are on the bank's topic
  unique (bank, file_id), unique (bank, day, sequence)
);
create table bank_bad_line (file int not null references bank_file, line int not null, field text not null, code text not null, reason text not null, primary key (file, line));
create table bank_line (
  no bigint generated always as identity primary key, file int not null references bank_file, line int not null, bank text not null, day date not null,
  bank_txn_id text not null, event_type text not null, original_bank_txn_id text, card_ref_type text not null, card_ref text not null,
  rrn text, auth_code text, arn text, mcc text not null, acceptor_id text, transacted_at text not null, posting_date date not null,
  txn_minor bigint, txn_ccy text, billing_minor bigint not null, billing_ccy text not null, fx_rate text, eligible_minor bigint, exclusion_code text,
  rule_id text, rule_version date, cap_bucket text, cap_cut_units bigint, reward_kind text, reward_units bigint not null, reward_ccy text,
  bank_funded bigint, merchant_funded bigint, network_funded bigint, settlement_ref text,
  unique (file, line)
);
create index bank_line_bank on bank_line (bank, day);
create index bank_line_key on bank_line (bank, bank_txn_id, event_type);

-- What the house expects the bank to report: one row for each card transaction of a closed window and each reward of it, from the journal.
create table recon_expected (
  no bigint generated always as identity primary key, entry bigint not null, bank text not null, day date not null,
  bank_txn_id text not null, event_type text not null, original_bank_txn_id text, card_ref text not null,
  rrn text, auth_code text, arn text, mcc text not null, acceptor_id text, transacted_at text not null, posting_date date not null,
  billing_minor bigint not null, billing_ccy text not null,
  rule_id text, rule_version date, cap_bucket text, cap_cut_units bigint, reward_kind text, reward_units bigint not null, reward_ccy text,
  bank_funded bigint, merchant_funded bigint, network_funded bigint, settlement_ref text,
  unique nulls not distinct (entry, event_type, rule_id, reward_kind)
);
create index recon_expected_bank on recon_expected (bank, day);
create index recon_expected_key on recon_expected (bank, bank_txn_id, event_type);

-- What is matched: a pair, or one row of a group under its settlement reference. Nothing is matched twice.
create table recon_match (
  no bigint generated always as identity primary key, bank text not null, day date not null, pass smallint not null, ours bigint unique, theirs bigint unique,
  grouped text,                                 -- the settlement reference, where a group is matched
  check (ours is not null or theirs is not null)
);
-- What is not, or differs: a break with its code, its life, and the two people that a write-off, a forced match or a creation needs.
create table recon_break (
  no bigint generated always as identity primary key, bank text not null, day date not null, code text not null, ours bigint, theirs bigint,
  programme_units bigint not null, bank_units bigint not null, unit text not null, first_seen date not null,
  state text not null check (state in ('open', 'investigating', 'awaiting bank', 'proposed', 'resolved', 'written off')),
  owner text, proposal text check (proposal in ('write-off', 'forced-match', 'create')), proposed_by text, decided_by text,
  counterpart bigint references recon_break,    -- of a forced match: the break of the other side
  unique nulls not distinct (code, ours, theirs), check (ours is not null or theirs is not null),
  check (decided_by <> proposed_by), check (proposal is null or proposed_by is not null),
  check (state <> 'written off' or (proposal is not null and decided_by is not null))
);
create index recon_break_bank on recon_break (bank, state);
-- Every turn in a break's life, and every run, as they were.
create table recon_turn (
  break bigint not null references recon_break, no int not null, at timestamptz not null, who text not null, from_state text not null, to_state text not null,
  note text not null, primary key (break, no)
);
create table recon_run (no int generated always as identity primary key, bank text not null, day date not null, figures jsonb not null, made_at timestamptz not null);

create trigger append_only before update or delete or truncate on bank_line for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on bank_bad_line for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on recon_expected for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on recon_match for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on recon_turn for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on recon_run for each statement execute function refuse_change();
