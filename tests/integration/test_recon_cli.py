"""`clh recon` and the how-to on reconciling a bank: its commands, in its order, on a window that was played."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.runtime.local import Addresses
from tests.bank_files import Row, row, write
from tests.played import Played, played

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "reconcile-a-bank.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ +(clh .*)$", PAGE, re.MULTILINE)


@pytest.fixture
def card(addresses: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Played]:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.delenv("CLH_SENDER_KEYS", raising=False)
    monkeypatch.chdir(tmp_path)
    with played(ROOT / "examples" / "scenarios" / "co-brand-card.yaml", addresses) as one:
        yield one


def run(one: Played, command: str) -> Result:
    """A command as the how-to writes it, on the namespace that was played."""
    words = shlex.split(command.replace("--programme mall-card", f"--programme {one.name}"))
    return CliRunner().invoke(app, words[1:])


def as_json(one: Played, command: str, code: int = 0) -> Any:
    done = run(one, f"clh {command} --programme mall-card --output json")
    assert (done.exit_code, done.stdout != "") == (code, True), (done.output, done.exception)
    return json.loads(done.stdout)


def line(no: int, txn: str, minor: int, units: int, **more: Any) -> Row:
    """What the bank says of a transaction of the scenario; it names no rule of its own but the cash-back's."""
    return (
        row(no, txn, billing_minor=minor, reward_units=units, rrn=None, arn=None, auth_code=None, acceptor_id=None, bank_funded=units, merchant_funded=0) | more
    )


def banks_view() -> list[Row]:
    """By hand: t2 agrees but for the shares, which the bank leaves out; t3 has two units more, t4 in cash should have none, t9 is not ours; t1 is missing."""
    none: Row = {"bank_funded": None, "merchant_funded": None, "network_funded": None}
    return [line(1, "t2", 500, 8, **none, mcc="5812"), line(2, "t3", 10000, 152, **none, mcc="5651"), line(3, "t9", 700, 5, **none, mcc="5411")]


def test_the_commands_of_the_how_to_run_in_its_order(card: Played, tmp_path: Path) -> None:
    write(tmp_path, banks_view())
    told = [run(card, command) for command in COMMANDS]
    assert [(command.split()[1:3], done.exit_code) for command, done in zip(COMMANDS, told, strict=True)] == [
        (["bank", "import"], 0), (["recon", "run"], 1), (["recon", "report"], 1), (["recon", "breaks"], 0),
        (["recon", "resolve"], 0), (["recon", "resolve"], 0), (["recon", "resolve"], 0), (["bank", "rewards"], 0),
    ], "\n".join(done.output for done in told)  # fmt: skip
    assert "AMOUNT_OVER" in told[2].stdout
    assert "Break 1 is awaiting bank." in told[4].stdout
    assert "Break 1 is written off." in told[6].stdout
    assert (tmp_path / "out" / "CRD_bank1_mall-card_2026-03-02_1.csv").exists()


def test_the_report_explains_how_the_two_sums_differ(card: Played, tmp_path: Path) -> None:
    """Ours: cash-back 6 + 8 + 150 + 1 = 165; the bank's 8 + 152 + 5 = 165: equal by chance, and still four things are wrong."""
    write(tmp_path, banks_view())
    assert run(card, COMMANDS[0]).exit_code == 0
    done = as_json(card, "recon run bank1 2026-03-02", 1)
    assert done["opened"] == {"AMOUNT_OVER": 1, "MISSING_AT_BANK": 4, "MISSING_AT_PROGRAMME": 1}
    report = as_json(card, "recon report bank1 2026-03-02", 1)
    sums = {(one["kind"], one["unit"]): (one["programme_units"], one["bank_units"], one["diff_units"]) for one in report["sums"]}
    assert sums["CASHBACK", "EUR"] == (165, 165, 0)
    causes = {(one["kind"], one["code"]): one["diff_units"] for one in report["causes"]}
    assert causes == {
        ("CASHBACK", "AMOUNT_OVER"): 2, ("CASHBACK", "MISSING_AT_BANK"): -7, ("CASHBACK", "MISSING_AT_PROGRAMME"): 5, ("ROUNDUP", "MISSING_AT_BANK"): -84,
    }  # fmt: skip
    for (kind, unit), (_, _, diff) in sums.items():
        assert sum(one["diff_units"] for one in report["causes"] if (one["kind"], one["unit"]) == (kind, unit)) == diff
    assert (report["matched"], report["file_late"]) == (1, False)
    assert as_json(card, "recon run bank1 2026-03-02")["opened"] == {}


