"""`clh recon` and the how-to on reconciling a bank: its commands, in its order, on a window that was played."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shlex
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from clearing.entries import Code
from schemas.ids import PartyId
from schemas.programme import BankCalendar
from services.cli.main import app
from services.journal.corrections import book_correction
from services.journal.migrate import connect
from services.journal.verify import verified
from services.recon.status import expected_files
from services.runtime.local import Addresses
from tests.bank_files import Row, row, write
from tests.narrow import WIDTHS, blocks, terminal
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
        with one.owner() as books:  # a scenario ends with its last night; in a house the next window is open by then
            books.execute("insert into settlement_window (day, state) values ('2026-03-04', 'open')")
        yield one


def run(one: Played, command: str) -> Result:
    """A command as the how-to writes it, on the namespace that was played."""
    words = shlex.split(command.replace("--programme mall-card", f"--programme {one.name}"))
    return CliRunner().invoke(app, words[1:], input="correct horse battery\n" * 2)


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
        (["bank", "import"], 0), (["recon", "run"], 1), (["recon", "status"], 0), (["recon", "report"], 1), (["recon", "breaks"], 0), (["recon", "resolve"], 0),
        *[(["people", "keygen"], 0)] * 2, *[(["people", "add"], 0)] * 2, (["recon", "resolve"], 0), (["recon", "show"], 0), (["recon", "resolve"], 0),
        (["recon", "verify"], 0), (["bank", "answer"], 0), (["bank", "rewards"], 0),
    ], "\n".join(done.output for done in told)  # fmt: skip
    assert "AMOUNT_OVER" in told[3].stdout
    assert "Break 1 is awaiting bank." in told[5].stdout
    assert "ann signs the proposal that break 1 be written off: AMOUNT_OVER, house 1.50 EUR, bank 1.52 EUR. It books: opco owes bank1" in told[10].stderr
    assert "The second person signs that it is written off; that books: opco owes bank1 0.01 EUR." in told[11].stdout
    assert "Break 1 is written off.\nBooked as an adjustment: opco owes bank1 0.01 EUR." in told[12].stdout
    assert "everything holds." in told[13].stdout
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


def test_status_ends_with_1_where_a_file_is_late_by_the_calendar(card: Played, tmp_path: Path) -> None:
    """2 and 3 March 2026 are a Monday and a Tuesday: their files are due on Tuesday and Wednesday, and long late by any clock that runs this."""
    assert as_json(card, "recon status")["files"] == []  # a bank that has never sent one owes none
    none = run(card, "clh recon status --days 7 --programme mall-card").stdout
    assert "No file was due: no bank owes one of the closed windows of the last 7 days (--days)." in " ".join(none.split())
    write(tmp_path, banks_view())
    assert run(card, COMMANDS[0]).exit_code == 0
    as_json(card, "recon run bank1 2026-03-02", 1)
    told = as_json(card, "recon status bank1 --days 10000", 1)
    assert [(one["day"], one["due"], one["state"]) for one in told["files"]] == [("2026-03-02", "2026-03-03", "taken"), ("2026-03-03", "2026-03-04", "late")]
    (bank,) = told["banks"]
    assert (bank["matched_to"], bank["last_file"], bank["open_breaks"], bank["oldest_days"]) == ("2026-03-02", "2026-03-02", 6, 0)
    assert bank["oldest_business_days"] > 0
    ages = as_json(card, "recon report bank1 2026-03-02", 1)["ages"]
    assert (sum(one["seen"] for one in ages), sum(one["business"] for one in ages)) == (6, 6)
    with connect(card.addresses.postgres_uri, card.schema) as books:
        calendar = BankCalendar(holidays=("DE",))
        states = {
            today: [one.state for one in expected_files(books, calendar, date.fromisoformat(today))] for today in ("2026-03-03", "2026-03-04", "2026-03-05")
        }
    assert states == {"2026-03-03": ["taken", "due"], "2026-03-04": ["taken", "due"], "2026-03-05": ["taken", "late"]}


def broken(one: Played) -> dict[str, int]:
    """Numbers of the open breaks of t1's cash-back and of t9."""
    found = {(each["bank_txn_id"], each["code"], each["event_type"]): each["no"] for each in as_json(one, "recon breaks bank1")}
    return {"ours": found["t1", "MISSING_AT_BANK", "EARN"], "theirs": found["t9", "MISSING_AT_PROGRAMME", "EARN"], "pair": found["t3", "AMOUNT_OVER", "EARN"]}


