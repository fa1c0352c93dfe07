"""A bank whose cards earn points and cash-back and round up, for tests of card transactions."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.unit.clearing.baskets import EURO, day
from tests.unit.clearing.till import BOTH, Entry, Till, contract, mechanic

TUESDAY = day("2026-03-03")
BANK = (*BOTH, contract("bank1", "0.0080", "0.0070"))
POINTS = mechanic("card_points", "miles", rates=[{"mcc": "5411", "points": 2, "per": EURO}, {"mcc": "0000-9999", "points": 1, "per": EURO}])
BACK = mechanic("cash_back", "back", percent="2", funding=[{"party": "bank1", "share": "0.6"}, {"party": "grocer", "share": "0.4"}])
UP = mechanic("round_up", "up", multiple="1.00", match={"party": "grocer", "percent": "50"})


def till(*mechanics: Entry, **terms: Any) -> Till:
    return Till(*mechanics, **{"contracts": BANK, **terms})


def nets(till: Till) -> dict[str, int]:
    """What all parties got less what they owed, over all windows, in cents; nobody who comes out even."""
    sums: Counter[str] = Counter()
    for run in till.books.runs.values():
        for one in run.obligations:
            sums[one.creditor] += one.amount_minor
            sums[one.debtor] -= one.amount_minor
    return {party: minor for party, minor in sorted(sums.items()) if minor}


def state(till: Till) -> Any:
    """All that booking keeps of a member, but for lots and uses that are empty."""
    member = till.member()
    lots = {key: (lot.points, lot.expired) for key, lot in (member.lots or {}).items() if lot.points or lot.expired}
    return member.available, member.pending, till.debts(), member.used, member.memory, lots, member.last_activity
