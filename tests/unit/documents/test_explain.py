"""What pydantic says about a file, at the line and field that are meant, and nothing beside it."""

from pathlib import Path

import pytest

from services.documents.findings import Finding
from services.programme.lint import lint_text
from services.scenario.read import ScenarioError, read_scenario
from tests.unit.programme.harvest import TEXT, line_of

EVENT = 'id: e1, partner: grocer, card: c1, time: "2026-03-02T10:00:00+01:00"'
WRITTEN = f"""scenario: inside
programme:
{"".join(f"  {line}{chr(10)}" for line in TEXT.splitlines())}
days:
  - day: 2026-03-02
    events:
      - {{type: purchase, {EVENT}, total: "1.00"}}
      - {{type: activity, {EVENT.replace("e1", "e2")}, activity: run, quantity: "1"}}
"""


def found(text: str, folder: Path) -> tuple[Finding, ...]:
    """What is wrong with a scenario."""
    path = folder / "inside.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        read_scenario(path)
    return refused.value.findings


# What is written wrong, in whose line, and the one field that is named.
MISTAKES: dict[str, tuple[str, str, str]] = {
    "a price in the programme": ('price: "0.0100"', 'price: "-1"', "programme.contracts[0].issue.price"),
    "a word in the programme's own part": ("netting: multilateral", "netting: both", "programme.programme.netting"),
    "a number in a mechanic": ('factor: "2"', "factor: abc", "programme.mechanics[1].factor"),
    "a field of a mechanic": ('factor: "2"', 'factr: "2"', "programme.mechanics[1].factr"),
    "a party that there is not": ("party: cafe", "party: nobody", "programme.contracts[3].party"),
    "a sum of an event": ('total: "1.00"', 'total: "x"', "days[0].events[0].total"),
    "an event whose type is named as one of its fields": ('quantity: "1"', 'quantity: "x"', "days[0].events[1].quantity"),
    "that field itself": ("activity: run", "activity: ''", "days[0].events[1].activity"),
    "a field beside it": ('quantity: "1"', "quantty: '1'", "days[0].events[1].quantty"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_once_where_it_stands(name: str, tmp_path: Path) -> None:
    right, wrong, field = MISTAKES[name]
    assert right in WRITTEN, right
    text = WRITTEN.replace(right, wrong, 1)

    findings = [finding for finding in found(text, tmp_path) if finding.code != "missing-field"]

    assert [(finding.line, finding.field) for finding in findings] == [(line_of(text, wrong.splitlines()[0]), field)]


def test_a_field_that_was_probably_meant_is_named_also_inside_a_scenario(tmp_path: Path) -> None:
    findings = found(WRITTEN.replace("netting:", "neting:", 1), tmp_path)

    assert ("programme.programme.neting", "did you mean netting?") in [(finding.field, finding.way_out) for finding in findings]


def test_a_mechanic_whose_kind_is_named_as_one_of_its_fields() -> None:
    text = TEXT + "  - {id: bag, kind: gift, from: 2026-01-01, gift: bag, pending_days: x}\n"

    (finding,) = lint_text(text, "harvest.yaml")

    assert finding.field.endswith("].pending_days")


def test_a_list_that_is_too_short_is_named_as_such(tmp_path: Path) -> None:
    text = WRITTEN[: WRITTEN.index("\ndays:")] + "\ndays: []\n"

    assert [(finding.field, finding.reason) for finding in found(text, tmp_path)] == [("days", "must have at least 1 item, not 0")]
