"""Programme files against the books: put into force once, compared, and kept where they applied to booked events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.journal.programmes import load
from services.programme.booked import applied
from services.runtime.local import Addresses
from tests.coalition import HARVEST, Coalition, coalition, purchase
from tests.unit.programme.harvest import line_of

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def one(addresses: Addresses) -> Iterator[Coalition]:
    with coalition(addresses) as found:
        yield found


@pytest.fixture
def run(one: Coalition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a `clh programme` command on the programme's file with some changes of its text."""
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)

    def command(name: str, *changes: tuple[str, str]) -> tuple[int, str]:
        text = HARVEST.replace("id: harvest\n", f"id: {one.id}\n", 1)
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path / "harvest.yaml"
        path.write_text(text, encoding="utf-8")
        result = CliRunner().invoke(app, ["programme", name, str(path)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return command


def buy(one: Coalition) -> None:
    """One purchase of a member at the grocer, now."""
    one.enrol(("m1", "c1"))
    one.publish(purchase("e1", "c1", 5430))
    one.book()


def test_applying_the_same_file_twice_changes_nothing(one: Coalition, run: Run) -> None:
    code, output = run("apply")
    assert (code, output.endswith(f"{one.id} is in force already; nothing changed.\n")) == (0, True)
    assert run("diff") == (0, "No difference.\n")


def test_what_is_in_force_is_shown_by_its_id_or_by_the_option_like_elsewhere(one: Coalition, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in one.environment.items():
        monkeypatch.setenv(name, value)
    by_id, by_option, both = (
        CliRunner().invoke(app, ["programme", "show", *words]) for words in ((one.id,), ("--programme", one.id), (one.id, "--programme", one.id))
    )
    assert (by_id.exit_code, by_option.exit_code, both.exit_code) == (0, 0, 2)
    assert one.id in by_id.output
    assert by_id.output == by_option.output


def test_a_changed_file_is_compared_with_what_is_in_force_and_put_into_force(one: Coalition, run: Run) -> None:
    change = ("netting: multilateral", "netting: gross")

    assert run("diff", change) == (1, "programme: netting: multilateral -> gross\n")
    code, output = run("apply", change)
    assert (code, output.endswith(f"{one.id} is in force.\n")) == (0, True)
    assert run("diff", change) == (0, "No difference.\n")
    with one.books() as connection:
        assert load(connection).programme.netting == "gross"


def test_a_kind_that_is_not_booked_yet_is_not_put_into_force(run: Run) -> None:
    end = HARVEST[-100:]

    code, output = run("apply", (end, end + "  - {id: bag, kind: gift, from: 2026-01-01, gift: bag}\n"))

    assert code == 1
    assert "gift is not booked yet [not-booked-yet]" in output


def test_before_the_first_booking_everything_may_change(run: Run) -> None:
    assert run("apply", ("Europe/Berlin", "Europe/Prague"), ('issue: {price: "0.0100"', 'issue: {price: "0.0200"'))[0] == 0


def test_the_books_say_what_applied_and_until_when(one: Coalition) -> None:
    before = datetime.now(UTC).date()
    buy(one)

    with one.books() as connection:
        file = load(connection)
        found = applied(connection, file)

    assert {(party, first.isoformat()) for party, first in found.contracts} == {("grocer", "2026-01-01")}
    assert {(mechanic, first.isoformat()) for mechanic, first in found.mechanics} == {("base", "2026-01-01")}
    for last in (*found.contracts.values(), *found.mechanics.values()):
        assert before <= last <= before + timedelta(days=2)


def test_what_applied_to_a_booked_event_stays_and_may_be_ended(one: Coalition, run: Run) -> None:
    buy(one)

    price = ('issue: {price: "0.0100"', 'issue: {price: "0.0200"')
    code, output = run("apply", price, ("    points: 1\n", "    points: 2\n"), ("Europe/Berlin", "Europe/Prague"))

    assert code == 1
    for field, marker in (("programme.timezone", "timezone"), ("contracts[0].issue.price", "issue: {price"), ("mechanics[0].points", "    points: 1\n")):
        assert f"harvest.yaml:{line_of(HARVEST, marker)}:" in output
        assert f"error: {field}: " in output
    assert output.count("[applied-already]") == 3
    base = ("    kind: points_on_spend\n", "    kind: points_on_spend\n    to: {day}\n")
    assert run("apply", (base[0], base[1].format(day="2026-01-31")))[0] == 1
    assert run("apply", (base[0], base[1].format(day="2999-12-31")))[0] == 0
    assert run("apply", (base[0], base[1].format(day="2999-12-31")), ("settlement: monthly", "settlement: weekly"), ("rows: [10]", "rows: [8]"))[0] == 0
