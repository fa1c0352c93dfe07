"""Pydantic's errors about a file, as findings with line, field, reason and way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from services.documents.findings import Finding
from services.documents.places import Part, Place, field_path, locate
from services.documents.vocabulary import fields_at, without_tags
from services.documents.wording import Wording, word
from services.documents.yaml_text import read_yaml_with_marks

FINDINGS_MAX = 100
"""So many are named; a file with more has one cause, not a hundred."""

_MERE_TYPE = frozenset(["literal_error", "string_type", "tuple_type", "model_type", "model_attributes_type", "int_type", "bool_type", "dict_type", "date_type"])


@dataclass(frozen=True, slots=True)
class _Fault:
    place: Place
    field: tuple[Part, ...]
    wording: Wording
    passes_over: bool
    """Whether it is about one member of a union, and says only that the value is of another one."""


def explain(error: ValidationError, text: str, file: str, model: type[BaseModel], below: tuple[Part, ...] = ()) -> list[Finding]:
    """Findings for a model's errors, in the order of the file.

    `text` is the YAML, `below` the path in it at which the model was read, `model` says which fields there are.
    """
    data, marks = read_yaml_with_marks(text)
    schema = model.model_json_schema()
    errors = [each for each in error.errors(include_url=False)[: FINDINGS_MAX * 4] if not _lost_items(each)]
    faults = [_fault(each, data, marks, schema, below) for each in errors]
    findings = [
        Finding(file, fault.place.line, fault.place.column, field_path(fault.field), fault.wording.code, fault.wording.reason, fault.wording.way_out)
        for fault in _merged(faults)
    ]
    return in_file_order(findings)[:FINDINGS_MAX]


def in_file_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by line and column; those about the file as a whole first."""
    return sorted(findings, key=lambda finding: (finding.line or 0, finding.column or 0))


def _lost_items(error: ErrorDetails) -> bool:
    """Whether it says that a list is too short that was long enough, but for items with errors of their own, which say what is wrong."""
    given, least = error["input"], error.get("ctx", {}).get("min_length", 0)
    return error["type"] == "too_short" and isinstance(given, list | tuple) and len(given) >= least


def _fault(error: ErrorDetails, data: Any, marks: Any, schema: dict[str, Any], below: tuple[Part, ...]) -> _Fault:
    kind = error["type"]
    location = (*below, *without_tags(schema, error["loc"]))
    tag = str(error.get("ctx", {}).get("discriminator", "")).strip("'")
    if kind == "union_tag_invalid":
        location = (*location, tag)
    unknown = kind == "extra_forbidden"
    place = locate(data, marks, location, key=unknown)
    absent = error["loc"][-1:] if kind == "missing" else (tag,) if kind == "union_tag_not_found" else ()
    known = fields_at(schema, error["loc"][:-1]) if unknown else ()
    passes_over = kind in _MERE_TYPE and len(place.path) < len(location)
    return _Fault(place, (*place.path, *absent), word(error, known), passes_over)


def _merged(faults: Sequence[_Fault]) -> list[_Fault]:
    """One fault for each field: what the members of a union each say about a value is joined; what a deeper fault explains falls away."""
    deeper = {fault.field[:length] for fault in faults for length in range(len(fault.field))}
    by_field: dict[tuple[Part, ...], list[_Fault]] = {}
    for fault in faults:
        if not (fault.passes_over and fault.field in deeper):
            by_field.setdefault(fault.field, []).append(fault)
    return [_joined(group) for group in by_field.values()]


def _joined(group: Sequence[_Fault]) -> _Fault:
    first = group[0]
    reasons = list(dict.fromkeys(fault.wording.reason for fault in group))
    if len(reasons) == 1:
        return first
    leading = next((fault.wording for fault in group if fault.wording.code == "bare-number"), first.wording)
    wording = Wording(leading.code, "; or ".join(reasons), leading.way_out)
    return _Fault(first.place, first.field, wording, first.passes_over)
