"""Cash-back that is paid from a least sum on, or by the month: what each member has coming, and what the bank is told to pay, is exact over nights."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clearing.plan import Plan
from schemas.card_files import CardRow
from schemas.ids import PartyId
from services.bank.detail import Detail
from services.bank.reading import open_file, read_lines
from services.bank.writing import write_detail
from services.cli.main import app
from services.journal.migrate import connect
from services.journal.programmes import load
from services.recon.run import run_matching
from services.runtime.local import Addresses
from tests.played import Played, played

WORKED = Path(__file__).parents[1] / "acceptance" / "worked" / "cash-back-scheme-bank-as-issuer.yaml"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "cash-back-to-the-cent.md"
PAYOUTS = """
select p.day::text, mb.id, m.id, pt.id, p.amount, p.card from cash_back_payout p join mechanic m on m.no = p.mechanic join member mb on mb.no = p.member
join party pt on pt.no = p.payer order by p.day, mb.id, m.id
"""
LEDGER = """
select mb.id, m.id, a.earned, a.paid from cash_back_account a join mechanic m on m.no = a.mechanic join member mb on mb.no = a.member order by 1, 2
"""
# The same from the journal and the payouts, added up anew.
AGAIN = """
select mb.id, m.id, sum(case t.code when 25 then t.amount else -t.amount end)::bigint,
  coalesce((select sum(amount) from cash_back_payout p where p.member = t.member and p.mechanic = t.mechanic), 0)::bigint
from transfer t join mechanic m on m.no = t.mechanic join member mb on mb.no = t.member where t.code in (25, 26) group by mb.id, m.id, t.member, t.mechanic
order by 1, 2
"""


@pytest.fixture(scope="module")
def card(addresses: Addresses) -> Iterator[Played]:
    with played(WORKED, addresses) as one:
        yield one


def payouts(books: Any) -> list[tuple[Any, ...]]:
    return list(books.execute(PAYOUTS).fetchall())


def test_a_payout_waits_for_its_least_sum_or_its_month_and_a_refund_lowers_the_next(card: Played) -> None:
    """By hand in the scenario: m1 has 4.00, then 6.50, which is paid; 2.50 come back; then 3.50 more, of which 1.00 is left: not yet 5.00."""
    with closing(card.owner()) as books:
        assert payouts(books) == [
            ("2026-03-03", "m1", "back", "bank1", 650, "tok1"),
            ("2026-03-31", "m1", "fuel", "bank1", 60, "tok1"),
            ("2026-03-31", "m2", "fuel", "bank1", 30, "tok2"),
        ]
        found = books.execute(LEDGER).fetchall()
        assert found == [("m1", "back", 750, 650), ("m1", "fuel", 60, 60), ("m2", "back", 100, 0), ("m2", "fuel", 30, 30)]
        assert found == books.execute(AGAIN).fetchall()


def test_the_bank_is_told_each_payout_on_a_line_of_its_own_and_the_house_reads_its_own_file(card: Played, tmp_path: Path) -> None:
    told = []
    with closing(connect(card.addresses.postgres_uri, card.schema, autocommit=True)) as books:
        plan = Plan(load(books))
        for day in (date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 31)):
            written = write_detail(Detail(books, plan, PartyId("bank1"), day), tmp_path)
            again = write_detail(Detail(books, plan, PartyId("bank1"), day), tmp_path / "again")
            assert written.path.read_bytes() == again.path.read_bytes()
            assert all(isinstance(line, CardRow) for line in read_lines(open_file(written.path)))
            with written.path.open(newline="", encoding="utf-8") as file:
                told += [row for row in csv.DictReader(file) if row["event_type"] == "PAYOUT"]
    assert [(row["card_ref"], row["rule_id"], row["reward_units"], row["reward_ccy"], row["posting_date"]) for row in told] == [
        ("tok1", "back", "650", "EUR", "2026-03-03"),
        ("tok1", "fuel", "60", "EUR", "2026-03-31"),
        ("tok2", "fuel", "30", "EUR", "2026-03-31"),
    ]
    assert len({row["bank_txn_id"] for row in told}) == 3
    assert {row["mcc"] for row in told} == {"0000"}


def test_what_the_bank_is_told_to_pay_is_expected_back_from_it(card: Played) -> None:
    with closing(connect(card.addresses.postgres_uri, card.schema, autocommit=True)) as books:
        last = date(2026, 3, 31)
        run_matching(books, Plan(load(books)), PartyId("bank1"), last, seen=last, now=datetime(2026, 4, 1, tzinfo=UTC))
        found = books.execute("select event_type, reward_units from recon_expected where event_type = 'PAYOUT' order by reward_units").fetchall()
        assert found == [("PAYOUT", 30), ("PAYOUT", 60), ("PAYOUT", 650)]


def test_the_command_lists_payouts_by_payer_and_refuses_windows_that_are_not_closed(card: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", card.addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", card.addresses.kafka_bootstrap)

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["bank", "payouts", *words, "--programme", card.name])

    told = json.loads(run("2026-03-31", "--payer", "bank1", "--output", "json").stdout)["payouts"]
    assert [(one["payer"], one["rule"], one["member"], one["card"], one["amount_minor"]) for one in told] == [
        ("bank1", "fuel", "m1", "tok1", 60),
        ("bank1", "fuel", "m2", "tok2", 30),
    ]
    assert json.loads(run("2026-03-31", "--payer", "mall", "--output", "json").stdout)["payouts"] == []
    assert "0.60" in run("2026-03-31").stdout
    refused = run("2026-03-09")
    assert (refused.exit_code, "is not closed" in refused.stderr) == (1, True)


def test_every_command_of_the_how_to_does_what_the_page_says(card: Played, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", card.addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", card.addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^ *(clh .+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 4
    said = []
    for words in commands:
        result = CliRunner().invoke(app, shlex.split(words.replace("--programme mall-card", f"--programme {card.name}"))[1:])
        assert result.exit_code == 0, (words, result.output)
        said.append(result.output)
    assert "1.25" in said[0] and "network" in said[0]
    assert "1.25" in said[1] and "network" not in said[1]
    assert "6.50" in said[2]
    assert ",PAYOUT," in next((tmp_path / "out").glob("*.csv")).read_text(encoding="utf-8")
