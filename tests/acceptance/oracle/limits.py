"""Limits of a member: what is over one is cut off; what is taken back gives its room back."""

from __future__ import annotations

from collections import Counter
from datetime import date

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.programme import Written

PERIODS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y", "ever": "ever"}


class Limits:
    """What each member, and all together, have had of each mechanic, in each period of each of its limits."""

    def __init__(self) -> None:
        """Nobody has had anything."""
        self.used: Counter[tuple[str, int, str, str]] = Counter()

    def cut(self, mechanic: Written, member: str, day: date, currency: str, worth: int, *, at_night: bool = False) -> int:
        """What of a gift is under all limits; those of the whole programme are looked at at night."""
        for place, limit in enumerate(_listed(mechanic)):
            if _shared(limit) and not at_night:
                continue
            used = 0 if limit["per"] == "event" else self.used[self._key(mechanic, place, member, day, limit)]
            if "times" in limit:
                worth = worth if used < limit["times"] else 0
            else:
                most = limit["points"] if "points" in limit else rules.minor(limit["amount"], currency)
                worth = max(0, min(worth, most - used))
        return worth

    def count(self, mechanic: Written, member: str, day: date, change: int, *, times: int) -> None:
        """Notes what was given (or, below zero, taken back), and how often."""
        for place, limit in enumerate(_listed(mechanic)):
            self.used[self._key(mechanic, place, member, day, limit)] += times if "times" in limit else change

    @staticmethod
    def _key(mechanic: Written, place: int, member: str, day: date, limit: Written) -> tuple[str, int, str, str]:
        return mechanic["id"], place, "" if _shared(limit) else member, day.strftime(PERIODS.get(limit["per"], "event"))


def _shared(limit: Written) -> bool:
    return bool(limit.get("of", "member") == "programme")


def at_night(file: tuple[Written, ...]) -> set[int]:
    """Places in the file of what the night decides: what all share a limit of, its rivals in a group, and what multiplies one of those."""
    places = {place for place, one in enumerate(file) if one["kind"] not in ("privilege", "pass") and any(_shared(limit) for limit in _listed(one))}
    before: set[int] = set()
    while places != before:
        before = set(places)
        rivals = {place for place, one in enumerate(file) if "group" in one and one["group"] in {file[other].get("group") for other in before}}
        names = {file[place]["id"] for place in rivals}
        places |= rivals | {place for place, one in enumerate(file) if one["kind"] == "multiplier" and names & set(multiplied(one, file))}
    return places


def multiplied(mechanic: Written, file: tuple[Written, ...]) -> list[str]:
    """What a multiplier multiplies: what it names, or all points on spending before it."""
    return list(mechanic.get("of", [one["id"] for one in file[: file.index(mechanic)] if one["kind"] == "points_on_spend"]))


def _listed(mechanic: Written) -> list[Written]:
    """Its limits; a budget that stops cuts off like one."""
    limit, budget = mechanic.get("limit") or [], mechanic.get("budget")
    limits = [limit] if isinstance(limit, dict) else list(limit)
    return [*limits, {**budget, "per": "ever", "of": "programme"}] if budget and budget["at_end"] == "stop" else limits
