"""`clh events trigger` never prints what passes for a payment card number, neither where it is refused nor where it is sent bad on purpose."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app

CARD = "4111111111111111"


def trigger(*words: str) -> Result:
    return CliRunner().invoke(app, ["events", "trigger", *words])


@pytest.mark.parametrize(
    "words",
    [
        ("purchase", "--party", "grocer", "--card", CARD),
        ("purchase", "--party", "grocer", "--card", CARD, "--dry-run"),
        ("card-transaction", "--card", CARD, "--dry-run", "--no-validate"),
        ("purchase", "--card", CARD, "--set", "data.colour=red"),
        ("purchase", "--set", f"data.colour={CARD}"),
        ("purchase", "--set", 'data.lines=[{"note":"4111 1111 1111 1111"}]'),
        ("member-attributes", "--set", f'data.attributes={{"{CARD}":"x"}}'),
    ],
)
def test_a_card_number_is_never_printed(words: tuple[str, ...]) -> None:
    done = trigger(*words)
    assert CARD not in done.output.replace(" ", "")
    assert done.exit_code == (0 if "--no-validate" in words else 1)
    assert "the event is not shown: something in it passes for a payment card number" in " ".join(done.stderr.split())


def test_a_bad_event_without_one_is_shown_and_so_is_a_good_one() -> None:
    bad = trigger("purchase", "--set", "data.colour=red")
    assert (bad.exit_code, json.loads(bad.stdout)["data"]["colour"]) == (1, "red")
    good = trigger("purchase", "--card", "hc-900", "--id", CARD, "--dry-run")  # an id that passes by chance
    assert (good.exit_code, json.loads(good.stdout)["id"]) == (0, CARD)
