"""What people read after a default: statement, position, status, proofs and report say what had been paid before it, who had not paid, and who bears it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.ids import PartyId
from services.cli.main import app
from services.report.statement import balances
from services.report.stored import shown
from services.report.workbook import report_workbook
from services.risk.default import Default
from services.risk.funds import Entry
from services.runtime.local import Addresses
from services.settlement.runs import runs_of
from tests.defaults import OWED, again, instructed, sharing
from tests.paying import AtTheBank
from tests.signers import MONDAY, TUESDAY, Signers

LATE, NOW = date(2026, 5, 20), datetime(2026, 5, 20, 9, 0, tzinfo=UTC)
CHANGES = (('minimum_settlement: {EUR: "0.00"}', 'minimum_settlement: {EUR: "0.60"}'),)
PARTIES = ("cafe", "dairyco", "fuelco", "grocer", "opco")
Told = tuple[Signers, AtTheBank, Default]


@pytest.fixture(scope="module")
def told(addresses: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Monday, in which 50 cents of the dairy wait, has defaulted and its further run is approved; Tuesday was netted before that. It is only read."""
    people = sharing(addresses, *CHANGES, owed={**OWED, "dairyco": 50}, days=(MONDAY, TUESDAY))
    with pytest.MonkeyPatch.context() as patch, instructed(people, tmp_path_factory.mktemp("bank")) as (signers, one):
        patch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
        patch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
        signers.fund(one.books, Entry(PartyId("grocer"), "EUR", 700, "paid in", "RF1"), NOW)
        made = signers.default(one.books, ["grocer"], LATE, NOW)
        again(signers)
        yield signers, one, made


def run(told: Told, *words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--programme", told[0].one.id])
    assert result.exit_code == 0, (words, result.output)
    return result.stdout


def settled(told: Told, party: str, day: date) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(run(told, "report", "statement", party, str(day), "--format", "csv", "--section", "settlement", "--to", "-")))
    return {row["step"]: row["amount"] for row in rows}


def test_statements_and_positions_show_what_was_paid_before_the_default_and_add_up(told: Told) -> None:
    _, one, made = told
    paid: dict[str, int] = dict(one.books.execute("select payee, amount from payment where run = %s and payee <> 'opco'", (made.run,)).fetchall())
    for party in PARTIES:
        assert [balance.left for balance in balances(shown(one.books, MONDAY, nights=1), PartyId(party))] == [0]
        (position,) = json.loads(run(told, "explain", "position", party, str(MONDAY), "--output", "json"))
        assert [each for each in position["equations"] if each["total"] != each["above"]] == []
        assert position["paid_before_minor"] == (-sum(paid.values()) if party == "opco" else paid.get(party, 0))
    assert {settled(told, party, MONDAY)["paid to you before the default"] for party in paid} == {f"{minor // 100}.{minor % 100:02}" for minor in paid.values()}
    assert "paid to you before the default" not in settled(told, "grocer", MONDAY)
    assert settled(told, "dairyco", TUESDAY)["carried in from the window before"] == "0.50", "it rests on the run that defaulted since"
    (position,) = json.loads(run(told, "explain", "position", "dairyco", str(TUESDAY), "--output", "json"))
    assert [each for each in position["equations"] if each["total"] != each["above"]] == []
    assert [balance.left for balance in balances(shown(one.books, TUESDAY, nights=1), PartyId("dairyco"))] == [0]


def test_the_status_names_the_default_who_bears_it_and_the_payments_of_all_runs(told: Told) -> None:
    _, _, made = told
    found = json.loads(run(told, "settlement", "status", str(MONDAY), "--output", "json"))
    unpaid, newest = made.unpaid[0], found["runs"][-1]["run"]
    (default,) = found["defaults"]
    assert (default["run"], default["replaced_by"]) == (made.run, newest)
    assert default["unpaid"] == [{"party": "grocer", "currency": "EUR", "amount_minor": unpaid.amount_minor, "funds_minor": 700}]
    losses = {line.bearer: line.amount_minor for line in made.borne if line.code.name == "DEFAULT_LOSS"}
    assert {line["bearer"]: line["amount_minor"] for line in default["borne"]} == losses
    assert sum(losses.values()) == unpaid.amount_minor - 700
    of_runs = {(line["run"], line["to"] if line["from"] == "opco" else line["from"]) for line in found["payments"]}
    assert of_runs >= {(made.run, "fuelco"), (made.run, "cafe"), (made.run, "grocer"), (newest, "fuelco"), (newest, "cafe")}
    assert {line["replaced"] for line in found["payments"] if line["run"] == made.run} == {True}
    words = run(told, "settlement", "status", str(MONDAY))
    assert f"Default: grocer had not paid {unpaid.amount_minor / 100:.2f} EUR of run {made.run}" in words
    assert "7.00 by its own funds" in words
    assert f"Run {newest} replaces it." in words
    assert "defaults" not in json.loads(run(told, "settlement", "status", str(TUESDAY), "--output", "json"))


def test_the_verifier_says_why_the_run_before_was_replaced(told: Told) -> None:
    _, one, made = told
    found = json.loads(run(told, "settlement", "verify", str(MONDAY), "--output", "json"))
    newest = runs_of(one.books, MONDAY)[-1].no
    said = [proof["what"] for proof in found["proofs"] if proof["run"] == made.run and "replaced" in proof["what"]]
    assert said == [f"it was replaced by run {newest} after the default of grocer"]


def test_the_report_names_the_run_that_it_replaces_and_what_was_paid_under_it_in_every_form(told: Told, tmp_path: Path) -> None:
    _, one, made = told
    before, after = runs_of(one.books, MONDAY)
    (run_,) = after.report.after_default
    assert run_.sha256 == before.sha256
    assert {str(p.payee): p.amount_minor for p in run_.paid} == {str(p.payee): p.amount_minor for p in before.report.payments if p.payer == "opco"}
    assert [(str(u.party), u.amount_minor, u.funds_minor) for u in run_.unpaid] == [("grocer", made.unpaid[0].amount_minor, 700)]
    assert "after_default" not in json.loads(before.text)
    for suffix in ("html", "pdf", "xlsx"):
        run(told, "report", "render", str(MONDAY), "--format", suffix, "--to", str(tmp_path / f"report.{suffix}"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Paid before the default" in page
    assert before.sha256 in page
    tables: dict[str, list[Any]] = {}
    for section in ("default", "paid_before", "waterfall"):
        rows = run(told, "report", "render", str(MONDAY), "--format", "csv", "--section", section, "--to", "-")
        tables[section] = list(csv.DictReader(io.StringIO(rows)))
    assert sum(round(float(row["amount"]) * 100) for row in tables["default"]) == 0, "all of it is borne by somebody"
    assert {row["to"] for row in tables["paid_before"]} == {"fuelco", "cafe"}
    (minor,) = [round(float(row["amount"]) * 100) for row in tables["waterfall"] if row["step"] == "paid before the default"]
    assert minor == -sum(p.amount_minor for p in run_.paid)
    assert report_workbook(shown(one.books, MONDAY, nights=1))


def test_the_exit_of_a_party_names_its_default(told: Told) -> None:
    _, _, made = told
    words = run(told, "risk", "exit", "grocer")
    assert f"grocer is in default: by the deadline it had not paid {made.unpaid[0].amount_minor / 100:.2f} EUR of window {MONDAY}." in " ".join(words.split())
    assert "is in default" not in run(told, "risk", "exit", "cafe")
