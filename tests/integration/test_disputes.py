"""A disputed line is withheld until a second person decides; what was netted stays, and everything balances whatever is decided."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from clearing.disputes import DisputeCode, DisputeEvent, DisputeRefused
from schemas.ids import PartyId
from services.cli.main import app
from services.disputes.life import Wanted, disputes, lapse_due, move, open_dispute
from services.runtime.local import Addresses
from tests.coalition import Coalition, coalition
from tests.signers import MONDAY, TUESDAY, WEDNESDAY, shop

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
GROCER = PartyId("grocer")


@pytest.fixture
def one(addresses: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Coalition]:
    """Monday is netted: the grocer owes for 54 points."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)
    with coalition(addresses, day=MONDAY) as made:
        shop(made)
        made.close(MONDAY)
        yield made


def issue(one: Coalition) -> int:
    """The line of the grocer's points."""
    with one.books() as connection:
        row = connection.execute("select line from obligation where day = %s and kind = 'issue' and debtor = 'grocer'", (MONDAY,)).fetchone()
    assert row is not None
    return int(row[0])


def opened(one: Coalition, *, line: int | None = None, party: PartyId = GROCER, amount: int | None = None) -> int:
    with one.books() as connection:
        wanted = Wanted(MONDAY, issue(one) if line is None else line, party, "sold once", "ann", 30, amount)
        return open_dispute(connection, wanted, NOW, TODAY)


def lines(one: Coalition, day: date) -> list[tuple[str, str, int]]:
    """Lines of disputes: who owes whom how much."""
    with one.books() as connection:
        return connection.execute("select debtor, creditor, amount from obligation where day = %s and kind = 'dispute' order by line", (day,)).fetchall()


def refused(code: DisputeCode, one: Coalition, no: int, event: DisputeEvent, who: str, today: date = TODAY) -> None:
    with one.books() as connection, pytest.raises(DisputeRefused) as refusal:
        move(connection, no, event, who, "because", NOW, today)
    assert refusal.value.code is code


@pytest.mark.parametrize(("event", "state", "back"), [(DisputeEvent.UPHOLD, "upheld", []), (DisputeEvent.RELEASE, "released", [("grocer", "opco", 54)])])
def test_a_line_that_is_not_paid_is_withheld_and_then_taken_back_or_due_again(one: Coalition, event: DisputeEvent, state: str, back: list[Any]) -> None:
    no = opened(one)
    one.close(TUESDAY)
    assert lines(one, TUESDAY) == [("opco", "grocer", 54)]
    refused(DisputeCode.SECOND_PERSON, one, no, event, "ann")
    with one.books() as connection:
        assert move(connection, no, event, "ben", "the slip is right", NOW, TODAY) == state
    one.close(WEDNESDAY)
    assert lines(one, WEDNESDAY) == back
    assert lines(one, MONDAY) == []
    refused(DisputeCode.DISPUTE_OVER, one, no, DisputeEvent.RELEASE, "emil")


def test_a_line_that_was_paid_is_taken_back_only_when_it_is_upheld(one: Coalition) -> None:
    with one.books(owner=True) as owner:
        owner.execute("alter table settlement_window disable trigger user")
        owner.execute("update settlement_window set state = 'settled' where day = %s", (MONDAY,))
        owner.execute("alter table settlement_window enable trigger user")
    no = opened(one, amount=20)
    with one.books() as connection:
        (found,) = disputes(connection, no)
        assert (found["state"], found["withheld"], found["amount_minor"]) == ("open", False, 20)
        move(connection, no, DisputeEvent.UPHOLD, "ben", "right", NOW, TODAY)
    one.close(TUESDAY)
    assert lines(one, TUESDAY) == [("opco", "grocer", 20)]


def test_what_nobody_decides_in_time_lapses_and_is_due_again_once(one: Coalition) -> None:
    no = opened(one)
    late = TODAY + timedelta(days=31)
    refused(DisputeCode.DEADLINE_PASSED, one, no, DisputeEvent.UPHOLD, "ben", late)
    with one.books() as connection:
        assert lapse_due(connection, NOW, TODAY + timedelta(days=30)) == []
        assert lapse_due(connection, NOW, late) == [no]
        assert lapse_due(connection, NOW, late) == []
    one.close(TUESDAY)
    assert sorted(lines(one, TUESDAY)) == [("grocer", "opco", 54), ("opco", "grocer", 54)]


def test_a_line_is_under_one_dispute_and_its_debtors_alone(one: Coalition) -> None:
    no = opened(one)
    line = issue(one)
    for number, party, code in (
        (line, GROCER, DisputeCode.DISPUTED_ALREADY),
        (line + 1, PartyId("bakery"), DisputeCode.NOT_THE_DEBTOR),
        (999, GROCER, DisputeCode.NO_LINE),
    ):
        with pytest.raises(DisputeRefused) as refusal:
            opened(one, line=number, party=party)
        assert refusal.value.code is code
    with one.books() as connection:
        move(connection, no, DisputeEvent.RELEASE, "ben", "it stands", NOW, TODAY)
    assert opened(one) == no + 1


def test_the_database_itself_asks_for_a_second_person_and_for_the_state_that_is(one: Coalition) -> None:
    no = opened(one)
    turn = "insert into dispute_turn (dispute, no, at, who, from_state, to_state, note) values (%s, %s, now(), %s, %s, %s, 'x')"
    with one.books() as connection:
        for who, before, after in (("ann", "held", "upheld"), ("ben", "open", "upheld")):
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(turn, (no, 9, who, before, after))
        connection.execute(turn, (no, 9, "ben", "held", "released"))
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(turn, (no, 10, "emil", "released", "upheld"))


def run(words: str, one: Coalition) -> Result:
    return CliRunner().invoke(app, ["dispute", *words.split("|"), "--programme", one.id])


def test_commands_open_show_and_decide_and_say_why_they_refuse(one: Coalition) -> None:
    Path("slip.txt").write_text("sold once\n", encoding="utf-8")
    (line,) = [row["line"] for row in json.loads(run("lines|2026-03-02|--by|grocer|-o|json", one).stdout) if row["kind"] == "issue"]
    made = run(f"open|2026-03-02|{line}|--by|grocer|--reason|sold once|--evidence|slip.txt|--amount|0.50|--as|ann|-o|json", one)
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["state"] == "evidence"
    assert run("add-evidence|1|slip.txt|--note|again|--as|ann", one).exit_code == 0
    for words, code in (
        ("uphold|1|--note|yes|--as|ann", "second-person"),
        ("uphold|9|--note|yes", "no-dispute"),
        ("uphold|1|--note| |--as|ben", "reason-missing"),
        ("add-evidence|1|gone.txt|--note|x", "evidence-unreadable"),
        (f"open|2026-03-02|{line}|--by|grocer|--reason|again", "disputed-already"),
        (f"open|2026-03-02|{line + 1}|--by|grocer|--reason|x|--amount|999", "amount-too-large"),
    ):
        said = run(words, one)
        assert (said.exit_code, f"[{code}]" in said.output) == (1, True), (words, said.output)
    told = json.loads(run("show|1|--save|kept|-o|json", one).stdout)
    assert [turn["to_state"] for turn in told["turns"]] == ["open", "held", "evidence", "evidence"]
    assert Path("kept/dispute-1-3").read_text(encoding="utf-8") == "sold once\n"
    assert "Dispute 1 is upheld: 0.50 EUR" in run("uphold|1|--note|yes|--as|ben", one).output
    assert json.loads(run("list|-o|json", one).stdout) == []
    assert "upheld" in run("list|--all", one).output
    assert "0 lapsed" in run("lapse", one).output
