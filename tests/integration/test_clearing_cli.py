"""`clh window` and `clh clearing` against a house at work: windows closed by hand, nights refused, left half done and gone on with."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clearing.checks import balances_equal_lots, journal_balanced
from services.cli.main import app
from services.runtime.local import Addresses
from tests.coalition import Coalition, coalition, event, purchase

Run = Callable[..., Result]


@pytest.fixture
def run(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`clh` on the test servers."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.delenv("CLH_SENDER_KEYS", raising=False)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def as_json(run: Run, one: Coalition, *words: str) -> Any:
    """What a command answers as JSON, whatever its exit code."""
    return json.loads(run(*words, "--programme", one.id, "--output", "json").stdout)


def windows(run: Run, one: Coalition) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = as_json(run, one, "window", "list")["windows"]
    return found


def shop(one: Coalition) -> None:
    """A member, two purchases and one event that is refused."""
    one.enrol(("m-1", "card-1"))
    one.publish(purchase("p1", "card-1", 5400), purchase("p2", "card-1", 1999, source="/partners/fuelco"), purchase("p3", "card-1", -1))


def open_day(run: Run, one: Coalition) -> str:
    (day,) = [window["window"] for window in windows(run, one) if window["state"] == "open"]
    return str(day)


def test_a_window_is_not_cut_while_nobody_would_book_what_waits(addresses: Addresses, run: Run) -> None:
    with coalition(addresses) as one:
        shop(one)
        refused = run("window", "close", "--programme", one.id)
        assert refused.exit_code == 3
        assert "3 records wait to be booked, and no processor" in refused.output
        assert [window["state"] for window in windows(run, one)] == ["open"]


def test_a_window_is_closed_by_hand_and_the_next_one_opens(addresses: Addresses, run: Run) -> None:
    with coalition(addresses) as one:
        shop(one)
        day = open_day(run, one)
        closed = as_json(run, one, "window", "close", "--with-processor")
        (window,) = closed["cleared"]
        assert (window["window"], window["state"], window["waits_for"]) == (day, "netted", "submission and the approval of two people")
        assert (window["received"]["accepted"], window["received"]["rejected"]) == (2, 1)
        assert list(window["steps"]) != []
        states = [each["state"] for each in windows(run, one)]
        assert states == ["netted", "open"]
        again = as_json(run, one, "window", "close", day)
        assert again["cleared"][0]["run"] == window["run"]
        shown = run("report", "show", day, "--programme", one.id)
        assert (shown.exit_code, f"window {day}: all 7 checks hold" in shown.output) == (0, True)


def test_windows_are_closed_in_their_order_and_unknown_days_are_named(addresses: Addresses, run: Run) -> None:
    with coalition(addresses, day=date(2026, 3, 2)) as one:
        with one.books(owner=True) as connection:
            connection.execute("insert into settlement_window (day, state) values ('2026-03-03', 'open')")
        later = run("window", "close", "2026-03-03", "--programme", one.id)
        assert (later.exit_code, "window 2026-03-02 comes before 2026-03-03" in later.output) == (1, True)
        unknown = run("window", "close", "2026-03-01", "--programme", one.id)
        assert (unknown.exit_code, "there is no window 2026-03-01" in unknown.output) == (1, True)
        assert run("window", "close", "yesterday", "--programme", one.id).exit_code == 2


def test_a_processor_elsewhere_is_enough_and_a_run_clears_what_is_due(addresses: Addresses, run: Run) -> None:
    with coalition(addresses) as one, one.running():
        shop(one)
        day = open_day(run, one)
        nothing = run("clearing", "run", "--programme", one.id)
        assert (nothing.exit_code, "Nothing to clear; the open window" in nothing.output) == (0, True)
        with one.books(owner=True) as connection:
            connection.execute("update settlement_window set ends_at = now() where state = 'open'")
        due = as_json(run, one, "clearing", "run")
        assert due["cleared"][0]["window"] == day


def test_what_a_crash_left_half_done_is_shown_and_gone_on_with(addresses: Addresses, run: Run) -> None:
    with coalition(addresses) as one:
        shop(one)
        day = open_day(run, one)
        night = one.house.night(one.id, lambda *_: None, by_hand=True)
        night.cut_off(date.fromisoformat(day))
        night.connection.close()
        half = as_json(run, one, "clearing", "status")["windows"][0]
        assert (half["state"], sum(part["records"] for part in half["behind"])) == ("draining", 3)
        parts = len(half["behind"])
        assert half["waits_for"] == f"3 records in {parts} partition{'s' if parts > 1 else ''} not booked to the cut"
        table = run("clearing", "status", "--programme", one.id).output
        assert f"Night of {day}" in table
        assert "records behind" in table
        assert "Records that are not booked: 3" in table
        gone_on = as_json(run, one, "clearing", "resume", "--with-processor")
        assert [(window["window"], window["state"]) for window in gone_on["cleared"]] == [(day, "netted")]
        assert as_json(run, one, "clearing", "resume")["cleared"] == []


def test_a_check_that_does_not_hold_stops_the_night_until_it_is_put_right(addresses: Addresses, run: Run) -> None:
    with coalition(addresses) as one, one.books(owner=True) as connection:
        shop(one)
        day = open_day(run, one)
        one.book()
        connection.execute("update member set available = available + 5 where id = 'm-1'")
        refused = run("window", "close", "--programme", one.id)
        assert refused.exit_code == 1
        assert "balances_equal_lots" in refused.output
        told = run("clearing", "run", "--programme", one.id, "--output", "json")
        assert told.exit_code == 1
        document = json.loads(told.stdout)
        assert (document["refused"], [check["name"] for check in document["failed"]]) == (day, ["balances_equal_lots"])
        assert as_json(run, one, "clearing", "status")["windows"][0]["state"] == "closed"
        connection.execute("update member set available = available - 5 where id = 'm-1'")
        resumed = run("clearing", "resume", "--programme", one.id)
        assert resumed.exit_code == 0, resumed.output
        assert windows(run, one)[0]["state"] == "netted"


def test_points_of_the_next_window_do_not_change_what_was_measured_at_the_close(addresses: Addresses) -> None:
    """A window that is closed, and cleared later, has the report of one that was cleared at once."""
    with coalition(addresses) as one, one.books() as connection:
        shop(one)
        one.book()
        (day,) = connection.execute("select day from settlement_window").fetchone() or (None,)
        night = one.house.night(one.id, lambda *_: None, by_hand=True)
        bookings = (night.book_waiting, night.give_shared, night.free_holds, night.release_pending, night.lapse_held, night.expire_lots)
        for step in (night.cut_off, *bookings, night.close):
            step(day)
        before = night.closing(day)
        one.publish(purchase("p4", "card-1", 100000))
        one.book()
        assert night.closing(day) == before
        assert balances_equal_lots(night.balances(day)).ok
        night.connection.close()


def test_a_row_on_a_foreign_account_unbalances_the_journal(addresses: Addresses) -> None:
    with coalition(addresses) as one, one.books(owner=True) as owner:
        shop(one)
        one.book()
        (day,) = owner.execute("select day from settlement_window").fetchone() or (None,)
        night = one.house.night(one.id, lambda *_: None)
        assert journal_balanced(*night.sums_by_unit(day)).ok
        night.connection.close()
        night.connection = owner
        for change in (
            "credit = credit + 4",
            "debit = debit - 4096",
            "credit = credit + 4, debit = debit - 4096",
            "unit = (select no from unit where id = 'EUR')",
        ):
            with owner.transaction(force_rollback=True):
                owner.execute("set local session_replication_role = replica")
                owner.execute(f"update transfer set {change} where code = 1")  # noqa: S608  # from the list above
                night.journal_totals(day)
                assert not journal_balanced(*night.sums_by_unit(day)).ok, change


def test_a_release_of_a_hold_that_is_not_open_leaves_balances_and_lots_equal(addresses: Addresses) -> None:
    with coalition(addresses) as one:
        one.enrol(("m-1", "card-1"))
        one.publish(purchase("p1", "card-1", 10000))
        one.book()
        hold = event(
            "redemption-hold.v1", "h1", "card-1", {"card": "card-1", "store": "1", "receipt": "h1", "points": 60, "expires_at": "2099-01-01T00:00:00Z"}
        )
        one.publish(hold)
        one.book()
        night = one.house.night(one.id, lambda *_: None)
        assert night.measured()["open_holds"] == 60
        release = {"original_id": "h1"}
        one.publish(event("redemption-release.v1", "r1", "card-1", release), event("redemption-release.v1", "r2", "card-1", release))
        one.book()
        measured = night.measured()
        assert (measured["open_holds"], measured["held"], measured["available"] == measured["lots_available"]) == (0, 0, True)
        night.connection.close()
