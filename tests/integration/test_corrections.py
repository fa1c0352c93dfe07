"""Amounts that no event brings are entries of the current window: priced, netted, checked, explained and sealed like any other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from clearing.approval import Action
from clearing.entries import Code
from schemas.ids import PartyId
from services.cli.main import app
from services.journal.corrections import Correction, NoOpenWindow, OtherCorrection, book_correction
from services.journal.migrate import connect
from services.journal.verify import verified
from services.runtime.local import Addresses
from services.seal.export import export
from services.seal.keys import FileSigner, generate
from services.seal.sealing import seal_due
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.verify import verify_settlement
from tests.bills import vouch
from tests.coalition import Coalition, coalition, purchase
from tests.seals import auditor, both
from tests.signers import MONDAY, netted

GROCER, FUELCO = PartyId("grocer"), PartyId("fuelco")


@pytest.fixture
def one(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[Coalition]:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    with coalition(addresses, day=MONDAY) as made:
        yield made


def book(connection: psycopg.Connection, amount_minor: int, reference: str = "case 7", code: Code = Code.ADJUSTMENT) -> Correction:
    return book_correction(connection, code, GROCER, FUELCO, "EUR", amount_minor, reference=reference, reason="paid twice", by="mia")  # type: ignore[arg-type]


def lines(one: Coalition, day: date) -> list[tuple[str, str, str, int, int | None]]:
    with one.books() as connection:
        return connection.execute(
            "select kind, debtor, creditor, amount, events from obligation where day = %s and kind in ('adjustment', 'dispute', 'default_loss') order by line",
            (day,),
        ).fetchall()


def test_a_correction_is_a_line_of_the_current_window_and_of_no_closed_one(one: Coalition) -> None:
    one.enrol(("m-1", "card-1"))
    one.publish(purchase("p1", "card-1", 540000))
    one.book()
    with one.books() as connection:
        assert book(connection, 1234).day == MONDAY
    one.close(MONDAY)
    with one.books() as connection:
        later = book(connection, 66, "case 8", Code.DISPUTE)
        book(connection, 34, "case 9", Code.DISPUTE)
    assert later.day > MONDAY
    one.close(later.day)
    assert lines(one, MONDAY) == [("adjustment", "grocer", "fuelco", 1234, None)]
    assert lines(one, later.day) == [("dispute", "grocer", "fuelco", 100, None)]
    vouch(one)
    verified = CliRunner().invoke(app, ["ledger", "verify", "--programme", one.id])
    assert verified.exit_code == 0, verified.output


@pytest.mark.parametrize(
    "reference",
    ["case 7", "dispute 1 hold", "recon 1/1/1", "default of fuelco in 2026-03-02, run 1, EUR, grocer", "20260302-EUR-GROCER/1/1"],
)
def test_a_correction_that_belongs_to_nothing_is_named_and_nobody_can_approve_it(one: Coalition, reference: str) -> None:
    """One call of the application's role is enough to book it."""
    with one.books() as connection:
        made = book(connection, 1_000_000, reference)
    with netted(one, MONDAY) as people:
        with pytest.raises(SettlementError, match=f"of nothing: {reference}: grocer owes fuelco 1000000 EUR") as refusal:
            people.say(Action.SUBMIT, "mia")
        assert refusal.value.code is SettlementCode.CHECK_FAILED
        with one.books() as connection:
            failing = [proof.what for proof in verify_settlement(connection, one.id, MONDAY) if not proof.holds]
        assert failing == ["what was put right is of a payment, a break, a dispute or a default"]
        told = CliRunner().invoke(app, ["ledger", "verify", "--programme", one.id, "--output", "json"])
        assert (told.exit_code, f"correction {made.no}, {reference}" in told.output) == (1, True), told.output
        vouch(one)
        people.approve()
    assert CliRunner().invoke(app, ["ledger", "verify", "--programme", one.id]).exit_code == 0


def test_rows_of_corrections_without_one_and_a_correction_without_rows_are_named(one: Coalition) -> None:
    with one.books() as connection:
        book(connection, 1234)
    vouch(one)
    for forged in ("update correction set amount = 1", "delete from correction", "delete from transfer where code = 33"):
        with one.books(owner=True) as owner, owner.transaction(force_rollback=True):
            owner.execute("set session_replication_role = replica")
            assert owner.execute(forged).rowcount == 1
            assert "corrections" in {each.what for each in verified(owner) if each.differing}, forged


def test_the_same_reference_is_booked_once_and_nothing_else_under_it(one: Coalition) -> None:
    with one.books() as connection:
        first = book(connection, 1234)
        assert book(connection, 1234) == first
        with pytest.raises(OtherCorrection, match="1234 EUR that grocer owes fuelco"):
            book(connection, 1235)
        assert book(connection, 1235, code=Code.DISPUTE).no != first.no
        assert connection.execute("select count(*), sum(amount) from transfer").fetchone() == (2, 2469)


def test_without_an_open_window_nothing_is_booked(one: Coalition) -> None:
    with one.books(owner=True) as connection:
        connection.execute("update settlement_window set state = 'draining'")
        with pytest.raises(NoOpenWindow):
            book(connection, 1)
        assert connection.execute("select count(*) from correction").fetchone() == (0,)


def test_a_correction_is_explained_by_its_number(one: Coalition) -> None:
    with one.books() as connection:
        made = book(connection, 1234)
    one.close(MONDAY)
    told = CliRunner().invoke(app, ["explain", "obligation", MONDAY.isoformat(), "0", "--programme", one.id, "--output", "json"])
    assert told.exit_code == 0, told.output
    assert f"correction {made.no}" in json.dumps(json.loads(told.output))


def test_both_verifiers_accept_a_window_with_a_correction(one: Coalition, tmp_path: Path) -> None:
    with one.books() as connection:
        book(connection, 1234)
    one.close(MONDAY)
    generate(tmp_path / "key.pem", tmp_path / "keys.txt", "first")
    signer = FileSigner(tmp_path / "key.pem")
    with connect(one.house.postgres_uri, one.schema, autocommit=True) as connection:
        seal_due(connection, signer)
        export(connection, MONDAY, GROCER, signer, tmp_path / "grocer.tar")
    verdict, problems = both(tmp_path / "grocer.tar", tmp_path / "keys.txt", auditor())
    assert (verdict.problems, problems) == ([], [])
