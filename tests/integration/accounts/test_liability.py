"""`clh accounts liability` and `unused` on real books: what was measured at each close, and what was worked out by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg
import pytest
from typer.testing import Result

from services.accounts.books import Books, NotClosedError
from services.accounts.liability import liability_of
from services.journal.verify import verified
from services.runtime.local import Addresses
from tests.integration.accounts.looking import CLOSED, SEEDS, WRITTEN, look_into
from tests.played import Played


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
    assert f"equal what was measured when the window {shown['day']} was closed" in table


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
