"""A debt that a window before has carried on rests on that window's lines too: whoever is owed by them bears a share of the loss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clearing.entries import Code
from schemas.ids import PartyId
from services.cli.main import app
from services.journal.corrections import book_correction
from services.risk.funds import Entry
from services.runtime.local import Addresses
from tests.bills import vouch
from tests.coalition import coalition
from tests.paying import ACCOUNTS, AtTheBank
from tests.signers import Signers, netted

SATURDAY, SUNDAY = date(2026, 3, 7), date(2026, 3, 8)
LATE, NOW = date(2026, 5, 20), datetime(2026, 5, 20, 9, 0, tzinfo=UTC)
WEEKLY = (*ACCOUNTS, ("settlement: daily", "settlement: weekly"), ("loss: operator", "loss: shared"))
"""The grocer settles on Sundays, all others daily."""


@pytest.fixture
def signers(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signers]:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    with coalition(addresses, *WEEKLY, day=SATURDAY) as one, netted(one) as signers:
        yield signers


def owe(signers: Signers, day: date, creditor: str, minor: int) -> None:
    """The grocer owes somebody; the window is closed and approved."""
    with signers.one.books() as books:
        pair = (PartyId("grocer"), PartyId(creditor))
        book_correction(books, Code.ADJUSTMENT, *pair, "EUR", minor, reference=f"of {day}", reason="a bill", by="mia")
    vouch(signers.one)
    signers.one.close(day)
    signers.approve(day)


def test_the_loss_is_shared_by_those_whom_the_windows_before_owed_too(signers: Signers, tmp_path: Path) -> None:
    owe(signers, SATURDAY, "cafe", 2001)
    with signers.one.books() as books:
        bank = AtTheBank(books, signers.one.id, tmp_path, day=SATURDAY)
        bank.pay()
        bank.take(bank.statement(bank.debit("cafe")))
        bank.match()
        assert bank.window() == "settled"
        owe(signers, SUNDAY, "fuelco", 3000)
        signers.fund(books, Entry(PartyId("fuelco"), "EUR", 900, "paid in", "RF1"), NOW)
        told = CliRunner().invoke(app, ["risk", "report", "--programme", signers.one.id, "--output", "json"])
        (euro,) = json.loads(told.stdout)["currencies"]
        assert euro["failures"][0] == {"parties": ["grocer"], "owed_minor": 5001, "funds_minor": 0, "losses_minor": {"cafe": 2001, "fuelco": 3000}}
        fuelco = next(party for party in euro["parties"] if party["party"] == "fuelco")
        assert (fuelco["limit"], fuelco["funds_minor"]) == (None, 900)
        bank.day = SUNDAY
        bank.pay()
        bank.take(bank.statement(bank.debit("fuelco"), bank.credit("grocer", 1)))
        bank.match()
        made = signers.default(books, ["grocer"], LATE, NOW, day=SUNDAY)
    assert {line.bearer: line.amount_minor for line in made.borne} == {"cafe": 2001, "fuelco": 2999}, "5,000 by 2,001 to 3,000: 2,000.6 and 2,999.4"
