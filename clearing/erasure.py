"""What a document says of a person, taken out of it: the books go on with a stand-in, and nobody can tell from it who it was."""

import re
from collections.abc import Collection
from typing import Any, Final

IDENTIFYING: Final = frozenset({"subject", "card", "card_token", "cards", "member", "into", "replaces", "reference"})
"""Fields of events and answers that hold what identifies a person."""
DESCRIBING: Final = frozenset({"attributes", "consents", "household", "reason"})
"""Fields of events about members that say more of the person; those of other events do not."""

ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)", re.DOTALL)
"""A character as JSON may write it: by its number, or behind a backslash."""


def stand_in(number: int) -> str:
    """What a member, and each of the member's cards, is called once the person is erased: the number that the books go on with."""
    return f"erased-{number}"


def is_about(document: Any, known: Collection[str]) -> bool:
    """Whether an event, or the answer to one, is the person's: by the member that it names, or, where it names none, by the card."""
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        return False
    if isinstance(data.get("original"), dict):
        return is_about(data["original"], known)
    return any(one in known for one in [data.get("member") or data.get("card") or data.get("card_token")] if isinstance(one, str))


def without_person(document: Any, known: Collection[str], instead: str, *, own: bool) -> Any:
    """The document with `instead` in each field that identifies the person: by one of the `known` ids and cards, or, in an event of the person's `own`,
    whatever stands there. Of an own event about a member, what describes the person goes too. Figures stay. The document handed in is not changed.
    """
    if isinstance(document, list):
        return [without_person(each, known, instead, own=own) for each in document]
    if not isinstance(document, dict):
        return document
    about = own and isinstance(document.get("member"), str) and "outcome" not in document
    changed: dict[str, Any] = {}
    for name, value in document.items():
        if about and name in DESCRIBING:
            continue
        if name in IDENTIFYING and isinstance(value, str):
            changed[name] = instead if own or value in known else value
        elif name in IDENTIFYING and isinstance(value, list):
            changed[name] = [instead if own or each in known else each for each in value]
        else:
            changed[name] = without_person(value, known, instead, own=own)
    return changed


def names_person(text: str, known: Collection[str]) -> bool:
    """Whether a text, JSON or not, holds one of the `known` ids and cards: as it stands, or with characters written as JSON may write them.

    JSON in a string of JSON is written so twice, so this is undone for as long as it changes anything.
    """
    while True:
        if any(one in text for one in known):
            return True
        plain = ESCAPE.sub(_plain, text)
        whole = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # beyond 16 bits a character is written as two
        if whole == text:
            return False
        text = whole


def _plain(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] is not None else found[2]
