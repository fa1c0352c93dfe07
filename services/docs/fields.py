"""Tables of fields from the JSON Schemas of the models: name, form, whether it is needed, meaning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.docs.text import anchor, plain, table

Schema = Mapping[str, Any]

_FORMS = {"date": "day", "date-time": "time (RFC 3339)"}
_DECIMALS = ("^[0-9]{1,20}", "^-?[0-9]{1,20}", "^(?:0{0,8}[1-9]")
"""How the patterns of sums, figures and quantities begin."""
_LARGEST = 10**9
"""Bounds above it only keep numbers finite and are not told."""


ELSEWHERE = {"RejectionCode": "events.md#codes-of-rejections"}
"""Definitions that are told in another place."""


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[-1]


def form(schema: Schema) -> str:
    """What a value looks like, in words."""
    if "$ref" in schema:
        name = _name(schema)
        return f"[{name}]({ELSEWHERE.get(name, anchor(name))})"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            forms = [form(part) for part in schema[key] if part.get("type") != "null"]
            return " or ".join(dict.fromkeys(forms))
    return _typed(schema)


def _typed(schema: Schema) -> str:
    match schema.get("type"):
        case "array" if "prefixItems" in schema:
            return " and ".join(form(part) for part in schema["prefixItems"])
        case "array":
            return "list of " + form(schema.get("items", {}))
        case "object":
            inner = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), None)
            return f"map to {form(inner)}" if isinstance(inner, Mapping) else "map"
        case "integer":
            return "whole number" + _bounds(schema)
        case "number":
            return "number"
        case "boolean":
            return "`true` or `false`"
        case "string":
            return _text(schema)
        case _:
            return "any value"


def _text(schema: Schema) -> str:
    pattern = str(schema.get("pattern", ""))
    if schema.get("format") in _FORMS:
        return _FORMS[schema["format"]]
    if pattern.startswith(_DECIMALS):
        return "decimal text"
    if pattern == "^[A-Z]{3}$":
        return "currency (ISO 4217)"
    return f"text of at most {schema['maxLength']} characters" if "maxLength" in schema else "text"


def _bounds(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is None or most >= _LARGEST:
        return "" if least is None else f", {least} or more"
    return f", {least} to {most}"


def needed(schema: Schema, required: bool) -> str:
    """Whether a field must be there, and what holds when it is not."""
    if required:
        return "yes"
    default = schema.get("default")
    return "no" if default is None or isinstance(default, dict | list) else f"no: `{json.dumps(default)}`"


def fields(schema: Schema, definitions: Mapping[str, Schema], *, leave_out: Iterable[str] = ()) -> str:
    """The table of an object's fields, in the order of the model; what is not described is so by its definition."""
    left, required = set(leave_out), schema.get("required", [])
    rows = [
        (f"`{name}`", form(part), needed(part, name in required), plain(_meaning(part, definitions)))
        for name, part in schema.get("properties", {}).items()
        if name not in left
    ]
    return table(("field", "form", "needed", "meaning"), rows) if rows else "No fields of its own."


def _meaning(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    if "description" in schema:
        return str(schema["description"])
    names = [_name(part) for part in (schema, *schema.get("anyOf", ())) if "$ref" in part]
    return str(definitions.get(names[0], {}).get("description", "")) if names else ""


def references(schema: object) -> list[str]:
    """Names of the definitions that a schema refers to, in order, once each."""
    if isinstance(schema, list):
        parts = schema
    elif isinstance(schema, Mapping):
        if "$ref" in schema:
            return [_name(schema)]
        parts = [part for key, part in schema.items() if key not in {"discriminator", "default", "$defs", "properties"}]
        parts += schema.get("properties", {}).values()
    else:
        return []
    return list(dict.fromkeys(name for part in parts for name in references(part)))


def reached(start: Iterable[str], definitions: Mapping[str, Schema]) -> list[str]:
    """These definitions and all they refer to, as a reader meets them."""
    order: dict[str, None] = {}
    waiting = list(start)
    while waiting:
        name = waiting.pop(0)
        if name not in order:
            order[name] = None
            waiting += references(definitions[name])
    return list(order)


def section(name: str, definitions: Mapping[str, Schema], *, level: int = 3) -> str:
    """A heading, the docstring and the fields of a definition."""
    schema = definitions[name]
    return f"{'#' * level} {name}\n\n{plain(schema.get('description', ''))}\n\n{fields(schema, definitions)}"
