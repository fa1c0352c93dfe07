"""Two reports compared: what differs, a line each. Lists in any order, numbers as numbers."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

from tests.acceptance.oracle.programme import Written

PARTS = ("balances", "rejected", "positions", "carried", "members")
CHECKS = ("journal_balanced", "positions_sum_to_zero", "recomputed_equal", "every_event_once")


def differences(wanted: Written, got: Written) -> list[str]:
    """What of a report is not as the oracle has it, its checks included."""
    found = []
    for part in PARTS:
        found += _maps(part, _plain(wanted[part]), _plain(got[part]))
    for part in ("obligations", "payments"):
        found += _lists(part, wanted[part], got[part])
    for name in sorted({*wanted["events"], *got["events"]}):
        ours, theirs = wanted["events"].get(name), got["events"].get(name)
        if ours is None or theirs is None:
            found.append(f"events.{name}: oracle {_text(ours)}, product {_text(theirs)}")
            continue
        found += _maps(f"events.{name}", {**ours, "effects": None}, {**theirs, "effects": None})
        found += _lists(f"events.{name}.effects", ours.get("effects", []), theirs.get("effects") or [])
    return found + [f"checks.{name}: {got['checks'].get(name)}" for name in {*CHECKS, *got["checks"]} if got["checks"].get(name) is not True]


def _plain(part: Written) -> Written:
    return {str(key): _plain(value) if isinstance(value, dict) else value for key, value in part.items()}


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _maps(path: str, ours: Written, theirs: Written) -> list[str]:
    found = []
    for key in sorted({*ours, *theirs}):
        a, b = ours.get(key), theirs.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += _maps(f"{path}.{key}", a, b)
        elif _text(a) != _text(b):
            found.append(f"{path}.{key}: oracle {_text(a)}, product {_text(b)}")
    return found


def _entry(one: Written) -> str:
    """An entry of a list with its numbers as numbers and its nulls left out."""
    plain = {key: value for key, value in one.items() if value is not None and key != "reason"}
    if "unit_price" in plain:
        plain["unit_price"] = str(Decimal(str(plain["unit_price"])).normalize())
    return _text(plain)


def _lists(path: str, ours: list[Written], theirs: list[Written]) -> list[str]:
    a, b = Counter(map(_entry, ours)), Counter(map(_entry, theirs))
    return [f"{path}: only the oracle has {one}" for one in (a - b).elements()] + [f"{path}: only the product has {one}" for one in (b - a).elements()]
