"""The demo: its events are the source's purchases to the cent, and its books come to what plain sums over the source come to."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from json import loads
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from schemas.events.decode import Malformed, decode
from schemas.ids import ProgrammeId
from schemas.money import to_minor
from schemas.report import SettlementReport
from services.cli.demo_tables import next_commands
from services.cli.main import app
from services.demo.mistakes import MISTAKES
from services.demo.pointers import pointers
from services.demo.run import Clock, play
from services.demo.scenario import chosen, write_scenario
from services.demo.source import Purchases
from services.demo.story import DemoDay, Story
from services.house import House
from services.runtime.local import Addresses
from services.scenario.run import ScenarioResult, run_files
from tests.acceptance.plain_books import PlainBooks, source_rows

FIRST, THIRD = date(2017, 1, 1), date(2017, 1, 3)
MONTH_END = date(2017, 1, 31)
MADE_WRONG = ("-total", "-text", "-bread")


@pytest.fixture(scope="module")
def three_days() -> list[DemoDay]:
    """The first three days of the demo."""
    return list(Story(Purchases.read(FIRST, THIRD)).days())


def plain_books(days: list[DemoDay], last: date) -> PlainBooks:
    """The same days in plain Python over the source."""
    books = PlainBooks.of(source_rows(FIRST, last))
    for day in days:
        for event in (*day.members, *day.events):
            books.event(day.day, event.value)
    return books


def purchases_in(days: list[DemoDay]) -> Iterator[dict[str, object]]:
    """Every purchase once, those made wrong on purpose left out."""
    seen = set()
    for day in days:
        for event in day.events:
            document = loads(event.value)
            if document["type"] == "purchase.v1" and not document["id"].endswith(MADE_WRONG) and document["id"] not in seen:
                seen.add(document["id"])
                yield document


def test_the_same_purchases_always_become_the_same_events(three_days: list[DemoDay]) -> None:
    assert list(Story(Purchases.read(FIRST, THIRD)).days()) == three_days


def test_longer_stretches_tell_the_same_purchases(three_days: list[DemoDay]) -> None:
    longer = [day for day, _ in zip(Story(Purchases.read(FIRST, date(2017, 1, 10))).days(), three_days, strict=False)]
    assert [day.events for day in longer] == [day.events for day in three_days]


def test_purchases_of_january_add_up_to_the_source_by_day_and_basket() -> None:
    sold: Counter[tuple[date, str, str]] = Counter()
    for document in purchases_in(list(Story(Purchases.read(FIRST, MONTH_END)).days())):
        data = document["data"]
        assert isinstance(data, dict)
        at = datetime.fromisoformat(str(document["time"])).astimezone(ZoneInfo("America/New_York"))
        assert data["total_minor"] == sum(line["amount_minor"] for line in data["lines"])
        sold[at.date(), data["receipt"], str(document["source"]).rpartition("/")[2]] += data["total_minor"]
    bought: Counter[tuple[date, str, str]] = Counter()
    for row in source_rows(FIRST, MONTH_END):
        bought[row.day, str(row.basket), row.seller] += row.cents
    assert +sold == +bought
    assert sum(sold.values()) > 35_000_000


def test_only_what_is_made_wrong_on_purpose_is_malformed(three_days: list[DemoDay]) -> None:
    malformed = Counter[date]()
    for day in three_days:
        for event in (*day.members, *day.events):
            try:
                decode(event.value)
            except Malformed:
                assert event.event_id is not None and event.event_id.endswith("-text")
                malformed[day.day] += 1
    assert malformed == {day.day: 1 for day in three_days}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_days_come_to_the_cent_of_plain_sums(addresses: Addresses, three_days: list[DemoDay], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house, books = House(addresses.postgres_uri, addresses.kafka_bootstrap), plain_books(three_days, THIRD)

    played = play(house, Purchases.read(FIRST, THIRD), tmp_path, clock=Clock())

    assert [report.window for report in played.reports] == [day.day for day in three_days]
    for report in played.reports:
        assert lines_of(report) == books.obligations(report.window)
        assert {p.party: p.net_minor for p in report.positions} == books.positions(report.window)
        assert refusals_of(report) == books.refused[report.window]
        assert sum(books.refused[report.window].values()) == len(MISTAKES) - 1  # what is sent twice is no rejection
        assert all(check.ok for check in report.checks)
    assert balances_of(house) == {member: points for member, points in books.balances.items() if points}
    assert played.events == sum(len(day.members) + len(day.events) for day in three_days)
    what_it_points_to_works(house, addresses, monkeypatch)
    assert [report.sha256() for report in played.reports][-1] == shown_by_command(addresses, tmp_path)["sha256"]


def what_it_points_to_works(house: House, addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command that the demo names goes on from its books; those that explain add up what they show."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    with house.books("harvest-demo") as connection:
        way_down = pointers(connection, THIRD)
    assert way_down is not None
    for command, _ in next_commands(ProgrammeId("harvest-demo"), "America/New_York", way_down, alone=False):
        done = CliRunner().invoke(app, shlex.split(command))
        assert done.exit_code == 0, f"clh {command}: {done.output}"


def shown_by_command(addresses: Addresses, folder: Path) -> dict[str, Any]:
    """What the command says of the same three days: it begins anew, and has to come to the same bytes."""
    told = {"CLH_POSTGRES_URI": addresses.postgres_uri, "CLH_KAFKA_BOOTSTRAP": addresses.kafka_bootstrap, "CLH_STATE_DIR": str(folder)}
    command = [sys.executable, "-m", "services.cli", "demo", "--days", "3", "--output", "json"]
    done = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("checks hold") == 3
    shown: dict[str, Any] = loads(done.stdout)
    return shown


def lines_of(report: SettlementReport) -> dict[tuple[str, str | None, str, str], int]:
    """The report's obligations, by kind, detail, debtor and creditor."""
    found = Counter[tuple[str, str | None, str, str]]()
    for line in report.obligations:
        found[str(line.kind), line.detail, str(line.debtor), str(line.creditor)] += line.amount_minor
    return dict(found)


def refusals_of(report: SettlementReport) -> dict[str, int]:
    """Rejected events by code, all senders together."""
    found = Counter[str]()
    for rejection in report.rejections:
        found[rejection.code.value] += rejection.events
    return dict(found)


def balances_of(house: House) -> dict[str, int]:
    """Every member's points, less what is owed."""
    with house.books("harvest-demo") as connection:
        rows = connection.execute("select id, available + pending + held - owed from member").fetchall()
    return {member: points for member, points in rows if points}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_weeks_of_purchases_in_one_scenario_come_to_the_cent(addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    purchases = chosen()
    written = write_scenario(tmp_path, purchases)
    books = plain_books(list(Story(purchases).days()), purchases.last)
    assert 14_500 < written.events < 15_500

    (result,) = run_files([written.file])

    assert isinstance(result, ScenarioResult)
    assert not result.differences
    report = result.report
    cents = {
        date.fromisoformat(day): {party: to_minor(amount, "USD") for party, amount in by_currency["USD"].items()}
        for day, by_currency in report["positions"].items()
    }
    assert cents == {day: {party: net for party, net in books.positions(day).items() if net} for day in cents}
    assert len(cents) == 21
    balances = {member: b["available"] + b["pending"] for member, b in report["balances"].items()}
    assert {member: points for member, points in balances.items() if points} == {member: points for member, points in books.balances.items() if points}
