"""Reads a bank's CSV file beside its manifest: refused whole where it cannot be trusted, a bad line put aside alone.

The file is read as a stream: memory does not grow with it. Nothing of it is kept before the last check has held.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from pydantic import ValidationError

from schemas.card_files import CARD_NUMBER_COLUMNS, COLUMNS, REQUIRED, CardRow, EventType, Manifest, RewardKind, TotalKey
from schemas.card_numbers import holds_card_number
from services.bank.refusals import BadLine, FileCode, LineCode, RefusedFile
from services.bounded import TooLarge, read_bounded
from services.report.csv_files import runs_as_formula, unmarked
from services.runtime.progress import Progress, silent

BYTES_MAX: Final = 2**30
MANIFEST_BYTES_MAX: Final = 2**20
LINE_BYTES_MAX: Final = 8192
CELL_MAX: Final = 256
BAD_LINES_MAX: Final = 10_000
TELL_EVERY: Final = 10_000

_CARD_CELLS: Final = tuple(COLUMNS.index(name) for name in CARD_NUMBER_COLUMNS)
_EVENT_TYPES: Final = frozenset(EventType)
_KINDS: Final = frozenset(("", *RewardKind))
_UNITS, _EVENT_TYPE, _KIND, _CCY = (COLUMNS.index(name) for name in ("reward_units", "event_type", "reward_kind", "reward_ccy"))


@dataclass(frozen=True, slots=True)
class CardFile:
    """A file whose name, manifest, size and hash hold; its lines are not read yet."""

    path: Path
    manifest: Manifest


def manifest_path(path: Path) -> Path:
    """Where the manifest of a CSV file lies."""
    return path.with_suffix(".manifest.json")


def open_file(path: Path, *, bytes_max: int = BYTES_MAX) -> CardFile:
    """Checks everything that can be known before the lines are read. Raises `RefusedFile`."""
    manifest = _manifest(manifest_path(path))
    if path.name != manifest.file_name:
        raise RefusedFile(FileCode.WRONG_NAME, f"by its manifest the file is called {manifest.file_name}")
    try:
        if path.stat().st_size > bytes_max:
            raise RefusedFile(FileCode.OVERSIZED, f"the file is larger than {bytes_max:,} bytes")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RefusedFile(FileCode.UNREADABLE, f"the file cannot be read: {error.strerror}") from None
    _same_hash(digest, manifest)
    return CardFile(path, manifest)


def read_lines(file: CardFile, progress: Progress = silent) -> Iterator[CardRow | BadLine]:
    """Every line behind the header, good or bad, in order; at the end the totals are compared. Raises `RefusedFile`, also after lines were handed out."""
    totals: dict[TotalKey, list[int]] = {}
    hashed = hashlib.sha256()
    count = bad = 0
    with file.path.open("rb") as stream:
        lines = _rows(stream, hashed)
        no, header = next(lines, (1, []))
        if tuple(header) != COLUMNS:
            raise RefusedFile(FileCode.UNKNOWN_COLUMNS, "the first line does not name the columns of a reward detail, all of them, in their order", no)
        for no, cells in lines:
            count += 1
            _trusted(no, cells)
            _add(totals, no, cells)
            line = _line(no, count, cells)
            bad += isinstance(line, BadLine)
            if bad > BAD_LINES_MAX:
                raise RefusedFile(FileCode.TOO_MANY_BAD_LINES, f"more than {BAD_LINES_MAX:,} lines are bad", no)
            if count % TELL_EVERY == 0:
                progress("Checking", count, file.manifest.record_count)
            yield line
    _same_hash(hashed.hexdigest(), file.manifest)
    _same_totals(file.manifest, count, totals)
    progress("Checking", count, count)


def _manifest(path: Path) -> Manifest:
    try:
        data = read_bounded(path, MANIFEST_BYTES_MAX)
    except OSError as error:
        raise RefusedFile(FileCode.NO_MANIFEST, f"{path.name} cannot be read: {error.strerror}") from None
    except TooLarge as large:
        raise RefusedFile(FileCode.OVERSIZED, f"the manifest is larger than {large.bytes_max:,} bytes") from None
    try:
        text = data.decode("utf-8")
        json.loads(text, object_pairs_hook=_once)
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RefusedFile(FileCode.BAD_MANIFEST, f"manifest: {first['msg']}", field=".".join(map(str, first["loc"])) or None) from None
    except (UnicodeDecodeError, RecursionError, ValueError):
        raise RefusedFile(FileCode.BAD_MANIFEST, "the manifest is not one JSON object in UTF-8, each name in it once") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _rows(stream: IO[bytes], hashed: Any) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line: RFC 4180 with CRLF, UTF-8; no cell goes over a line's end, since none of the columns could hold one."""
    no = 0
    while line := stream.readline(LINE_BYTES_MAX + 1):
        no += 1
        hashed.update(line)
        if len(line) > LINE_BYTES_MAX:
            raise RefusedFile(FileCode.HUGE_FIELD, f"the line is longer than {LINE_BYTES_MAX:,} bytes", no)
        if b"\0" in line:
            raise RefusedFile(FileCode.NUL_BYTE, "a NUL byte stands in the line", no)
        if no == 1 and line.startswith(b"\xef\xbb\xbf"):
            raise RefusedFile(FileCode.WRONG_ENCODING, "a byte order mark stands before the header", no)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise RefusedFile(FileCode.LINE_END, "every line, the last one too, ends with CR LF, and neither stands inside a line", no)
        yield no, _cells(no, line)


