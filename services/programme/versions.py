"""What may not be changed once it applied to a booked event: it can only be ended, and followed by a new version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from schemas.programme import ProgrammeFile
from services.programme import parts
from services.programme.advice import Advice

_FIXED_SETTINGS = {
    "operator.model": "prices and debts of all bookings follow the model",
    "operator.party": "it is debtor and creditor of all bookings",
    "timezone": "every event date and window follows it",
}


def refuse_changes(
    old: ProgrammeFile,
    new: ProgrammeFile,
    applied_contracts: Mapping[parts.ContractKey, dt.date],
    applied_mechanics: Mapping[parts.MechanicKey, dt.date],
) -> list[Advice]:
    """Why `new` cannot take the place of `old`; nothing, where it can.

    `applied_contracts` and `applied_mechanics` name the versions of `old` that applied to booked events, each with the last event date on
    which it did. Such a version stays as it is, except that it may be ended (`to`) on that date or later. A programme with bookings keeps its
    operator, model, time zone and currencies; further currencies may be added behind.
    """
    if not applied_contracts and not applied_mechanics:
        return []
    return [*_settings(old, new), *_contracts(old, new, applied_contracts), *_mechanics(old, new, applied_mechanics)]


def _settings(old: ProgrammeFile, new: ProgrammeFile) -> Iterator[Advice]:
    before, after = parts.settings(old), parts.settings(new)
    for field, why in _FIXED_SETTINGS.items():
        if before[field] != after[field]:
            reason = f"was {before[field]} when events were booked, and cannot become {after[field]}: {why}"
            yield Advice(("programme", *field.split(".")), "applied-already", reason, "start another programme")
    kept = new.programme.currencies[: len(old.programme.currencies)]
    if kept != old.programme.currencies:
        reason = f"events were booked with {', '.join(old.programme.currencies)}, in this order"
        yield Advice(("programme", "currencies"), "applied-already", reason, "leave them as they are; add others behind them")


def _contracts(old: ProgrammeFile, new: ProgrammeFile, applied: Mapping[parts.ContractKey, dt.date]) -> Iterator[Advice]:
    places, before = parts.contract_positions(new), parts.contract_positions(old)
    for key, last in applied.items():
        if key not in before:
            continue
        name = "the contract of {} from {}".format(*key)
        if key not in places:
            yield _taken_out(("contracts",), name)
        else:
            place = ("contracts", places[key])
            yield from _version(place, name, parts.plain(old.contracts[before[key]]), parts.plain(new.contracts[places[key]]), last)


def _mechanics(old: ProgrammeFile, new: ProgrammeFile, applied: Mapping[parts.MechanicKey, dt.date]) -> Iterator[Advice]:
    places, before = parts.mechanic_positions(new), parts.mechanic_positions(old)
    for key, last in applied.items():
        if key not in before:
            continue
        name = "the mechanic {} from {}".format(*key)
        if key not in places:
            yield _taken_out(("mechanics",), name)
        else:
            place = ("mechanics", places[key])
            yield from _version(place, name, parts.plain(old.mechanics[before[key]]), parts.plain(new.mechanics[places[key]]), last)


def _taken_out(place: tuple[str | int, ...], name: str) -> Advice:
    return Advice(place, "applied-already", f"{name} applied to booked events and cannot be taken out", "leave it in the file, and end it (to)")


def _version(place: tuple[str | int, ...], name: str, old: dict[str, Any], new: dict[str, Any], last: dt.date) -> Iterator[Advice]:
    before, after = parts.flat(old), parts.flat(new)
    for field in dict.fromkeys((*before, *after)):
        was, now = before.get(field), after.get(field)
        if was == now:
            continue
        if field == "to":
            yield from _end((*place, "to"), name, was, now, last)
            continue
        reason = f"{name} applied to booked events: {field} was {parts.shown(was)} and cannot become {parts.shown(now)}"
        way_out = "leave it as it is, end it (to), and begin a new version with a later from"
        yield Advice((*place, *field.split(".")), "applied-already", reason, way_out)


def _end(place: tuple[str | int, ...], name: str, was: str | None, now: str | None, last: dt.date) -> Iterator[Advice]:
    """An end may be set, or drawn nearer, down to the last day on which the version applied."""
    if now is None or (was is not None and now > was):
        reason = f"{name} applied to booked events, and was to end on {was}: it cannot go on longer"
        yield Advice(place, "applied-already", reason, "leave the end as it is, and begin a new version on the day after")
    elif now < last.isoformat():
        yield Advice(place, "applied-already", f"{name} applied to an event of {last} and cannot end before that day", f"end it on {last} or later")
