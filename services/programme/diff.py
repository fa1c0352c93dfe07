"""What differs between two programme files, by party, contract version, mechanic version and setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from schemas.programme import ProgrammeFile
from services.programme import parts


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `field` and the values are None where a whole part was added, removed or moved."""

    subject: str
    change: Literal["added", "removed", "changed", "moved"]
    field: str | None = None
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        """One line for people."""
        if self.field is None:
            return f"{self.subject}: {self.change}"
        return f"{self.subject}: {self.field}: {parts.shown(self.old)} -> {parts.shown(self.new)}"


def diff(old: ProgrammeFile, new: ProgrammeFile) -> list[Difference]:
    """Everything that differs, in the order of the file: settings, parties, contracts, mechanics, the order of mechanics."""
    found = list(_fields("programme", parts.settings(old), parts.settings(new)))
    found += _named_parts("party {}", {party.id: parts.plain(party) for party in old.parties}, {party.id: parts.plain(party) for party in new.parties})
    found += _named_parts("contract of {} from {}", _contracts(old), _contracts(new))
    found += _named_parts("mechanic {} from {}", _mechanics(old), _mechanics(new))
    found += _moved(old, new)
    return found


def _contracts(file: ProgrammeFile) -> dict[parts.ContractKey, dict[str, Any]]:
    return {(each.party, each.valid_from): parts.plain(each) for each in file.contracts}


def _mechanics(file: ProgrammeFile) -> dict[parts.MechanicKey, dict[str, Any]]:
    return {(each.id, each.valid_from): parts.plain(each) for each in file.mechanics}


def _named_parts(pattern: str, old: Mapping[Any, dict[str, Any]], new: Mapping[Any, dict[str, Any]]) -> Iterator[Difference]:
    for key in dict.fromkeys((*old, *new)):
        subject = pattern.format(*key) if isinstance(key, tuple) else pattern.format(key)
        if key not in new:
            yield Difference(subject, "removed")
        elif key not in old:
            yield Difference(subject, "added")
        else:
            yield from _fields(subject, parts.flat(old[key]), parts.flat(new[key]))


def _fields(subject: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for field in dict.fromkeys((*old, *new)):
        before, after = old.get(field), new.get(field)
        if before != after:
            yield Difference(subject, "changed", field, before, after)


def _moved(old: ProgrammeFile, new: ProgrammeFile) -> Iterator[Difference]:
    """Rule 3: mechanics apply in the order of the file, so an order that changes is a change."""
    order_before = _common(parts.mechanic_positions(old), parts.mechanic_positions(new))
    order_after = _common(parts.mechanic_positions(new), parts.mechanic_positions(old))
    for before, after in zip(order_before, order_after, strict=True):
        if before != after:
            yield Difference(f"mechanic {after[0]} from {after[1]}", "moved")


def _common(positions: Mapping[parts.MechanicKey, int], others: Mapping[parts.MechanicKey, int]) -> list[parts.MechanicKey]:
    return [key for key in positions if key in others]