def _cells(no: int, line: bytes) -> list[str]:
    try:
        (cells,) = csv.reader([line[:-2].decode("utf-8")], strict=True)
    except UnicodeDecodeError:
        raise RefusedFile(FileCode.WRONG_ENCODING, "the line is not UTF-8", no) from None
    except (csv.Error, ValueError):
        raise RefusedFile(FileCode.NOT_CSV, "the line is not one row of CSV: a quote stands where none may, or is not closed", no) from None
    return cells


def _trusted(no: int, cells: list[str]) -> None:
    """What makes a file one that nothing is taken of: lines of another shape, cells that are no cells, formulas, card numbers."""
    if len(cells) != len(COLUMNS):
        raise RefusedFile(FileCode.WRONG_WIDTH, f"the line has {len(cells)} cells, not {len(COLUMNS)}", no)
    for name, cell in zip(COLUMNS, cells, strict=True):
        if len(cell) > CELL_MAX:
            raise RefusedFile(FileCode.HUGE_FIELD, f"the cell is longer than {CELL_MAX} characters", no, name)
        if runs_as_formula(cell):
            raise RefusedFile(FileCode.FORMULA, "a spreadsheet would run the cell as a formula", no, name)
    for place in _CARD_CELLS:
        if holds_card_number(cells[place]):
            raise RefusedFile(FileCode.CARD_NUMBER, "the cell holds what passes for a payment card number", no, COLUMNS[place])


def _add(totals: dict[TotalKey, list[int]], no: int, cells: list[str]) -> None:
    """Adds a line to the control totals, good or bad: they are of the file as it was sent."""
    event_type, kind, ccy, units = cells[_EVENT_TYPE], cells[_KIND], cells[_CCY], cells[_UNITS]
    readable = event_type in _EVENT_TYPES and kind in _KINDS
    try:
        counted = int(units) if units.isascii() and len(units) <= 17 else None
    except ValueError:
        counted = None
    if not readable or counted is None:
        raise RefusedFile(FileCode.WRONG_TOTAL, "event type, kind or units of the reward cannot be read, so the totals cannot be compared", no)
    total = totals.setdefault((event_type, kind, ccy), [0, 0])
    total[0] += 1
    total[1] += counted


def _line(no: int, place: int, cells: list[str]) -> CardRow | BadLine:
    named = {name: unmarked(cell) for name, cell in zip(COLUMNS, cells, strict=True) if cell}
    for name in REQUIRED:
        if name not in named:
            return BadLine(no, name, LineCode.MISSING_FIELD, "the cell is empty, and must not be")
    try:
        row = CardRow.model_validate({name: named.get(name) for name in COLUMNS})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = str(first["loc"][0]) if first["loc"] else COLUMNS[0]
        return BadLine(no, field, LineCode.WRONG_VALUE, first["msg"].removeprefix("Value error, "))
    if row.line_no != place:
        return BadLine(no, "line_no", LineCode.LINE_NUMBER, f"it is line {place} behind the header")
    return row


def _same_hash(digest: str, manifest: Manifest) -> None:
    if digest != manifest.sha256:
        raise RefusedFile(FileCode.WRONG_HASH, f"the file's SHA-256 is {digest}, not that of the manifest")


def _same_totals(manifest: Manifest, count: int, totals: dict[TotalKey, list[int]]) -> None:
    if count != manifest.record_count:
        raise RefusedFile(FileCode.WRONG_COUNT, f"there are {count:,} lines, {manifest.record_count:,} by the manifest")
    told = {total.key: [total.count, total.units] for total in manifest.totals if total.count or total.units}
    for key in sorted(told.keys() | totals.keys()):
        here, there = totals.get(key, [0, 0]), told.get(key, [0, 0])
        if here != there:
            shown = f"{here[0]:,} lines with {here[1]:,} units, {there[0]:,} with {there[1]:,} by the manifest"
            raise RefusedFile(FileCode.WRONG_TOTAL, f"of one event type, reward and currency there are {shown}")
