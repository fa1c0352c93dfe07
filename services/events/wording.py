"""An answer in one line, for people."""

from __future__ import annotations

from typing import Any

from schemas.money import to_text
from services.events.answers import Answered


def in_one_line(answer: Answered) -> str:
    """Outcome, event, and what it brought or why it was refused."""
    name = " ".join(answer.event) if answer.event is not None else "{}/{}/{}".format(*(answer.place or ("?", "?", "?")))
    data = answer.data
    if answer.outcome == "rejected":
        return f"rejected {name}: {data['code']}: {data['pointer'] or 'the event'}: {data['detail']}"
    brought = ", ".join(map(effect, data["effects"])) or ("nobody owns the card yet" if answer.outcome == "held" else "no effect")
    balance = data["balance"]
    left = "" if balance is None else f"; balance {balance['available']:,} points" + (f" and {balance['pending']:,} pending" if balance["pending"] else "")
    return f"{answer.outcome} {name}{'' if data['member'] is None else ' of ' + data['member']}: {brought}{left}"


def effect(effect: dict[str, Any]) -> str:
    """One effect: `+16 points (base)`."""
    if "points" in effect:
        what = f"{effect['points']:+,} points"
    elif "amount_minor" in effect:
        amount = to_text(effect["amount_minor"], effect["currency"])
        what = f"{amount} {effect['currency']} {effect['kind'].replace('_', ' ')}"
    else:
        what = f"{effect.get('count', 1):+d} {effect['kind'].replace('_', ' ')}"
    return what + (f" {effect['gift']}" if "gift" in effect else "") + (f" ({effect['mechanic']})" if effect["mechanic"] is not None else "")
