"""`clh bank cash-back`: what each funder's rules cost it is what the settlement report makes it owe, to the cent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.bank.detail import NotClosed
from services.bank.funders import cash_back_statement
from services.bank.writing import TotalsDiffer
from services.cli.main import app
from services.journal.migrate import connect
from services.runtime.local import Addresses
from tests.played import Played, played

WORKED = Path(__file__).parents[1] / "acceptance" / "worked" / "cash-back-three-funders-chargeback-reversed.yaml"
FOURTH = date(2026, 3, 4)


@pytest.fixture(scope="module")
def played_once(addresses: Addresses) -> Iterator[Played]:
    with played(WORKED, addresses) as one:
        yield one


def run(one: Played, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setenv("CLH_POSTGRES_URI", one.addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", one.addresses.kafka_bootstrap)
    return CliRunner().invoke(app, ["bank", "cash-back", *words, "--programme", one.name])


def test_each_funder_sees_by_rule_what_it_gave_and_got_back(played_once: Played) -> None:
    """By hand in the scenario: on 4 March 0.28 + 0.62, 0.16 + 0.38, 0.11 + 0.25 given, and 0.75, 0.45, 0.30 back."""
    with closing(connect(played_once.addresses.postgres_uri, played_once.schema, autocommit=True)) as books:
        lines, totals = cash_back_statement(books, FOURTH)
        assert [(line.funder, line.payer, line.rule, line.currency, line.transactions, line.earned_minor, line.reversed_minor) for line in lines] == [
            ("bank1", "bank1", "back", "EUR", 3, 90, 75),
            ("grocer", "bank1", "back", "EUR", 3, 54, 45),
            ("network", "bank1", "back", "EUR", 3, 36, 30),
        ]
        assert [(total.funder, total.own, total.net_minor) for total in totals] == [("bank1", True, 15), ("grocer", False, 9), ("network", False, 6)]
        assert [line.funder for line in cash_back_statement(books, FOURTH, "network")[0]] == ["network"]
        for day, earned, taken in ((date(2026, 3, 2), 67, 0), (date(2026, 3, 3), 90, 54)):
            (total,) = cash_back_statement(books, day, "grocer")[1]
            assert (total.earned_minor, total.reversed_minor) == (earned, taken)
        with pytest.raises(NotClosed):
            cash_back_statement(books, date(2026, 3, 9))


def test_a_report_that_says_otherwise_is_found(played_once: Played) -> None:
    with closing(played_once.owner(autocommit=False)) as books:
        books.execute("update obligation set amount = amount + 1 where day = %s and kind = 'cash_back' and debtor = 'grocer'", (FOURTH,))
        with pytest.raises(TotalsDiffer):
            cash_back_statement(books, FOURTH)
        books.rollback()


def test_the_command_shows_a_table_and_json_and_refuses_what_is_not_netted(played_once: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run(played_once, monkeypatch, "2026-03-04")
    assert shown.exit_code == 0, shown.output
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert any([cell for cell in row if cell not in "│┃"] == ["grocer", "bank1", "back", "EUR", "3", "0.54", "0.45", "0.09"] for row in rows), shown.stdout
    told = json.loads(run(played_once, monkeypatch, "2026-03-04", "--funder", "grocer", "--output", "json").stdout)
    assert told["totals"] == [{"funder": "grocer", "payer": "bank1", "currency": "EUR", "earned_minor": 54, "reversed_minor": 45, "net_minor": 9, "own": False}]
    assert [(line["rule"], line["net_minor"]) for line in told["lines"]] == [("back", 9)]
    refused = run(played_once, monkeypatch, "2026-03-09")
    assert (refused.exit_code, "is not closed" in refused.stderr) == (1, True)
