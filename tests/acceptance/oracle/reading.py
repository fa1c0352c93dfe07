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

MEMBER_TYPES = ("member-enrolled", "card-linked", "card-blocked", "member-attributes", "consent-changed", "member-closed")


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
    kind, event_id, time = rest.pop("type"), str(rest.pop("id")), datetime.fromisoformat(rest.pop("time"))
    repeat = int(rest.pop("repeat", 1))
    if kind in MEMBER_TYPES:
        source = f"/operator/{programme.operator}"
        subject, data = str(rest.get("member", rest.get("card"))), rest
    else:
        source, subject, data = f"/partners/{rest.pop('partner')}", str(rest["card"]), _data(kind, event_id, rest, programme)
    for _ in range(repeat):
        yield Event(kind, event_id, source, subject, time, data)


def _data(kind: str, event_id: str, rest: Written, programme: Programme) -> Written:
    currency = str(rest.get("currency", programme.currency))
    data: Written = {key: value for key, value in rest.items() if key not in ("total", "lines", "tenders", "category", "sku", "quantity")}
    if kind in ("purchase", "return", "price-adjustment"):
        data["currency"] = currency
        data["lines"] = [_line(one, currency, whole=kind == "purchase") for one in rest.get("lines") or [_only(rest)]]
    if kind in ("purchase", "return"):
        data["total_minor"] = rules.minor(rest["total"], currency)
    if kind == "purchase":
        data["store"] = str(rest.get("store", "1"))
        if "tenders" in rest:
            data["tenders"] = [{"kind": one["kind"], "amount_minor": rules.minor(one["amount"], currency)} for one in rest["tenders"]]
    data.setdefault("receipt", event_id)
    return data


def _only(rest: Written) -> Written:
    return {"line": 1, "amount": rest["total"], **{key: rest[key] for key in ("category", "sku", "quantity") if key in rest}}


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
