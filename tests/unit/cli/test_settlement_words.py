"""What `clh settlement` says of what is left out, of runs that hold, and of payments that came back."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.cli.checking import _show_earlier
from services.cli.output import say_left_out
from services.cli.paying import show_payments
from tests.narrow import blocks, terminal

DAY = date(2026, 3, 2)


def proof(run: int, *, holds: bool = True) -> Any:
    return SimpleNamespace(run=run, day=DAY, what="sums", holds=holds, differs="" if holds else "net of bakery")


def payment(**named: Any) -> dict[str, Any]:
    return {"run": 1, "replaced": False, "id": "P", "kind": "outgoing", "from": "opco", "to": "fuel", "currency": "EUR", "amount_minor": 1509, "state": "sent",
            "missing_minor": 1509, "confirmed_minor": 0, "announced_minor": 0, "excess_minor": 0, "deadline": "2026-03-03", "late": False, "reference": "R",
            "statements": [], "reason": None, "attempts": [], "twice": None, "programme_account": None, **named}  # fmt: skip


def attempt(state: str, file: str, reason: str | None = None) -> dict[str, Any]:
    return {"next_account": None, "state": state, "message_id": file, "reason": reason, "value_date": DAY, "came_back_on": DAY + timedelta(days=2)}


def test_how_many_are_left_out_is_said_and_nothing_where_all_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    say_left_out(30, 32, "runs")
    say_left_out(32, 32, "runs")
    assert capsys.readouterr().out == "30 of 32 runs; --last 32 shows all\n"


def test_earlier_runs_that_hold_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    _show_earlier([proof(run) for run in range(1, 33) for _ in range(2)], whole=False)
    assert capsys.readouterr().out == "32 earlier runs hold by their hashes; recomputed in full with --details.\n"


def test_an_earlier_run_that_does_not_hold_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    _show_earlier([proof(1), proof(2), proof(2, holds=False)], whole=False)
    said = capsys.readouterr().out
    assert said.startswith("1 earlier run holds by its hash; ")
    assert "sums: net of bakery" in said
    assert "1 of 2" in said


def test_of_a_payment_that_came_back_each_attempt_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    show_payments([payment(attempts=[attempt("returned", "F1", "AC04"), attempt("sent", "F2")]), payment(attempts=[attempt("sent", "F3")])], DAY)
    said = capsys.readouterr().out
    assert "15.09 EUR to fuel: attempt 1 came back on 2026-03-04 (AC04), in file F1 for 2026-03-02; attempt 2 sent, in file F2 for 2026-03-02\n" in said
    assert said.count("attempt") == 2


def test_what_a_default_replaced_before_it_was_sent_is_not_missing(capsys: pytest.CaptureFixture[str]) -> None:
    show_payments([payment(state="planned", replaced=True)], DAY)
    said = capsys.readouterr().out
    assert "replaced by the default" in said
    assert "planned" not in said
    assert said.count("15.09") == 1


@pytest.mark.parametrize("width", [80, 100, 200])
def test_the_ids_of_payments_are_shown_at_any_width(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "20260302-EUR-22XSV7S74OAQG7R2CLTC"
    both = [payment(id=name, statements=["STMT-2026-03-03-1"]), payment(id=name.replace("22", "33"), to="bakery", statements=["STMT-2026-03-03-1"], run=2)]
    with terminal(width, monkeypatch) as written:
        show_payments(both, DAY)
    table = [line for line in written.getvalue().splitlines() if "│" in line]
    assert any(name in line for line in table)
    assert max(map(len, table)) <= width
    assert blocks(written.getvalue()) == []
