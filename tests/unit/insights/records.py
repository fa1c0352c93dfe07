"""Records as the three topics hold them."""

import json
from datetime import UTC, datetime
from typing import Any

from services.insights.reading import DAY_S, HOUR_S

DAY = 20_514
"""2026-03-02, in days since 1970."""
NOON_S = DAY * DAY_S + 12 * HOUR_S
RECEIVED_MS = NOON_S * 1000


def text(time_s: int) -> str:
    """A time as events write it."""
    return datetime.fromtimestamp(time_s, UTC).isoformat()


def sent(event_id: str, kind: str = "purchase.v1", *, party: str = "grocer", time_s: int = NOON_S, card: str = "hc-1", **data: Any) -> bytes:
    """An event of a partner."""
    content = {"store": "330", "receipt": event_id, "card": card, "currency": "EUR", "total_minor": 1250, **data}
    return _json(event_id, f"/partners/{party}", kind, time_s, card, content)


def answer(event_id: str, *, party: str = "grocer", outcome: str = "accepted", given: int = 0, spent: int = 0, received_s: int = NOON_S) -> bytes:
    """Its answer."""
    effects: list[dict[str, Any]] = [{"mechanic": "base", "kind": "points", "points": given, "sponsor": party, "reason": "purchase"}] if given else []
    if spent:
        effects.append({"mechanic": None, "kind": "points", "points": -spent, "sponsor": party, "reason": "redemption"})
    effects.append({"mechanic": "gold", "kind": "discount", "amount_minor": 66, "currency": "EUR", "sponsor": party, "reason": "purchase"})
    data = {"event": {"source": f"/partners/{party}", "id": event_id}, "outcome": outcome, "member": "m-1", "window": None, "effects": effects, "balance": None}
    return _json(f"a-{event_id}", "/operator/opco", "accrual.v1", received_s, "m-1", data)


def refusal(
    event_id: str | None, code: str = "totals-mismatch", *, party: str = "grocer", offset: int = 7, received_s: int = NOON_S, original: Any = None
) -> bytes:
    """Its refusal; None: it could not be read."""
    event = None if event_id is None else {"source": f"/partners/{party}", "id": event_id}
    record = {"topic": "harvest.partner.transactions.v1", "partition": 0, "offset": offset}
    data = {"event": event, "code": code, "detail": "-", "pointer": "", "type": None, "retryable": False, "record": record, "original": original}
    subject = "/unknown" if event is None else event["source"]
    return _json(f"r-{event_id}", "/operator/opco", "rejection.v1", received_s, subject, data)


def _json(event_id: str, source: str, kind: str, time_s: int, subject: str, data: dict[str, Any]) -> bytes:
    return json.dumps({"specversion": "1.0", "id": event_id, "source": source, "type": kind, "time": text(time_s), "subject": subject, "data": data}).encode()
