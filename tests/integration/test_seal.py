"""Seals on the books of a scenario: what is exported is proved by two verifiers that have nothing but the file and a public key."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.journal.migrate import READER_ROLE, connect
from services.night.run import _clear_all
from services.runtime.local import Addresses
from services.seal import sealing
from services.seal.export import export
from services.seal.keys import FileSigner, generate
from services.seal.leaves import Leaf
from services.seal.sealing import seal_due
from tests.played import Played, played
from tests.seals import VERIFIER, auditor, both

ROOT = Path(__file__).parents[2]
DAYS = [date(2026, 3, 2), date(2026, 3, 3), date(2026, 4, 30)]
PARTIES = ("bank1", "bank2", "dairyco", "fuelco", "grocer", "opco")


@pytest.fixture(scope="module")
def books(addresses: Addresses) -> Iterator[Played]:
    with played(Path(__file__).with_name("three_nights.yaml"), addresses) as one:
        yield one


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    generate(folder / "seal-key.pem", folder / "house-keys.txt", "first")
    return folder


@pytest.fixture(scope="module")
def signer(keys: Path) -> FileSigner:
    return FileSigner(keys / "seal-key.pem")


@pytest.fixture
def sealed(books: Played, signer: FileSigner) -> Iterator[psycopg.Connection]:
    """The books with all windows sealed."""
    with connect(books.addresses.postgres_uri, books.schema, autocommit=True) as connection:
        seal_due(connection, signer)
        yield connection


def test_a_seal_that_died_half_way_leaves_nothing_and_is_made_by_the_next_run(books: Played, signer: FileSigner, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = sealing._keep
    kept: list[str] = []

    def dies(connection: psycopg.Connection, number: int, place: int, leaves: list[Leaf]) -> None:
        keep(connection, number, place, leaves)
        kept.append(leaves[0].party)
        if len(kept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(sealing, "_keep", dies)
    counts = "select (select count(*) from seal), (select count(*) from seal_party), (select count(*) from seal_leaf)"
    with connect(books.addresses.postgres_uri, books.schema, autocommit=True) as connection:
        with pytest.raises(KeyboardInterrupt):
            seal_due(connection, signer)
        assert connection.execute(counts).fetchone() == (0, 0, 0)
        monkeypatch.undo()
        told: list[tuple[str, int, int | None]] = []
        assert seal_due(connection, signer, progress=lambda *step: told.append(step)) == DAYS
        assert [step for step in told if step[0] == sealing.WINDOWS] == [(sealing.WINDOWS, done, 3) for done in range(4)]
        assert seal_due(connection, signer) == []
        assert connection.execute("select array_agg(day order by no), array_agg(no order by no) from seal").fetchone() == (DAYS, [1, 2, 3])


def test_every_export_of_every_window_is_verified_by_both_from_the_file_alone(
    sealed: psycopg.Connection, keys: Path, signer: FileSigner, tmp_path: Path
) -> None:
    module, heads = auditor(), []
    for day in DAYS:
        for party in PARTIES:
            target = tmp_path / f"{party}-{day}.tar"
            heads.append(export(sealed, day, party, signer, target))
            verdict, problems = both(target, keys / "house-keys.txt", module, heads[0])
            assert (verdict.problems, problems) == ([], []), f"{party} {day}"
            assert (verdict.party, verdict.window, verdict.heads) == (party, day.isoformat(), DAYS.index(day) + 1)
    assert len(set(heads)) == len(DAYS)


def test_the_exported_statement_is_the_reports_and_its_net_position(books: Played, sealed: psycopg.Connection, signer: FileSigner, tmp_path: Path) -> None:
    for day in DAYS:
        row = sealed.execute("select report from run where day = %s", (day,)).fetchone()
        assert row is not None
        report = json.loads(row[0])
        for party in PARTIES:
            members = _members(sealed, day, party, signer, tmp_path)
            stated = json.loads(members["statement.json"])
            own = [line for line in report["obligations"] if party in (line["debtor"], line["creditor"])]
            assert [(line["kind"], line["amount_minor"]) for line in stated["lines"]] == [(line["kind"], line["amount_minor"]) for line in own]
            net = {p["currency"]: p["net_minor"] for p in report["positions"] if p["party"] == party}
            assert stated["net_minor"] == net


def _members(connection: psycopg.Connection, day: date, party: str, signer: FileSigner, folder: Path) -> dict[str, str]:
    export(connection, day, party, signer, folder / "one.tar")
    with tarfile.open(folder / "one.tar") as archive:
        return {info.name: file.read().decode() for info in archive if (file := archive.extractfile(info)) is not None}


def test_every_entry_of_the_window_is_sealed_with_what_became_of_it(books: Played, sealed: psycopg.Connection) -> None:
    for day in DAYS:
        (received,) = sealed.execute("select count(*) from entry where day = %(day)s or booked = %(day)s", {"day": day}).fetchone() or (0,)
        (in_seal,) = sealed.execute(
            "select count(distinct l.key) from seal_leaf l join seal s on s.no = l.seal where s.day = %s and l.kind = 'entry'", (day,)
        ).fetchone() or (0,)
        assert in_seal == received
    refused = sealed.execute("select body::json ->> 'code' from seal_leaf where body::json ->> 'outcome' = 'rejected' and kind = 'entry'").fetchall()
    assert ("insufficient-points",) in refused


def test_what_was_sealed_cannot_be_changed_and_the_application_cannot_even_erase_a_person(books: Played, sealed: psycopg.Connection) -> None:
    with books.owner() as owner:
        for change in (
            "update seal set head = head", "delete from seal", "truncate seal", "update seal_party set hash = hash", "delete from seal_leaf",
            "update seal_leaf set body = body || ' '", "update seal_leaf set salt = '\\x00'", "update seal_leaf set personal = '{}'", "truncate seal_leaf",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(change)
        for own in ("update seal_leaf set salt = null, personal = null, member = null", "update entry set raw = null"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):  # only the owner erases a person
                sealed.execute(own)


def test_an_entry_that_is_changed_in_the_books_after_sealing_is_not_what_the_root_says(
    books: Played, sealed: psycopg.Connection, keys: Path, signer: FileSigner, tmp_path: Path
) -> None:
    with books.owner() as owner:
        owner.execute("set session_replication_role = replica")
        change = "update seal_leaf set body = replace(body, '\"EUR\",25]', '\"EUR\",26]') where body like '%%\"EUR\",25]%%' and seal = 1"
        assert owner.execute(change).rowcount > 0
        try:
            export(sealed, DAYS[0], "bank2", signer, tmp_path / "bank2.tar")
        finally:
            owner.execute("update seal_leaf set body = replace(body, '\"EUR\",26]', '\"EUR\",25]') where seal = 1")
    verdict, problems = both(tmp_path / "bank2.tar", keys / "house-keys.txt", auditor())
    assert any("not those that were sealed" in problem.what for problem in verdict.problems)
    assert any("all those that were sealed" in problem for problem in problems)


def test_a_reader_can_export_nothing_into_the_books(books: Played) -> None:
    with connect(books.addresses.postgres_uri, books.schema, role=READER_ROLE, autocommit=True) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("update seal_leaf set salt = null")


COMMAND = re.compile(r"^ *(clh (?:seal|verify) .*|python3 .*)$", re.MULTILINE)


def test_the_commands_of_the_how_to_work_as_they_are_written(addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deploy").mkdir()
    shutil.copy(VERIFIER, tmp_path / "deploy")
    page = (ROOT / "docs" / "how-to" / "verify-an-export.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    commands = [shlex.split(command) for block in blocks for command in COMMAND.findall(block)]
    assert [words[:2] for words in commands].count(["clh", "seal"]) == 4
    with played(ROOT / "tests" / "acceptance" / "golden" / "independent-basics.yaml", addresses) as books:
        for words in commands:
            called = [books.name if word == "harvest" else word for word in words]
            if called[0] == "python3":
                said = subprocess.run([sys.executable, "-I", *called[1:]], capture_output=True, text=True, check=False, timeout=60)
                assert (said.returncode, said.stdout) == (0, "grocer.clh.tar: everything holds\n")
            else:
                done = CliRunner().invoke(app, called[1:])
                assert done.exit_code == 0, done.output


def test_a_night_seals_what_it_cleared_where_the_house_has_a_key(addresses: Addresses, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_SEAL_KEY", str(keys / "seal-key.pem"))
    with (
        played(ROOT / "tests" / "acceptance" / "golden" / "independent-basics.yaml", addresses) as books,
        connect(addresses.postgres_uri, books.schema, autocommit=True) as connection,
    ):
        assert connection.execute("select count(*) from seal").fetchone() == (0,)
        night: Any = SimpleNamespace(connection=connection, plan=SimpleNamespace(zone=UTC))  # nothing is due: only what an earlier night did not come to seal
        assert _clear_all(night, datetime.now(UTC), lambda _: None, half_done_only=True) == []
        assert connection.execute("select count(*) = (select count(*) from run) from seal").fetchone() == (True,)