def resolve(one: Played, no: int, words: str, by: str, *, key: str | None = None) -> Result:
    """A move; one that takes a signature is signed by the person's own key unless another is named."""
    signed = words.split(maxsplit=1)[0] in {"propose", "write-off", "forced-match", "create"}
    keyed = f" --key {key or by}.pem --passphrase-file word" if signed else ""
    return run(one, f"clh recon resolve {no} {words} --note because --as {by}{keyed} --programme mall-card")


def enrol(one: Played, *names: str) -> None:
    """Makes each a key and enrols it."""
    Path("word").write_text("correct horse battery\n", encoding="utf-8")
    for name in names:
        for command in (
            f"clh people keygen --to {name}.pem --passphrase-file word",
            f"clh people add {name} --public-key {name}.pem.pub --programme mall-card",
        ):
            done = run(one, command)
            assert done.exit_code == 0, done.output


def test_a_break_is_shown_with_both_rows_its_history_and_what_the_second_person_signs(card: Played, tmp_path: Path) -> None:
    no = ready(card, tmp_path)
    fields = {each["name"]: (each["house"], each["bank"], each["differs"]) for each in as_json(card, f"recon show {no['pair']}")["fields"]}
    assert (fields["reward_units"], fields["bank_txn_id"]) == (("150", "152", True), ("t3", "t3", False))
    assert fields["rule_id"][1] is None or not fields["rule_id"][2]
    before = as_json(card, f"recon show {no['theirs']}")
    assert {each["decision"]: each["charges"] for each in before["decidable"]} == {
        "create": [{"debtor": "mall", "creditor": "bank1", "currency": "EUR", "amount_minor": 2}],
        "write-off": [{"debtor": "opco", "creditor": "bank1", "currency": "EUR", "amount_minor": 2}],
    }
    said = resolve(card, no["theirs"], f"propose --proposal forced-match --with {no['ours']}", "ann")
    assert said.exit_code == 0
    assert ["transaction", "t1", "t9", "yes"] in [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.stdout.splitlines()]
    shown = as_json(card, f"recon show {no['theirs']}")
    (signed,) = shown["decidable"]
    assert {each["name"]: (each["house"], each["bank"]) for each in shown["fields"]}["bank_txn_id"] == ("t1", "t9")
    assert (shown["proposal"]["person"], signed["decision"], signed["agrees_to"]) == ("ann", "forced-match", shown["proposal"]["sha256"])
    assert hashlib.sha256(shown["proposal"]["document"].encode()).hexdigest() == shown["proposal"]["sha256"]
    assert json.loads(shown["proposal"]["document"])["charges"] == [list(each.values()) for each in signed["charges"]]
    assert [(turn["who"], turn["to_state"]) for turn in shown["turns"]] == [("ann", "proposed")]
    assert as_json(card, f"recon resolve {no['theirs']} withdraw --note no --as ben")["state"] == "investigating"
    unknown = run(card, "clh recon show 99999 --programme mall-card")
    assert (unknown.exit_code, "[no-break]" in unknown.stderr) == (1, True)


def test_a_forced_match_takes_two_people_and_both_breaks(card: Played, tmp_path: Path) -> None:
    write(tmp_path, banks_view())
    assert run(card, COMMANDS[0]).exit_code == 0
    as_json(card, "recon run bank1 2026-03-02", 1)
    no = broken(card)
    enrol(card, "ann", "ben")
    for words, why in (
        ("forced-match", "has to be proposed first"),
        ("propose --proposal forced-match", "names the break of the other side"),
        (f"propose --proposal forced-match --with {no['pair']}", "joins a row of ours"),
        ("propose --proposal forced-match --with 99999", "there is no break 99999"),
        ("propose", "what is proposed is one of"),
        ("reopen", "cannot be moved by reopen"),
    ):
        refused = resolve(card, no["ours"], words, "ann")
        assert (refused.exit_code, why in refused.stderr) == (1, True), refused.stderr
    assert resolve(card, no["ours"], f"propose --proposal forced-match --with {no['theirs']}", "ann").exit_code == 0
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
    enrol(card, "ann", "ben")
    for words, by in (
        ("investigate", "ann"),
        ("ask-bank", "ann"),
        ("propose --proposal write-off", "ann"),
        ("withdraw", "ben"),
        ("propose --proposal write-off", "ben"),
    ):
        assert resolve(card, no, words, by).exit_code == 0
    assert resolve(card, no, "write-off", "ann").exit_code == 0
    assert as_json(card, "recon run bank1 2026-03-02")["opened"] == {}
    told = as_json(card, f"recon resolve {no} reopen --note 'the bank has found it' --as ann")
    assert [(turn["who"], turn["to_state"]) for turn in told["turns"]] == [
        ("ann", "investigating"), ("ann", "awaiting bank"), ("ann", "proposed"), ("ben", "investigating"), ("ben", "proposed"),
        ("ann", "written off"), ("ann", "open"),
    ]  # fmt: skip


