"""What is taken out of a document about a person, and what stays."""

from __future__ import annotations

from typing import Any

import pytest

from clearing.erasure import is_about, names_person, stand_in, without_person

KNOWN = ["m-1", "c-1"]
GONE = stand_in(7)


def test_of_a_persons_own_event_whatever_identifies_goes_and_figures_stay() -> None:
    bought = {"subject": "c-1", "data": {"card": "c-1", "total_minor": 5, "lines": [{"sku": "c-1"}], "payments": [{"card_token": "tok", "amount_minor": 5}]}}
    assert without_person(bought, KNOWN, GONE, own=True) == {
        "subject": "erased-7",
        "data": {"card": "erased-7", "total_minor": 5, "lines": [{"sku": "c-1"}], "payments": [{"card_token": "erased-7", "amount_minor": 5}]},
    }
    assert bought["subject"] == "c-1"


def test_of_an_event_about_the_member_what_describes_the_person_goes_too() -> None:
    enrolled = {"data": {"member": "m-1", "cards": ["c-1", "c-9"], "kind": "consumer", "attributes": {"name": "A"}, "household": "h", "consents": ["x"]}}
    assert without_person(enrolled, KNOWN, GONE, own=True) == {"data": {"member": "erased-7", "cards": ["erased-7", "erased-7"], "kind": "consumer"}}


def test_of_an_event_of_another_only_the_persons_own_names_go() -> None:
    linked = {"subject": "m-2", "data": {"member": "m-2", "card": "c-1", "replaces": "c-2", "reason": "lost"}}
    assert without_person(linked, KNOWN, GONE, own=False) == {**linked, "data": {**linked["data"], "card": "erased-7"}}  # type: ignore[dict-item]
    assert without_person({"data": {"sku": "c-1", "cards": ["c-1", "c-2"]}}, KNOWN, GONE, own=False) == {"data": {"sku": "c-1", "cards": ["erased-7", "c-2"]}}


@pytest.mark.parametrize(
    ("document", "about"),
    [
        ({"data": {"card": "c-1"}}, True),
        ({"data": {"card_token": "c-1"}}, True),
        ({"data": {"member": "m-1", "card": "c-9"}}, True),
        ({"data": {"member": "m-2", "card": "c-1"}}, False),
        ({"data": {"card": "c-2"}}, False),
        ({"data": {"original": {"data": {"card": "c-1"}}, "code": "malformed"}}, True),
        ({"data": {"original": "text"}}, False),
        ({"data": None}, False),
        (["c-1"], False),
        ({"data": {"card": 1}}, False),
    ],
)
def test_an_event_is_the_persons_by_the_member_that_it_names_or_else_by_the_card(document: Any, about: bool) -> None:
    assert is_about(document, KNOWN) is about


def escaped(text: str) -> str:
    """Every character as JSON may write it, by its number; beyond 16 bits as two."""
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02X}{units[at + 1]:02x}" for at in range(0, len(units), 2))


@pytest.mark.parametrize("name", ["c-anna-7731", "c/7731", "ключ", "m-🦊"])
@pytest.mark.parametrize("around", ['{"card":"%s"}', '{"card":"%s" cut', "%s"])
def test_a_text_names_a_person_however_json_writes_it(name: str, around: str) -> None:
    twice = escaped(name).replace("\\", "\\\\")
    for written in (name, escaped(name), name[0] + escaped(name[1:]), name.replace("/", "\\/"), twice):
        assert names_person(around % written, ["m-1", name])
        assert not names_person(around % written, ["m-1", f"{name}x"])


@pytest.mark.parametrize("text", ["", "\\", "\\u00", "\\ud800", "\\ud83e and no more", "\\\\u0063", '{"a":"\\n"}'])
def test_what_looks_like_an_escape_and_is_none_names_nobody(text: str) -> None:
    assert not names_person(text, ["m-1"])