def test_a_day_without_a_file_is_late_and_one_without_a_run_says_so(card: Played) -> None:
    assert run(card, "clh recon report bank1 2026-03-03 --programme mall-card").exit_code == 1
    as_json(card, "recon run bank1 2026-03-03", 1)
    assert as_json(card, "recon report bank1 2026-03-03", 1)["file_late"] is True
    assert "No file of bank1 for 2026-03-03 has come" in run(card, "clh recon report bank1 2026-03-03 --programme mall-card").stdout


def broken(one: Played) -> dict[str, int]:
    """Numbers of the open breaks of t1's cash-back and of t9."""
    found = {(each["bank_txn_id"], each["code"], each["event_type"]): each["no"] for each in as_json(one, "recon breaks bank1")}
    return {"ours": found["t1", "MISSING_AT_BANK", "EARN"], "theirs": found["t9", "MISSING_AT_PROGRAMME", "EARN"], "pair": found["t3", "AMOUNT_OVER", "EARN"]}


def resolve(one: Played, no: int, words: str, by: str) -> Result:
    return run(one, f"clh recon resolve {no} {words} --note because --by {by} --programme mall-card")


def test_a_forced_match_takes_two_people_and_both_breaks(card: Played, tmp_path: Path) -> None:
    write(tmp_path, banks_view())
    assert run(card, COMMANDS[0]).exit_code == 0
    as_json(card, "recon run bank1 2026-03-02", 1)
    no = broken(card)
    for words, why in (
        ("forced-match", "has to be proposed first"),
        ("propose --as forced-match", "names the break of the other side"),
        (f"propose --as forced-match --with {no['pair']}", "joins a row of ours"),
        ("propose --as forced-match --with 99999", "there is no break 99999"),
        ("propose", "what is proposed is one of"),
        ("reopen", "cannot be moved by reopen"),
    ):
        refused = resolve(card, no["ours"], words, "ann")
        assert (refused.exit_code, why in refused.stderr) == (1, True), refused.stderr
    assert resolve(card, no["ours"], f"propose --as forced-match --with {no['theirs']}", "ann").exit_code == 0
    alone = resolve(card, no["ours"], "forced-match", "ann")
    assert (alone.exit_code, "ann proposed it: a second person decides" in alone.stderr) == (1, True)
    assert "resolved" in resolve(card, no["ours"], "forced-match", "ben").stdout
    states = {each["no"]: (each["state"], each["proposed_by"], each["decided_by"]) for each in as_json(card, "recon breaks bank1 --all")}
    assert states[no["ours"]] == states[no["theirs"]] == ("resolved", "ann", "ben")
    assert as_json(card, "recon report bank1 2026-03-02", 1)["passes"]["by hand"] == 1
    assert as_json(card, "recon run bank1 2026-03-02")["opened"] == {}


def test_a_written_off_break_stays_so_can_be_reopened_and_its_turns_are_kept(card: Played, tmp_path: Path) -> None:
    write(tmp_path, banks_view())
    assert run(card, COMMANDS[0]).exit_code == 0
    as_json(card, "recon run bank1 2026-03-02", 1)
    no = broken(card)["theirs"]
    for words, by in (("investigate", "ann"), ("ask-bank", "ann"), ("propose --as write-off", "ann"), ("withdraw", "ben"), ("propose --as write-off", "ben")):
        assert resolve(card, no, words, by).exit_code == 0
    assert resolve(card, no, "write-off", "ann").exit_code == 0
    assert as_json(card, "recon run bank1 2026-03-02")["opened"] == {}
    told = as_json(card, f"recon resolve {no} reopen --note 'the bank has found it' --by ann")
    assert [(turn["who"], turn["to_state"]) for turn in told["turns"]] == [
        ("ann", "investigating"), ("ann", "awaiting bank"), ("ann", "proposed"), ("ben", "investigating"), ("ben", "proposed"),
        ("ann", "written off"), ("ann", "open"),
    ]  # fmt: skip


def test_the_database_itself_holds_proposer_and_decider_apart_and_keeps_every_turn(card: Played, tmp_path: Path) -> None:
    write(tmp_path, banks_view())
    assert run(card, COMMANDS[0]).exit_code == 0
    as_json(card, "recon run bank1 2026-03-02", 1)
    with card.owner() as books:
        for change in (
            "update recon_break set state = 'written off'",
            "update recon_break set state = 'written off', proposal = 'write-off', proposed_by = 'ann', decided_by = 'ann'",
            "update recon_break set proposal = 'write-off'",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                books.execute(change)
        for table in ("bank_line", "recon_expected", "recon_match", "recon_turn", "recon_run"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                books.execute(f"delete from {table}")  # noqa: S608  # names from above
