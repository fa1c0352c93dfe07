"""Limits of a mechanic for a member: so many points, so much money or so many times per event, day, month, year or ever."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from schemas.ids import MechanicId
from schemas.mechanics import Limit, Mechanic
from schemas.money import to_minor

Used = dict[str, int]
"""What a member has used of each limit, by mechanic, place of the limit and period."""


class Limits:
    """Limits of one mechanic: those of each member, decided as events come, or those of all together, decided at night. What is over is cut off."""

    def __init__(self, mechanic: MechanicId, limits: Sequence[Limit], currency: str) -> None:
        self._limits: list[tuple[str, str, str, int]] = []
        for place, limit in enumerate(limits):
            if limit.times is not None:
                measure, most = "times", limit.times
            elif limit.points is not None:
                measure, most = "units", limit.points
            else:
                assert limit.amount is not None
                measure, most = "units", to_minor(limit.amount, currency)
            self._limits.append((f"{mechanic}:{place}:", limit.per, measure, most))

    @property
    def terms(self) -> tuple[tuple[str, str, str], ...]:
        """Of each limit: how its names in `Used` begin, its period, and whether it counts units or times."""
        return tuple((name, per, measure) for name, per, measure, _ in self._limits)

    def cut(self, value: int, used: Used, day: date) -> int:
        """The part of `value` that is within all limits on the event date `day`."""
        for name, per, measure, most in self._limits:
            if measure == "times":
                if per != "event" and used.get(name + period(per, day), 0) >= most:
                    return 0
                if per == "event" and most < 1:
                    return 0
            else:
                room = most if per == "event" else most - used.get(name + period(per, day), 0)
                value = max(0, min(value, room))
        return value

    def changes(self, before: int, after: int, day: date) -> Iterator[tuple[str, int]]:
        """By what each limit's use changes when the mechanic's gift for an event of `day` goes from `before` to `after`."""
        for name, per, measure, _ in self._limits:
            change = (after > 0) - (before > 0) if measure == "times" else after - before
            if change and per != "event":
                yield name + period(per, day), change

    def use(self, before: int, after: int, used: Used, day: date) -> None:
        """Enters that what the mechanic gave for an event of `day` went from `before` to `after`; room comes back with returns."""
        enter(self.changes(before, after, day), used)


def enter(changes: Iterable[tuple[str, int]], used: Used) -> None:
    """Enters by what uses of limits change; where nothing is used any more, nothing is kept."""
    for name, change in changes:
        left = used.get(name, 0) + change
        if left > 0:
            used[name] = left
        else:
            used.pop(name, None)


def limits_of(entry: Mechanic, of: str, currency: str) -> Limits | None:
    """The limits of a mechanic for each member, or for the whole programme; a budget that stops is one of the latter (fine print)."""
    limits = [limit for limit in entry.limit if limit.of == of]
    if of == "programme" and entry.budget is not None and entry.budget.at_end == "stop":
        limits.append(Limit(points=entry.budget.points, amount=entry.budget.amount, per="ever", of="programme"))
    return Limits(entry.id, limits, currency) if limits else None


def limited_for_all(entry: Mechanic) -> bool:
    """Whether the whole programme shares a limit or a budget of the mechanic."""
    return any(limit.of == "programme" for limit in entry.limit) or (entry.budget is not None and entry.budget.at_end == "stop")


def period(per: str, day: date) -> str:
    """The name of the period that holds the event date: 2026-03-02, 2026-03, 2026, or empty for ever."""
    match per:
        case "day":
            return day.isoformat()
        case "month":
            return day.isoformat()[:7]
        case "year":
            return day.isoformat()[:4]
        case _:
            return ""
