"""What is left in the books of who was erased is explained and traced like everything else, and it is said that something is gone."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from schemas.topics import TOPIC_OF_TYPE
from services.cli.main import app
from services.journal.erasure import erase
from services.runtime.local import Addresses
from tests.coalition import Coalition, coalition, event
from tests.integration.test_erasure import ANNA, AT, CARD, MONDAY, OPERATOR, PERSONAL, leave, lives

ABOUT_MEMBERS = {kind for kind, topic in TOPIC_OF_TYPE.items() if topic == "member.events.v1"}


def changed_in_every_way(one: Coalition) -> None:
    """All that the operator may say of Anna, beyond her enrolment, a card and her leaving."""
    changes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("member-attributes.v1", {"member": ANNA, "attributes": {"name": "Anna Example"}}),
        ("consent-changed.v1", {"member": ANNA, "consent": "profile", "given": True}),
        ("card-blocked.v1", {"card": CARD, "reason": "lost"}),
        ("members-merged.v1", {"member": ANNA, "into": "m-bert", "reason": "the same person"}),
        ("members-unmerged.v1", {"member": ANNA, "into": "m-bert", "reason": "not the same"}),
    )  # fmt: skip
    for number, (kind, data) in enumerate(changes):
        one.publish(event(kind, f"c{number}", ANNA, data, source=OPERATOR, time=AT))
    one.book()


def run(one: Coalition, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--programme", one.id])


def test_every_event_of_an_erased_person_is_explained_and_traced_and_says_that_something_is_gone(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    with coalition(addresses, day=date(2026, 3, 2)) as one:
        for name, value in one.environment.items():
            monkeypatch.setenv(name, value)
        lives(one)
        changed_in_every_way(one)
        leave(one)
        one.close(MONDAY)
        with one.books(owner=True) as owner:
            before: dict[int, str] = dict(owner.execute("select record, body from entry").fetchall())
            number = erase(owner, ANNA, "asked for it", "olga", datetime.now(UTC)).member
            rows = owner.execute("select record, id, type, outcome, member, body from entry where id is not null order by record").fetchall()
        erased = [(record, id_, kind, outcome) for record, id_, kind, outcome, member, body in rows if body != before[record]]
        assert {kind for _, _, kind, _ in erased} >= ABOUT_MEMBERS | {"purchase.v1", "redemption.v1"}
        assert {kind for _, _, kind, outcome in erased if outcome == "accepted"} >= ABOUT_MEMBERS - {"members-merged.v1", "members-unmerged.v1"}
        for record, id_, kind, _ in erased:
            told = run(one, "explain", "event", id_, "--output", "json")
            assert (told.exit_code, told.exception) == (0, None), (kind, told.output)
            found: list[dict[str, Any]] = [each for each in json.loads(told.output) if each["record"] == record]
            assert [each["erased"] for each in found] == [[f"erased-{number}"]], kind
            shown = run(one, "explain", "event", id_)
            assert f"without what an erasure took out: erased-{number} stands for who was erased" in " ".join(shown.output.split())
            traced = run(one, "events", "trace", id_)
            assert (traced.exit_code, traced.exception) == (0, None), (kind, traced.output)
            assert not any(word in shown.output + told.output for word in PERSONAL)
        berts = run(one, "explain", "event", "e2")
        assert (berts.exit_code, "the event as it came:" in berts.output) == (0, True)
