"""Takes a bank's file into the books, all of it or nothing, and publishes its card transactions to the bank's topic.

Taking is one transaction. Publishing comes after it and can be done again: a line always becomes the same event, which is booked once. So a file whose
import died in between is finished by importing it again; one that was finished is refused as repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from schemas.card_files import COLUMNS, KIND_OF, CardRow, event_of
from services.bank.reading import CardFile, read_lines
from services.bank.refusals import BadLine, FileCode, RefusedFile
from services.events.files import Line
from services.events.sending import Sender
from services.journal.programmes import load
from services.runtime.progress import Progress, silent

BATCH: Final = 10_000
KEPT: Final = tuple(name for name in COLUMNS if name != "line_no")
FIND = "select no, file_id, sha256, state, lines, bad from bank_file where bank = %s and (file_id = %s or (day = %s and sequence = %s))"
LAST = "select file_id, state from bank_file where bank = %s order by no desc limit 1"
REGISTER = """
insert into bank_file (bank, file_id, day, sequence, sha256, previous, lines, bad, manifest, received_at, state)
values (%s, %s, %s, %s, %s, %s, 0, 0, %s, %s, 'taken') returning no
"""
COUNTED = "update bank_file set lines = %s, bad = %s where no = %s"
PUBLISHED = "update bank_file set state = 'published' where no = %s"
LINES = f"copy bank_line (file, line, bank, day, {', '.join(KEPT)}) from stdin"
BAD_LINES = "insert into bank_bad_line (file, line, field, code, reason) values (%s, %s, %s, %s, %s)"
TRANSACTIONS = "select * from bank_line where file = %s and event_type = any(%s) order by line"
BAD = "select line, field, code, reason from bank_bad_line where file = %s order by line"


@dataclass(frozen=True, slots=True)
class Taken:
    """A file in the books: how many lines are good and bad; `resumed` where an earlier import had died before it had published all."""

    no: int
    good: int
    bad: int
    resumed: bool = False


def take(connection: psycopg.Connection, file: CardFile, now: datetime, progress: Progress = silent) -> Taken:
    """Reads a file into the books, in one transaction. Raises `RefusedFile`, and then nothing of it is there. `now` is when it came."""
    manifest = file.manifest
    here = load(connection)
    if manifest.programme != here.programme.id:
        raise RefusedFile(FileCode.WRONG_PROGRAMME, f"the file is for another programme than {here.programme.id}", field="programme")
    if manifest.bank not in {party.id for party in here.parties if party.kind == "bank"}:
        raise RefusedFile(FileCode.UNKNOWN_BANK, "the programme has no such bank", field="bank")
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('clh bank files'), hashtext(current_schema() || %s))", (manifest.bank,))
        found = _expected(connection, file)
        if found is not None:
            return found
        row = connection.execute(
            REGISTER,
            (manifest.bank, manifest.file_id, manifest.day, manifest.sequence, manifest.sha256, manifest.previous_file, manifest.model_dump_json(), now),
        ).fetchone()
        assert row is not None
        no = int(row[0])
        bad: list[BadLine] = []
        good = 0
        with connection.cursor().copy(LINES) as copy:
            for one in _good(read_lines(file, progress), bad):
                good += 1
                copy.write_row((no, one.line_no + 1, manifest.bank, manifest.day, *(getattr(one, name) for name in KEPT)))
        connection.cursor().executemany(BAD_LINES, [(no, one.line, one.field, one.code, one.reason) for one in bad])
        connection.execute(COUNTED, (good, len(bad), no))
    return Taken(no, good, len(bad))


def bad_lines(connection: psycopg.Connection, file: int) -> list[dict[str, Any]]:
    """The lines of a file that were put aside, in their order."""
    return connection.cursor(row_factory=dict_row).execute(BAD, (file,)).fetchall()


def publish(connection: psycopg.Connection, taken: Taken, bank: str, sender: Sender, progress: Progress = silent) -> int:
    """Publishes the card transactions of a file in the order of its lines, and notes that it did. Returns how many. Raises KafkaException."""
    count = 0
    with connection.transaction(), connection.cursor(name="bank_lines", row_factory=dict_row) as rows:
        rows.itersize = BATCH
        rows.execute(TRANSACTIONS, (taken.no, [str(kind) for kind in KIND_OF]))
        lines = _once(rows, f"/banks/{bank}")
        while batch := list(islice(lines, BATCH)):
            sender.send(batch)
            count += len(batch)
            progress("Publishing", count, taken.good)
    connection.execute(PUBLISHED, (taken.no,))
    progress("Publishing", count, count)
    return count


def _good(lines: Iterable[CardRow | BadLine], bad: list[BadLine]) -> Iterator[CardRow]:
    for line in lines:
        if isinstance(line, BadLine):
            bad.append(line)
        else:
            yield line


def _once(rows: Iterable[dict[str, Any]], source: str) -> Iterator[Line]:
    """One event for each transaction: lines next to each other that tell several rewards of one become one."""
    before: bytes | None = None
    for row in rows:
        row["posting_date"] = row["posting_date"].isoformat()
        value = json.dumps(event_of(row, source), separators=(",", ":")).encode()
        if value != before:
            yield Line(row["line"], value)
        before = value


def _expected(connection: psycopg.Connection, file: CardFile) -> Taken | None:
    """Whether the file is the next one of its bank: None. One whose import died is given back. Raises `RefusedFile`."""
    manifest = file.manifest
    for no, file_id, sha256, state, lines, bad in connection.execute(FIND, (manifest.bank, manifest.file_id, manifest.day, manifest.sequence)).fetchall():
        if file_id == manifest.file_id and sha256 == manifest.sha256 and state == "taken":
            return Taken(no, lines, bad, resumed=True)
        same = "its id" if file_id == manifest.file_id else "its day and sequence"
        raise RefusedFile(FileCode.REPEATED_FILE, f"a file with {same} was taken before", field="file_id")
    last = connection.execute(LAST, (manifest.bank,)).fetchone()
    expected = None if last is None else str(last[0])
    if manifest.previous_file != expected:
        raise RefusedFile(FileCode.WRONG_PREVIOUS, f"the file before it is {expected or 'none'}, not the one that the manifest names", field="previous_file")
    if last is not None and last[1] != "published":
        raise RefusedFile(FileCode.WRONG_PREVIOUS, f"the import of {expected} has to be finished first: import it again", field="previous_file")
    return None
