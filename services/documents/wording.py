"""What pydantic found, in the words of the file's author: a code, a reason and a way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from services.documents.vocabulary import suggestion

_A_MAPPING = "must be a mapping of fields"
_REASONS = {
    "bool_type": "must be true or false",
    "dict_type": _A_MAPPING,
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number, without quotes",
    "model_attributes_type": _A_MAPPING,
    "model_type": _A_MAPPING,
    "string_type": "must be text",
    "tuple_type": "must be a list",
}
_DAY_ERRORS = ("date_from_datetime_parsing", "date_parsing", "date_from_datetime_inexact", "date_type")
_SHAPES = {
    r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$": 'must be a time of day such as "17:00"',
    r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$": "must be an IBAN without spaces, such as DE89370400440532013000",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said about one error."""

    code: str
    reason: str
    way_out: str


def word(error: ErrorDetails, known_fields: Sequence[str]) -> Wording:
    """The wording for one of pydantic's errors; `known_fields` are those that may stand beside an unknown one."""
    kind = error["type"]
    field = str(error["loc"][-1]) if error["loc"] else ""
    if kind in ("missing", "union_tag_not_found"):
        return Wording("missing-field", "is missing", "add it")
    if kind == "extra_forbidden":
        return _unknown_field(field, known_fields)
    if kind in ("literal_error", "union_tag_invalid"):
        return _unknown_word(error)
    return _value(kind, error)


def _unknown_field(field: str, known: Sequence[str]) -> Wording:
    meant = suggestion(field, known)
    others = f"fields that may stand here: {', '.join(known)}" if known else "take it out"
    return Wording("unknown-field", "there is no such field", others if meant is None else f"did you mean {meant}?")


def _unknown_word(error: ErrorDetails) -> Wording:
    context = error.get("ctx", {})
    expected = str(context.get("expected") or context.get("expected_tags", ""))
    words = [each.strip(" '") for each in expected.replace(" or ", ", ").split(",")]
    given = str(context.get("tag", error["input"]))
    meant = suggestion(given, words)
    way_out = f"did you mean {meant}?" if meant is not None else "choose one of them"
    return Wording("unknown-word", f"{_shown(given)} is not one of {', '.join(words)}", way_out)


def _value(kind: str, error: ErrorDetails) -> Wording:
    given = error["input"]
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if kind in ("value_error", "programme"):
        reason = error["msg"].removeprefix("Value error, ")
        if kind == "value_error" and is_number and "in quotes" in reason:
            return Wording("bare-number", reason, "put it in quotes")
        if kind == "programme":
            return Wording("inconsistent", reason, "make the two places agree")
        is_whole = isinstance(given, dict | list) or given is None
        return Wording("inconsistent" if is_whole else "wrong-value", reason, "correct it")
    if kind in _DAY_ERRORS:
        return Wording("wrong-value", f"{_shown(given)} is not a day of the calendar", "write a day such as 2026-03-02")
    if kind == "string_type" and (is_number or isinstance(given, bool)):
        return Wording("wrong-type", "must be text", f'put it in quotes: "{_shown(given)}"')
    if kind == "string_pattern_mismatch":
        pattern = str(error.get("ctx", {}).get("pattern", ""))
        return Wording("wrong-value", _SHAPES.get(pattern, f"{_shown(given)} does not have the form {pattern}"), "correct it")
    if kind in _REASONS:
        return Wording("wrong-type", _REASONS[kind], "correct it")
    return Wording("wrong-value", _plain(error["msg"]), "correct it")


def _plain(message: str) -> str:
    for prefix in ("Input should ", "Value should ", "Tuple should ", "String should ", "List should ", "Dictionary should "):
        message = message.removeprefix(prefix)
    message = message.replace(" after validation", "")
    return message if message[:1].isupper() else f"must {message}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "null" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
