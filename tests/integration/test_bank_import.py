"""`clh bank import` on real servers: good lines become events that are booked once, what is refused leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.events.sending import Sender
from services.runtime.local import Addresses
from tests.bank_files import Row, csv_bytes, row, write
from tests.coalition import Coalition, coalition

Run = Callable[..., Result]
GIVEN = """
select e.id, t.amount * case t.code when 25 then 1 else -1 end from transfer t join entry e on e.record = t.entry where t.code in (25, 26) order by 1
"""
TABLES = ("bank_file", "bank_line", "bank_bad_line", "recon_expected", "recon_match", "recon_break")
BANK = ("parties:\n", "parties:\n  - {id: bank9, kind: bank, name: Ninth Bank}\n")
CONTRACT = ("contracts:\n", "contracts:\n  - {party: bank9, from: 2020-01-01, roles: []}\n")
BASE = "  - id: bank-card-price\n"
BACK = (BASE, '  - {id: everyday, kind: cash_back, from: 2020-01-01, banks: [bank9], percent: "1.5"}\n' + BASE)


@pytest.fixture
def run(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`clh` on the test servers."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.delenv("CLH_SENDER_KEYS", raising=False)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@contextmanager
def house(addresses: Addresses) -> Iterator[Coalition]:
    """A coalition with a bank and a member whose card is tok1."""
    with coalition(addresses, BANK, CONTRACT, BACK) as one:
        one.enrol(("m-1", "tok1"))
        yield one


def lately(no: int, txn: str, event_type: str = "EARN", **more: Any) -> Row:
    """A line of an hour ago: the house takes no old ones."""
    return row(no, txn, event_type, transacted_at=(datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:00:00Z")) | more


def file(folder: Path, one: Coalition, rows: list[Row], **more: Any) -> Path:
    return write(folder, rows, **({"bank": "bank9", "programme": one.id} | more))


def left_behind(one: Coalition) -> list[int]:
    """Rows of a bank's files in the books, and records in the bank's topic."""
    with one.books() as connection:
        counts = [connection.execute(f"table {table}").fetchall() for table in TABLES]
    return [*map(len, counts), len(one.records("bank.card-transactions.v1"))]


def cash_back(one: Coalition) -> list[tuple[str, int]]:
    with one.books() as connection:
        return connection.execute(GIVEN).fetchall()


def imported(run: Run, one: Coalition, path: Path, code: int = 0) -> Any:
    done = run("bank", "import", path, "--programme", one.id, "--output", "json")
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_good_lines_are_booked_once_a_bad_one_is_put_aside_and_the_same_file_again_changes_nothing(addresses: Addresses, run: Run, tmp_path: Path) -> None:
    refund = lately(3, "r1", "REFUND", original_bank_txn_id="t1", billing_minor=400, reward_units=-6)
    rows = [lately(1, "t1"), lately(2, "t2"), refund, lately(4, "b1", "PAYOUT")]
    with house(addresses) as one:
        path = file(tmp_path, one, rows, data=csv_bytes([rows[0], rows[1] | {"mcc": "5x11"}, *rows[2:]]))
        told = imported(run, one, path, 1)
        assert (told["accepted"], told["published"], told["refused"]) == (3, 2, None)
        assert [(bad["line"], bad["field"], bad["code"]) for bad in told["quarantined"]] == [(3, "mcc", "wrong-value")]
        one.book()
        assert cash_back(one) == [("r1:REFUND", -6), ("t1:EARN", 15)]
        before = left_behind(one)
        assert imported(run, one, path, 1)["refused"]["code"] == "repeated-file"
        one.book()
        assert (left_behind(one), cash_back(one)) == (before, [("r1:REFUND", -6), ("t1:EARN", 15)])


def test_a_refused_file_leaves_nothing_in_the_books_or_the_topic(addresses: Addresses, run: Run, tmp_path: Path) -> None:
    rows = [lately(no, f"t{no}") for no in range(1, 4)]
    wrong: list[tuple[Any, ...]] = [
        ("wrong-total", {"data": csv_bytes([*rows[:2], rows[2] | {"reward_units": 16}])}),
        ("wrong-hash", {"sha256": "0" * 64}),
        ("wrong-count", {"record_count": 4}),
        ("card-number-in-clear", {"data": csv_bytes([*rows[:2], rows[2] | {"card_ref": "4111111111111111"}])}),
        ("formula", {"data": csv_bytes([*rows[:2], rows[2] | {"acceptor_id": "=cmd|' /C calc'!A0"}])}),
        ("line-end", {"data": csv_bytes(rows)[:-2]}),
        ("wrong-previous-file", {"previous_file": "f0"}),
        ("wrong-programme", {"programme": "another"}),
        ("unknown-bank", {"bank": "grocer"}),
        ("unknown-bank", {"bank": "nobody"}),
    ]
    with house(addresses) as one:
        for code, more in wrong:
            told = imported(run, one, file(tmp_path, one, rows, **more), 1)
            assert (told["refused"]["code"], told["accepted"]) == (code, 0)
        assert left_behind(one) == [0] * (len(TABLES) + 1)
        said = run("bank", "import", file(tmp_path, one, rows, record_count=4), "--programme", one.id)
        assert said.exit_code == 1
        assert "there are 3 lines, 4 by the manifest [wrong-count]; the file is refused, nothing of it is taken" in said.stderr


def test_files_of_a_bank_follow_each_other(addresses: Addresses, run: Run, tmp_path: Path) -> None:
    with house(addresses) as one:
        first = file(tmp_path, one, [lately(1, "t1")])
        assert imported(run, one, first)["accepted"] == 1
        for code, more in (
            ("wrong-previous-file", {"file_id": "f2", "sequence": 2}),
            ("wrong-previous-file", {"file_id": "f2", "sequence": 2, "previous_file": "f9"}),
            ("repeated-file", {"file_id": "f1", "sequence": 2, "previous_file": "f1"}),
            ("repeated-file", {"file_id": "f2", "sequence": 1, "previous_file": "f1"}),
        ):
            assert imported(run, one, file(tmp_path, one, [lately(1, "t2")], **more), 1)["refused"]["code"] == code
        assert imported(run, one, file(tmp_path, one, [lately(1, "t2")], file_id="f2", sequence=2, previous_file="f1"))["accepted"] == 1


def test_an_import_that_died_while_it_published_is_finished_by_the_next(
    addresses: Addresses, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house(addresses) as one:
        path = file(tmp_path, one, [lately(no, f"t{no}") for no in range(1, 6)])

        def dies(sender: Any, lines: list[Any], *_: Any) -> None:
            Sender.send(sender, lines[:2])
            raise KafkaException("gone")

        with monkeypatch.context() as patched:
            patched.setattr("services.events.sending.Sender", type("Dying", (Sender,), {"send": dies}))
            assert run("bank", "import", path, "--programme", one.id).exit_code == 3
        told = imported(run, one, path)
        assert (told["resumed"], told["accepted"], told["published"]) == (True, 5, 5)
        one.book()
        assert cash_back(one) == [(f"t{no}:EARN", 15) for no in range(1, 6)]


def test_people_are_told_how_many_lines_were_taken(addresses: Addresses, run: Run, tmp_path: Path) -> None:
    with house(addresses) as one:
        done = run("bank", "import", file(tmp_path, one, [lately(1, "t1"), lately(2, "t1", rule_id="other")]), "--programme", one.id)
        assert done.exit_code == 0, done.output
        assert [line.split()[-2:] for line in done.stdout.splitlines() if "aside" in line or "published" in line]
        assert len(one.records("bank.card-transactions.v1")) == 1