def adjustments(one: Played) -> list[tuple[Any, ...]]:
    with one.owner() as books:
        return books.execute("select debtor, creditor, amount, by_whom, day::text from correction order by no").fetchall()


def ready(one: Played, folder: Path) -> dict[str, int]:
    """A file that was taken and matched, and people who may sign; numbers of the breaks."""
    write(folder, banks_view())
    assert run(one, COMMANDS[0]).exit_code == 0
    as_json(one, "recon run bank1 2026-03-02", 1)
    enrol(one, "ann", "ben")
    return broken(one)


def test_a_write_off_is_the_operators_and_a_creation_the_funders_by_their_shares(card: Played, tmp_path: Path) -> None:
    """t9: 5 of `everyday`, halves of bank and mall: 3 and 2 by largest remainder. t1: 6 that the bank lacks, 3 of them the mall's."""
    no = ready(card, tmp_path)
    for break_no, how in ((no["theirs"], "create"), (no["ours"], "write-off")):
        assert resolve(card, break_no, f"propose --proposal {how}", "ann").exit_code == 0
        assert adjustments(card)[1:] == []
        assert resolve(card, break_no, how, "ben").exit_code == 0
    assert adjustments(card) == [("mall", "bank1", 2, "ben", "2026-03-04"), ("bank1", "opco", 3, "ben", "2026-03-04")]
    refused = resolve(card, no["pair"], "propose --proposal create", "ann")
    assert (refused.exit_code, "[not-created]" in refused.stderr) == (1, True)
    assert as_json(card, "recon verify bank1")["broken"] == 0


def test_what_was_booked_is_taken_back_by_two_people_where_the_line_comes_after_all(card: Played, tmp_path: Path) -> None:
    no = ready(card, tmp_path)["ours"]
    assert [resolve(card, no, words, by).exit_code for words, by in (("propose --proposal write-off", "ann"), ("write-off", "ben"))] == [0, 0]
    late = line(1, "t1", 430, 6, mcc="5411")
    write(tmp_path, [late], file_id="f2", day="2026-03-03", previous_file="f1")
    assert run(card, "clh bank import CRD_bank1_mall-card_2026-03-03_1.csv --programme mall-card").exit_code == 0
    run(card, "clh recon run bank1 2026-03-03 --programme mall-card")
    (again,) = [each for each in as_json(card, "recon breaks bank1") if each["no"] == no]
    assert (again["state"], again["proposed_by"]) == ("open", None)
    assert [resolve(card, no, words, by).exit_code for words, by in (("propose --proposal write-off", "ben"), ("write-off", "ann"))] == [0, 0]
    assert [one[:3] for one in adjustments(card)] == [("bank1", "opco", 3), ("opco", "bank1", 3)]
    assert as_json(card, "recon verify bank1")["broken"] == 0


def test_a_break_that_is_decided_again_books_only_what_is_missing(card: Played, tmp_path: Path) -> None:
    no = ready(card, tmp_path)["theirs"]
    for how in ("write-off", "create"):  # 2 of the operator's first; then the mall stands in for it
        assert [resolve(card, no, words, by).exit_code for words, by in ((f"propose --proposal {how}", "ann"), (how, "ben"))] == [0, 0]
        if how == "write-off":
            assert resolve(card, no, "reopen", "ann").exit_code == 0
    assert [one[:3] for one in adjustments(card)] == [("opco", "bank1", 2), ("mall", "bank1", 2), ("bank1", "opco", 2)]
    assert as_json(card, "recon verify")["broken"] == 0


