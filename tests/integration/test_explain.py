"""Explanations add up: every line of every window down to its events, every event and member, in scenarios worked by hand and at random."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from clearing.ports import Refusal
from schemas.programme import ProgrammeFile
from services.cli.main import app
from services.explain.equations import Equation
from services.explain.event import explain_event, records_of
from services.explain.ledger import Ledger, NotExplained
from services.explain.member import explain_member
from services.explain.obligation import EventPart, explain_obligation
from services.explain.position import explain_position
from services.runtime.local import Addresses
from services.scenario import run as scenarios
from services.scenario.outcome import outcome_of
from tests.acceptance.random_scenarios import scenario
from tests.coalition import Coalition, coalition, event, purchase

ACCEPTANCE = Path(__file__).parents[1] / "acceptance"
GOLDEN = [
    ACCEPTANCE / folder / f"{name}.yaml"
    for folder, names in (
        ("golden", (
            "fees-and-vat", "return-after-spending-hybrid-unused-points", "return-after-spending-anchor", "two-currencies-netted-apart",
            "carry-forward-to-the-settlement-day", "card-discount-two-funders-returns", "unknown-card-held-then-enrolled", "stamp-card-three-rows-gift-value",
            "bilateral-netting-four-parties", "rolling-expiry-end-of-february-unused-share", "round-up-with-match",
        )),
        ("worked", (
            "card-points-caps-exclusions-refunds", "cash-back-three-funders-chargeback-reversed", "chargeback-of-spent-and-expired-points-reversed",
        )),
    )
    for name in names
]  # fmt: skip
SEEDS = (5, 36, 47, 48, 50, 51, 54, 57)
Run = Callable[..., Result]


class Walk:
    """Goes down from every position of some books, and says what does not add up."""

    def __init__(self, connection: psycopg.Connection, file: ProgrammeFile) -> None:
        self.ledger = Ledger(connection)
        self.wrong: list[tuple[object, ...]] = []
        self.kinds: set[str] = set()
        self.lines = 0
        self.worked: set[str] = set()
        self.cut = 0
        for (day,) in connection.execute("select distinct day from run order by 1").fetchall():
            for party in file.parties:
                for position in explain_position(self.ledger, party.id, day):
                    self.judge(position.equations, day, party.id)
                    assert sum(line.amount_minor for line in position.lines) == position.net_minor
            for line in self.ledger.lines(day):
                self.line(day, line.line)
        for (name,) in connection.execute("select id from member").fetchall():
            self.judge(explain_member(self.ledger, name, limit=1000).equations, name)

    def judge(self, equations: Iterable[Equation], *place: object) -> None:
        self.wrong += [(*place, equation) for equation in equations if not equation.holds]

    def line(self, day: date, number: int) -> None:
        found = explain_obligation(self.ledger, day, number, limit=10_000)
        self.lines += 1
        self.kinds.add(found.line.name)
        self.judge(found.equations, day, number, found.line.name)
        assert found.equations
        events = found.page.events if found.page is not None else ()
        for total in found.totals:
            of_total = [event for event in events if event.total == total.no]
            assert sum(event.quantity for event in of_total) == total.quantity
            assert len({(event.source, event.id) for event in of_total if event.id is not None}) == total.events
        for one in events:
            if one.night is None:
                self.event(day, number, one, [event for event in events if (event.source, event.id) == (one.source, one.id)])

    def event(self, day: date, number: int, one: EventPart, same: list[EventPart]) -> None:
        assert one.id is not None
        (record,) = records_of(self.ledger, one.id, one.source)
        found = explain_event(self.ledger, record)
        for working in found.workings:
            self.worked.add(working.kind)
            self.cut += bool(working.why_less)
            if not working.why_less and working.worth != working.given:
                self.wrong.append((record, working))
        self.judge(found.equations, one.id)
        assert (found.topic, found.partition, found.offset, found.member) == (one.topic, one.partition, one.offset, one.member)
        assert found.original is not None
        assert json.loads(found.original)["id"] == one.id
        counted = [each.quantity for each in found.counted_in if (each.day, each.line) == (day, number)]
        assert counted == [sum(event.quantity for event in same)]


def walked(paths: Iterable[Path], monkeypatch: pytest.MonkeyPatch) -> list[Walk]:
    """Runs scenarios and walks their books before these go."""
    walks: list[Walk] = []

    def walk(connection: psycopg.Connection, file: ProgrammeFile, name: str, refused: Sequence[Refusal]) -> dict[str, Any]:
        walks.append(Walk(connection, file))
        return outcome_of(connection, file, name, refused)

    monkeypatch.setattr(scenarios, "outcome_of", walk)
    for result in scenarios.run_files(list(paths)):
        assert isinstance(result, scenarios.ScenarioResult)
    return walks


@pytest.fixture
def servers(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    """The test servers, also for what finds them by the environment."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    return addresses


