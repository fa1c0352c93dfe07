"""`clh events` against a house at work: what is sent is checked, answered and reported."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from schemas.ids import PartyId
from services.accrual.incoming import SenderKeys
from services.cli.main import app
from services.runtime.local import Addresses
from tests.coalition import Coalition, Event, as_line, coalition, event, purchase

Run = Callable[..., Result]


@pytest.fixture
def run(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`clh` on the test servers."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    return lambda *words, **more: CliRunner().invoke(app, [str(word) for word in words], **more)


def written(path: Path, *events: Event | bytes) -> Path:
    content = b"\n".join(each if isinstance(each, bytes) else as_line(each) for each in events)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def entries(one: Coalition) -> int:
    with one.books() as connection:
        (count,) = connection.execute("select count(*) from entry").fetchone() or (0,)
    return int(count)


def test_a_file_is_sent_and_every_answer_reported(addresses: Addresses, run: Run, tmp_path: Path) -> None:
    with coalition(addresses) as one, one.running():
        one.enrol(("m-1", "card-1"))
        purchases = [purchase(f"p{no}", "card-1", 1000 + no) for no in range(300)]
        events = [*purchases, purchase("held", "card-of-nobody", 500), purchases[0], {**purchases[1], "time": "2026-03-02T12:00:00+01:00"}]
        events += [purchase("stranger", "card-1", 100, source="/partners/nobody"), purchase("old", "card-1", 100) | {"time": "2026-01-02T12:00:00+01:00"}]
        path = written(tmp_path / "events.jsonl.gz", *events)
        result = run("events", "send", path, "--programme", one.id, "--output", "json")
        report = json.loads(result.stdout)
        assert result.exit_code == 1
        assert (report["sent"], report["accepted"], report["held"], report["unanswered"], report["bad"]) == (305, 301, ["held"], [], [])
        refused = {code: [(each["line"], each["id"], each["pointer"]) for each in of] for code, of in report["rejected"].items()}
        assert refused == {"id-reused": [(303, "p1", "/id")], "too-old": [(305, "old", "/time")], "unknown-partner": [(304, "stranger", "/source")]}

        before = entries(one)
        good = written(tmp_path / "good.jsonl", *purchases)
        again = run("events", "send", good, "--programme", one.id)
        assert again.exit_code == 0, again.output
        assert "300 sent" in again.stdout
        assert "300 of them had been sent before, and are answered as before" in again.stderr
        assert entries(one) == before

        table = run("events", "send", path, "--programme", one.id)
        assert table.exit_code == 1
        assert "rejected: id-reused" in table.stdout
        said = table.stderr.splitlines()
        assert any(line.startswith(f"{path}:304: /source: ") and "[unknown-partner]" in line for line in said), said
        assert any(line.startswith("id-reused: ") and line.endswith("See docs/errors.md#id-reused") for line in said), said
        assert "answered as before" in table.stderr


def test_a_bad_line_is_named_and_nothing_is_sent(addresses: Addresses, run: Run, tmp_path: Path) -> None:
    with coalition(addresses) as one, one.running():
        one.enrol(("m-1", "card-1"))
        wrong = purchase("p2", "card-1", 100)
        wrong["data"]["lines"][0]["amount_minor"] = "100"
        path = written(tmp_path / "events.jsonl", purchase("p1", "card-1", 100), b"", wrong, b"{")
        stopped = run("events", "send", path, "--programme", one.id)
        assert stopped.exit_code == 1
        assert stopped.stdout.splitlines() == [
            f"{path}:3: /data/lines/0/amount_minor: The value must be a whole number. [malformed]",
            f"{path}:4: the event: The value is not valid JSON. [malformed]",
        ]
        assert one.records("partner.transactions.v1") == []

        going = json.loads(run("events", "send", path, "--programme", one.id, "--keep-going", "--output", "json").stdout)
        assert (going["sent"], going["accepted"], [each["line"] for each in going["bad"]]) == (1, 1, [3, 4])

        anyway = run("events", "send", path, "--programme", one.id, "--no-validate", "--output", "json")
        assert anyway.exit_code == 1
        assert [each["line"] for each in json.loads(anyway.stdout)["rejected"]["malformed"]] == [3, 4]


def test_standard_input_without_waiting(addresses: Addresses, run: Run) -> None:
    with coalition(addresses) as one:
        lines = b"\n".join(as_line(purchase(f"p{no}", "card-1", 100)) for no in range(3))
        result = run("events", "send", "-", "--programme", one.id, "--no-wait", "--output", "json", input=lines)
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["sent"] == 3
        keys = [record.key() for record in one.records("partner.transactions.v1")]
        assert keys == [b"card-1"] * 3


def test_nobody_answers(addresses: Addresses, run: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", purchase("p1", "card-1", 100))
    with coalition(addresses) as one:
        result = run("events", "send", path, "--programme", one.id, "--patience", "0.5")
        assert result.exit_code == 3
        assert "nobody answers" in result.stderr
    missing = run("events", "send", path, "--programme", "no-such-programme")
    assert (missing.exit_code, "no topics of a programme" in missing.stderr) == (1, True)
    assert run("events", "send", tmp_path / "nothing", "--programme", "x").exit_code == 1


def test_signed_by_the_sender(addresses: Addresses, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"grocer-1": {"party": "grocer", "secret": "aa" * 32}, "fuelco-1": {"party": "fuelco", "secret": "bb" * 32}}
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    monkeypatch.setenv("CLH_SENDER_KEYS", str(tmp_path / "keys.json"))
    held = {name: (PartyId(key["party"]), bytes.fromhex(key["secret"])) for name, key in keys.items()}
    with coalition(addresses) as one, one.running(SenderKeys(held)):
        one.enrol(("m-1", "card-1"))
        path = written(tmp_path / "events.jsonl", purchase("p1", "card-1", 100))
        unsigned = run("events", "send", path, "--programme", one.id, "--output", "json")
        assert list(json.loads(unsigned.stdout)["rejected"]) == ["wrong-source"]
        signed = run("events", "send", path, "--programme", one.id, "--sign", "grocer-1")
        assert signed.exit_code == 0, signed.output
        other = run("events", "send", path, "--programme", one.id, "--sign", "fuelco-1")
        assert (other.exit_code, "[wrong-source]" in other.stdout) == (1, True)
        assert run("events", "send", path, "--programme", one.id, "--sign", "nobody-1").exit_code == 1


def test_listen_and_trigger(addresses: Addresses, run: Run) -> None:
    with coalition(addresses) as one, one.running():
        words = ("--programme", one.id, "--output", "json")
        joined = run("events", "trigger", "member-enrolled", "--party", "opco", "--member", "m-1", "--card", "card-1", *words)
        assert json.loads(joined.stdout)["data"]["outcome"] == "accepted", joined.output
        bought = run("events", "trigger", "purchase", "--party", "grocer", "--card", "card-1", "--total", "80.00", "--id", "p1", "--programme", one.id)
        assert bought.exit_code == 0, bought.output
        assert "accepted /partners/grocer p1 of m-1: +80 points (base)" in bought.stdout
        spent = run("events", "trigger", "redemption", "--party", "cafe", "--card", "card-1", "--points", "500", *words)
        assert (spent.exit_code, json.loads(spent.stdout)["data"]["code"]) == (1, "insufficient-points")
        dry = run("events", "trigger", "redemption", "--party", "cafe", "--card", "card-1", "--points", "60", "--dry-run")
        assert (dry.exit_code, json.loads(dry.stdout)["data"]["points"]) == (0, 60)
        bad = run("events", "trigger", "purchase", "--set", "data.colour=red", "--programme", one.id)
        assert (bad.exit_code, "/data/colour" in bad.stderr) == (1, True)
        assert "price-adjustment.v1" in run("events", "trigger", "list").stdout
        assert run("events", "trigger", "purchase", "--total", "x").exit_code == 2

        def heard(*more: object) -> list[dict[str, Any]]:
            listened = run("events", "listen", "--from-start", *words, *more)
            assert listened.exit_code == 0, listened.output
            return [json.loads(line)["data"] for line in listened.stdout.splitlines()]

        assert {data["event"]["source"] for data in heard("--count", 3)} == {"/operator/opco", "/partners/grocer", "/partners/cafe"}
        assert [data["code"] for data in heard("--rejected", "--count", 1)] == ["insufficient-points"]
        assert [data["event"]["id"] for data in heard("--party", "grocer", "--count", 1)] == ["p1"]
        line = run("events", "listen", "--programme", one.id, "--from-start", "--rejected", "--count", 1).stdout
        assert "rejected /partners/cafe" in line


def test_a_return_that_waits_is_said_to_be_unanswered(addresses: Addresses, run: Run, tmp_path: Path) -> None:
    back = {"original_id": "to-come", "store": "1", "receipt": "r1", "currency": "EUR", "total_minor": 100, "lines": [{"line": 1, "amount_minor": 100}]}
    with coalition(addresses) as one, one.running():
        one.enrol(("m-1", "card-1"))
        path = written(tmp_path / "events.jsonl", purchase("p1", "card-1", 100), event("return.v1", "r1", "card-1", back))
        result = run("events", "send", path, "--programme", one.id, "--patience", "2", "--output", "json")
        report = json.loads(result.stdout)
        assert (result.exit_code, report["accepted"], report["unanswered"]) == (0, 1, ["r1"])
        alone = run("events", "trigger", "return", "--party", "grocer", "--card", "card-1", "--original", "nope", "--total", "1.00", "--programme", one.id)
        assert (alone.exit_code, "waits until the window ends: its purchase has not come" in alone.stdout) == (0, True), alone.output
        strange = written(tmp_path / "strange.jsonl", *(purchase(f"s{no}", "card-1", 100, source="/partners/nobody") for no in range(25)))
        refused = run("events", "send", strange, "--programme", one.id)
        assert refused.exit_code == 1
        assert len([line for line in refused.stderr.splitlines() if line.startswith(f"{strange}:")]) == 20
        assert "and 5 more that were refused" in refused.stderr


def test_trace_finds_every_record_of_an_id(addresses: Addresses, run: Run) -> None:
    with coalition(addresses) as one:
        one.enrol(("m-1", "card-1"))
        first = purchase("p1", "card-1", 1000)
        one.publish(first, purchase("p1", "card-2", 300, source="/partners/fuelco"), first)
        one.book()
        one.relay()
        words = ("--programme", one.id, "--output", "json")
        one.publish({**first, "data": {**first["data"], "receipt": "another"}}, first)
        one.book()
        one.publish(first)
        traced = json.loads(run("events", "trace", "p1", *words).stdout)
        outcomes = [(record["source"].split("/")[2], record["outcome"], record["answered"]) for record in traced["records"]]
        assert sorted(outcomes, key=str) == sorted(
            [
                ("fuelco", "held", True),
                ("grocer", "accepted", False),  # the same answer again waits in the outbox
                ("grocer", "duplicate", None),
                ("grocer", "duplicate", None),
                ("grocer", "rejected", False),
                ("grocer", "unbooked", None),
            ],
            key=str,
        )
        assert (traced["duplicates"], traced["complete"]) == (2, True)
        (accepted,) = [record for record in traced["records"] if record["outcome"] == "accepted"]
        assert accepted["entry"]["transfers"][0]["credit"] == "member m-1: available"
        assert {record["of"] for record in traced["records"] if record["outcome"] == "duplicate"} == {accepted["place"]}
        (reused,) = [record for record in traced["records"] if record["outcome"] == "rejected"]
        assert reused["entry"]["code"] == "id-reused"

        only = json.loads(run("events", "trace", "p1", "--source", "/partners/fuelco", *words).stdout)
        assert [record["outcome"] for record in only["records"]] == ["held"]
        at_place = json.loads(run("events", "trace", accepted["place"], *words).stdout)
        assert [record["entry"]["id"] for record in at_place["records"]] == ["p1"]
        shown = run("events", "trace", "p1", "--programme", one.id)
        assert "6 records, 2 of them duplicates" in shown.stdout, shown.output

        nothing = run("events", "trace", "p2", *words)
        assert (nothing.exit_code, "no record carries the id p2" in " ".join(nothing.stderr.split())) == (1, True)
        few = json.loads(run("events", "trace", "p1", "--search", 2, *words).stdout)
        assert (few["complete"], few["searched"]) == (False, 2)