def test_a_decision_that_is_not_a_second_persons_is_refused_and_books_nothing(card: Played, tmp_path: Path) -> None:
    no = ready(card, tmp_path)["pair"]
    assert resolve(card, no, "propose --proposal write-off", "ann").exit_code == 0
    unsigned = run(card, f"clh recon resolve {no} write-off --note because --as ben --programme mall-card")
    assert (unsigned.exit_code, "[not-signed]" in unsigned.stderr) == (1, True)
    for words, by, key, code in (
        ("write-off", "ann", "ann", "second-person"), ("write-off", "ben", "ann", "wrong-key"), ("write-off", "carl", "ben", "unknown-person"),
        ("create", "ben", "ben", "other-proposal"), ("propose --proposal write-off", "ben", "ben", "wrong-move"), ("reopen", "ben", "ben", "wrong-move"),
    ):  # fmt: skip
        refused = resolve(card, no, words, by, key=key)
        assert (refused.exit_code, f"[{code}]" in refused.stderr) == (1, True), refused.output
    with card.owner() as books:
        books.execute("update settlement_window set state = 'draining' where state = 'open'")
    assert "[no-open-window]" in resolve(card, no, "write-off", "ben").stderr
    assert adjustments(card) == []
    assert [turn["to_state"] for turn in as_json(card, f"recon resolve {no} withdraw --note no --as ben")["turns"]] == ["proposed", "investigating"]


def test_decisions_are_held_to_what_was_signed_by_the_verifier(card: Played, tmp_path: Path) -> None:
    """Whoever owns the tables can switch their guards off; the signatures then no longer fit."""
    no = ready(card, tmp_path)["pair"]
    assert [resolve(card, no, words, by).exit_code for words, by in (("propose --proposal write-off", "ann"), ("write-off", "ben"))] == [0, 0]
    for change, back in (
        ("update recon_break set bank_units = 153 where code = 'AMOUNT_OVER'", "update recon_break set bank_units = 152 where code = 'AMOUNT_OVER'"),
        ("update recon_break set decided_by = 'carl' where code = 'AMOUNT_OVER'", "update recon_break set decided_by = 'ben' where code = 'AMOUNT_OVER'"),
        ("update recon_booking set amount = 2", "update recon_booking set amount = 1"),
        ("update correction set debtor = 'mall'", "update correction set debtor = 'opco'"),
        ("update recon_turn set note = 'x' where note in ('x', 'because')", "update recon_turn set note = 'because' where note in ('x', 'because')"),
        ("update bank_line set reward_units = 1 where bank_txn_id = 't3'", "update bank_line set reward_units = 152 where bank_txn_id = 't3'"),
        ("update recon_signature set signature = decode(repeat('00', 64), 'hex') where action = 'decide'", None),
    ):
        with card.owner() as books:
            books.execute("set session_replication_role = replica")
            books.execute(change)
            assert as_json(card, "recon verify bank1", 1)["broken"] > 0, change
            if back is not None:
                books.execute(back)
                assert as_json(card, "recon verify bank1")["broken"] == 0, back


def test_what_is_proposed_under_the_word_of_before_is_told_the_new_one(card: Played, tmp_path: Path) -> None:
    no = ready(card, tmp_path)["theirs"]
    for word in ("create", "write-off", "forced-match"):
        told = run(card, f"clh recon resolve {no} propose --as {word} --note x --programme mall-card")
        assert (told.exit_code, f"--proposal {word}" in told.output) == (2, True), told.output


@pytest.mark.parametrize("amount", [2, 5000], ids=["the same again", "another sum"])
def test_what_is_booked_beyond_what_two_people_signed_is_found_by_the_ledgers_verifier(card: Played, tmp_path: Path, amount: int) -> None:
    """Under the number of their decision, by the application's role: the decision says which charges it books."""
    no = ready(card, tmp_path)["theirs"]
    assert [resolve(card, no, words, by).exit_code for words, by in (("propose --proposal create", "ann"), ("create", "ben"))] == [0, 0]
    with card.owner() as books:
        assert "corrections" not in {each.what for each in verified(books) if each.differing}
        books.execute("set role clh_app")
        (signature, turn) = books.execute("select no, turn from recon_signature where action = 'decide'").fetchone() or (0, 0)
        reference = f"recon {no}/{turn}/9"
        made = book_correction(books, Code.ADJUSTMENT, PartyId("mall"), PartyId("bank1"), "EUR", amount, reference=reference, reason="because", by="ben")
        books.execute("insert into recon_booking values (%s, 9, 'mall', 'bank1', 'EUR', %s, %s)", (signature, amount, reference))
        (found,) = [each for each in verified(books) if each.what == "corrections"]
    assert [difference.place for difference in found.differences] == [f"correction {made.no}, {reference}, window 2026-03-04"]


