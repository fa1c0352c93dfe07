"""Card files for tests: right unless a test says otherwise."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.card_files import COLUMNS

Row = dict[str, Any]


def row(no: int, txn: str, event_type: str = "EARN", **more: Any) -> Row:
    """A line: 10.00 at a grocer, 0.15 cash-back, half from the bank and half from a merchant."""
    told: Row = {
        "line_no": no, "bank_txn_id": txn, "event_type": event_type, "card_ref_type": "TOKEN", "card_ref": "tok1", "rrn": "606117004512",
        "auth_code": "A1B2C3", "arn": "74537606061006061000018", "mcc": "5411", "acceptor_id": "shop-1", "transacted_at": "2026-03-02T10:00:00+01:00",
        "posting_date": "2026-03-02", "billing_minor": 1000, "billing_ccy": "EUR", "rule_id": "everyday", "rule_version": "2026-01-01",
        "reward_kind": "CASHBACK", "reward_units": 15, "reward_ccy": "EUR", "bank_funded": 8, "merchant_funded": 7, "network_funded": 0,
    }  # fmt: skip
    return told | more


def csv_bytes(rows: Sequence[Row]) -> bytes:
    """Header and lines, as RFC 4180 writes them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([[one.get(name) for name in COLUMNS] for one in rows])
    return text.getvalue().encode()


def totals_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Control totals of lines."""
    sums: dict[tuple[str, str, str], list[int]] = {}
    for one in rows:
        total = sums.setdefault((one["event_type"], one.get("reward_kind") or "", one.get("reward_ccy") or ""), [0, 0])
        total[0] += 1
        total[1] += int(one["reward_units"])
    return [{"event_type": k[0], "reward_kind": k[1], "reward_ccy": k[2], "count": v[0], "units": v[1]} for k, v in sorted(sums.items())]


def manifest_of(rows: Sequence[Row], data: bytes, **more: Any) -> dict[str, Any]:
    """The manifest of a file of these bytes."""
    return {
        "schema_version": "1", "file_id": "f1", "bank": "bank1", "programme": "mall-card", "day": "2026-03-02", "sequence": 1, "time_zone": "Europe/Berlin",
        "cut_off": "02:00", "record_count": len(rows), "sha256": hashlib.sha256(data).hexdigest(), "previous_file": None, "totals": totals_of(rows),
    } | more  # fmt: skip


def write(folder: Path, rows: Sequence[Row], *, data: bytes | None = None, name: str | None = None, **more: Any) -> Path:
    """A file and its manifest; `data` instead of the lines' own bytes, `more` for fields of the manifest. Returns the CSV's path."""
    content = csv_bytes(rows) if data is None else data
    manifest = manifest_of(rows, content, **more)
    path = folder / (name or f"CRD_{manifest['bank']}_{manifest['programme']}_{manifest['day']}_{manifest['sequence']}.csv")
    path.write_bytes(content)
    path.with_suffix(".manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return path
