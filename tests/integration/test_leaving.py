"""A partner's exit: the page on it, command by command; what is open of it, and that nothing of it waits for good."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clearing.entries import Code
from schemas.ids import PartyId
from services.cli.main import app
from services.disputes.life import Wanted
from services.journal.corrections import book_correction
from services.risk.errors import RiskCode, RiskError
from services.risk.funds import Entry
from services.risk.leaving import leaving
from services.runtime.local import Addresses
from tests.coalition import HARVEST, Coalition, coalition, purchase
from tests.signers import MONDAY, TUESDAY, Signers, netted, shop

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "when-a-partner-leaves.md"
SOLD = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SMALL = ('minimum_settlement: {EUR: "0.00"}', 'minimum_settlement: {EUR: "1.00"}')
ENDS = ("  - party: grocer\n    from: 2026-01-01 ", "  - party: grocer\n    from: 2026-01-01\n    to: 2026-03-03 ")
SOON = ("maximum_carry_days: 90", "maximum_carry_days: 1")
GROCER = PartyId("grocer")


@pytest.fixture(autouse=True)
def surroundings(addresses: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)


def written(one: Coalition, *changes: tuple[str, str]) -> None:
    """The programme file as the page edits it."""
    text = HARVEST.replace("id: harvest\n", f"id: {one.id}\n", 1)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    Path("harvest.yaml").write_text(text, encoding="utf-8")


def run(words: str, programme: str) -> Result:
    result = CliRunner().invoke(app, shlex.split(words.replace("--programme harvest", f"--programme {programme}"))[1:])
    assert result.exit_code == ("programme diff" in words), (words, result.output)  # it says by its exit code that there are differences
    return result


def signed(words: str) -> str:
    """With the passphrase from a file, where a key is used."""
    return f"{words} --passphrase-file passphrase" if "--key" in words else words


def steps(document: dict[str, Any]) -> dict[str, bool]:
    return {step["code"]: step["done"] for step in document["checklist"]}


def test_the_page_on_exits_does_what_it_says(addresses: Addresses) -> None:
    with coalition(addresses, SMALL, day=MONDAY) as one:
        one.enrol(("m-1", "card-1"))
        one.publish(purchase("p1", "card-1", 5400, time=SOLD))
        signers = Signers(one)
        signers.enrol("mia", "carl")
        signers.pem("mia", "carl")
        with one.books() as books:
            signers.fund(books, Entry(GROCER, "EUR", 700, "paid in", "RF1"), NOW)
        one.book()
        one.close(MONDAY)
        written(one, SMALL, ENDS, SOON)
        said = {words: run(signed(words), one.id) for words in re.findall(r"^ *(clh .+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)}
        assert len(said) == 9
        shown, told, _, _, _, report, _, _, after = said.values()
        assert "OPEN" in shown.output
        before = json.loads(told.stdout)
        assert before["accounts"][0]["waits_for"] == "EUR is below minimum_settlement: paid after maximum_carry_days"
        (euro,) = before["accounts"]
        assert euro["owes_minor"] == -euro["carried_minor"] > 0, "its 59 cents are less than the euro that is settled"
        (windows,) = [step["says"] for step in before["checklist"] if step["code"] == "windows"]
        assert windows.endswith(f", and {euro['owes_minor'] / 100:.2f} EUR is carried on to the next"), "what is carried on is a debt that is not done"
        assert (euro["funds_minor"], euro["returns_minor"], before["points"]) == (700, 700 - euro["owes_minor"], 54)
        assert {code for code, done in steps(before).items() if not done} == {"contract", "windows", "carried", "points", "funds"}
        assert "Nothing is carried forward." in report.output or "grocer" not in report.output.split("Carried forward")[1]
        assert f"{euro['owes_minor'] / 100:.2f}" in report.output
        assert "2026-03-03" in after.output
        last = json.loads(run(f"clh risk exit grocer --output json --programme {one.id}", one.id).stdout)
        assert (last["accounts"][0]["carried_minor"], steps(last)["carried"], steps(last)["contract"]) == (0, True, True)
        assert [(line["state"], line["due_minor"]) for line in last["windows"] if line["day"] == str(TUESDAY)] == [("netted", -euro["owes_minor"])]


def test_an_exit_names_open_windows_disputes_and_debts_beyond_the_funds_and_the_operator_cannot_leave(addresses: Addresses) -> None:
    with coalition(addresses, day=MONDAY) as one:
        shop(one)
        one.book()
        with netted(one, MONDAY) as signers, one.books() as books:
            (line,) = books.execute("select line from obligation where debtor = 'grocer' and kind = 'issue'").fetchone() or (None,)
            signers.dispute(books, Wanted(MONDAY, int(line), GROCER, "not ours", "mia", 30), NOW.date(), NOW)
            book_correction(books, Code.ADJUSTMENT, GROCER, PartyId("cafe"), "EUR", 5000, reference="a bill", reason="a bill", by="mia")
        with one.books() as books:
            found = leaving(books, GROCER, None)
        assert found.at == TUESDAY, "its contract has no end: the newest window"
        assert [(window.day, window.state) for window in found.windows] == [(MONDAY, "netted"), (TUESDAY, "open")]
        (euro,) = found.accounts
        assert euro.owes_minor == -sum(window.due_minor for window in found.windows) > 0
        assert euro.cost_minor == euro.owes_minor + max(0, euro.points.cost_minor - euro.points.paid_minor)
        assert {step.code for step in found.steps if not step.done} >= {"contract", "windows", "disputes", "cover", "points"}
        assert (found.disputes, found.bearer, found.points) == ([1], "opco", 54)
        for party, code in (("nobody", RiskCode.UNKNOWN_PARTY), ("opco", RiskCode.OPERATOR_STAYS)):
            with one.books() as books, pytest.raises(RiskError) as refusal:
                leaving(books, PartyId(party), None)
            assert refusal.value.code is code
        refused = CliRunner().invoke(app, ["risk", "exit", "opco", "--programme", one.id])
        assert (refused.exit_code, refused.output.strip().endswith("[operator-stays]")) == (1, True)
