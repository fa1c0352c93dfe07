"""How long matching takes: ``python -m tests.bench.matching [ROWS]``, so many rows a side; one in a hundred differs, is missing, or comes under another id."""

from __future__ import annotations

import json
import secrets
import sys
import time

from services.runtime.local import ensure
from tests.recon_rows import DAY, NOW, books

OURS = """
insert into recon_expected (entry, bank, day, bank_txn_id, event_type, card_ref, rrn, auth_code, arn, mcc, acceptor_id, transacted_at, posting_date,
  billing_minor, billing_ccy, rule_id, rule_version, reward_kind, reward_units, reward_ccy, bank_funded, merchant_funded, network_funded, settlement_ref)
select n, 'bank1', %(day)s, 't' || n, 'EARN', 'tok' || n %% 50000, 'r' || n, 'A' || n %% 1000, 'a' || n, '5411', 'shop' || n %% 500, '2026-03-02T10:00:00Z',
  %(day)s, 100 + n %% 9000, 'EUR', 'back', '2026-01-01', 'CASHBACK', n %% 90, 'EUR', n %% 90, 0, 0, 'W-2026-03-02'
from generate_series(1, %(rows)s) n
"""
FILE = """
insert into bank_file (bank, file_id, day, sequence, sha256, lines, bad, manifest, received_at, state)
values ('bank1', 'f1', %(day)s, 1, '', 0, 0, '{}', now(), 'published') returning no
"""
THEIRS = """
insert into bank_line (file, line, bank, day, card_ref_type, bank_txn_id, event_type, card_ref, rrn, auth_code, arn, mcc, acceptor_id, transacted_at,
  posting_date, billing_minor, billing_ccy, rule_id, rule_version, reward_kind, reward_units, reward_ccy, bank_funded, merchant_funded, network_funded)
select %(file)s, entry, bank, day, 'TOKEN', case when entry %% 500 = 1 then 'u' || entry else bank_txn_id end, event_type, card_ref, rrn, auth_code,
  case when entry %% 1000 = 1 then null else arn end, mcc, acceptor_id, transacted_at, posting_date, billing_minor, billing_ccy, rule_id, rule_version,
  reward_kind, reward_units + (entry %% 300 = 2)::int, reward_ccy, reward_units + (entry %% 300 = 2)::int, 0, 0
from recon_expected where entry %% 400 <> 3
"""


def measure(uri: str, rows: int) -> dict[str, float | int]:
    """Seconds for one run over so many rows a side, in a schema of its own; and what it found."""
    from services.recon.run import match_rows

    with books(uri, f"clh_bench_matching_{secrets.token_hex(4)}") as connection:
        asked = {"day": DAY, "rows": rows}
        connection.execute(OURS, asked)
        file = connection.execute(FILE, asked).fetchone()
        assert file is not None
        connection.execute(THEIRS, {"file": file[0]})
        connection.execute("analyze recon_expected")
        connection.execute("analyze bank_line")
        begun = time.perf_counter()
        with connection.transaction():
            match_rows(connection, "bank1", DAY, seen=DAY, now=NOW)
        seconds = time.perf_counter() - begun
        counted = connection.execute("select (select count(*) from recon_match), (select count(*) from recon_break)").fetchone()
    assert counted is not None
    return {"rows_a_side": rows, "seconds": round(seconds, 2), "matched": counted[0], "broken": counted[1]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(ensure().postgres_uri, int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)) + "\n")
