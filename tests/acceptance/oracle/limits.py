"""Limits of a member: what is over one is cut off; what is taken back gives its room back."""

from __future__ import annotations

from collections import Counter
from datetime import date

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.programme import Written

PERIODS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y", "ever": "ever"}


class Limits:
    """What each member has had of each mechanic, in each period of each of its limits."""

    def __init__(self) -> None:
        """Nobody has had anything."""
        self.used: Counter[tuple[str, int, str, str]] = Counter()

    def cut(self, mechanic: Written, member: str, day: date, currency: str, worth: int) -> int:
        """What of a gift is under all limits."""
        for place, limit in enumerate(_listed(mechanic)):
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
        assert limit.get("of", "member") == "member", "limits of the whole programme are not in this oracle"
        return mechanic["id"], place, member, day.strftime(PERIODS.get(limit["per"], "event"))


def _listed(mechanic: Written) -> list[Written]:
    limit = mechanic.get("limit") or []
    return [limit] if isinstance(limit, dict) else list(limit)
