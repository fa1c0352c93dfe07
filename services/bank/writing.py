"""Writes the reward detail of a closed window as a file for the bank: CSV with manifest, the same bytes each time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from schemas.card_files import Manifest
from services.bank.detail import Detail
from services.bank.detail_file import path_of, write_lines, write_manifest
from services.runtime.progress import Progress, silent

BEFORE = "select max(day) from settlement_window where day < %s"


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
    path = path_of(folder, detail.bank, programme, day)
    partial = path.with_suffix(".partial")
    try:
        lines = write_lines(partial, detail.rows(), progress)
        units = {key: total for key, (_, total) in lines.totals.items() if total}
        if units != {key: total for key, total in detail.journal_totals().items() if total}:
            raise TotalsDiffer("the lines do not add up to the journal's rows")
        before = detail.connection.execute(BEFORE, (day,)).fetchone()
        previous = None if before is None or before[0] is None else _file_id(detail, before[0])
        manifest = write_manifest(path, lines, bank=detail.bank, programme=programme, day=day, file_id=_file_id(detail, day), previous=previous)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return Written(path, manifest)


def _file_id(detail: Detail, day: date) -> str:
    return f"{day}:{hashlib.sha256(f'{detail.plan.programme.id} {detail.bank}'.encode()).hexdigest()[:16]}"
