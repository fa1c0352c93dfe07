"""The form of a reward detail file: its lines as CSV with their sums, and its manifest. The house writes one for a bank; the demo's bank answers with one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.card_files import COLUMNS, SCHEMA_VERSION, Manifest, TotalKey
from schemas.programme import Programme
from services.bank.reading import manifest_path
from services.report.csv_files import cell, csv_line
from services.runtime.progress import Progress, silent

TELL_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class Lines:
    """What was written: SHA-256 of the file, lines without the header, and by kind how many lines and their units."""

    sha256: str
    count: int
    totals: dict[TotalKey, tuple[int, int]]


def path_of(folder: Path, bank: str, programme: Programme, day: date) -> Path:
    """Where the only file of a bank and a window lies in a folder."""
    return folder / f"CRD_{bank}_{programme.id}_{day}_1.csv"


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]], progress: Progress = silent) -> Lines:
    """Writes the header and a line for each row, one at a time, and adds up the rows."""
    hashed = hashlib.sha256()
    totals: dict[TotalKey, tuple[int, int]] = {}
    count = 0
    with path.open("wb") as file:

        def write(cells: list[str]) -> None:
            line = csv_line(cells).encode()
            hashed.update(line)
            file.write(line)

        write(list(COLUMNS))
        for count, row in enumerate(rows, 1):
            write([_shown(row[name]) for name in COLUMNS])
            key = (str(row["event_type"]), str(row["reward_kind"] or ""), row["reward_ccy"] or "")
            lines, units = totals.get(key, (0, 0))
            totals[key] = (lines + 1, units + row["reward_units"])
            if count % TELL_EVERY == 0:
                progress("Writing", count, None)
    progress("Writing", count, count)
    return Lines(hashed.hexdigest(), count, totals)


def write_manifest(path: Path, lines: Lines, *, bank: str, programme: Programme, day: date, file_id: str, previous: str | None) -> Manifest:
    """Writes the manifest of a file beside it, and returns what it says. `previous`: id of the bank's file before it."""
    told = {
        "schema_version": SCHEMA_VERSION,
        "file_id": file_id,
        "bank": bank,
        "programme": programme.id,
        "day": day.isoformat(),
        "sequence": 1,
        "time_zone": programme.timezone,
        "cut_off": programme.cutoff,
        "record_count": lines.count,
        "sha256": lines.sha256,
        "previous_file": previous,
        "totals": [
            {"event_type": event, "reward_kind": kind, "reward_ccy": currency, "count": count, "units": units}
            for (event, kind, currency), (count, units) in sorted(lines.totals.items())
        ],
    }
    manifest = Manifest.model_validate(told)
    manifest_path(path).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return manifest


def _shown(value: Any) -> str:
    """A cell: numbers and days as they are, no text that a spreadsheet would run."""
    if isinstance(value, str):
        return cell(str(value).replace("\r", " ").replace("\n", " "))
    return "" if value is None else str(value)
