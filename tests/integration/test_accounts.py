"""`clh accounts` on real books: what it adds up is what the night measured, what the ledger's own check finds, and what was worked out by hand."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from clearing.deferred import Account, Movement
from clearing.ports import Refusal
from clearing.unused_points import NEEDS, Needs
from schemas.programme import ProgrammeFile
from services.accounts.books import Books, NotClosedError
from services.accounts.export import Ledger, beancount, ledger_of
from services.accounts.liability import liability_of
from services.accounts.revenue import Revenue, revenue_of
from services.cli.main import app
from services.journal.migrate import READER_ROLE, connect
from services.journal.verify import verified
from services.runtime.local import Addresses
from services.scenario import run as scenarios
from services.scenario.outcome import outcome_of
from tests.acceptance.random_scenarios import scenario
from tests.played import Played, played

ACCEPTANCE = Path(__file__).parents[1] / "acceptance"
THREE_NIGHTS = Path(__file__).with_name("three_nights.yaml")
WRITTEN = [
    THREE_NIGHTS,
    *(
        ACCEPTANCE / folder / f"{name}.yaml"
        for folder, name in (
            ("golden", "return-after-spending-hybrid-unused-points"), ("golden", "return-after-spending-anchor"), ("golden", "two-currencies-netted-apart"),
            ("golden", "return-after-spending-borne-by-the-seller"), ("golden", "rolling-expiry-end-of-february-unused-share"),
            ("worked", "till-hold-capture-release-time-out"), ("worked", "lots-know-sponsor-contract-day-and-expiry"),
            ("worked", "chargeback-of-spent-and-expired-points-reversed"),
        )
    ),
]  # fmt: skip
SEEDS = (5, 36, 47, 51, 57)
Look = Callable[[psycopg.Connection, str], None]
CLOSED = "select day from settlement_window where state not in ('open', 'draining') order by day"


def look_into(paths: Sequence[Path], look: Look, monkeypatch: pytest.MonkeyPatch) -> int:
    """Runs scenarios and looks into their books before these go, as a reader with a connection of its own; returns how many there were."""
    names: list[str] = []

    def outcome(connection: psycopg.Connection, file: ProgrammeFile, name: str, refused: Sequence[Refusal]) -> dict[str, Any]:
        (schema,) = connection.execute("select current_schema()").fetchone() or ("",)
        with connect(connection.info.dsn + f" password={connection.info.password}", schema, role=READER_ROLE) as own:
            look(own, name)
        names.append(name)
        return outcome_of(connection, file, name, refused)

    monkeypatch.setattr(scenarios, "outcome_of", outcome)
    for result in scenarios.run_files(list(paths)):
        assert isinstance(result, scenarios.ScenarioResult), result
    return len(names)


@pytest.fixture
def servers(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    """The test servers, also for what finds them by the environment."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    return addresses


@pytest.fixture
def seeds(tmp_path: Path) -> list[Path]:
    """Scenarios from seeds, as files."""
    paths = [tmp_path / f"{seed}.yaml" for seed in SEEDS]
    for path, seed in zip(paths, SEEDS, strict=True):
        path.write_text(json.dumps(scenario(seed), default=str), encoding="utf-8")
    return paths


@pytest.fixture(scope="module")
def nights(addresses: Addresses) -> Iterator[Played]:
    with played(THREE_NIGHTS, addresses) as one:
        yield one


@pytest.fixture
def run(servers: Addresses, nights: Played) -> Callable[..., Result]:
    """`clh accounts` on the three nights."""
    return lambda *words: CliRunner().invoke(app, ["accounts", *words, "--programme", nights.name])


