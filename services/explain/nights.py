"""Entries that no event brought: numbers below zero that say which night and step (services/night/books.py), or which correction."""

from __future__ import annotations

from datetime import date

from services.journal.corrections import FIRST_ENTRY
from services.night.books import STEPS

_REPAYS = 8
"""Added to a step's number: members who owe repay with what the step brought."""


def night_of(entry: int) -> str:
    """Which step of which night an entry below zero belongs to: `2026-03-31, expire lots`; or which correction it is: `correction 7`."""
    if entry < FIRST_ENTRY:
        return f"correction {FIRST_ENTRY - entry}"
    day, place = divmod(-entry, 16)
    step, repays = (place - 1 - _REPAYS, True) if place > _REPAYS else (place - 1, False)
    name = STEPS[step].replace("_", " ") if 0 <= step < len(STEPS) else f"step {place}"
    return f"{date.fromordinal(day)}, {name}{', repaying' if repays else ''}"
