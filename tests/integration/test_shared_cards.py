"""Limits of the whole programme on card transactions, on PostgreSQL: the books verify, and the bank is told what a limit cut."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clearing.plan import Plan
from schemas.ids import PartyId
from services.bank.detail import Detail
from services.bank.writing import write_detail
from services.cli.main import app
from services.journal.migrate import connect
from services.journal.programmes import load
from services.runtime.local import Addresses
from tests.played import Played, played

WORKED = Path(__file__).parents[1] / "acceptance" / "worked" / "card-limits-of-the-whole-programme.yaml"


@pytest.fixture(scope="module")
def card(addresses: Addresses) -> Iterator[Played]:
    with played(WORKED, addresses) as one:
        yield one


def test_the_books_are_what_their_events_make_of_them(card: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", card.addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", card.addresses.kafka_bootstrap)
    done = CliRunner().invoke(app, ["ledger", "verify", "--programme", card.name])
    assert done.exit_code == 0, done.output
    with closing(card.owner()) as books:
        assert dict(books.execute("select name, used from shared_use").fetchall()) == {"miles:0:2026-03": 60, "back:0:": 90}
        assert books.execute("select count(*) from deferred").fetchone() == (0,)
        books.execute("update shared_use set used = used + 1 where name = 'miles:0:2026-03'")
        assert CliRunner().invoke(app, ["ledger", "verify", "--programme", card.name]).exit_code == 1
        books.execute("update shared_use set used = used - 1 where name = 'miles:0:2026-03'")


def test_the_bank_is_told_what_a_limit_of_all_cut(card: Played, tmp_path: Path) -> None:
    with closing(connect(card.addresses.postgres_uri, card.schema, autocommit=True)) as books:
        path = write_detail(Detail(books, Plan(load(books)), PartyId("bank1"), date(2026, 3, 2)), tmp_path).path
    with path.open(newline="", encoding="utf-8") as file:
        told = [(row["bank_txn_id"], row["rule_id"], row["reward_units"], row["cap_bucket"], row["cap_cut_units"]) for row in csv.DictReader(file)]
    assert told == [
        ("t1", "miles", "40", "miles:0:2026-03", "0"),
        ("t1", "back", "40", "back:0:", "0"),
        ("t2", "miles", "30", "miles:0:2026-03", "10"),
        ("t2", "back", "40", "back:0:", "0"),
        ("t3", "back", "20", "back:0:", "20"),
        ("t3", "miles", "0", "miles:0:2026-03", "40"),
    ]
