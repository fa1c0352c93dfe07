"""Limits, budgets and missing contracts in words: what cut off a part of what a mechanic was worth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from clearing.cuts import Bound, NoContract
from schemas.mechanics import Limit
from schemas.mechanics.conditions import Budget


def why_less(bounds: Sequence[Bound], effect: str, currency: str, day: date) -> str:
    """Why less was given, by the bounds that can have been it. `currency` is the programme's first: that of amounts of limits and budgets."""
    if not bounds:
        return "no limit of the programme says why"
    told = "; ".join(_told(bound, effect, currency, day) for bound in bounds)
    return told if len(bounds) == 1 else f"one of these: {told}"


def _told(bound: Bound, effect: str, currency: str, day: date) -> str:
    match bound:
        case NoContract():
            who = "the sender" if bound.sells else "who funds it"
            return f"{bound.party}, {who}, has no {'' if bound.sells else 'issuing '}contract on {day}"
        case Budget():
            return f"a budget of {_most(bound, effect, currency)}"
        case Limit():
            per = "ever" if bound.per == "ever" else f"for each {bound.per}"
            most = f"{bound.times:,} times" if bound.times is not None else _most(bound, effect, currency)
            return f"at most {most} {per}{'' if bound.of == 'member' else ', all members together'}"


def _most(bound: Limit | Budget, effect: str, currency: str) -> str:
    if bound.points is None:
        return f"{bound.amount:f} {currency}"
    return f"{bound.points:,} {'stamps' if effect == 'stamp' else 'points'}"
