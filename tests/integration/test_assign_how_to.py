"""docs/how-to/assign-money-that-names-no-payment.md, command by command, as people type them."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.runtime.local import Addresses
from tests.bank_messages import Movement, transaction
from tests.paying import AtTheBank, approved

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "assign-money-that-names-no-payment.md"
COMMANDS = re.findall(r"^ *(clh .+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
FIGURES = (("B-IN-1", "250.00"), ("B-IN-2", "80.00"), ("B-OUT-2", "-80.00"), ("B-FEE", "-5.00"))


@pytest.fixture(autouse=True)
def surroundings(addresses: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)


def run(words: str, programme: str) -> Result:
    signed = f"{words} --passphrase-file passphrase" if "--key" in words else words
    return CliRunner().invoke(app, shlex.split(signed.replace("--programme harvest", f"--programme {programme}"))[1:])


def test_every_command_of_the_page_does_what_the_page_says(addresses: Addresses, tmp_path: Path) -> None:
    with approved(addresses) as signers:
        signers.pem("mia", "carl", "dora")
        moved = [Movement(figure, name, transaction(figure, end_to_end="NOTPROVIDED")) for name, figure in FIGURES]
        with signers.one.books() as books:
            one = AtTheBank(books, signers.one.id, tmp_path / "out")
            one.folder.mkdir()
            one.pay()
            cafe = one.standings()["cafe"]
            back = replace(one.back("cafe", minor=cafe.amount_minor - 30), reference="B-BACK")
            one.take(one.statement(*moved, one.debit("cafe"), one.debit("fuelco"), one.credit("grocer"), back))
        said = [run(words, signers.one.id) for words in COMMANDS]
        outputs = [" ".join(result.stdout.split()) for result in said]
        assert [result.exit_code for result in said] == [1] + [0] * 12, outputs
        assert "ORPHAN_CREDIT" in outputs[0]
        assert outputs[1] == "mia: B-IN-1 is funds of grocer; a second person signs the same."
        assert said[1].stderr.split("\n")[0] == "mia signs: B-IN-1 is funds of grocer under B-IN-1, statement S-5."
        assert outputs[2] == "carl: B-IN-1 is funds of grocer; it is decided."
        assert "250.00" in outputs[3] and "carl" in run("clh funding list grocer --output json --programme harvest", signers.one.id).stdout
        assert outputs[5] == "carl: B-IN-2 was given back by B-OUT-2; it is decided."
        assert outputs[7] == "carl: B-FEE is borne by the operator; it is decided."
        assert outputs[9] == "carl: of what came back by B-BACK 0.30 EUR are missing, and borne by the operator; it is decided."
        assert "mia, carl" in outputs[10] and "given back by B-OUT-2" in outputs[10] and "0.30 missing of what came back" in outputs[10]
        assert outputs[11] == "mia: what was decided about B-IN-2 is undone; a second person signs the same."
        assert outputs[12] == "carl: what was decided about B-IN-2 is undone; it does not hold any more."
        match = run("clh bank match --output json --programme harvest", signers.one.id)
        codes = [(one["code"], one["about"]) for one in json.loads(match.stdout)["findings"]]
        assert (match.exit_code, codes) == (
            1, [("BANK_RETURNED", cafe.id), ("MISSING_AT_BANK", cafe.id), ("ORPHAN_CREDIT", "B-IN-2"), ("MISSING_AT_PROGRAMME", "B-OUT-2")]
        )  # fmt: skip
        listed = json.loads(run("clh bank assigned --output json --programme harvest", signers.one.id).stdout)["credits"]
        assert [(one["bank_reference"], one["people"], one["decided"], one["undone_by"]) for one in listed] == [
            ("B-IN-1", ["mia", "carl"], True, []),
            ("B-IN-2", ["mia", "carl"], True, ["mia", "carl"]),
            ("B-FEE", ["mia", "carl"], True, []),
            ("B-BACK", ["mia", "carl"], True, []),
        ]
        again = run("clh bank undo B-IN-2 --reason x --as dora --key dora.pem --programme harvest", signers.one.id)
        assert again.exit_code == 1 and "[not-decided]" in again.output
        for how, code in (("--kept", "[assigned-already]"), ("--to-party nobody --kept", "--to-party"), ("--kept --reference x", "--reference")):
            refused = run(f"clh bank assign B-IN-1 {how} --reason x --as dora --key dora.pem --programme harvest", signers.one.id)
            assert refused.exit_code != 0 and code in refused.output, refused.output
