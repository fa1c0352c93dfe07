"""docs/how-to/pay-a-settlement.md, command by command, as people type them, with a bank that nobody here has written."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.runtime.local import Addresses
from tests.bank_messages import OURS, recall_answer, recall_line, status_line, status_report
from tests.integration.test_paying_accounts import CAFE as CLOSED
from tests.integration.test_paying_accounts import OTHER, apply
from tests.loopback_bank import LoopbackBank, loopback_bank
from tests.paying import approved
from tests.signers import MONDAY

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "pay-a-settlement.md"
COMMANDS = re.findall(r"^ *(clh .+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
CAFE = "FR1420041010050500013M02606"


@pytest.fixture(autouse=True)
def surroundings(addresses: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)
    for name in ("outgoing", "incoming", "answers"):
        (tmp_path / name).mkdir()


@pytest.fixture
def bank() -> Iterator[LoopbackBank]:
    with loopback_bank() as there:
        there.open_account(OURS)
        yield there


def run(words: str, programme: str) -> Result:
    """A command line of the page, as a shell would hand it over."""
    typed: list[str] = []
    for word in shlex.split(words.replace("--programme harvest", f"--programme {programme}"))[1:]:
        typed += sorted(map(str, Path().glob(word))) if "*" in word else [word]
    return CliRunner().invoke(app, typed)


def payments(programme: str) -> dict[str, dict[str, Any]]:
    document = json.loads(run(f"clh settlement status {MONDAY} --output json --programme harvest", programme).stdout)
    return {one["to"] if one["from"] == "opco" else one["from"]: one for one in document["payments"]}


def fetched(bank: LoopbackBank, folder: str) -> None:
    for no, content in enumerate(bank.fetch()):
        Path(folder, f"{no:03}.xml").write_bytes(content)


def test_every_command_of_the_page_does_what_the_page_says(addresses: Addresses, bank: LoopbackBank) -> None:
    """The cafe's account is closed at first; the grocer pays; the bank makes the payment once the account is open again."""
    with approved(addresses, (CAFE, bank.call("GET", "/_mock/accounts/INITECH")["iban"])) as signers:
        one = signers.one
        said: list[tuple[str, Result]] = []
        for words in COMMANDS:
            if "incoming" in words:
                bank.send(next(Path("outgoing").glob("*.xml")).read_bytes())
                grocer = payments(one.id)["grocer"]
                credit = {"account": "OURS", "amount": grocer["amount_minor"], "reference": grocer["reference"], "debtor": {"name": "Grocer"}}
                bank.call("POST", "/_mock/credits", credit)
                bank.advance(4)
                fetched(bank, "incoming")
            if "--corrected" in words:
                bank.call("PATCH", "/_mock/accounts/INITECH", {"behaviour": "accept", "closed": 0})
            if "answers" in words:
                bank.call("GET", "/_mock/health")
                corrected = max(Path("outgoing").glob("*.xml"), key=lambda file: file.name)
                assert corrected.stem.endswith("-F2")
                bank.send(corrected.read_bytes())
                bank.advance(300)
                fetched(bank, "answers")
            named = payments(one.id)["fuelco"]["id"] if "PAYMENT" in words else ""
            said.append((words, run(words.replace("PAYMENT", named), one.id)))
        results = [(words.split(" --")[0].split(" ", 1)[1], result.exit_code) for words, result in said]
        assert results == [
            ("settlement pay 2026-03-02", 0),
            ("settlement status 2026-03-02", 0),
            ("bank import incoming/*.xml", 0),
            ("bank match", 1),
            ("settlement pay 2026-03-02", 0),
            ("bank import answers/*.xml", 0),
            ("bank match", 0),
            ("settlement status 2026-03-02", 0),
            ("settlement recall PAYMENT", 0),
        ], [result.output for _, result in said]
        outputs = [result.output for _, result in said]
        assert "LATE: the bank's answer" in outputs[1]
        assert "BANK_REJECTED" in outputs[3] and "AC04" in outputs[3]
        assert re.search(r"windows settled\W+2026-03-02", outputs[6])
        assert {payment["state"] for payment in payments(one.id).values()} == {"confirmed"}
        assert signers.states()[0] == "settled"
        assert (json.loads(run("clh bank match --output json --programme harvest", one.id).stdout)["findings"]) == []
        assert recalled(one.id, "refused") == ["none yet", "refused (NOAS no funds)"]