@pytest.fixture
def run(servers: Addresses) -> Run:
    """`clh` on the test servers."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_every_line_of_scenarios_worked_by_hand_adds_up(servers: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    walks = walked(GOLDEN, monkeypatch)
    assert [walk.wrong for walk in walks] == [[]] * len(GOLDEN)
    kinds = set().union(*(walk.kinds for walk in walks))
    assert {"VAT", "fee: monthly minimum", "fee: percent of issue", "unused points", "points issued, reversed", "discount funding, reversed", "reward"} <= kinds
    assert {"cash-back", "cash-back, reversed", "round-up match"} <= kinds
    assert set().union(*(walk.worked for walk in walks)) >= {"points", "discount", "cash_back", "round_up"}
    assert sum(walk.cut for walk in walks) > 0


@pytest.mark.slow
def test_every_line_of_random_scenarios_adds_up(servers: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paths = [tmp_path / f"{seed}.yaml" for seed in SEEDS]
    for path, seed in zip(paths, SEEDS, strict=True):
        path.write_text(json.dumps(scenario(seed), default=str), encoding="utf-8")
    walks = walked(paths, monkeypatch)
    assert [walk.wrong for walk in walks] == [[]] * len(SEEDS)
    assert sum(walk.lines for walk in walks) > 100


DAY = date(2026, 3, 2)


def prepared(one: Coalition) -> None:
    """A cleared day of three members, with purchases, a redemption and a refusal."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    one.enrol(*((f"m-{no}", f"card-{no}") for no in range(3)))
    one.publish(*(purchase(f"p{no}", f"card-{no % 3}", 1000 + no, time=noon + timedelta(minutes=no)) for no in range(30)))
    one.publish(purchase("fuel", "card-0", 9000, source="/partners/fuelco", time=noon, category="fuel"))
    one.book()
    spent = {"card": "card-0", "store": "1", "receipt": "r1", "points": 60}
    one.publish(event("redemption.v1", "r1", "card-0", spent, source="/partners/cafe", time=noon + timedelta(hours=1)))
    one.publish(purchase("stranger", "card-0", 100, source="/partners/nobody", time=noon))
    one.book()
    one.close(DAY)


