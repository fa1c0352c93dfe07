"""How long matching takes: ``python -m tests.bench.matching [ROWS]``, so many rows a side; one in a hundred differs, is missing, or comes under another id.

Beside it stands what the machine can: one hash join of the same two tables on the transaction's id. Memory is that of the process, and of its backend
in the database where that is on this machine, without what all backends share.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import secrets
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from services.journal.migrate import connect
from services.runtime.local import ensure
from tests.bench.booking import SPAWN, peak_mb
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
LIMIT = "select count(*) from recon_expected o join bank_line t on t.bank_txn_id = o.bank_txn_id and t.event_type = o.event_type"
ANONYMOUS = re.compile(r"^RssAnon:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MatchedRows:
    """Seconds for one run over so many rows a side and for the hash join, what the run found, and the memory of both processes."""

    rows_a_side: int
    seconds: float
    limit_seconds: float
    matched: int
    broken: int
    peak_mb: float
    backend_peak_mb: float | None


class Backend(threading.Thread):
    """Looks every twentieth of a second at how much memory a backend has for itself; None where it is on another machine."""

    def __init__(self, connection: psycopg.Connection) -> None:
        super().__init__(daemon=True)
        self.status = Path(f"/proc/{connection.info.backend_pid}/status")
        self.peak_mb: float | None = None
        self.over = threading.Event()

    def run(self) -> None:
        """Until `over` is set."""
        while not self.over.wait(0.05):
            try:
                found = ANONYMOUS.search(self.status.read_text(encoding="ascii"))
            except OSError:
                return
            if found is not None:
                self.peak_mb = max(self.peak_mb or 0, int(found[1]) / 1024)


def match(uri: str, schema: str, report: multiprocessing.Queue[tuple[float, float, float | None]]) -> None:
    """One run, in a process of its own."""
    from services.recon.run import match_rows

    with connect(uri, schema, autocommit=True) as connection:
        backend = Backend(connection)
        backend.start()
        begun = time.perf_counter()
        with connection.transaction():
            match_rows(connection, "bank1", DAY, seen=DAY, now=NOW)
        seconds = time.perf_counter() - begun
        backend.over.set()
    backend.join()
    report.put((seconds, peak_mb(), backend.peak_mb))


def measure_matching(uri: str, rows: int) -> MatchedRows:
    """Fills both sides in a schema of its own, and matches them."""
    schema = f"clh_bench_matching_{secrets.token_hex(4)}"
    with books(uri, schema) as connection:
        asked = {"day": DAY, "rows": rows}
        connection.execute(OURS, asked)
        file = connection.execute(FILE, asked).fetchone()
        assert file is not None
        connection.execute(THEIRS, {"file": file[0]})
        for table in ("recon_expected", "bank_line"):
            connection.execute(f"analyze {table}")
        begun = time.perf_counter()
        connection.execute(LIMIT)
        limit = time.perf_counter() - begun
        report: multiprocessing.Queue[tuple[float, float, float | None]] = SPAWN.Queue()
        process = SPAWN.Process(target=match, args=(uri, schema, report))
        process.start()
        seconds, own, backend = report.get()
        process.join()
        counted = connection.execute("select (select count(*) from recon_match), (select count(*) from recon_break)").fetchone()
    assert counted is not None
    return MatchedRows(rows, round(seconds, 2), round(limit, 2), counted[0], counted[1], round(own), None if backend is None else round(backend))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure_matching(ensure().postgres_uri, int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))) + "\n")
