"""Events refused for a reason that lay with the house are tried again, once, into the open window; books and reports stay right."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import LiteralString

import psycopg
import pytest
from typer.testing import CliRunner, Result

from schemas.events.answers import AccrualEvent
from services.cli.main import app
from services.dlq.refused import Chosen, refused
from services.dlq.retry import Retrying
from services.explain.ledger import Ledger
from services.explain.obligation import explain_obligation
from services.journal.verify import verify
from services.programme.read import parse_programme
from services.runtime.local import Addresses
from tests.coalition import HARVEST, Coalition, coalition, event, purchase

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BAKERY = "  - {id: cafe, kind: merchant"
WITH_BAKERY = "  - {id: bakery, kind: merchant, name: Bakery, category: food, regions: [DE]}\n" + BAKERY
CONTRACT = "contracts:\n"
WITH_CONTRACT = (
    CONTRACT
    + """  - party: bakery
    from: 2026-01-01
    roles: [issuer, redeemer]
    issue: {price: "0.0100", currency: EUR}
    redeem: {price: "0.0085", currency: EUR}
    fees: [{kind: per_transaction, amount: "0.02", currency: EUR}]
"""
)
MECHANICS = "  - id: base\n"
WITH_MECHANIC = (
    """  - id: bread
    kind: points_on_spend
    from: 2026-01-01
    partners: [bakery]
    points: 1
    per: {amount: "1.00", currency: EUR}
