"""docs/how-to pages on disputes, limits and defaults, command by command, as people type them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.runtime.local import Addresses
from tests.coalition import coalition
from tests.paying import AtTheBank, approved
from tests.signers import MONDAY, Signers, shop

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
CAP = ('net_debit_cap: "100000.00"', 'net_debit_cap: "0.30"')


def commands(page: str) -> list[str]:
    return re.findall(r"^ *(clh .+)$", (PAGES / page).read_text(encoding="utf-8"), re.MULTILINE)


def signed(words: str) -> str:
    """With the passphrase from a file, where a key is used."""
    return f"{words} --passphrase-file passphrase" if "--key" in words else words


@pytest.fixture(autouse=True)
def surroundings(addresses: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slips.txt").write_text("sold once\n", encoding="utf-8")


def run(words: str, programme: str) -> Result:
    result = CliRunner().invoke(app, shlex.split(words.replace("--programme harvest", f"--programme {programme}"))[1:])
    assert result.exit_code == 0, (words, result.output)
    return result


def test_the_page_on_disputes_does_what_it_says(addresses: Addresses) -> None:
    with coalition(addresses, day=MONDAY) as one:
        shop(one)
        one.close(MONDAY)
        people = Signers(one)
        people.enrol("ann", "ben")
        people.pem("ann", "ben")
        said = [run(signed(words), one.id).output for words in commands("dispute-a-line.md")]
        assert len(said) == 9
        assert "Dispute 1 is evidence: 0.20 EUR of line 3 (issue) of window 2026-03-02, grocer to opco." in said[1]
        assert Path("evidence/dispute-1-3").read_text(encoding="utf-8") == "sold once\n"
        assert "Dispute 1 is released" in said[5]
        assert "everything holds." in said[7]
        assert "0 lapsed" in said[8]


def test_the_page_on_limits_does_what_it_says(addresses: Addresses) -> None:
    with coalition(addresses, CAP, day=MONDAY) as one:
        shop(one)
        one.book()
        one.close(MONDAY)
        people = Signers(one)
        people.enrol("mia", "carl")
        people.pem("mia", "carl")
        said = {words: run(signed(words), one.id) for words in commands("limit-what-partners-owe.md")}
        assert len(said) == 9
        assert [found.output.startswith("Proposed: ") for words, found in said.items() if "funding add" in words or "funding pay-out" in words] == [True, True]
        assert said[next(words for words in said if "funding list" in words)].output.count("mia, carl") == 1
        first, *_ = said.values()
        assert "used up" in first.output
        (check,) = [found.output for words, found in said.items() if "settlement check" in words]
        assert "limits_respected" in check
        (report,) = [json.loads(found.stdout) for words, found in said.items() if "--output json" in words]
        (euro,) = report["currencies"]
        grocer = next(found for found in euro["parties"] if found["party"] == "grocer")
        assert grocer["limit"] == {"cap_minor": 30, "prefunded_minor": 20}
        assert (grocer["points"] + grocer["unfunded_points"], grocer["unfunded_points"] < 34) == (54, True)
        assert euro["failures"][0]["parties"][0] in {"grocer", "fuelco"}
        for words, code in (
            ('pay-out grocer 9.00 EUR --reference "x" --as mia --key mia.pem', "funds-too-small"),
            ('add grocer 0.20 EUR --reference "RF18 5390 0754 7034" --as mia --key mia.pem', "funds-entered"),
            ('confirm grocer 0.20 EUR --paid-in --reference "RF18 5390 0754 7034" --as carl --key carl.pem', "funds-entered"),
            ('confirm grocer 0.01 EUR --paid-in --reference "2026-041" --as carl --key carl.pem', "not-proposed"),
            ('add grocer 0.20 EUR --reference "RF2" --as mia --key carl.pem', "wrong-key"),
        ):
            refused = CliRunner().invoke(app, shlex.split(signed(f"funding {words} --programme {one.id}")))
            assert (refused.exit_code, refused.output.strip().endswith(f"[{code}]")) == (1, True), refused.output


def test_the_page_on_defaults_does_what_it_says(addresses: Addresses, tmp_path: Path) -> None:
    with approved(addresses) as signers, signers.one.books() as books:
        bank = AtTheBank(books, signers.one.id, tmp_path)
        bank.pay()
        bank.take(bank.statement(bank.debit("fuelco"), bank.debit("cafe")))
        bank.match()
        signers.pem("mia", "carl")
        said = [run(signed(words), signers.one.id).output for words in commands("when-a-partner-does-not-pay.md")]
        assert len(said) == 6
        assert "Nothing is booked yet" in said[1]
        assert "Run 2 takes the place of run 1; the window is netted: submit and approve it." in said[2]
        assert "everything holds." in said[5]
        words = signed(f"clh settlement default 2026-03-02 grocer --as carl --key carl.pem --programme {signers.one.id}")
        again = CliRunner().invoke(app, shlex.split(words)[1:])
        assert (again.exit_code, again.output.strip().endswith("[not-instructed]")) == (1, True)