def test_commands_go_down_from_a_position_to_the_record(servers: Addresses, run: Run) -> None:
    with coalition(servers, day=DAY) as one:
        prepared(one)
        words = ("--programme", one.id)
        (position,) = json.loads(run("explain", "position", "grocer", *words, "--output", "json").stdout)
        assert position["net_minor"] == sum(line["amount_minor"] for line in position["lines"])
        table = run("explain", "position", "grocer", DAY, *words)
        assert table.exit_code == 0, table.output
        assert "≠" not in table.stdout

        issue = next(line["line"] for line in position["lines"] if line["kind"] == "issue")
        pages = [json.loads(run("explain", "obligation", DAY, issue, *words, "--page", page, "--limit", 12, "--output", "json").stdout) for page in (1, 2, 3)]
        events = [event for page in pages for event in page["page"]["events"]]
        assert [len(page["page"]["events"]) for page in pages] == [12, 12, 6]
        assert {event["id"] for event in events} == {f"p{no}" for no in range(30)}
        assert sum(event["quantity"] for event in events) == pages[0]["line"]["quantity"] == pages[0]["page"]["quantity"]
        first = run("explain", "obligation", DAY, issue, *words, "--limit", 12)
        assert first.exit_code == 0, first.output
        assert "Events 1 to 12 of 30" in first.stdout
        assert f"next: clh explain obligation 2026-03-02 {issue} --page 2 --limit 12" in first.stdout

        (bought,) = json.loads(run("explain", "event", "p4", *words, "--output", "json").stdout)
        assert [each["line"] for each in bought["counted_in"] if each["kind"] == "issue"] == [issue]
        place = f"{bought['topic']}/{bought['partition']}/{bought['offset']}"
        assert json.loads(run("explain", "event", place, *words, "--output", "json").stdout) == [bought]
        shown = run("explain", "event", "p4", *words)
        assert "grocer: issued (points)" in shown.stdout
        assert "member m-1: available" in shown.stdout

        refused = run("explain", "event", "stranger", *words)
        assert refused.exit_code == 0, refused.output
        assert "unknown-partner" in refused.stdout

        member = json.loads(run("explain", "member", "m-0", *words, "--output", "json").stdout)
        assert member["changes"][-1]["after"][0] == member["available"] == sum(lot["points"] for lot in member["lots"])
        assert "redemption.v1" in run("explain", "member", "m-0", *words).stdout


def test_what_is_not_there_is_said(servers: Addresses, run: Run) -> None:
    with coalition(servers, day=DAY) as one:
        words = ("--programme", one.id)
        early = run("explain", "position", "grocer", *words)
        assert (early.exit_code, "no window was cleared yet" in early.stderr) == (1, True)
        prepared(one)
        for asked, answer in (
            (("position", "nobody"), "has no party nobody"),
            (("position", "grocer", "2026-03-01"), "was not cleared"),
            (("obligation", DAY, 99), "has no obligation line 99"),
            (("obligation", "2026-03-01", 0), "it has none"),
            (("event", "nothing"), "no booked event has the id nothing"),
            (("event", f"{one.id}.partner.transactions.v1/3/999"), "has no entry"),
            (("event", "other.topic/3/999"), "is no topic"),
            (("member", "m-99"), "nobody is enrolled as m-99"),
        ):
            result = run("explain", *asked, *words)
            assert (result.exit_code, answer in " ".join(result.stderr.split())) == (1, True), (asked, result.output)
        assert run("explain", "position", "grocer", "yesterday", *words).exit_code == 2
        assert "has no obligation line" in run("explain", "position", "bank1", *words).stdout


def test_books_that_do_not_add_up_are_seen(servers: Addresses, run: Run) -> None:
    with coalition(servers, day=DAY) as one:
        prepared(one)
        with one.books(owner=True) as books:
            books.execute("insert into total select day, code, sponsor, contract, counterparty, counter_contract, unit, 1, 0 from total where code = 1 limit 1")
            ledger = Ledger(books)
            line = next(line for line in ledger.lines(DAY) if line.kind == "issue")
            key = next(key for key in line.sources)
            assert key.code == 1
            wrong = [
                equation
                for each in ledger.lines(DAY)
                if each.sources
                for equation in explain_obligation(ledger, DAY, each.line).equations
                if not equation.holds
            ]
            assert any(equation.parts.startswith("events under total") for equation in wrong)
            with pytest.raises(NotExplained):
                explain_member(ledger, "m-99")
        broken = [run("explain", "obligation", DAY, number, "--programme", one.id) for number in range(len(ledger.lines(DAY)))]
        assert 1 in {result.exit_code for result in broken}
        assert any("≠" in result.stdout for result in broken)
