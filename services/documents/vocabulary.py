"""Which fields may stand at a place, by the JSON Schema of a model: for "did you mean" beside an unknown field."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any


def fields_at(schema: dict[str, Any], location: Sequence[str | int]) -> tuple[str, ...]:
    """Names of the fields that may stand in the mapping at a pydantic location; empty where the schema does not say."""
    definitions = schema.get("$defs", {})
    node: dict[str, Any] = schema
    for part in location:
        node = _step(_resolved(node, definitions), part, definitions)
    return tuple(_resolved(node, definitions).get("properties", ()))


def without_tags(schema: dict[str, Any], location: Sequence[str | int]) -> tuple[str | int, ...]:
    """A pydantic location without the tags of unions told apart by a field: some are named as a field is that may stand there (`activity`, `gift`)."""
    definitions = schema.get("$defs", {})
    node: dict[str, Any] = schema
    kept: list[str | int] = []
    for part in location:
        node = _resolved(node, definitions)
        if part not in _tags(node):
            kept.append(part)
        node = _step(node, part, definitions)
    return tuple(kept)


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if any."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def _resolved(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The node that a reference, alone or in a union with null, stands for."""
    while True:
        reference = node.get("$ref")
        if reference is None:
            others = [each for each in node.get("anyOf", ()) if each.get("type") != "null"]
            if len(others) != 1:
                return node
            node = others[0]
        else:
            node = definitions.get(reference.rsplit("/", 1)[-1], {})


def _step(node: dict[str, Any], part: str | int, definitions: dict[str, Any]) -> dict[str, Any]:
    if isinstance(part, int):
        return _first_dict(node.get("items"), node)
    if part in node.get("properties", {}):
        return _first_dict(node["properties"][part], node)
    tags = _tags(node)
    if part in tags:
        return {"$ref": tags[part]}
    for each in node.get("anyOf", ()):
        if each.get("$ref", "").endswith(f"/{part}"):
            return _resolved(each, definitions)
    models = [each for each in node.get("oneOf", ()) if "$ref" in each]
    if len(models) == 1:
        return _first_dict(models[0], node)  # the one member of a union that has fields, whatever its tag is called
    return _first_dict(node.get("additionalProperties"), node)


def _tags(node: dict[str, Any]) -> dict[str, str]:
    """The models of a union told apart by a field, by their tags; none where the node is no such union."""
    tags: dict[str, str] = node.get("discriminator", {}).get("mapping", {})
    return tags


def _first_dict(candidate: object, otherwise: dict[str, Any]) -> dict[str, Any]:
    return candidate if isinstance(candidate, dict) else otherwise