"""
    + MECHANICS
)
YOUNG = ("accepts_events_up_to_days: 60", "accepts_events_up_to_days: 1")
ENTERED = ((BAKERY, WITH_BAKERY), (CONTRACT, WITH_CONTRACT), (MECHANICS, WITH_MECHANIC))
Run = Callable[..., Result]


@pytest.fixture
def run(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`clh` on the test servers."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def enter_bakery(one: Coalition, *changes: tuple[str, str]) -> None:
    """The operator enters the party, its contract and what it gives."""
    text = HARVEST.replace("id: harvest\n", f"id: {one.id}\n", 1)
    for old, new in (*ENTERED, *changes):
        assert old in text, old
        text = text.replace(old, new, 1)
    one.house.apply(parse_programme(text, "harvest.yaml"), text)


def refused_day(one: Coalition) -> None:
    """A day on which the house does not know the bakery yet; then it is cleared."""
    one.enrol(("m-1", "card-1"))
    back = {"original_id": "b1", "store": "1", "receipt": "b3", "currency": "EUR", "total_minor": 500, "lines": [{"line": 1, "amount_minor": 500}]}
    one.publish(
        purchase("b1", "card-1", 2000, source="/partners/bakery", time=NOON),
        purchase("b2", "card-of-nobody", 1000, source="/partners/bakery", time=NOON),
        event("return.v1", "b3", "card-1", back, source="/partners/bakery", time=NOON + timedelta(hours=1)),
        event("return.v1", "b4", "card-1", {**back, "original_id": "nothing"}, source="/partners/bakery", time=NOON),
        purchase("g1", "card-1", 300, time=NOON),
        {**purchase("bad", "card-1", 300, time=NOON), "colour": "red"},
    )
    one.book()
    one.close(DAY)


def of(connection: psycopg.Connection, statement: LiteralString) -> list[tuple[object, ...]]:
    return connection.execute(statement).fetchall()


def test_what_was_refused_is_booked_once_the_party_is_entered(addresses: Addresses, run: Run) -> None:
    with coalition(addresses, day=DAY) as one:
        refused_day(one)
        words = ("--programme", one.id)
        listed = json.loads(run("dlq", "list", *words, "--output", "json").stdout)
        assert listed["counts"] == [{"code": "unknown-partner", "party": "bakery", "events": 4}]
        assert {each["id"] for each in listed["events"]} == {"b1", "b2", "b3", "b4"}

        early = run("dlq", "replay", *words, "--yes")
        assert early.exit_code == 1
        assert "unknown-partner" in early.stdout

        enter_bakery(one)
        tried = run("dlq", "replay", *words, "--yes", "--output", "json")
        assert tried.exit_code == 1
        outcomes = {each["id"]: (each["before"], each["outcome"], each["code"]) for each in json.loads(tried.stdout)}
        assert outcomes == {
            "b1": ("unknown-partner", "accepted", None),
            "b2": ("unknown-partner", "held", None),
            "b3": ("unknown-partner", "accepted", None),
            "b4": ("unknown-partner", "rejected", "unknown-original"),
        }
        assert run("dlq", "replay", *words, "--yes").exit_code == 1
        shown = run("explain", "event", "b1", *words).stdout
        assert "window 2026-03-03: before unknown-partner, then rejected: unknown-partner" in shown
        assert "window 2026-03-03: before unknown-partner, then accepted" in shown
        assert "No refused event" in run("dlq", "list", *words).stdout

        one.relay()
        answers: dict[str, tuple[str, str, bytes | None]] = {}
        for record in one.records("points.accruals.v1"):
            answer = AccrualEvent.model_validate_json(record.value() or b"")
            answers[answer.data.event.id] = (answer.data.outcome, str(answer.data.window), record.key())
        assert answers["b1"] == ("accepted", "2026-03-03", b"m-1")
        assert answers["b2"] == ("held", "None", b"card-of-nobody")
        assert answers["b3"][0] == "accepted"

        enrolment = {"member": "m-2", "cards": ["card-of-nobody"], "kind": "consumer", "enrolled_on": "2026-03-02"}
        one.publish(event("member-enrolled.v1", "j1", "m-2", enrolment, source="/operator/opco", time=NOON))
        one.book()
        one.close(DAY + timedelta(days=1))
        with one.books() as connection:
            attempts = of(connection, "select e.id, a.no, a.outcome, a.refused, a.day::text from attempt a join entry e on e.record = a.record order by 1, 2")
            assert attempts == [
                ("b1", 1, "rejected", "unknown-partner", "2026-03-03"),
                ("b1", 2, "accepted", None, "2026-03-03"),
                ("b2", 1, "rejected", "unknown-partner", "2026-03-03"),
                ("b2", 2, "held", None, "2026-03-03"),
                ("b3", 1, "rejected", "unknown-partner", "2026-03-03"),
                ("b3", 2, "accepted", None, "2026-03-03"),
                ("b4", 1, "rejected", "unknown-partner", "2026-03-03"),
                ("b4", 2, "rejected", "unknown-original", "2026-03-03"),
            ]
            assert of(connection, "select id, available from member order by id") == [("m-1", 18), ("m-2", 10)]
            ledger = Ledger(connection)
            lines = ledger.lines(DAY + timedelta(days=1))
            assert {(line.kind, line.debtor, line.quantity) for line in lines} == {
                ("fee", "bakery", 2), ("issue", "bakery", 30), ("issue_reversal", "opco", 5),
            }  # fmt: skip
            for line in lines:
                assert all(equation.holds for equation in explain_obligation(ledger, line.day, line.line).equations)
        assert [(each.what, each.differences) for each in verify(addresses.postgres_uri, one.schema) if each.differing] == []


def test_two_attempts_at_once_book_once(addresses: Addresses) -> None:
    with coalition(addresses, day=DAY) as one:
        refused_day(one)
        enter_bakery(one)
        with one.books() as first, one.books() as second:
            records = [each.record for each in refused(first, Chosen())]
            retrying, other = Retrying(first, "somebody"), Retrying(second, "somebody else")
            assert {attempt.outcome for attempt in retrying.retry(records)} == {"accepted", "held", "rejected"}
            assert other.retry(records) == []


def test_an_event_does_not_grow_too_old_by_the_houses_delay(addresses: Addresses) -> None:
    with coalition(addresses, YOUNG, day=DAY) as one:
        refused_day(one)
        for day in range(1, 4):
            one.close(DAY + timedelta(days=day))
        enter_bakery(one, YOUNG)
        with one.books() as connection:
            attempts = Retrying(connection, "somebody").retry([each.record for each in refused(connection, Chosen(ids=["b1"]))])
            assert [(attempt.id, attempt.outcome) for attempt in attempts] == [("b1", "accepted")]
            assert of(connection, "select booked::text from entry where id = 'b1'") == [("2026-03-06",)]


def test_what_cannot_be_tried_is_said(addresses: Addresses, run: Run) -> None:
    with coalition(addresses, day=DAY) as one:
        words = ("--programme", one.id)
        assert "No refused event" in run("dlq", "list", *words).stdout
        assert run("dlq", "replay", *words, "--yes").exit_code == 1
        assert run("dlq", "replay", *words, "--code", "malformed", "--yes").exit_code == 2
        refused_day(one)
        with one.books(owner=True) as connection:
            connection.execute("update settlement_window set state = 'draining' where state = 'open'")
        closed = run("dlq", "replay", *words, "--yes")
        assert (closed.exit_code, "no window is open" in closed.stderr) == (1, True)
        asked = run("dlq", "replay", *words)  # nobody says yes
        assert (asked.exit_code, "add --yes" in " ".join(asked.stderr.split())) == (1, True)
        (listed, *_) = json.loads(run("dlq", "list", *words, "--output", "json").stdout)["events"]
        assert (listed["record"]["topic"], "T" in listed["received_at"]) == (f"{one.id}.partner.transactions.v1", True)
        assert "/".join(str(part) for part in listed["record"].values()) in run("dlq", "list", *words).stdout
