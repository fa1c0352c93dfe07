"""Both rows of a break, field by field: what each side tells, and where the two differ."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

_BOTH: Final = (
    "bank_txn_id", "event_type", "original_bank_txn_id", "card_ref", "rrn", "auth_code", "arn", "mcc", "acceptor_id", "transacted_at", "posting_date",
    "billing_minor", "billing_ccy", "reward_kind", "reward_units", "reward_ccy", "rule_id", "rule_version", "cap_bucket", "cap_cut_units", "bank_funded",
    "merchant_funded", "network_funded", "settlement_ref",
)  # fmt: skip
_BANK_ONLY: Final = ("txn_minor", "txn_ccy", "fx_rate", "eligible_minor", "exclusion_code")
UNIT_OF: Final = {
    "billing_minor": "billing_ccy", "reward_units": "reward_ccy", "cap_cut_units": "reward_ccy", "bank_funded": "reward_ccy", "merchant_funded": "reward_ccy",
    "network_funded": "reward_ccy", "txn_minor": "txn_ccy", "eligible_minor": "billing_ccy",
}  # fmt: skip
"""The field that names the unit of an amount."""


@dataclass(frozen=True, slots=True)
class FieldPair:
    """One field of both rows as text; None: that side does not tell it. `differs`: both tell it, and not the same."""

    name: str
    house: str | None
    bank: str | None
    differs: bool


def field_pairs(ours: dict[str, Any] | None, theirs: dict[str, Any] | None) -> tuple[FieldPair, ...]:
    """Every field that one side tells at least."""
    pairs = []
    for name in (*_BOTH, *_BANK_ONLY):
        one, other = _told(ours, name), _told(theirs, name)
        if one is not None or other is not None:
            both = one is not None and other is not None
            pairs.append(FieldPair(name, one, other, both and _value(ours, name) != _value(theirs, name)))
    return tuple(pairs)


def _told(row: dict[str, Any] | None, name: str) -> str | None:
    value = None if row is None else row.get(name)
    return None if value is None or value == "" else str(value)


def _value(row: dict[str, Any] | None, name: str) -> object:
    """What is compared: an amount with its unit, a moment as the same moment in whatever zone it is written."""
    text = _told(row, name)
    if name in UNIT_OF:
        return text, _told(row, UNIT_OF[name])
    if name == "transacted_at" and text is not None:
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text)
    return text
