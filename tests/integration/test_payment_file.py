"""`clh settlement file`: the bank gets what two people have approved, and nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clearing.approval import Action
from services.bank.xml import PAIN_001, read_xml
from services.cli.main import app
from services.runtime.local import Addresses
from tests.coalition import Coalition, coalition, event, purchase
from tests.signers import MONDAY, netted

DAILY = ("settlement: weekly", "settlement: daily")
ACCOUNTS = (
    DAILY,
    ("name: Fuel Company,", "name: Fuel Company, account: {iban: NL91ABNA0417164300},"),
)


@pytest.fixture(autouse=True)
def surroundings(addresses: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)


def write(one: Coalition, target: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["settlement", "file", MONDAY.isoformat(), "--to", target, "--programme", one.id, *words])


def spend(one: Coalition) -> None:
    """Points of the grocer are spent at the fuel company, which the operator pays for them."""
    one.enrol(("m-1", "card-1"))
    one.publish(purchase("p1", "card-1", 540000))
    one.book()
    data = {"card": "card-1", "store": "1", "receipt": "x1", "points": 1000}
    one.publish(event("redemption.v1", "x1", "card-1", data, source="/partners/fuelco"))
    one.book()


def test_an_approved_window_has_a_file_for_the_bank_that_is_the_same_whenever_it_is_written(addresses: Addresses) -> None:
    with coalition(addresses, *ACCOUNTS, day=MONDAY) as one:
        spend(one)
        with netted(one, MONDAY) as signers:
            early = write(one, "early.xml")
            assert (early.exit_code, early.output.strip().endswith("[not-approved]")) == (1, True)
            signers.approve()
            told = write(one, "first.xml")
            assert told.exit_code == 0, told.output
            said = json.loads(write(one, "second.xml", "--output", "json").stdout)
            assert (said["path"], said["sha256"]) == ("second.xml", hashlib.sha256(Path("second.xml").read_bytes()).hexdigest())
            assert Path("first.xml").read_bytes() == Path("second.xml").read_bytes()
            assert write(one, "first.xml").exit_code == 1
            root = read_xml(Path("first.xml").read_bytes(), PAIN_001)
            assert [found.text for found in root.iter(f"{{{PAIN_001}}}IBAN")] == ["DE89370400440532013000", "NL91ABNA0417164300"]
            assert signers.states()[0] == "approved"
            signers.say(Action.REJECT, "emil", reason="not yet")
            assert write(one, "late.xml").output.strip().endswith("[not-approved]")
        assert not Path("early.xml").exists()
        assert not Path("late.xml").exists()


def test_a_party_without_an_account_is_named_and_no_file_is_written(addresses: Addresses) -> None:
    with coalition(addresses, DAILY, day=MONDAY) as one:
        spend(one)
        with netted(one, MONDAY) as signers:
            signers.approve()
            told = write(one, "payments.xml")
            assert (told.exit_code, told.output.strip()) == (1, "fuelco has no account in the programme file: parties, account, iban [no-account]")
        assert not Path("payments.xml").exists()
