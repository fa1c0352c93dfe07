"""docs/errors.md has a section on every code under which an event is refused: cause, example, way out."""

import json
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from schemas.events.answers import Rejection, RejectionCode

TEXT = (Path(__file__).parents[3] / "docs" / "errors.md").read_text(encoding="utf-8")
EVENTS = TEXT[TEXT.index("\n## Events\n") :].split("\n## ")[1]
SECTIONS = dict(re.findall(r"^### `([a-z-]+)`\n(.*?)(?=^### |\Z)", EVENTS, re.MULTILINE | re.DOTALL))


def test_every_code_has_a_section_and_there_is_no_other() -> None:
    assert list(SECTIONS) == [code.value for code in RejectionCode]


@pytest.mark.parametrize("code", RejectionCode)
def test_a_section_says_why_shows_an_answer_and_leads_out(code: RejectionCode) -> None:
    section = SECTIONS[code]
    assert list(re.findall(r"^\*\*(.+?)\.\*\*", section, re.MULTILINE)) == ["Cause", "Example", "Way out"]
    (text,) = re.findall(r"\*\*Example\.\*\* `(.+)`", section)
    example = json.loads(text)
    assert example["code"] == code
    assert example.get("retryable", False) is code.retryable
    assert ("Retryable." in section) is code.retryable
    record = {"topic": "t", "partition": 0, "offset": 0}
    TypeAdapter(Rejection).validate_python({"event": None, "type": None, "retryable": False, "record": record, "original": None, **example})
