"""What households pay with the co-brand card, as their bank reports it: clearings, refunds, chargebacks, by fixed rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zlib import crc32
from zoneinfo import ZoneInfo

from schemas.card_files import COLUMNS, EventType, event_of
from schemas.ids import CardId, EventId, PartyId
from schemas.topics import TOPIC_OF_TYPE
from services.demo import messages
from services.demo.receipts import member_of
from services.demo.story import DemoDay, Story, is_newcomer
from services.scenario.expand import Outgoing

BANK: Final = PartyId("metrobank")
HOLDER_OF: Final = 3
"""One household in so many has the card."""
CHARGEBACK_OF: Final = 150
"""Of one clearing in so many the bank takes the money back, three to six days later; every second time it lets it stand again after two more days."""
MCC: Final = {"grocer": "5411", "fresh": "5499", "drugstore": "5912", "fuel": "5541"}
Row = dict[str, Any]


@dataclass(slots=True)
class CardStory:
    """The days of a story, with what was paid by card put behind each. `rows`: by day, the card transactions that the bank reported."""

    story: Story
    zone: ZoneInfo
    rows: dict[date, list[Row]] = field(default_factory=dict)
    _sold: dict[str, Row] = field(default_factory=dict)
    _to_come: dict[date, list[Row]] = field(default_factory=dict)
    _disputed: set[str] = field(default_factory=set)

    def days(self) -> Iterator[DemoDay]:
        """Every day: cards are linked in the first morning; transactions come after the day's other events, in the order of their times."""
        first = True
        for day in self.story.days():
            rows = [*self._to_come.pop(day.day, ()), *self._paid(day)]
            self.rows[day.day] = sorted(rows, key=lambda row: (row["transacted_at"], row["bank_txn_id"]))
            members = day.members if not first else (*day.members, *self._links(day.day))
            yield replace(day, members=members, events=(*day.events, *(card_event(row) for row in self.rows[day.day])))
            first = False

    def _links(self, day: date) -> Iterator[Outgoing]:
        at = messages.morning(day, self.zone, 1)
        for household in self.story.purchases.households():
            if has_card(household):
                yield messages.second_card(member_of(household), token_of(household), at)

    def _paid(self, day: DemoDay) -> Iterator[Row]:
        """The day's receipts of cardholders, each once, and what comes back of them."""
        for event in day.events:
            if event.source is None or not event.source.startswith("/partners/"):
                continue
            try:
                document = json.loads(event.value)
                row = self._of(document, event.source.removeprefix("/partners/"))
            except (ValueError, KeyError, TypeError):  # a mistake that a till has sent: no card was read
                continue
            if row is not None:
                yield row

    def _of(self, document: Row, seller: str) -> Row | None:
        data = document["data"]
        if document["type"] == "return.v1":
            sold = self._sold.get(data["original_id"])
            if sold is None or sold["bank_txn_id"] in self._disputed:
                return None
            return _reversal(sold, EventType.REFUND, f"mb-{document['id']}", document["time"], data["total_minor"])
        if document["type"] != "purchase.v1" or document["id"] != f"{data['receipt']}-{seller}" or document["id"] in self._sold:
            return None
        household = int(data["card"].split("-")[1])
        by_card = {tender["kind"]: tender["amount_minor"] for tender in data.get("tenders", ())}
        paid = by_card.get("payment_card", 0) if by_card else data["total_minor"]
        if not has_card(household) or seller not in MCC or paid <= 0:
            return None
        row = _clearing(document["id"], seller, data["store"], token_of(household), document["time"], paid)
        self._sold[document["id"]] = row
        self._plan_chargeback(row)
        return row

    def _plan_chargeback(self, row: Row) -> None:
        chance = crc32(f"chargeback-{row['bank_txn_id']}".encode())
        if chance % CHARGEBACK_OF:
            return
        chance //= CHARGEBACK_OF
        self._disputed.add(row["bank_txn_id"])
        day = datetime.fromisoformat(row["transacted_at"]).date() + timedelta(days=3 + chance % 4)
        back = _reversal(row, EventType.CHARGEBACK, f"{row['bank_txn_id']}-cb", messages.morning(day, self.zone, 8).isoformat(), row["billing_minor"])
        self._to_come.setdefault(day, []).append(back)
        if chance % 2:
            later = day + timedelta(days=2)
            at = messages.morning(later, self.zone, 8).isoformat()
            self._to_come.setdefault(later, []).append(_reversal(row, EventType.CHARGEBACK_REVERSAL, f"{row['bank_txn_id']}-cbr", at, row["billing_minor"]))


def has_card(household: int) -> bool:
    """Whether the household has the co-brand card; nobody who enrols late has."""
    return crc32(f"card-{household}".encode()) % HOLDER_OF == 0 and not is_newcomer(household)


def token_of(household: int) -> CardId:
    """The token of the household's card, as the bank gives it."""
    return CardId(f"mb-token-{household}")


def card_event(row: Row) -> Outgoing:
    """A card transaction as the record that the bank sends: the same that a file's line becomes."""
    document = event_of(row, f"/banks/{BANK}")
    value = json.dumps(document, separators=(",", ":")).encode()
    return Outgoing(TOPIC_OF_TYPE["card-transaction.v1"], document["subject"].encode(), value, EventId(document["id"]), document["source"])


def _clearing(receipt: str, seller: str, store: str, token: str, at: str, amount_minor: int) -> Row:
    check = crc32(receipt.encode())
    empty: Row = dict.fromkeys(COLUMNS)
    return empty | {
        "bank_txn_id": f"mb-{receipt}", "event_type": EventType.EARN, "card_ref_type": "TOKEN", "card_ref": token, "rrn": f"{check:012}",
        "auth_code": f"{check % 1_000_000:06}", "arn": f"7453760{check:010}{crc32(at.encode()) % 1_000_000:06}", "mcc": MCC[seller],
        "acceptor_id": f"{seller}-{store}", "transacted_at": at, "posting_date": _next_day(at), "billing_minor": amount_minor, "billing_ccy": messages.CURRENCY,
    }  # fmt: skip


def _reversal(sold: Row, event_type: EventType, name: str, at: str, amount_minor: int) -> Row:
    """A refund, chargeback or its reversal of a clearing; it names the clearing."""
    own = {"bank_txn_id": name, "event_type": event_type, "original_bank_txn_id": sold["bank_txn_id"]}
    return (
        sold | own | {"arn": None, "rrn": None, "transacted_at": at, "posting_date": _next_day(at), "billing_minor": min(amount_minor, sold["billing_minor"])}
    )


def _next_day(at: str) -> str:
    return (datetime.fromisoformat(at).date() + timedelta(days=1)).isoformat()
