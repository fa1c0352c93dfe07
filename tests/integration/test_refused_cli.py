"""`clh events rejected` and `clh events held` name each event, why it is where it is, its record, and the next command."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.runtime.local import Addresses
from tests.coalition import coalition, purchase


def clh(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_what_was_refused_and_what_is_held(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.setenv("COLUMNS", "240")
    with coalition(addresses) as one:
        one.enrol(("m-1", "card-1"))
        held = [purchase(f"h{no}", "card-of-nobody", 100) for no in range(2)]
        strangers = [purchase(f"s{no}", "card-1", 100, source="/partners/nobody") for no in range(3)]
        one.publish(purchase("p1", "card-1", 100), b"{", purchase("old", "card-1", 100) | {"time": "2020-01-02T12:00:00+01:00"}, *held, *strangers)
        one.book()
        with one.books() as connection:
            ((day,),) = connection.execute("select day from settlement_window").fetchall()
        words = ("events", "rejected", day, "--programme", one.id)

        found = json.loads(clh(*words, "--output", "json").stdout)
        assert (found["window"], found["of"]) == (str(day), 5)
        by_id = {each["id"]: each for each in found["events"]}
        assert set(by_id) == {None, "old", "s0", "s1", "s2"}
        assert [by_id[name]["code"] for name in (None, "old", "s0", "s2")] == ["malformed", "too-old", "unknown-partner", "unknown-partner"]
        assert (by_id["old"]["pointer"], by_id["s0"]["pointer"]) == ("/time", "/source")
        assert by_id["s0"]["record"]["topic"] == f"{one.id}.partner.transactions.v1"
        assert by_id["s0"]["next"].startswith("clh dlq replay --id s0")
        assert by_id["old"]["next"].startswith("clh explain event old")
        unreadable = by_id[None]
        place = "{topic}/{partition}/{offset}".format(**unreadable["record"])
        assert unreadable["next"].startswith(f"clh explain event {place}")
        assert clh("explain", "event", place, "--programme", one.id).exit_code == 0

        chosen = json.loads(clh(*words, "--party", "nobody", "--code", "unknown-partner", "--limit", 2, "--page", 2, "--output", "json").stdout)
        assert (chosen["of"], len(chosen["events"])) == (3, 1)
        paged = clh(*words, "--limit", 2)
        assert "5 events, page 1 of 3" in paged.stdout
        assert f"more: clh events rejected {day} --page 2 --limit 2" in paged.stdout
        assert "page 99 of 3" in clh(*words, "--limit", 2, "--page", 99).stdout
        assert "No such event" in clh(*words, "--party", "grocer", "--code", "no-contract").stdout
        assert clh(*words, "--code", "no-such-code").exit_code == 2

        waiting = json.loads(clh("events", "held", "--programme", one.id, "--output", "json").stdout)
        assert (waiting["of"], {each["card"] for each in waiting["events"]}) == (2, {"card-of-nobody"})
        until = waiting["events"][0]["until"]
        assert until > waiting["events"][0]["event_day"]
        table = clh("events", "held", "--programme", one.id, "--card", "card-of-nobody")
        assert (table.exit_code, until in table.stdout, "claim-expired" in table.stdout) == (0, True, True)
        assert "No such event is held" in clh("events", "held", "--programme", one.id, "--party", "fuelco").stdout
        told = clh("explain", "event", "h0", "--programme", one.id).stdout
        assert f"nobody has enrolled the card card-of-nobody: it can be claimed until {until}" in told
