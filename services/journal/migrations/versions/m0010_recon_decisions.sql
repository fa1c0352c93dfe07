-- What matching asks of many rows at once, and what it asks of breaks, is answered from an index.
create index recon_break_ours on recon_break (ours) where ours is not null;
create index recon_break_theirs on recon_break (theirs) where theirs is not null;
create index bank_line_original on bank_line (bank, original_bank_txn_id) where original_bank_txn_id is not null;
