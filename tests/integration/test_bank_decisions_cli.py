"""`clh settlement decide` and `clh bank withdraw` as people type them: two sign with their own key files, a third thing is refused, a mistake is undone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.runtime.local import Addresses
from tests.bank_messages import status_line
from tests.paying import AtTheBank, approved
from tests.signers import MONDAY, Signers

PASSPHRASE = "correct horse battery"
Run = Callable[..., Result]


@pytest.fixture
def signers(addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signers]:
    """Monday is approved; everybody has a key file in the folder of the test."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("word").write_text(PASSPHRASE + "\n", encoding="utf-8")
    with approved(addresses) as people:
        for name, key in people.keys.items():
            encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode()))
            Path(f"{name}.pem").write_bytes(encrypted)
        yield people


@pytest.fixture
def run(signers: Signers) -> Run:
    """`clh` on these books."""
    return lambda *words: CliRunner().invoke(app, [*words, "--programme", signers.one.id])


@pytest.fixture
def one(signers: Signers, run: Run) -> Iterator[AtTheBank]:
    """The window is paid, by the command."""
    done = run("settlement", "pay", MONDAY.isoformat(), "--folder", "out", "--as", "mia")
    assert done.exit_code == 0, done.output
    with signers.one.books() as books:
        yield AtTheBank(books, signers.one.id, Path("out"))


def take(run: Run, *contents: bytes) -> None:
    """Imports messages of the bank, and lets them count."""
    for no, content in enumerate(contents):
        Path(f"message-{no}.xml").write_bytes(content)
    done = run("bank", "import", *(f"message-{no}.xml" for no in range(len(contents))))
    assert done.exit_code == 0, done.output


def signed(run: Run, person: str, *words: str) -> Result:
    return run(*words, "--as", person, "--key", f"{person}.pem", "--passphrase-file", "word")


def told(done: Result, code: int = 0) -> Any:
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def refused_as(done: Result, code: str) -> bool:
    return (done.exit_code, done.stderr.strip().endswith(f"[{code}]")) == (1, True)


def test_two_people_decide_that_a_payment_was_not_made_and_it_is_sent_again(one: AtTheBank, run: Run) -> None:
    payment = one.standings()["cafe"].id
    take(run, one.status(status_line(payment, "RJCT", "AC04")), one.status(status_line(payment, "ACSC")))
    (state,) = [each for each in told(run("settlement", "status", MONDAY.isoformat(), "--output", "json"))["payments"] if each["to"] == "cafe"]
    assert state["state"] == "contradicted"
    words = ("settlement", "decide", payment, "not-paid", "--reason", "the bank's desk: never debited")
    first = signed(run, "mia", *words)
    assert (first.exit_code, "a second person decides" in first.stdout) == (0, True), first.output
    assert refused_as(signed(run, "mia", *words), "decided-already")
    assert refused_as(run(*words, "--as", "carl", "--key", "mia.pem", "--passphrase-file", "word"), "wrong-key")
    assert run("settlement", "pay", MONDAY.isoformat(), "--folder", "out", "--as", "mia", "--corrected").exit_code == 1
    second = told(signed(run, "carl", *words, "--output", "json"))
    assert (second["person"], second["verdict"], second["decided"]) == ("carl", "not paid", True)
    again = told(run("settlement", "pay", MONDAY.isoformat(), "--folder", "out", "--as", "mia", "--corrected", "--output", "json"))
    assert [file["payments"] for file in again["files"]] == [2, 1]
    assert told(run("settlement", "verify", MONDAY.isoformat(), "--output", "json"))["broken"] == 0


def test_two_people_withdraw_a_statement_and_two_take_that_back(one: AtTheBank, run: Run) -> None:
    take(run, one.statement(name="S-1"), one.statement(name="S-2"))
    assert told(run("bank", "match", "--output", "json"), 1)["statements"] == ["S-1", "S-2"]  # and no payment is confirmed, whose deadline has passed
    words = ("bank", "withdraw", "S-2", "--reason", "of another account")
    first = signed(run, "mia", *words)
    assert (first.exit_code, "a second person signs the same" in first.stdout) == (0, True), first.output
    assert refused_as(signed(run, "mia", *words), "decided-already")
    assert told(signed(run, "carl", *words, "--output", "json"))["withdrawn"] is True
    take(run, one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer"), name="S-57"))
    assert told(run("bank", "match", "--output", "json"), 1)["statements"] == []
    back = ("bank", "withdraw", "S-2", "--undo", "--reason", "it was right")
    assert told(signed(run, "mia", *back, "--output", "json"))["withdrawn"] is True
    undone = signed(run, "dora", *back)
    assert (undone.exit_code, "statement S-2 is not withdrawn any more; it waits for its place: clh bank match" in undone.stdout) == (0, True), undone.output
    assert refused_as(signed(run, "carl", *back), "unknown-statement")
    done = told(run("bank", "match", "--output", "json"))
    assert (done["statements"], done["settled"]) == (["S-2", "S-57"], [MONDAY.isoformat()])
