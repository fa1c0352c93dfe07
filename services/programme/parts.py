"""A programme file as named parts of plain values, the form in which two of them are compared and one is shown."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from pydantic import BaseModel

from schemas.ids import MechanicId, PartyId
from schemas.programme import ProgrammeFile

ContractKey = tuple[PartyId, dt.date]
"""Party and first day (`from`)."""
MechanicKey = tuple[MechanicId, dt.date]
"""Mechanic and first day (`from`)."""


def plain(part: BaseModel) -> dict[str, Any]:
    """A part as plain values under the names of the YAML, whatever was left out filled in."""
    values: dict[str, Any] = part.model_dump(mode="json", by_alias=True)
    return values


def named(part: BaseModel) -> dict[str, Any]:
    """As `plain`, without what is at its default."""
    values: dict[str, Any] = part.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return values


def settings(file: ProgrammeFile) -> dict[str, Any]:
    """The settings of the programme, one entry for each field in it: operator.model, points.code, …"""
    return flat(plain(file.programme))


def contract_positions(file: ProgrammeFile) -> dict[ContractKey, int]:
    """Where each contract version stands in the file."""
    return {(contract.party, contract.valid_from): position for position, contract in enumerate(file.contracts)}


def mechanic_positions(file: ProgrammeFile) -> dict[MechanicKey, int]:
    """Where each version of a mechanic stands in the file."""
    return {(mechanic.id, mechanic.valid_from): position for position, mechanic in enumerate(file.mechanics)}


def flat(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Nested fields by their dotted path; lists stay whole, since their order means something."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            found.update(flat(value, f"{above}{name}."))
        else:
            found[f"{above}{name}"] = value
    return found


def shown(value: object) -> str:
    """A value in one line, as it would stand in the file."""
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
