"""A party or bank that the programme does not have gets no answer that reads as if it were there: the command names those that there are."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.runtime.local import Addresses
from tests.coalition import Coalition, coalition, purchase
from tests.signers import MONDAY

PARTIES = (
    "funding list grocr", "bank cash-back 2026-03-02 --funder grocr", "bank payouts 2026-03-02 --payer grocr", "dispute lines 2026-03-02 --party grocr",
    "dispute open 2026-03-02 1 --party grocr --reason x", "events rejected 2026-03-02 --party grocr", "events held --party grocr", "dlq list --party grocr",
    "dlq replay --party grocr", "risk exit grocr",
)  # fmt: skip
BANKS = (
    "recon breaks bnk1", "recon report bnk1 2026-03-02", "recon run bnk1 2026-03-02", "recon verify bnk1", "recon status bnk1", "bank rewards bnk1 2026-03-02",
    "bank answer bnk1 2026-03-02", "recon breaks grocer",
)  # fmt: skip


@pytest.fixture(scope="module")
def one(addresses: Addresses) -> Iterator[Coalition]:
    """Monday is netted. An event has come from somebody who is no party."""
    with coalition(addresses, day=MONDAY) as made:
        made.publish(purchase("p1", "card-1", 100, source="/partners/newshop"))
        made.book()
        made.close(MONDAY)
        yield made


def run(one: Coalition, command: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, [*shlex.split(command), "--programme", one.id])
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.parametrize("command", PARTIES)
def test_a_party_that_is_not_there_is_refused_with_those_that_are(one: Coalition, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run(one, command, monkeypatch)
    assert (code, "no party grocr; it has" in said, "grocer, " in said, "[unknown-party]" in said) == (1, True, True, True), said


@pytest.mark.parametrize("command", BANKS)
def test_a_bank_that_is_not_there_is_refused_with_those_that_are(one: Coalition, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run(one, command, monkeypatch)
    assert (code, said.endswith("; it has bank1 [unknown-bank]")) == (1, True), said


@pytest.mark.parametrize("command", ["funding list cafe", "events held --party newshop", "events rejected 2026-03-02 --party newshop", "recon breaks bank1"])
def test_those_that_are_there_are_answered_though_they_have_nothing(one: Coalition, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run(one, command, monkeypatch)
    assert (code, "; it has" in said) == (0, False), said
