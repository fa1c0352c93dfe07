"""docs/how-to/approve-a-settlement.md, command by command, as people type them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.runtime.local import Addresses
from tests.coalition import coalition
from tests.signers import MONDAY, TUESDAY, shop

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "approve-a-settlement.md"
COMMANDS = re.findall(r"^ *(clh .+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
PASSPHRASE = "correct horse battery\n"


@pytest.fixture(autouse=True)
def surroundings(addresses: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.delenv("CLH_SENDER_KEYS", raising=False)
    monkeypatch.chdir(tmp_path)


def run(words: str, programme: str) -> Result:
    """A command line of the page about another programme; the passphrase is typed as often as it is asked for."""
    typed = shlex.split(words.replace("--programme harvest", f"--programme {programme}"))[1:]
    return CliRunner().invoke(app, typed, input=PASSPHRASE * 2)


def status(programme: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("clh settlement status --output json --programme harvest", programme).stdout)["runs"]
    return found


def test_every_command_of_the_page_does_what_the_page_says(addresses: Addresses) -> None:
    assert len(COMMANDS) == 18
    with coalition(addresses, day=MONDAY) as one:
        shop(one)
        one.close(MONDAY)
        one.close(TUESDAY)
        said: dict[str, str] = {}
        for words in COMMANDS:
            result = run(words, one.id)
            assert result.exit_code == 0, (words, result.output)
            said[words] = result.output
            if words.startswith("clh settlement verify"):
                assert "everything holds." in result.output
                assert [(found["state"], found["waits_for"]) for found in status(one.id)] == [("approved", "payment instructions"), ("netted", "submission")]
            if words.startswith("clh settlement reject"):
                assert f"Windows that rest on it are closed again with it: {TUESDAY}." in result.output
        (check,) = [text for words, text in said.items() if words.startswith("clh settlement check")]
        assert all(name in check for name in ("journal_balanced", "positions_sum_to_zero", "every_event_once", "hash of the stored report"))
        assert "revoked: has left" in said[COMMANDS[-1]]
        runs = status(one.id)
        assert [(found["state"], found["replaces"], found["voided_because"]) for found in runs] == [
            ("replaced", None, None),
            ("replaced", None, 1),
            ("netted", 1, None),
            ("netted", 2, None),
        ]
        assert [signature["action"] for signature in runs[0]["signatures"]] == ["submit", "approve", "approve", "reject"]
        newest = json.loads(run("clh settlement status --last 2 --output json --programme harvest", one.id).stdout)["runs"]
        assert newest == runs[2:]
        refused = run("clh settlement submit 2026-03-02 --as mia --key mia.pem --programme harvest", one.id)
        assert (refused.exit_code, "[key-revoked]" in refused.output) == (1, True)


def test_what_is_refused_ends_with_its_code_and_changes_nothing(addresses: Addresses) -> None:
    with coalition(addresses, day=MONDAY) as one:
        one.close(MONDAY)
        for name in ("mia", "carl"):
            assert run(f"clh people keygen --to {name}.pem", one.id).exit_code == 0
            assert run(f"clh people add {name} --public-key {name}.pem.pub --programme harvest", one.id).exit_code == 0
        Path("wrong").write_text("not the passphrase\n", encoding="utf-8")
        submit = "clh settlement submit 2026-03-02 --as mia --key mia.pem --programme harvest"
        for words, code in (
            ("clh people keygen --to mia.pem", "file-exists"),
            ("clh people add eve --public-key mia.pem.pub --programme harvest", "key-in-use"),
            ("clh people add mia --public-key carl.pem.pub --programme harvest", "person-has-key"),
            ("clh people add Mia --public-key mia.pem.pub --programme harvest", "bad-name"),
            ("clh people add eve --public-key mia.pem --programme harvest", "bad-key-file"),
            ("clh people revoke eve --reason gone --programme harvest", "unknown-person"),
            ("clh settlement submit 2026-03-02 --as eve --key mia.pem --programme harvest", "unknown-person"),
            ("clh settlement submit 2026-03-02 --as mia --key carl.pem --programme harvest", "wrong-key"),
            ("clh settlement submit 2026-03-02 --as mia --key mia.pem.pub --programme harvest", "bad-key-file"),
            (f"{submit} --passphrase-file wrong", "wrong-passphrase"),
            (f"{submit} --report 0123456789", "report-changed"),
            ("clh settlement submit 2026-03-05 --as mia --key mia.pem --programme harvest", "no-run"),
            ("clh settlement approve 2026-03-02 --as carl --key carl.pem --programme harvest", "not-submitted"),
            ("clh settlement reject 2026-03-02 --as carl --key carl.pem --reason ' ' --programme harvest", "reason-missing"),
        ):
            refused = run(words, one.id)
            assert (refused.exit_code, refused.output.strip().endswith(f"[{code}]")) == (1, True), (words, refused.output)
        (only,) = status(one.id)
        assert (only["state"], only["signatures"], only["waits_for"]) == ("netted", [], "submission")
        assert run(f"{submit} --report 0123", one.id).exit_code == 2
        assert run(f"{submit} --report {only['report_sha256'][:12]} --output json", one.id).exit_code == 0
        assert status(one.id)[0]["waits_for"] == "2 approvals"


def test_checks_that_do_not_hold_are_shown_and_end_with_exit_code_1(addresses: Addresses) -> None:
    with coalition(addresses, day=MONDAY) as one:
        shop(one)
        one.close(MONDAY)
        check = "clh settlement check 2026-03-02 --programme harvest --output json"
        sound = json.loads(run(check, one.id).stdout)
        assert (sound["sound"], [one["ok"] for one in sound["checks"]]) == (True, [True] * 7)
        with one.books(owner=True) as owner:
            owner.execute("update obligation set amount = amount + 1 where line = 0")
        broken = run(check, one.id)
        assert broken.exit_code == 1
        assert [proof["what"] for proof in json.loads(broken.stdout)["proofs"] if not proof["holds"]] == ["the lines are those of the books"]
        assert run("clh settlement verify 2026-03-02 --programme harvest", one.id).exit_code == 1