def test_a_row_that_is_matched_with_nothing_is_found_by_the_verifier(card: Played, tmp_path: Path) -> None:
    ready(card, tmp_path)
    assert as_json(card, "recon verify bank1")["broken"] == 0
    with card.owner() as books:
        books.execute("set role clh_app")
        books.execute("insert into recon_match (bank, day, pass, ours, theirs) select bank, day, 2, ours, 4242 from recon_break where theirs is null limit 1")
    told = as_json(card, "recon verify bank1", 1)
    (proof,) = [each for each in told["proofs"] if not each["holds"]]
    assert (proof["what"], "theirs 4242" in proof["differs"]) == ("what is matched is there, and agrees as its pass says", True)


def test_nobody_agrees_to_a_proposal_that_nobody_signed(card: Played, tmp_path: Path) -> None:
    no = ready(card, tmp_path)["pair"]
    assert resolve(card, no, "propose --proposal write-off", "ann").exit_code == 0
    with card.owner() as books:
        books.execute("set session_replication_role = replica")
        books.execute("update recon_signature set signature = decode(repeat('01', 64), 'hex')")
    refused = resolve(card, no, "write-off", "ben")
    assert (refused.exit_code, "[bad-signature]" in refused.stderr) == (1, True), refused.output
    assert adjustments(card) == []
    assert resolve(card, no, "withdraw", "ben").exit_code == 0
    assert [resolve(card, no, words, by).exit_code for words, by in (("propose --proposal write-off", "ann"), ("write-off", "ben"))] == [0, 0]


def test_a_signature_of_somebody_whose_key_is_revoked_decides_nothing(card: Played, tmp_path: Path) -> None:
    no = ready(card, tmp_path)["pair"]
    assert resolve(card, no, "propose --proposal write-off", "ann").exit_code == 0
    assert run(card, "clh people revoke ann --reason lost --programme mall-card").exit_code == 0
    refused = resolve(card, no, "write-off", "ben")
    assert (refused.exit_code, "[maker-revoked]" in refused.stderr) == (1, True), refused.output
    assert resolve(card, no, "withdraw", "ben").exit_code == 0
    assert "[key-revoked]" in resolve(card, no, "propose --proposal write-off", "ann").stderr


