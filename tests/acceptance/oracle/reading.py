"""The events of a scenario, short or in full, as envelopes with money in minor units."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.programme import Programme, Written, day_of

MEMBER_TYPES = {
    "member-enrolled": ("member", "cards", "kind", "enrolled_on", "attributes"),
    "card-linked": ("member", "card"),
    "card-blocked": ("card", "reason"),
    "member-attributes": ("member", "attributes"),
    "member-closed": ("member", "reason", "erase"),
}
PARTNER_TYPES = {
    "purchase": ("store", "receipt", "card", "channel", "currency", "total_minor", "lines", "tenders"),
    "return": ("original_id", "original_source", "store", "receipt", "currency", "total_minor", "lines"),
    "price-adjustment": ("original_id", "currency", "lines"),
    "redemption": ("card", "store", "receipt", "points"),
    "redemption-hold": ("card", "store", "receipt", "points", "expires_at"),
    "redemption-capture": ("original_id", "points"),
    "redemption-release": ("original_id",),
    "redemption-reversal": ("original_id", "points"),
    "card-transaction": ("card_token", "kind", "original_id", "amount_minor", "currency", "mcc", "transacted_at", "posted_on"),
    "stamp-choice": ("card", "mechanic", "choice"),
    "pass-sold": ("card", "kind", "mechanic", "original_id", "store", "receipt"),
    "pass-visit": ("card", "kind", "mechanic", "original_id", "store", "channel", "receipt"),
    "privilege-rendered": ("card", "kind", "mechanic", "service", "original_id", "store", "channel", "receipt"),
}
"""The data of each type, as far as the oracle knows it."""


@dataclass(frozen=True)
class Event:
    """An envelope: what was sent, once."""

    type: str
    id: str
    source: str
    subject: str
    time: datetime
    data: Written

    @property
    def party(self) -> str:
        """The sender."""
        return self.source.rsplit("/", 1)[1]


def days(document: Written, programme: Programme, folder: Path | None) -> Iterator[tuple[date, list[Event]]]:
    """The business days with what arrives in each."""
    for day in document["days"]:
        if "events_file" in day:
            assert folder is not None
            yield day_of(day["day"]), list(in_full(folder / day["events_file"]))
        else:
            yield day_of(day["day"]), [one for short in day.get("events", []) for one in expand(short, programme)]


def in_full(path: Path) -> Iterator[Event]:
    """The CloudEvents of a file, one a line."""
    raw = path.read_bytes()
    for line in (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().splitlines():
        if line.strip():
            one = json.loads(line)
            kind = one["type"].rsplit(".", 1)[0]
            yield Event(kind, one["id"], one["source"], one["subject"], datetime.fromisoformat(one["time"]), one["data"])


def expand(short: Written, programme: Programme) -> Iterator[Event]:
    """A short event in full, as often as it is sent."""
    rest = dict(short)
    kind, event_id, time = rest.pop("type"), str(rest.pop("id")), datetime.fromisoformat(rest["time"])
    repeat = int(rest.pop("repeat", 1))
    if kind in MEMBER_TYPES:
        filled = {"kind": "consumer", "enrolled_on": time.astimezone(programme.zone).date().isoformat(), "reason": "", "erase": False, **rest}
        source, subject = f"/operator/{programme.operator}", str(rest.get("member", rest.get("card")))
        fields = MEMBER_TYPES[kind]
    else:
        source = rest.pop("source", None) or (f"/banks/{rest.pop('bank')}" if "bank" in rest else f"/partners/{rest.pop('partner')}")
        subject = str(rest["card"])
        filled = {"store": "1", "receipt": event_id, **rest, **_sums(kind, rest, str(rest.get("currency", programme.currency)))}
        fields = PARTNER_TYPES[kind]
    data = {key: filled[key] for key in fields if key in filled}
    for _ in range(repeat):
        yield Event(kind, event_id, source, subject, time, data)


def cloud_event(event: Event) -> Written:
    """An event as it stands in a file of events."""
    time = event.time.isoformat()
    head = {"specversion": "1.0", "id": event.id, "source": event.source, "type": f"{event.type}.v1", "time": time, "subject": event.subject}
    return head | {"data": event.data}


def _sums(kind: str, rest: Written, currency: str) -> Written:
    """Lines, total and tenders in minor units; of a card transaction its amount and what else is left out."""
    if kind == "card-transaction":
        day = str(rest["time"])[:10] if "time" in rest else ""
        return {
            "card_token": rest["card"],
            "kind": rest.get("kind", "clearing"),
            "currency": currency,
            "amount_minor": rules.minor(rest["amount"], currency),
        } | {
            "transacted_at": rest["time"],
            "posted_on": day,
        }
    if kind not in ("purchase", "return", "price-adjustment"):
        return {}
    sums: Written = {"currency": currency}
    sums["lines"] = [_line(one, currency, whole=kind == "purchase") for one in rest.get("lines") or [_only(rest)]]
    sums["total_minor"] = rules.minor(rest["total"], currency) if "total" in rest else sum(line["amount_minor"] for line in sums["lines"])
    if "tenders" in rest:
        sums["tenders"] = [{"kind": one["kind"], "amount_minor": rules.minor(one["amount"], currency)} for one in rest["tenders"]]
    return sums


def _only(rest: Written) -> Written:
    return {"line": 1, "amount": rest["total"], **{key: rest[key] for key in ("category", "sku", "quantity", "discounts") if key in rest}}


def _line(short: Written, currency: str, *, whole: bool) -> Written:
    line: Written = {key: value for key, value in short.items() if key not in ("amount", "discounts")}
    line["amount_minor"] = rules.minor(short["amount"], currency)
    if whole:
        line.setdefault("quantity", "1")
    if "discounts" in short:
        line["discounts"] = [{"mechanic": one["mechanic"], "amount_minor": rules.minor(one["amount"], currency)} for one in short["discounts"]]
    return line


def quantity(line: dict[str, Any]) -> Fraction:
    """How much of a thing a line of a purchase holds."""
    return Fraction(str(line.get("quantity", "1")))
