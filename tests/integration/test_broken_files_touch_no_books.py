"""Every broken file, thrown at real books: each is refused, and no row of any table is another afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import psycopg
import pytest
from psycopg import sql

from services.bank.errors import BankError
from services.bank.importing import take
from services.bank.reading import manifest_path, open_file
from services.bank.refusals import FileCode, RefusedFile
from services.runtime.local import Addresses
from services.settlement.taking import take_message
from tests.bank_files import csv_bytes, write
from tests.broken_files import BYTES, FORMULAS, GOOD, MANIFESTS, cell
from tests.broken_messages import GOOD as GOOD_MESSAGES
from tests.broken_messages import all_broken
from tests.coalition import coalition

NOW = datetime(2026, 3, 3, tzinfo=UTC)
BANK = ("parties:\n", "parties:\n  - {id: bank9, kind: bank, name: Ninth Bank}\n")
CONTRACT = ("contracts:\n", "contracts:\n  - {party: bank9, from: 2020-01-01, roles: []}\n")
TABLES = "select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition order by 1"
CONTENT = sql.SQL("select count(*), coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '') from {} t")
Fingerprint = dict[str, tuple[int, str]]


def fingerprint(books: psycopg.Connection) -> Fingerprint:
    """Number of rows and a hash of the content, for each table."""
    found: Fingerprint = {}
    for (table,) in books.execute(TABLES).fetchall():
        row = books.execute(CONTENT.format(sql.Identifier(table))).fetchone()
        assert row is not None
        found[table] = row
    return found


def card_files(folder: Path, programme: str) -> list[tuple[str, Path]]:
    """Each broken card file in a folder of its own, with the code of its refusal."""
    made: list[tuple[str, Path]] = []

    def add(code: FileCode, **more: object) -> Path:
        place = folder / str(len(made))
        place.mkdir()
        path = write(place, GOOD, **({"bank": "bank9", "programme": programme} | more))  # type: ignore[arg-type]
        made.append((code, path))
        return path

    for data, code in BYTES.values():
        add(code, data=data)
    for formula in FORMULAS:
        add(FileCode.FORMULA, data=cell(2, acceptor_id=formula))
    for changes, code in MANIFESTS.values():
        add(code, name=f"CRD_bank9_{programme}_2026-03-02_1.csv", **changes)
    for text in ("", "{}", "[]", "{", '{"a": 1, "a": 1}', "[" * 100_000):
        manifest_path(add(FileCode.BAD_MANIFEST)).write_text(text, encoding="utf-8")
    random = Random(7)
    for _ in range(10):
        content = bytearray(csv_bytes(GOOD))
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        add(FileCode.WRONG_HASH).write_bytes(content)
    add(FileCode.WRONG_PREVIOUS, previous_file="f0")
    add(FileCode.WRONG_PROGRAMME, programme="another")
    add(FileCode.UNKNOWN_BANK, bank="grocer")
    manifest_path(add(FileCode.NO_MANIFEST)).unlink()
    return made


def test_no_broken_file_changes_a_row_of_any_table(addresses: Addresses, tmp_path: Path) -> None:
    with coalition(addresses, BANK, CONTRACT) as one, one.books() as books, one.books(owner=True) as owner:
        before = fingerprint(owner)
        assert {"entry", "transfer", "bank_file", "bank_line", "outbox"} <= set(before)
        files = card_files(tmp_path, one.id)
        assert len(files) > 85
        for code, path in files:
            with pytest.raises(RefusedFile) as refused:
                take(books, open_file(path), NOW)
            assert refused.value.code == code, path
        assert fingerprint(owner) == before

        messages = all_broken()
        assert len(messages) > 300
        for what, (content, wrong) in messages.items():
            with pytest.raises(BankError) as unread:
                take_message(books, content, f"{what}.xml", NOW, first=True)
            assert unread.value.code is wrong, what
        assert fingerprint(owner) == before
        good = write(tmp_path, GOOD, bank="bank9", programme=one.id)
        assert take(books, open_file(good), NOW).good == 3
        take_message(books, GOOD_MESSAGES["notification"], "good.xml", NOW)
        changed = {table for table, content_ in fingerprint(owner).items() if content_ != before[table]}
        assert changed == {"bank_file", "bank_line", "bank_message", "bank_report", "bank_entry"}  # so the comparison sees what a file brings
