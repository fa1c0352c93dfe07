"""The slow road of decoding: what exactly is wrong with an event, without repeating any of its values."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, NoReturn

from pydantic import ValidationError

from schemas.card_numbers import holds_card_number
from schemas.events import EVENT_TYPES, ModelEvent
from schemas.events.envelope import Envelope, OpenEnvelope
from schemas.events.quick import is_id, is_source
from schemas.ids import EventId
from schemas.pointer import Path, pointer_to

EVENT_BYTES_MAX = 1_048_576
"""The largest value of a record that is read."""
LEVELS_MAX = 200
"""So deep may objects and lists lie in one another: what can be read may not depend on how deep an interpreter goes."""

_SENTENCES = {
    "missing": "A field is missing.",
    "extra_forbidden": "The field is not known.",
    "literal_error": "The value is not one of those allowed.",
    "string_type": "The value must be text.",
    "string_too_short": "The text is too short.",
    "string_too_long": "The text is too long.",
    "string_pattern_mismatch": "The text does not have the form that the schema asks for.",
    "int_type": "The value must be a whole number.",
    "int_from_float": "The value must be a whole number.",
    "bool_type": "The value must be true or false.",
    "greater_than_equal": "The number is too small.",
    "less_than_equal": "The number is too large.",
    "list_type": "The value must be a list.",
    "dict_type": "The value must be an object.",
    "model_type": "The value must be an object.",
    "model_attributes_type": "The value must be an object.",
    "too_short": "There are too few entries.",
    "too_long": "There are too many entries.",
    "json_invalid": "The value is not valid JSON.",
}
_DEPTH_SHOWN = 16
_TEXT_OR_BRACKET = re.compile(r'"(?:\\.|[^"\\])*\\?(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)
"""A text, whose end may be missing, or a bracket outside of texts. It never goes back: each character is looked at once."""
_OTHERWISE = "The value does not have the form that the schema asks for."


class EventError(Exception):
    """An event that cannot be read: where, as a JSON pointer, and why, in a sentence without its values."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{detail} (at '{pointer}')")
        self.pointer = pointer
        self.detail = detail


class Claim(NamedTuple):
    """What a malformed event says of itself, as far as it is right: source, id, and the type if it is in the catalogue."""

    source: str
    id: EventId
    type: str | None


class Malformed(EventError):
    """Not JSON, not the envelope, or not the schema of its type. `claim`: the id that it claims all the same, if its JSON object has one."""

    claim: Claim | None = None


class UnknownType(EventError):
    """An envelope in order whose type or version is not in the catalogue."""

    def __init__(self, envelope: Envelope) -> None:
        super().__init__("/type", "The type is not in the catalogue.")
        self.envelope = envelope


class _UnreadableError(ValueError):
    """JSON that is well-formed and still cannot be read in one way only."""


def explain(value: bytes) -> ModelEvent:
    """The event, if it can be read after all; else raises ``Malformed`` or ``UnknownType``."""
    document: dict[str, Any] = {}
    try:
        document = _document(value)
        return _read(value, document)
    except RecursionError:
        raise Malformed("", "The value is nested too deeply.") from None
    except Malformed as error:
        error.claim = _claim(document)
        raise


def _claim(document: dict[str, Any]) -> Claim | None:
    """The id and source of a JSON object that cannot be booked, where they are what ids and sources are."""
    event_id, source, kind = document.get("id"), document.get("source"), document.get("type")
    if not isinstance(event_id, str) or not isinstance(source, str) or not is_id(event_id) or not is_source(source):
        return None
    return Claim(source, EventId(event_id), kind if isinstance(kind, str) and kind in EVENT_TYPES else None)


def _read(value: bytes, document: dict[str, Any]) -> ModelEvent:
    zero = _zero_character(document) if b"\\u0000" in value else None
    if zero is not None:
        raise Malformed(_pointer(zero), "Text may not hold a zero character.")
    envelope = _envelope(document)
    model = EVENT_TYPES.get(envelope.type)
    if model is None:
        raise UnknownType(envelope)
    try:
        event: ModelEvent = model.__pydantic_validator__.validate_json(value)
    except ValidationError as error:
        _refuse(error, document)
    problem = event.data.problem()
    if problem is not None:
        path, detail = problem
        raise Malformed(pointer_to(("data", *path)), detail)
    return event


def _document(value: bytes) -> dict[str, Any]:
    """The JSON object in the bytes, each key once."""
    if len(value) > EVENT_BYTES_MAX:
        raise Malformed("", "The value is larger than 1 MiB.")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("", "The value is not UTF-8.") from None
    if _levels(text) > LEVELS_MAX:
        raise Malformed("", "The value is nested too deeply.")
    try:
        document = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except _UnreadableError as error:
        raise Malformed("", str(error)) from None
    except (ValueError, RecursionError):
        raise Malformed("", "The value is not valid JSON.") from None
    if not isinstance(document, dict):
        raise Malformed("", "An event is a JSON object.")
    return document


def _levels(text: str) -> int:
    """How deep objects and lists lie in one another."""
    depth = deepest = 0
    for found in _TEXT_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in "]}":
            depth -= 1
    return deepest


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _UnreadableError("A key stands twice in one object.")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise _UnreadableError("NaN and Infinity are not JSON.")


def _zero_character(value: Any) -> Path | None:
    if isinstance(value, str):
        return () if "\0" in value else None
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        if isinstance(key, str) and "\0" in key:
            return ()
        below = _zero_character(each)
        if below is not None:
            return (key, *below)
    return None


def _envelope(document: dict[str, Any]) -> Envelope:
    try:
        envelope = OpenEnvelope.model_validate_json(json.dumps(document))
    except ValidationError as error:
        _refuse(error, document)
    if holds_card_number(envelope.type):
        raise Malformed("/type", "The type is not a name of a type.")
    return envelope


def _refuse(error: ValidationError, document: dict[str, Any]) -> NoReturn:
    """Raises ``Malformed`` for the first error, pointing at the innermost part of the document that it concerns."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place: list[str | int] = []
    here: Any = document
    for step in first["loc"]:
        if _leads_on(here, step):
            here = here[step]
        elif not (isinstance(here, dict) and first["type"] == "missing"):
            continue  # no place in the document: which of several forms was tried
        place.append(step)
    raise Malformed(_pointer(tuple(place)), _SENTENCES.get(first["type"], _OTHERWISE)) from None


def _leads_on(here: Any, step: str | int) -> bool:
    if isinstance(here, list):
        return isinstance(step, int) and step < len(here)
    return isinstance(here, dict) and step in here


def _pointer(path: Path) -> str:
    """Pointer to a place, cut off where it is too deep or a key is too long or holds what passes for a card number."""
    path = path[:_DEPTH_SHOWN]
    for index, step in enumerate(path):
        if isinstance(step, str) and (len(step) > 64 or holds_card_number(step)):
            return pointer_to(path[:index])
    return pointer_to(path)
