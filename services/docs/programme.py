"""docs/reference/programme.md, from the models of the programme file."""

from __future__ import annotations

from typing import Any

from clearing.mechanics import REGISTRY
from schemas.export import json_schema
from schemas.mechanics import MechanicBase
from services.docs.fields import fields, reached, section
from services.docs.text import page as whole
from services.docs.text import plain, table

INTRODUCTION = (
    "A programme is a file in YAML 1.2. Prices, rates and sums are decimal text in quotes; days are days in the programme's time zone; unknown fields are "
    "refused. `clh programme lint FILE` checks a file, `clh programme schema` prints what stands here as JSON Schema. What the fields bring about say the "
    "[rules](rules.md)."
)
COMMON = "Fields that every kind has. Sums without a currency beside them are in the programme's first currency."
KINDS = "Kinds marked *booked* are booked by this version; the others can be written and are checked, and `clh programme apply` refuses them."


def page() -> str:
    """The whole page."""
    schema = json_schema("programme")
    definitions: dict[str, Any] = schema["$defs"]
    kinds = {part["properties"]["kind"]["const"]: part for part in (definitions[name] for name in _mechanics(schema))}
    common = MechanicBase.model_json_schema()
    mechanics = set(_mechanics(schema))
    parts = [name for name in reached(("Programme", "Party", "Contract", *_mechanics(schema)), definitions) if name not in mechanics]
    return whole(
        "Programme file",
        INTRODUCTION,
        "## The file\n\n" + fields({**schema, "properties": {**schema["properties"], "mechanics": _short(schema)}}, definitions),
        *(section(name, definitions) for name in parts[:3]),
        "## Mechanics\n\n" + COMMON + "\n\n" + fields(common, definitions),
        "### Kinds\n\n" + KINDS + "\n\n" + _overview(kinds),
        *(f"### {kind}\n\n{plain(part['description'])}\n\n{fields(part, definitions, leave_out=_same(part, common))}" for kind, part in kinds.items()),
        "## Parts",
        *(section(name, definitions) for name in sorted(parts[3:])),
    )


def _mechanics(schema: dict[str, Any]) -> list[str]:
    """Names of the models of all kinds, in the order of the union."""
    return [str(part["$ref"]).rsplit("/", 1)[-1] for part in schema["properties"]["mechanics"]["items"]["oneOf"]]


def _short(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema["properties"]["mechanics"], "items": {"$ref": "#/Mechanics"}}


def _same(part: dict[str, Any], common: dict[str, Any]) -> set[str]:
    """Fields that need no line of their own: those that all kinds have in this form, and the kind itself."""
    return {"kind"} | {name for name, field in part["properties"].items() if common["properties"].get(name) == field}


def _overview(kinds: dict[str, Any]) -> str:
    rows = ((f"[{kind}](#{kind})", plain(part["description"]), "booked" if kind in REGISTRY else "") for kind, part in kinds.items())
    return table(("kind", "what it is", ""), rows)
