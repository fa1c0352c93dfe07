"""The demo of money: a month is signed, paid and settled through a bank; what goes wrong is explained, and every cent is where it should be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from clearing.window import State
from services.cli.demo_bank_tables import show
from services.cli.main import app
from services.demo.bank.run import DISPUTED_IN, MISTAKES_ON, RETURNED_IN, SILENT_IN, BankPlayed, play_bank
from services.demo.bank.settling import CHECKERS, MAKER
from services.demo.bank.told import Told, told
from services.demo.run import Clock
from services.demo.source import Purchases
from services.house import House
from services.runtime.local import Addresses
from services.settlement.keys import raw, read_private, read_public

FIRST, LAST = date(2017, 1, 1), date(2017, 1, 31)
CODES = {
    "AMOUNT_OVER", "AMOUNT_UNDER", "CAP_DIFFERENCE", "CURRENCY", "DIRECTION", "INELIGIBLE_MCC", "LATE", "MISSING_AT_BANK", "MISSING_AT_PROGRAMME",
    "OVER_REVERSED", "REVERSED_UNMATCHED", "RULE_VERSION", "SPLIT_INCOMPLETE",
}  # fmt: skip
EXPLAINED = "select coalesce(sum(amount) filter (where credit), 0)::bigint, coalesce(sum(amount) filter (where not credit), 0)::bigint from bank_entry e {}"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_month_is_signed_paid_and_settled_and_what_went_wrong_is_explained(
    addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    house = House(addresses.postgres_uri, addresses.kafka_bootstrap)
    bought = Purchases.read(FIRST, LAST).of_households(lambda household: household % 3 == 0)
    played = play_bank(house, bought, tmp_path, clock=Clock(), keep=True)
    with house.books(played.played.file.programme.id) as connection:
        found = told(connection, played)
        _all_is_settled(played)
        _what_went_wrong_is_told(played, found)
        _every_cent_is_where_it_should_be(connection, found)
    _the_next_person_can_go_on(played)
    show(played, found)
    shown = capsys.readouterr().out
    assert "They agree." in shown
    assert all(code in shown for code in CODES)
    verified = CliRunner().invoke(app, ["ledger", "verify", "--programme", played.played.file.programme.id])
    assert verified.exit_code == 0, verified.output


def _all_is_settled(played: BankPlayed) -> None:
    windows = [report.window for report in played.played.reports]
    assert windows == [date(2017, 1, no) for no in range(1, 32)]
    assert {played.states[day] for day in windows} == {State.SETTLED}
    for report in played.played.reports:
        assert sum(position.net_minor for position in report.positions) == 0


def _what_went_wrong_is_told(played: BankPlayed, found: Told) -> None:
    returned, disputed, defaulted = found.happened
    assert (returned.day, disputed.day, defaulted.day) == (RETURNED_IN, DISPUTED_IN, SILENT_IN)
    assert "came back (AC04" in returned.sentence
    assert returned.sentence.endswith("is confirmed")
    assert "upheld" in disputed.sentence
    assert "is in default" in defaulted.sentence
    assert defaulted.sentence.count(" bears ") > 1
    assert next(week.runs for week in found.weeks if week.window == SILENT_IN) == 2
    assert (played.recon.day, set(played.recon.broken)) == (MISTAKES_ON, CODES)
    for total in played.recon.sums:
        causes = [row for row in played.recon.causes if (row["kind"], row["unit"]) == (total["kind"], total["unit"])]
        assert sum(row["diff_units"] for row in causes) == total["diff_units"]


def _the_next_person_can_go_on(played: BankPlayed) -> None:
    """Keys open with the passphrase beside them, and nobody else may read them; every message of the bank is there."""
    assert played.kept is not None
    words = played.kept.passphrase.read_text(encoding="utf-8").strip()
    for name in (MAKER, *CHECKERS):
        private = played.kept.people / f"{name}.pem"
        assert private.stat().st_mode & 0o077 == 0
        assert read_public(private.with_name(f"{name}.pem.pub")) == raw(read_private(private, words))
    assert {path.name.split("-", 1)[1][:8] for path in played.kept.messages.iterdir()} >= {"pain.002", "camt.053"}


def _every_cent_is_where_it_should_be(connection: psycopg.Connection, found: Told) -> None:
    assert found.expected_minor == found.closing_minor
    assert found.other_minor == 0
    assert {week.missing_minor for week in found.weeks} == {0}
    counted = EXPLAINED.format("join statement_counted c on c.report = e.report")
    received, paid = connection.execute(counted).fetchone() or (0, 0)
    assert found.opening_minor + received - paid == found.closing_minor