def recalled(programme: str, answer: str) -> list[str]:
    """What the status says of a recall before the bank has answered, and after it."""
    status = f"clh settlement status {MONDAY} --programme harvest"
    words = ("none yet", f"{answer} (NOAS no funds)")
    (asked,) = json.loads(run(f"{status} --output json", programme).stdout)["recalls"]
    before = " ".join(run(status, programme).stdout.split())
    Path("answer.xml").write_bytes(recall_answer(recall_line(asked["end_to_end_id"], "RJCR", "NOAS")))
    assert run("clh bank import answer.xml --programme harvest", programme).exit_code == 0
    after = " ".join(run(status, programme).stdout.split())
    assert asked["payment"] in json.dumps(payments(programme)) and (asked["reason"], asked["answers"]) == ("TECH", [])
    return [word for word, shown in zip(words, (before, after), strict=True) if word in shown]


def test_a_closed_account_is_shown_two_people_sign_the_new_one_and_the_payment_goes_to_it(addresses: Addresses) -> None:
    with approved(addresses) as signers:
        one, status = signers.one, f"clh settlement status {MONDAY} --programme harvest"
        signers.pem("mia", "carl")
        pay = f"clh settlement pay {MONDAY} --folder outgoing --programme harvest"
        assert run(pay, one.id).exit_code == 0
        cafe = payments(one.id)["cafe"]
        name = cafe["id"]
        rejected = status_report(status_line(name, "RJCT", "AC04"), original=cafe["attempts"][0]["message_id"])
        Path("incoming/1.xml").write_bytes(rejected)
        assert run("clh bank import incoming/*.xml --programme harvest", one.id).exit_code == 0
        with one.books() as books:
            apply(books, CLOSED, OTHER)
        told = payments(one.id)["cafe"]
        assert (told["approved_account"], told["programme_account"], told["twice"]) == (CLOSED, OTHER, None)
        words = f"two people, as it was approved to {CLOSED}, and the programme names {OTHER}: clh settlement account {name}"
        assert words in " ".join(run(status, one.id).stdout.split())
        refused = run(f"{pay} --corrected", one.id)
        assert refused.exit_code == 1 and "two people sign the new one: clh settlement account" in refused.output
        sign = ""
        for person, waits in (("mia", "a second person signs the same"), ("carl", "it is decided: clh settlement pay --corrected")):
            about = f"{name} --iban {OTHER} --reason closed --as {person} --key {person}.pem --passphrase-file passphrase"
            sign = f"clh settlement account {about} --programme harvest"
            wrong = run(sign.replace(OTHER, CLOSED), one.id)
            assert (wrong.exit_code, "[account-differs]" in wrong.output, " signs: " in wrong.output) == (1, True, False)
            signed = run(sign, one.id)
            assert re.match(rf"{person} signs: \d+\.\d\d EUR of payment {name} go to {OTHER} of cafe\.", " ".join(signed.stderr.split())), signed.stderr
            assert " ".join(signed.stdout.split()) == f"{person}: payment {name} goes out anew to {OTHER} of cafe; {waits}.", signed.output
        assert f"it goes out anew to {OTHER}, as two people have signed" in " ".join(run(status, one.id).stdout.split())
        again = run(sign, one.id)
        assert (again.exit_code, "[account-as-approved]" in again.output) == (1, True)
        assert run(f"{pay} --corrected", one.id).exit_code == 0
        assert payments(one.id)["cafe"]["state"] == "sent"
        assert run(f"clh settlement verify {MONDAY} --programme harvest", one.id).exit_code == 0


def test_what_is_refused_ends_with_its_code(addresses: Addresses) -> None:
    with approved(addresses) as signers:
        one = signers.one
        Path("broken.xml").write_bytes(b"<Document/>")
        pay = "clh settlement pay 2026-03-02 --programme harvest"
        for words, code in (
            (pay, "no-transport"),
            (f"{pay} --folder missing", "not-handed-over"),
            ("clh settlement pay 2026-03-05 --folder outgoing --programme harvest", "no-run"),
            ("clh settlement recall nothing --reason TECH --folder outgoing --programme harvest", "unknown-payment"),
        ):
            refused = run(words, one.id)
            assert (refused.exit_code, f"[{code}]" in refused.output) == (1, True), (words, refused.output)
        assert run(f"{pay} --folder outgoing", one.id).exit_code == 0
        nothing = run(f"{pay} --folder outgoing --corrected", one.id)
        assert (nothing.exit_code, "[nothing-to-correct]" in nothing.output) == (1, True)
        broken = run("clh bank import broken.xml missing.xml --programme harvest --output json", one.id)
        assert (broken.exit_code, [told["refused"]["code"] for told in json.loads(broken.stdout)]) == (1, ["not-valid", "bad-xml"])
        assert run(f"{pay} --folder outgoing --url https://bank.example/", one.id).exit_code == 2