def answered(one: Played, folder: Path, *, again: bool = False) -> tuple[dict[str, Any], dict[tuple[str, ...], dict[str, str]]]:
    """The manifest of the answer, and its lines by transaction, event type and rule."""
    done = run(one, "clh bank answer bank1 2026-03-02 --to out --programme mall-card --output json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["again"] is again
    content = Path(told["path"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == told["manifest"]["sha256"]
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    assert len(lines) == told["manifest"]["record_count"] == sum(total["count"] for total in told["manifest"]["totals"])
    return told["manifest"], {(each["bank_txn_id"], each["event_type"], each["rule_id"]): each for each in lines}


def test_the_bank_is_answered_line_by_line_and_again_only_where_something_has_changed(card: Played, tmp_path: Path) -> None:
    assert "there is nothing to answer" in run(card, "clh bank answer bank1 2026-03-02 --programme mall-card").stderr
    rows = [*banks_view(), line(4, "t2", 500, 8, bank_funded=None, merchant_funded=None, network_funded=None, mcc="5812"), line(5, "t8", 1, 1, mcc="x")]
    write(tmp_path, rows)
    assert run(card, COMMANDS[0]).exit_code == 1  # the last line is put aside
    as_json(card, "recon run bank1 2026-03-02", 1)
    assert resolve(card, broken(card)["pair"], "ask-bank", "ann").exit_code == 0
    first, lines = answered(card, tmp_path)
    assert (first["sequence"], first["answers"], first["previous_file"]) == (1, ["f1"], None)

    def told(*key: str) -> tuple[str, ...]:
        return tuple(lines[key][name] for name in ("line_no", "status", "break_code", "reward_units", "programme_units", "diff_units", "note"))

    assert told("t3", "EARN", "everyday") == ("2", "awaiting bank", "AMOUNT_OVER", "152", "150", "2", "because")
    assert told("t9", "EARN", "everyday") == ("3", "open", "MISSING_AT_PROGRAMME", "5", "0", "5", "")
    assert told("t1", "EARN", "everyday") == ("", "open", "MISSING_AT_BANK", "", "6", "-6", "")
    assert told("", "", "") == ("5", "quarantined", "", "", "", "", "mcc: wrong-value")
    statuses = {(total["status"], total["break_code"]): total["count"] for total in first["totals"]}
    assert (statuses["matched", ""], statuses["replay", ""]) == (1, 1)
    assert answered(card, tmp_path, again=True)[0] == first
    assert resolve(card, broken(card)["theirs"], "investigate", "ann").exit_code == 0
    second, _ = answered(card, tmp_path)
    assert (second["sequence"], second["previous_file"]) == (2, first["file_id"])


def test_the_database_itself_holds_proposer_and_decider_apart_and_keeps_every_turn(card: Played, tmp_path: Path) -> None:
    write(tmp_path, banks_view())
    assert run(card, COMMANDS[0]).exit_code == 0
    as_json(card, "recon run bank1 2026-03-02", 1)
    with card.owner() as books:
        for change in (
            "update recon_break set state = 'written off'",
            "update recon_break set state = 'written off', proposal = 'write-off', proposed_by = 'ann', decided_by = 'ann'",
            "update recon_break set state = 'written off', proposal = 'write-off', proposed_by = 'ann', decided_by = 'ben'",
            "update recon_break set state = 'proposed', proposal = 'write-off', proposed_by = 'ann'",
            "update recon_break set state = 'resolved'",
            "update recon_break set proposal = 'write-off'",
        ):
            with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.RestrictViolation)):
                books.execute(change)
        for table in ("bank_line", "recon_expected", "recon_match", "recon_turn", "recon_run", "recon_signature", "recon_booking", "bank_answer"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                books.execute(f"delete from {table}")  # noqa: S608  # names from above


@pytest.mark.parametrize("width", WIDTHS)
def test_what_people_compare_stays_in_tables_at_this_width(width: int, card: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, banks_view())
    assert run(card, COMMANDS[0]).exit_code == 0
    as_json(card, "recon run bank1 2026-03-02", 1)
    for command, code in (
        ("recon report bank1 2026-03-02", 1),
        ("recon show 1", 0),
        ("recon breaks", 0),
        ("recon status", 0),
        ("bank cash-back 2026-03-02", 0),
    ):
        with terminal(width, monkeypatch) as written:
            done = run(card, f"clh {command} --programme mall-card")
        assert done.exit_code == code, done.output
        assert (blocks(written.getvalue()), "┃" in written.getvalue()) == ([], True), (command, written.getvalue())


def test_ages_are_counted_up_to_the_day_that_is_told_and_say_so(card: Played, tmp_path: Path) -> None:
    write(tmp_path, banks_view())
    assert run(card, COMMANDS[0]).exit_code == 0
    as_json(card, "recon run bank1 2026-03-02", 1)
    for day, business in (("2026-03-02", 0), ("2026-03-12", 10)):
        assert [(one["business_age_days"], one["as_of"]) for one in as_json(card, f"recon breaks --as-of {day}")] == [(business, day)] * 6
        shown = as_json(card, f"recon show 1 --as-of {day}")
        assert (shown["found"]["business_age_days"], shown["as_of"]) == (business, day)
        status = as_json(card, f"recon status --as-of {day}", 1 if business else 0)  # by then the file of the next day is late
        assert ([one["oldest_business_days"] for one in status["banks"]], status["as_of"]) == ([business], day)
        report = as_json(card, f"recon report bank1 2026-03-02 --as-of {day}", 1)
        assert (next(age["business"] for age in report["ages"] if age["business"]), report["as_of"]) == (6, day)
        for command in ("recon breaks", "recon show 1", "recon status", "recon report bank1 2026-03-02"):
            assert f"as of {day}" in run(card, f"clh {command} --as-of {day} --programme mall-card").stdout
    assert run(card, "clh recon status --as-of yesterday --programme mall-card").exit_code == 2
