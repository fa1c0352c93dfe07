"""Writes the reward detail of a closed window as a file for the bank: CSV with manifest, the same bytes each time."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.card_files import COLUMNS, SCHEMA_VERSION, Manifest, TotalKey
from services.bank.detail import Detail
from services.bank.reading import manifest_path
from services.report.csv_files import cell
from services.runtime.progress import Progress, silent

BEFORE = "select max(day) from settlement_window where day < %s"
TELL_EVERY = 10_000


class TotalsDiffer(AssertionError):
    """The file's totals are not the journal's: it is not written."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written, and what its manifest says."""

    path: Path
    manifest: Manifest


def write_detail(detail: Detail, folder: Path, progress: Progress = silent) -> Written:
    """Writes the file and its manifest into a folder, which is made where it is missing. Raises `TotalsDiffer`, and then nothing is left there."""
    programme, day = detail.plan.programme, detail.day
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"CRD_{detail.bank}_{programme.id}_{day}_1.csv"
    partial = path.with_suffix(".partial")
    totals: dict[TotalKey, list[int]] = {}
    try:
        digest, count = _write_lines(detail, partial, totals, progress)
        units = {key: total[1] for key, total in totals.items() if total[1]}
        if units != {key: total for key, total in detail.journal_totals().items() if total}:
            raise TotalsDiffer("the lines do not add up to the journal's rows")
        before = detail.connection.execute(BEFORE, (day,)).fetchone()
        listed = [
            {"event_type": key[0], "reward_kind": key[1], "reward_ccy": key[2], "count": total[0], "units": total[1]} for key, total in sorted(totals.items())
        ]
        told = {
            "schema_version": SCHEMA_VERSION,
            "file_id": _file_id(detail, day),
            "bank": detail.bank,
            "programme": programme.id,
            "day": day.isoformat(),
            "sequence": 1,
            "time_zone": programme.timezone,
            "cut_off": programme.cutoff,
            "record_count": count,
            "sha256": digest,
            "previous_file": None if before is None or before[0] is None else _file_id(detail, before[0]),
            "totals": listed,
        }
        manifest = Manifest.model_validate(told)
        manifest_path(path).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return Written(path, manifest)


def _file_id(detail: Detail, day: date) -> str:
    return f"{day}:{hashlib.sha256(f'{detail.plan.programme.id} {detail.bank}'.encode()).hexdigest()[:16]}"


def _write_lines(detail: Detail, path: Path, totals: dict[TotalKey, list[int]], progress: Progress) -> tuple[str, int]:
    """Writes header and lines; returns the SHA-256 and the number of lines, and adds up the totals."""
    hashed = hashlib.sha256()
    count = 0
    with path.open("wb") as file:

        def write(cells: list[Any]) -> None:
            text = io.StringIO(newline="")
            csv.writer(text).writerow(cells)
            line = text.getvalue().encode()
            hashed.update(line)
            file.write(line)

        write(list(COLUMNS))
        for count, row in enumerate(detail.rows(), 1):
            write([_shown(row[name]) for name in COLUMNS])
            total = totals.setdefault((str(row["event_type"]), row["reward_kind"] or "", row["reward_ccy"] or ""), [0, 0])
            total[0] += 1
            total[1] += row["reward_units"]
            if count % TELL_EVERY == 0:
                progress("Writing", count, None)
    progress("Writing", count, count)
    return hashed.hexdigest(), count


def _shown(value: Any) -> str:
    """A cell: numbers and days as they are, no text that a spreadsheet would run."""
    if isinstance(value, str):
        return cell(str(value).replace("\r", " ").replace("\n", " "))
    return "" if value is None else str(value)