def test_the_liability_of_every_closed_day_is_what_was_measured_when_it_was_closed(
    servers: Addresses, seeds: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {"days": 0, "points": 0, "held": 0, "pending": 0, "owed": 0}

    def look(connection: psycopg.Connection, name: str) -> None:
        books = Books(connection)
        days = [day for (day,) in connection.execute(CLOSED)]
        found = liability_of(books, days[-1])
        for day in days:
            found = liability_of(books, day)
            assert list(found.differing) == [], (name, day)
            for line in found.lines:
                seen["points"] += line.available
                seen["held"] += line.held
                seen["pending"] += line.pending
            seen["owed"] += found.owed
            seen["days"] += 1
        # of the newest: what `clh ledger verify` finds right is what is shown, lot by lot
        ledger = {each.what: each for each in verified(connection)}
        assert not any(each.differing for each in ledger.values())
        lots = {
            (sponsor, contract): points
            for sponsor, contract, points in connection.execute(
                "select p.id, c.valid_from, sum(l.points)::bigint from lot l join party p on p.no = l.sponsor join contract c on c.no = l.contract "
                "where l.points > 0 group by 1, 2"
            )
        }
        shown: dict[tuple[str, date], int] = {}
        for line in found.lines:
            if line.available + line.pending:
                version = (str(line.bucket.sponsor), line.bucket.contract)
                shown[version] = shown.get(version, 0) + line.available + line.pending
        assert shown == lots, name

    assert look_into([*WRITTEN, *seeds], look, monkeypatch) == len(WRITTEN) + len(SEEDS)
    assert seen["days"] > 40
    assert min(seen.values()) > 0, seen


def test_months_of_expiry_by_inactivity_follow_from_what_the_member_did_up_to_that_window(
    servers: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads(json.dumps(INACTIVE))
    path = tmp_path / "inactive.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    found: dict[str, list[tuple[int, str]]] = {}

    def look(connection: psycopg.Connection, _: str) -> None:
        books = Books(connection)
        for day in (date(2026, 1, 10), date(2026, 2, 10), date(2026, 3, 10)):
            lines = liability_of(books, day).lines
            found[day.isoformat()] = [(line.points, f"{line.bucket.expires:%Y-%m}") for line in lines if line.bucket.expires]

    look_into([path], look, monkeypatch)
    assert found == {
        "2026-01-10": [(100, "2026-04")],
        "2026-02-10": [(150, "2026-05")],  # earning renews all of the member's points
        "2026-03-10": [(90, "2026-06")],  # and so does spending; the return of a purchase does not
    }


INACTIVE = {
    "scenario": "inactive",
    "programme": {
        "programme": {
            "id": "harvest", "name": "Harvest Club", "operator": {"party": "opco", "model": "independent"}, "timezone": "Europe/Berlin", "cutoff": "02:00",
            "currencies": ["EUR"], "points": {"code": "HVP", "name": "Harvest point"}, "entry": {"kind": "open"},
            "expiry": {"kind": "inactivity", "months": 3}, "spent_points_on_return": "negative_balance", "netting": "multilateral",
        },
        "parties": [{"id": "opco", "kind": "operator", "name": "Operator"}, {"id": "grocer", "kind": "merchant", "name": "Grocer"}],
        "contracts": [{
            "party": "grocer", "from": "2026-01-01", "roles": ["issuer", "redeemer"],
            "issue": {"price": "0.0100", "currency": "EUR"}, "redeem": {"price": "0.0085", "currency": "EUR"},
        }],
        "mechanics": [{"id": "base", "kind": "points_on_spend", "from": "2026-01-01", "points": 1, "per": {"amount": "1.00", "currency": "EUR"}}],
    },
    "members": [{"id": "m1", "cards": ["c1"], "enrolled": "2026-01-01"}],
    "days": [
        {"day": "2026-01-10", "events": [
            {"type": "purchase", "id": "e1", "partner": "grocer", "card": "c1", "time": "2026-01-10T10:00:00+01:00", "total": "100.00"}]},
        {"day": "2026-02-10", "events": [
            {"type": "purchase", "id": "e2", "partner": "grocer", "card": "c1", "time": "2026-02-10T10:00:00+01:00", "total": "50.00"}]},
        {"day": "2026-03-10", "events": [
            {"type": "redemption", "id": "e3", "partner": "grocer", "card": "c1", "time": "2026-03-10T10:00:00+01:00", "points": 60}]},
        {"day": "2026-05-10", "events": []},
    ],
}  # fmt: skip


def test_the_command_shows_the_same_liability_to_people_spreadsheets_and_programs(run: Callable[..., Result]) -> None:
    shown = json.loads(run("liability", "--output", "json").output)
    assert shown["differing"] == []
    assert shown["borne_by"] == "operator"
    assert shown["redemption_price"]["from"] == "redemptions of the last year"
    points = sum(line["points"] for line in shown["lines"])
    assert points > 0
    rows = list(csv.DictReader(io.StringIO(run("liability", "--output", "csv").output)))
    assert sum(int(row["points"]) for row in rows) == points
    assert [row["paid"] for row in rows] == [line["paid"]["EUR"] for line in shown["lines"]]
    table = run("liability").output
    assert "Points outstanding at the end of" in table
    assert f"{points:,}" in table
    assert "Spent points cost the operator" in table


def test_a_day_that_was_not_closed_has_no_liability(run: Callable[..., Result], nights: Played) -> None:
    refused = run("liability", "--at", "2020-01-01")
    assert refused.exit_code == 1
    assert "2020-01-01 is no closed window; they lie between" in refused.output
    assert run("liability", "--at", "yesterday").exit_code == 2
    with nights.owner() as connection, pytest.raises(NotClosedError):
        Books(connection).day(date(1999, 1, 1))


def test_a_measure_of_the_close_that_the_journal_does_not_share_is_told_of(nights: Played, run: Callable[..., Result]) -> None:
    with nights.owner() as connection:
        day = Books(connection).day(None)
    with nights.owner() as connection:
        change = "update night_step set figures = jsonb_set(figures, '{held}', to_jsonb((figures ->> 'held')::int + %s)) where day = %s and step = 'close'"
        connection.execute(change, (7, day))
        try:
            told = run("liability")
        finally:
            connection.execute(change, (-7, day))
    assert told.exit_code == 1
    assert "at the close" in told.output
    assert run("liability").exit_code == 0


def test_unused_points_of_a_short_history_are_shown_and_nothing_rests_on_them(run: Callable[..., Result]) -> None:
    shown = json.loads(run("unused", "--output", "json").output)
    assert shown["enough"] is False
    assert shown["cohorts"]
    assert shown["naive"] is not None
    told = run("unused").output
    assert "Too little history" in told
    assert all(line["unused"] is None for line in json.loads(run("liability", "--output", "json").output)["lines"])


def test_a_share_that_is_told_lowers_what_points_are_expected_to_cost(run: Callable[..., Result]) -> None:
    whole, half, none = (json.loads(run("liability", "--output", "json", "--unused-share", share).output)["totals"] for share in ("0", "0.5", "1"))
    assert whole["expected"] == whole["cost"]
    assert none["expected"] == {"EUR": "0.00"}
    assert 0 < float(half["expected"]["EUR"]) < float(whole["expected"]["EUR"])
    for wrong in ("1.5", "-0.1", "much", "15%"):
        assert run("liability", "--unused-share", wrong).exit_code == 2


def months(connection: psycopg.Connection) -> list[date]:
    """The months from the first to the newest closed window."""
    days = [day for (day,) in connection.execute(CLOSED)]
    found = [days[0].replace(day=1)]
    while (following := (found[-1] + timedelta(days=32)).replace(day=1)) <= days[-1]:
        found.append(following)
    return found


LITTLE = Needs(1, Fraction(1))
"""What a scenario's few days can have."""
WAYS: tuple[tuple[Fraction | None, Needs], ...] = ((None, NEEDS), (None, LITTLE), (Fraction(1, 5), NEEDS))


def test_deferred_revenue_rolls_forward_from_month_to_month_with_every_movement_in_a_window(
    servers: Addresses, seeds: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = dict.fromkeys(Movement, 0)
    compared = 0

    def look(connection: psycopg.Connection, name: str) -> None:
        nonlocal compared
        books = Books(connection)
        for share, needs in WAYS:
            closed: dict[Account, int] = {}
            for month in months(connection):
                found = revenue_of(books, month, share, needs)
                assert {one.account: one.opening_minor for one in found.rolled if one.opening_minor} == closed, (name, month)
                closed = {one.account: one.closing_minor for one in found.rolled if one.closing_minor}
                for one in found.rolled:
                    assert one.opening_minor + sum(moved.amount_minor for moved in one.moved) == one.closing_minor >= 0
                    assert all(month <= moved.day <= found.end for moved in one.moved)
                    for movement in Movement:
                        seen[movement] += one.sum_of(movement) != 0
                if needs is NEEDS and share is None:
                    compared += as_the_liability_says(books, found)

    assert look_into([*WRITTEN, *seeds], look, monkeypatch) == len(WRITTEN) + len(SEEDS)
    assert min(seen.values()) > 0, seen
    assert compared > 20


def as_the_liability_says(books: Books, found: Revenue) -> int:
    """Where points count as unused when they expire, what is deferred is what was paid for the points outstanding, which is added up in another way."""
    last = books.connection.execute("select max(day) from settlement_window where state not in ('open', 'draining') and day <= %s", (found.end,)).fetchone()
    assert last is not None
    paid: dict[Account, int] = {}
    for line in liability_of(books, last[0]).lines:
        if line.bucket.sponsor != books.terms.operator:
            for currency, amount in line.paid.items():
                account = Account(line.bucket.sponsor, line.bucket.contract, currency)
                paid[account] = paid.get(account, 0) + amount
    deferred = {one.account: one.closing_minor for one in found.rolled if one.closing_minor}
    assert deferred == {account: amount for account, amount in paid.items() if amount}
    return len(deferred)


def test_the_command_shows_revenue_to_people_spreadsheets_and_programs(run: Callable[..., Result]) -> None:
    shown = json.loads(run("revenue", "--month", "2026-03", "--output", "json").output)
    assert shown["over"] is True
    assert shown["rests_on"] == "expiry"
    totals = shown["totals"]["EUR"]
    moved = sum(round(float(totals[movement.value]) * 100) for movement in Movement)
    assert round(float(totals["opening"]) * 100) + moved == round(float(totals["closing"]) * 100)
    rows = list(csv.DictReader(io.StringIO(run("revenue", "--month", "2026-03", "--windows", "--output", "csv").output)))
    assert sum(round(float(row["amount"]) * 100) for row in rows) == moved
    table = run("revenue", "--month", "2026-03").output
    assert "points count as unused when they expire" in table
    assert f"Redeemed points cost {totals['cost']} EUR." in table
    for wrong in ("2026-13", "March", "2026-3"):
        assert run("revenue", "--month", wrong).exit_code == 2
    refused = run("revenue", "--month", "2031-01")
    assert refused.exit_code == 1
    assert "no window of 2031-01 was closed yet" in refused.output


def bean_check(text: str, folder: Path) -> str:
    """What bean-check complains of in a ledger; nothing where it accepts it."""
    path = folder / "ledger.beancount"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([Path(sys.executable).with_name("bean-check"), path], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not done.stderr)
    return done.stderr


def test_the_ledger_of_every_month_is_accepted_by_bean_check_and_its_parties_stand_where_netting_says(
    servers: Addresses, seeds: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts: set[str] = set()

    def look(connection: psycopg.Connection, name: str) -> None:
        books = Books(connection)
        reports: dict[str, str] = dict(connection.execute("select distinct on (day) day::text, report from run order by day, no desc").fetchall())
        for month in months(connection):
            found = revenue_of(books, month, Fraction(1, 5))
            ledger = ledger_of(books, found)
            assert all(sum(posting.amount_minor for posting in entry.postings) == 0 for entry in ledger.entries)
            assert bean_check(beancount(ledger, f'{name} "of" {month}'), tmp_path) == ""
            assert positions(ledger) == {
                (day, at["currency"]): at["net_minor"]
                for day, report in reports.items()
                if month.isoformat() <= day <= found.end.isoformat()
                for at in json.loads(report)["positions"]
                if at["party"] == books.terms.operator and at["net_minor"]
            }
            accounts.update(posting.account.split(":From-")[0] for entry in ledger.entries for posting in entry.postings)

    assert look_into([*WRITTEN, *seeds], look, monkeypatch) == len(WRITTEN) + len(SEEDS)
    assert {
        "Income:Fees", "Liabilities:Vat", "Expenses:Redemption", "Income:Points:Spent", "Income:Points:Unused", "Income:Points:Unused:Caught-Up",
        "Income:Points:Not-Deferred", "Equity:Opening-Balances", "Liabilities:Deferred-Revenue:Grocer", "Assets:Receivable:Grocer",
        "Liabilities:Payable:Fuelco",
    } <= accounts  # fmt: skip


def positions(ledger: Ledger) -> dict[tuple[str, str], int]:
    """What the lines of each window put on the accounts of parties, by currency."""
    found: dict[tuple[str, str], int] = {}
    for entry in ledger.entries:
        for posting in entry.postings:
            if posting.account.startswith(("Assets:Receivable:", "Liabilities:Payable:")):
                key = (entry.day.isoformat(), entry.currency)
                found[key] = found.get(key, 0) + posting.amount_minor
    return {key: amount for key, amount in found.items() if amount}


def test_the_command_exports_the_same_entries_as_csv_and_as_beancount(run: Callable[..., Result], tmp_path: Path) -> None:
    text = run("export", "--month", "2026-03", "--format", "beancount").output
    assert bean_check(text, tmp_path) == ""
    rows = list(csv.DictReader(io.StringIO(run("export", "--month", "2026-03").output)))
    by_entry: dict[str, int] = {}
    for row in rows:
        amount = round(float(row["debit"] or 0) * 100) - round(float(row["credit"] or 0) * 100)
        by_entry[row["entry"]] = by_entry.get(row["entry"], 0) + amount
    assert set(by_entry.values()) == {0}
    assert len(by_entry) == text.count(" * ")
    closing = json.loads(run("revenue", "--month", "2026-03", "--output", "json").output)["accounts"]
    for account in closing:
        name = f"Liabilities:Deferred-Revenue:{account['sponsor'].title()}:From-{account['contract']}"
        assert f"balance {name}  -{account['closing']} EUR" in text


def test_bean_check_finds_a_ledger_in_which_one_amount_was_changed(run: Callable[..., Result], tmp_path: Path) -> None:
    text = run("export", "--month", "2026-03", "--format", "beancount").output
    line = next(line for line in text.splitlines() if line.startswith("  Liabilities:Deferred-Revenue:Grocer") and "  -" in line)
    assert "Transaction does not balance" in bean_check(text.replace(line, line.replace("  -", "  -9"), 1), tmp_path)
    balance = next(line for line in text.splitlines() if " balance " in line and "  -" in line)
    assert "Balance failed" in bean_check(text.replace(balance, balance.replace("  -", "  -9"), 1), tmp_path)
