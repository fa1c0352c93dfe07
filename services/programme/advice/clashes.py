"""Parts of a programme that do not go together, though each is right by itself."""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
from collections.abc import Iterator

from clearing.mechanics import REGISTRY, not_decided, sums_of_stamps
from schemas import mechanics as spec
from schemas.expiry import FixedExpiry, InactivityExpiry, RollingExpiry
from schemas.ids import PURCHASE_PARTNER
from schemas.programme import Mechanic, ProgrammeFile
from services.programme.advice.advice import Advice
from services.programme.coverage import days_of, overlap
from services.programme.units import Unit, senders, unit_of

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def kinds_are_booked(file: ProgrammeFile) -> Iterator[Advice]:
    """Kinds of mechanic that can be read but not yet booked; `apply` refuses them."""
    for position, mechanic in enumerate(file.mechanics):
        if mechanic.kind not in REGISTRY:
            booked = ", ".join(sorted(REGISTRY))
            yield Advice(("mechanics", position, "kind"), "not-booked-yet", f"{mechanic.kind} is not booked yet", f"kinds that are: {booked}")
        elif (lacking := not_decided(mechanic)) is not None:
            yield Advice(("mechanics", position, lacking.field), "not-booked-yet", f"{lacking.what} is not booked yet", lacking.way_out)
        for path in sums_of_stamps(mechanic):
            reason = f"{mechanic.id} gives stamps, and this counts money: how many stamps that is cannot be said"
            yield Advice(("mechanics", position, *path), "not-booked-yet", reason, "count stamps (points) or purchases (times)")


def groups_have_one_unit(file: ProgrammeFile) -> Iterator[Advice]:
    """Rule 3 compares what the mechanics of a group give; points and amounts cannot be compared."""
    for (_, one), (position, other) in itertools.combinations(enumerate(file.mechanics), 2):
        if one.group is None or one.group != other.group or unit_of(one) is unit_of(other) or not _meet(one, other, file):
            continue
        reason = f"in the group {other.group}, {one.id} gives {unit_of(one)} and {other.id} gives {unit_of(other)}: which is more cannot be said"
        yield Advice(("mechanics", position, "group"), "group-mixes-units", reason, "give them groups of their own")


def points_live_longer_than_they_wait(file: ProgrammeFile) -> Iterator[Advice]:
    """Rules 8 and 9: points that expire before, or in the night in which, they become available can never be spent."""
    programme = file.programme
    for position, mechanic in enumerate(file.mechanics):
        if unit_of(mechanic) is not Unit.POINTS:
            continue
        pending = programme.pending_days if mechanic.pending_days is None else mechanic.pending_days
        expiry = mechanic.expiry or programme.expiry
        if isinstance(expiry, RollingExpiry | InactivityExpiry):
            shortest = _shortest_life_days(expiry.months)
        elif isinstance(expiry, FixedExpiry):
            shortest = 1
        else:
            continue
        if pending >= shortest:
            own = mechanic.pending_days is not None or mechanic.expiry is not None
            field = "pending_days" if mechanic.pending_days is not None else "expiry" if own else "id"
            reason = f"points of some days expire after {shortest} days, but stay pending for {pending}: they can never be spent"
            yield Advice(("mechanics", position, field), "expires-while-pending", reason, "shorten pending_days, or let points live longer")


def limits_count_what_is_given(file: ProgrammeFile) -> Iterator[Advice]:
    """A limit in points never bites on a discount, nor one in money on points."""
    for position, mechanic in enumerate(file.mechanics):
        unit = unit_of(mechanic)
        caps: list[tuple[tuple[str | int, ...], spec.Limit | spec.Budget]] = [
            (("mechanics", position, "limit", number), limit) for number, limit in enumerate(mechanic.limit)
        ]
        if mechanic.budget is not None:
            caps.append((("mechanics", position, "budget"), mechanic.budget))
        for place, cap in caps:
            wrong = "points" if cap.points is not None and unit is Unit.AMOUNT else "amount" if cap.amount is not None and unit is Unit.POINTS else None
            if wrong is not None:
                reason = f"{mechanic.id} gives {unit}, and this counts {wrong}: it never takes effect"
                yield Advice((*place, wrong), "limit-without-effect", reason, f"count {unit}")


def conditions_can_hold(file: ProgrammeFile) -> Iterator[Advice]:
    """Mechanics that can never give anything."""
    tiers = {level.id for mechanic in file.mechanics if isinstance(mechanic, spec.Tier) for level in mechanic.levels}
    tiers |= {mechanic.tier for mechanic in file.mechanics if isinstance(mechanic, spec.PaidMembership)}
    for position, mechanic in enumerate(file.mechanics):
        place = ("mechanics", position)
        days = days_of(mechanic.valid_from, mechanic.valid_to)
        named = mechanic.when.days
        if named and not any(days.first <= day <= days.last and _on(day, mechanic.when.weekdays) for day in named):
            yield Advice(
                (*place, "when", "days"), "never-applies", f"none of these days is one on which {mechanic.id} applies", "correct the days, or from and to"
            )
        for number, tier in enumerate(mechanic.audience.tiers):
            if tier not in tiers:
                yield Advice(
                    (*place, "for", "tiers", number), "never-applies", f"no mechanic brings members into a tier {tier}", "add it to a tier mechanic's levels"
                )
        if isinstance(mechanic, spec.Privilege):
            for number, service in enumerate(mechanic.services):
                if {share.party for share in mechanic.funding or () if share.share > 0} <= {PURCHASE_PARTNER, service.provider}:
                    reason = f"{service.provider} renders {service.id} and alone funds it: nothing is owed for it"
                    yield Advice((*place, "services", number), "never-applies", reason, "name who pays for it (funding)")
        if isinstance(mechanic, spec.Multiplier) and not any(_multiplies(mechanic, base, file) for base in file.mechanics[:position]):
            reason = f"{mechanic.id} finds no points_on_spend before it on the same days and for the same partners"
            yield Advice((*place, "id"), "never-applies", reason, "put it behind the mechanic that it multiplies")


def _on(day: dt.date, weekdays: tuple[str, ...]) -> bool:
    return not weekdays or _WEEKDAYS[day.weekday()] in weekdays


def _multiplies(multiplier: spec.Multiplier, base: Mechanic, file: ProgrammeFile) -> bool:
    return isinstance(base, spec.PointsOnSpend) and (multiplier.of is None or base.id in multiplier.of) and _meet(multiplier, base, file)


def _meet(one: Mechanic, other: Mechanic, file: ProgrammeFile) -> bool:
    """Whether one event can come under both."""
    return overlap(days_of(one.valid_from, one.valid_to), days_of(other.valid_from, other.valid_to)) and not set(senders(one, file)).isdisjoint(
        senders(other, file)
    )


def _shortest_life_days(months: int) -> int:
    """The fewest days from an event date to the last day of the month that lies `months` after it, over four years."""
    lives = []
    for offset in range(48):
        earned = dt.date(2023 + offset // 12, offset % 12 + 1, calendar.monthrange(2023 + offset // 12, offset % 12 + 1)[1])
        year, month = divmod(offset + months, 12)
        expires = dt.date(2023 + year, month + 1, calendar.monthrange(2023 + year, month + 1)[1])
        lives.append((expires - earned).days)
    return min(lives)


CHECKS = (kinds_are_booked, groups_have_one_unit, points_live_longer_than_they_wait, limits_count_what_is_given, conditions_can_hold)
