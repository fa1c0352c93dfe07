"""`clh bank rewards`: what a bank is told of each card is what the journal says, with rule, cap and funding, and the house can read it back itself."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clearing.plan import Plan
from schemas.card_files import CardRow
from schemas.ids import PartyId
from services.bank.detail import Detail
from services.bank.reading import manifest_path, open_file, read_lines
from services.bank.writing import TotalsDiffer, Written, write_detail
from services.cli.main import app
from services.journal.migrate import connect
from services.journal.programmes import load
from services.runtime.local import Addresses
from tests.played import Played, played

ROOT = Path(__file__).parents[2]
FIRST, SECOND = date(2026, 3, 2), date(2026, 3, 3)


@pytest.fixture(scope="module")
def card(addresses: Addresses) -> Iterator[Played]:
    with played(ROOT / "examples" / "scenarios" / "co-brand-card.yaml", addresses) as one:
        yield one


@contextmanager
def detail(one: Played, day: date) -> Iterator[Detail]:
    with closing(connect(one.addresses.postgres_uri, one.schema, autocommit=True)) as books:
        yield Detail(books, Plan(load(books)), PartyId("bank1"), day)


def written(one: Played, day: date, folder: Path) -> Written:
    with detail(one, day) as asked:
        return write_detail(asked, folder)


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def told(line: dict[str, str], *names: str) -> tuple[str, ...]:
    return tuple(line[name] for name in ("bank_txn_id", "event_type", "reward_kind", "reward_units", *names))


def test_each_reward_stands_with_its_rule_and_who_funds_it(card: Played, tmp_path: Path) -> None:
    """The figures are those worked by hand in the scenario; its 0.70 and 0.14 are the saving of 4.30 and the bank's fifth of it."""
    found = [told(line, "rule_id", "bank_funded", "merchant_funded", "network_funded", "exclusion_code") for line in lines(written(card, FIRST, tmp_path).path)]
    assert found == [
        ("t1", "EARN", "CASHBACK", "6", "everyday", "3", "3", "0", ""),
        ("t1", "MATCH", "ROUNDUP", "14", "spare-change", "14", "0", "0", ""),
        ("t1", "ROUNDUP", "ROUNDUP", "70", "spare-change", "70", "0", "0", ""),
        ("t2", "EARN", "CASHBACK", "8", "everyday", "4", "4", "0", ""),
        ("t3", "EARN", "CASHBACK", "150", "everyday", "75", "75", "0", ""),
        ("t3", "EARN", "CASHBACK", "1", "network-bonus", "0", "0", "1", ""),
        ("t4", "EARN", "", "0", "", "", "", "", "MCC"),
    ]


def test_a_refund_names_its_clearing_and_takes_back_from_those_who_funded_it(card: Played, tmp_path: Path) -> None:
    found = [
        told(line, "original_bank_txn_id", "rule_version", "bank_funded", "merchant_funded", "network_funded")
        for line in lines(written(card, SECOND, tmp_path).path)
    ]
    assert found == [
        ("r1", "REFUND", "CASHBACK", "-148", "t3", "2026-01-01", "-74", "-74", "0"),
        ("r1", "REFUND", "CASHBACK", "-1", "t3", "2026-01-01", "0", "0", "-1"),
        ("r2", "REFUND", "CASHBACK", "-6", "t1", "2026-01-01", "-3", "-3", "0"),
    ]


def test_what_a_limit_cut_off_is_told_with_the_limit(addresses: Addresses, tmp_path: Path) -> None:
    """By hand in the scenario: of t5's 80 points 29 were left by the month's 100, of t2 in cash nothing was worth anything."""
    with played(ROOT / "tests" / "acceptance" / "worked" / "card-points-caps-exclusions-refunds.yaml", addresses) as one:
        found = [told(line, "rule_id", "cap_bucket", "cap_cut_units", "exclusion_code") for line in lines(written(one, FIRST, tmp_path).path)]
        bucket = "miles:0:2026-03 miles:1:event"
        assert found == [
            ("t1", "EARN", "POINTS", "50", "miles", bucket, "0", ""),
            ("t2", "EARN", "", "0", "", "", "", "MCC"),
            ("t3", "EARN", "", "0", "", "", "", "MCC"),
            ("t4", "EARN", "POINTS", "21", "miles", bucket, "0", ""),
            ("t5", "EARN", "POINTS", "29", "miles", bucket, "51", ""),
        ]
        assert [told(line) for line in lines(written(one, date(2026, 3, 4), tmp_path).path)] == [("k1", "CHARGEBACK", "POINTS", "-21")]
        assert [told(line, "original_bank_txn_id") for line in lines(written(one, date(2026, 3, 5), tmp_path).path)] == [
            ("v1", "CHARGEBACK_REVERSAL", "POINTS", "21", "t4")
        ]


def test_who_had_left_was_cut_by_no_limit_and_leaving_later_changes_nothing_that_was_told(addresses: Addresses, tmp_path: Path) -> None:
    """Of the month's 100 points 20 are left on 6 March (30 of t1, 21 of t4, 20 of t5, 9 of t6): t7 brings 20 of 60, t8 none of 10. Then m1 leaves."""
    card = 'type: card-transaction, bank: bank1, card: tok1, mcc: "5812", amount: "{}", id: {}, time: "2026-03-{}:00:00+01:00"'.format
    left = 'type: member-closed, id: l1, member: m1, time: "2026-03-06T12:00:00+01:00", reason: moved'
    days = {"06": [card("60.00", "t7", "06T10"), card("10.00", "t8", "06T11"), left], "07": [card("10.00", "t9", "07T10")]}
    more = "".join(f"  - day: 2026-03-{day}\n    events:\n" + "".join(f"      - {{{one}}}\n" for one in events) for day, events in days.items())
    worked = (ROOT / "tests" / "acceptance" / "worked" / "card-points-caps-exclusions-refunds.yaml").read_text(encoding="utf-8")
    scenario = tmp_path / "left.yaml"
    scenario.write_text(worked.replace("expect:\n", more + "expect:\n", 1), encoding="utf-8")
    with played(scenario, addresses) as one:
        sixth, seventh = ([told(line, "cap_cut_units", "exclusion_code") for line in lines(written(one, date(2026, 3, day), tmp_path).path)] for day in (6, 7))
    assert sixth == [("t7", "EARN", "POINTS", "20", "40", ""), ("t8", "EARN", "", "0", "10", "CAP")]
    assert seventh == [("t9", "EARN", "", "0", "", "LEFT")]


def test_the_manifest_adds_up_to_the_journal_and_the_house_reads_its_own_file(card: Played, tmp_path: Path) -> None:
    first = written(card, FIRST, tmp_path)
    read = list(read_lines(open_file(first.path)))
    assert [type(line) for line in read] == [CardRow] * 7
    with card.owner() as books:
        journal: dict[int, int] = dict(
            books.execute("select code, sum(amount)::bigint from transfer where day = %s and code in (25, 53, 27) group by code", (FIRST,)).fetchall()
        )
    totals = {total.event_type: total.units for total in first.manifest.totals if total.units}
    assert totals == {"EARN": journal[25], "ROUNDUP": journal[53], "MATCH": journal[27]}
    assert first.manifest.previous_file is None
    assert written(card, SECOND, tmp_path).manifest.previous_file == first.manifest.file_id


def test_the_house_reads_its_own_file_whatever_ids_the_bank_gave(addresses: Addresses, tmp_path: Path) -> None:
    source = ROOT / "examples" / "scenarios" / "co-brand-card.yaml"
    text = source.read_text(encoding="utf-8").replace("../co-brand-card.yaml", str(ROOT / "examples" / "co-brand-card.yaml"))
    for name, instead in (("t3", "-t3"), ("t2", "t" * 64)):
        text = text.replace(f"id: {name},", f'id: "{instead}",')
    path = tmp_path / "ids.yaml"
    path.write_text(text, encoding="utf-8")
    with played(path, addresses) as one:
        for day, names in ((FIRST, {"-t3", "t" * 64}), (SECOND, {"-t3"})):
            read = list(read_lines(open_file(written(one, day, tmp_path).path)))
            rows = [line for line in read if isinstance(line, CardRow)]
            assert len(rows) == len(read)
            assert names <= {name for line in rows for name in (line.bank_txn_id, line.original_bank_txn_id)}


def test_the_same_window_comes_out_as_the_same_bytes(card: Played, tmp_path: Path) -> None:
    once, again = (written(card, FIRST, tmp_path / name).path for name in ("a", "b"))
    assert once.read_bytes() == again.read_bytes()
    assert manifest_path(once).read_bytes() == manifest_path(again).read_bytes()


def test_a_file_that_does_not_add_up_to_the_journal_is_not_written(card: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Detail, "journal_totals", lambda _: {("EARN", "CASHBACK", "EUR"): 164})
    with pytest.raises(TotalsDiffer):
        written(card, FIRST, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_text_is_a_formula(card: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def row(name: str) -> dict[str, Any]:
        return {**plain, "acceptor_id": name, "reward_units": 0, "reward_kind": None, "reward_ccy": None}

    with detail(card, FIRST) as asked:
        plain = next(iter(asked.rows()))
    names = ["=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "-1+2", "\t=1", "plain"]
    rows = [row(name) for name in names]
    monkeypatch.setattr(Detail, "rows", lambda _: iter(rows))
    monkeypatch.setattr(Detail, "journal_totals", lambda _: {})
    found = [line["acceptor_id"] for line in lines(written(card, FIRST, tmp_path).path)]
    assert found == ["'=cmd|' /C calc'!A0", "'+1", "'@SUM(A1)", "'-1+2", "'\t=1", "plain"]


def test_the_command_says_what_it_wrote_and_refuses_windows_that_are_not_closed(card: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", card.addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", card.addresses.kafka_bootstrap)

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["bank", "rewards", *words, "--to", str(tmp_path), "--programme", card.name])

    done = run("bank1", "2026-03-02", "--output", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["manifest"]["record_count"] == 7
    assert "mall-card_2026-03-02_1.csv: 7 lines" in run("bank1", "2026-03-02").stdout
    for bank, day, why in (("bank1", "2026-03-09", "is not closed"), ("mall", "2026-03-02", "no bank mall"), ("bank7", "2026-03-02", "no bank bank7")):
        refused = run(bank, day)
        assert (refused.exit_code, why in refused.stderr) == (1, True)
