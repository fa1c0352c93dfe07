"""The workload that every fault is tried on: three windows of a few thousand events.

Each member has two cards, and their events lie in different partitions. Whatever depends on an order across partitions is put into different
windows, so that any order in which processors come to book gives the same books to the last point. Within a partition the order is kept.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from schemas.topics import TOPIC_OF_TYPE

DAYS = (date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 1))
"""The windows. The second one's night releases, lapses and expires something, and ends a month."""
PARTITIONS = {"partner.transactions.v1": 4, "bank.card-transactions.v1": 1, "member.events.v1": 2}
TRANSACTIONS = "partner.transactions.v1"
KINDS = 8
MEMBERS = 25 * KINDS
GROCER, FUELCO, CAFE, OPERATOR = "/partners/grocer", "/partners/fuelco", "/partners/cafe", "/operator/opco"
FOR_EVER = "2099-01-01T00:00:00Z"


class Sent(NamedTuple):
    """One record as it is produced."""

    topic: str
    """Catalogue name."""
    partition: int
    key: str
    value: bytes


@dataclass
class Window:
    """The events of one window, by the card whose order they keep."""

    no: int
    queues: dict[tuple[str, int, str], list[Sent]] = field(default_factory=dict)
    count: int = 0

    def send(self, kind: str, source: str, subject: str, data: dict[str, Any], *, part: int, event_id: str | None = None, day: date | None = None) -> str:
        """Adds an event; returns its id."""
        self.count += 1
        name = event_id or f"w{self.no}-{self.count}"
        hour = datetime.combine(day or DAYS[self.no], datetime.min.time(), UTC) + timedelta(hours=8, seconds=self.count)
        body = {"specversion": "1.0", "id": name, "source": source, "type": kind, "time": hour.isoformat(), "subject": subject, "data": data}
        self.raw(json.dumps(body).encode(), key=subject, topic=TOPIC_OF_TYPE.get(kind, TRANSACTIONS), part=part)
        return name

    def raw(self, value: bytes, *, key: str, topic: str = TRANSACTIONS, part: int = 0) -> None:
        """Adds a record as it is."""
        sent = Sent(topic, part % PARTITIONS[topic], key, value)
        self.queues.setdefault((sent.topic, sent.partition, key), []).append(sent)

    def shuffled(self, rnd: random.Random) -> list[Sent]:
        """All events, cards mixed, each card in its order."""
        left = [list(reversed(queue)) for queue in self.queues.values()]
        order = [no for no, queue in enumerate(left) for _ in queue]
        rnd.shuffle(order)
        return [left[no].pop() for no in order]


@dataclass(frozen=True)
class Person:
    """A member with two cards in different partitions."""

    no: int

    @property
    def id(self) -> str:
        return f"m-{self.no:03}"

    @property
    def a(self) -> tuple[str, int]:
        """First card and its partition."""
        return f"{self.id}-a", self.no // KINDS % 4

    @property
    def b(self) -> tuple[str, int]:
        """Second card and its partition, which is another one."""
        return f"{self.id}-b", (self.no // KINDS + 1 + self.no % 3) % 4


def people() -> list[Person]:
    """All who are members before the first event."""
    return [Person(no) for no in range(MEMBERS)]


Card = tuple[str, int]


def buy(
    w: Window,
    card: Card,
    *lines: tuple[str, int],
    source: str = GROCER,
    discount: int = 0,
    day: date | None = None,
    units: int = 1,
    event_id: str | None = None,
) -> str:
    """A purchase of lines (category, minor units)."""
    items: list[dict[str, Any]] = [
        {"line": no, "category": category, "quantity": str(units), "amount_minor": amount} for no, (category, amount) in enumerate(lines, 1)
    ]
    if discount:
        items[0]["discounts"] = [{"mechanic": "till-price", "amount_minor": discount}]
    total = sum(amount for _, amount in lines)
    data = {"store": "1", "receipt": "r", "card": card[0], "currency": "EUR", "total_minor": total, "lines": items}
    return w.send("purchase.v1", source, card[0], data, part=card[1], day=day, event_id=event_id)


def give_back(w: Window, card: Card, original: str, amount: int, *, source: str = GROCER, line: int = 1, quantity: str | None = None) -> str:
    """A return of a part of one line."""
    item: dict[str, Any] = {"line": line, "amount_minor": amount}
    if quantity:
        item["quantity"] = quantity
    data = {"original_id": original, "store": "1", "receipt": "r", "currency": "EUR", "total_minor": amount, "lines": [item]}
    return w.send("return.v1", source, card[0], data, part=card[1])


def spend(w: Window, card: Card, points: int, *, source: str = CAFE) -> str:
    """A redemption."""
    return w.send("redemption.v1", source, card[0], {"card": card[0], "store": "1", "receipt": "r", "points": points}, part=card[1])


def hold(w: Window, card: Card, points: int, expires_at: str) -> str:
    """Points earmarked at a till."""
    data = {"card": card[0], "store": "1", "receipt": "r", "points": points, "expires_at": expires_at}
    return w.send("redemption-hold.v1", GROCER, card[0], data, part=card[1])


def shopper(ws: list[Window], p: Person) -> None:
    """Buys everywhere with both cards; one bonus a day, pending points, points that expire soon, a discount."""
    for w in ws:
        for card in (p.a, p.b):
            buy(w, card, ("fuel", 6000 + p.no), source=FUELCO)
            buy(w, card, ("dairy", 1234 + p.no), ("grocery", 2345), discount=31)
            buy(w, card, ("flash", 500), ("tobacco", 900))
            buy(w, card, ("shop", 400), source=FUELCO)
            for more in range(6):
                buy(w, card, ("grocery", 1000 + 37 * more + p.no), source=GROCER if more % 2 else FUELCO)
    for card in (p.a, p.b):  # late: the contract and the mechanics of the first day
        buy(ws[2], card, ("fuel", 5100), ("shop", 300), source=FUELCO, day=DAYS[0])
        buy(ws[2], card, ("flash", 800), day=DAYS[0])


def returner(ws: list[Window], p: Person) -> None:
    """Brings back in another partition, in the same window and in later ones; and something that was never bought."""
    first = buy(ws[0], p.a, ("dairy", 5000), ("grocery", 3000))
    give_back(ws[0], p.b, first, 1500)
    give_back(ws[1], p.b, first, 1000, line=2)
    ws[2].send("price-adjustment.v1", GROCER, p.a[0], {"original_id": first, "currency": "EUR", "lines": [{"line": 1, "amount_minor": 250}]}, part=p.a[1])
    give_back(ws[2], p.a, first, 1_000_000)
    give_back(ws[p.no % 3], p.b, f"never-{p.no}", 100)


def spender(ws: list[Window], p: Person) -> None:
    """Spends twice at two tills, in two partitions; more than there is; then one of them is undone, through the other card."""
    buy(ws[0], p.a, ("grocery", 60_000))
    spent = spend(ws[1], p.a, 200)
    spend(ws[1], p.b, 200)
    spend(ws[1], p.b, 1_000_000)
    spend(ws[1], p.a, 5)
    ws[2].send("redemption-reversal.v1", CAFE, p.b[0], {"original_id": spent, "points": 150}, part=p.b[1])


def debtor(ws: list[Window], p: Person) -> None:
    """Spends all, then returns what brought it: owes points, and repays them with a later purchase."""
    bought = buy(ws[0], p.a, ("grocery", 30_000))
    spend(ws[1], p.b, 300, source=FUELCO)
    give_back(ws[2], p.b, bought, 20_000)
    buy(ws[2], p.b, ("grocery", 5000 + 100 * p.no))


def holder(ws: list[Window], p: Person) -> None:
    """Holds at tills: captured in part, released, run out, and kept over night."""
    buy(ws[0], p.a, ("grocery", 80_000))
    held = hold(ws[1], p.a, 100, FOR_EVER)
    ws[1].send("redemption-capture.v1", GROCER, p.a[0], {"original_id": held, "points": 60}, part=p.a[1])
    let_go = hold(ws[1], p.b, 90, FOR_EVER)
    ws[1].send("redemption-release.v1", GROCER, p.b[0], {"original_id": let_go}, part=p.b[1])
    hold(ws[1], p.a, 70, "2026-03-31T22:00:00Z")
    kept = hold(ws[1], p.b, 50, FOR_EVER)
    ws[2].send("redemption-capture.v1", GROCER, p.a[0], {"original_id": kept, "points": 50}, part=p.a[1])


def stranger(ws: list[Window], p: Person) -> None:
    """Buys with a card that nobody owns; a day later some are enrolled, some are linked to a member, the others lapse."""
    card = f"x-{p.no:03}", p.no % 4
    bought = buy(ws[0], card, ("dairy", 4000), ("grocery", 700 + p.no))
    give_back(ws[0], card, bought, 500)
    buy(ws[0], card, ("fuel", 7000), source=FUELCO)
    spend(ws[0], card, 20)
    kind = p.no // KINDS % 3
    if kind == 0:
        data: dict[str, Any] = {"member": f"new-{p.no}", "cards": [card[0]], "kind": "consumer", "enrolled_on": "2026-03-31"}
        ws[1].send("member-enrolled.v1", OPERATOR, data["member"], data, part=p.no)
    elif kind == 1:
        ws[1].send("card-linked.v1", OPERATOR, p.id, {"member": p.id, "card": card[0]}, part=p.no)
    if kind != 2:
        buy(ws[2], card, ("grocery", 2000))
        spend(ws[2], card, 30)


def coffee(ws: list[Window], p: Person) -> None:
    """Stamps on one card of stamps, from both cards; some coffee is brought back, when no other is bought."""
    cups: list[str] = []
    for w in ws[:2]:
        cups = [buy(w, card, ("coffee", 260), source=CAFE, units=2 + p.no % 4) for card in (p.a, p.b)]
    give_back(ws[2], p.b, cups[0], 130, source=CAFE, quantity="1")


def leaver(ws: list[Window], p: Person) -> None:
    """A card is blocked; the member leaves; consents and attributes change."""
    buy(ws[0], p.a, ("grocery", 20_000))
    ws[1].send("card-blocked.v1", OPERATOR, p.b[0], {"card": p.b[0], "reason": "lost"}, part=p.no)
    ws[0].send("consent-changed.v1", OPERATOR, p.id, {"member": p.id, "consent": "mail", "given": p.no % 2 == 0}, part=p.no)
    if p.no % 3 == 0:
        ws[1].send("member-closed.v1", OPERATOR, p.id, {"member": p.id, "reason": "moved", "erase": True}, part=p.no)
    spend(ws[2], p.b, 20)
    spend(ws[2], p.a, 20)
    buy(ws[2], p.b, ("grocery", 900))


def wrong(w: Window) -> None:
    """Records that are refused, whatever happens."""
    card = Person(0).a
    data = {"store": "1", "receipt": "r", "card": card[0], "currency": "EUR", "total_minor": 100, "lines": [{"line": 1, "amount_minor": 100}]}
    for part in range(4):
        key = f"wrong-{w.no}-{part}"
        w.raw(b"{not json %d" % part, key=key, part=part)
        w.raw(b'{"specversion":"1.0","id":"\xff\xfe %d"}' % part, key=key, part=part)
        w.raw(b"", key=key, part=part)
        w.send("wishes.v9", GROCER, key, {"any": 1}, part=part)
        w.send("purchase.v1", "/operator/grocer", key, data, part=part)
        w.send("purchase.v1", "/partners/nobody", key, data, part=part)
        w.send("purchase.v1", GROCER, key, data | {"total_minor": 99}, part=part)
        w.send("purchase.v1", GROCER, key, data | {"currency": "USD"}, part=part)
        w.send("purchase.v1", GROCER, key, data, part=part, day=date(2025, 1, 1))
        w.send("purchase.v1", GROCER, key, data, part=part, day=date(2099, 1, 1))
        w.send("purchase.v1", GROCER, key, data | {"card": "4111111111111111"}, part=part)
        once = w.send("purchase.v1", GROCER, key, data, part=part)
        w.send("purchase.v1", GROCER, key, data | {"store": "2"}, part=part, event_id=once)


def repeat(windows: list[list[Sent]], rnd: random.Random) -> None:
    """Some events come again: right away, later, in the next window; purchases of shoppers in another partition as well."""
    shoppers = {card[0] for p in people() if p.no % KINDS == 0 for card in (p.a, p.b)}
    for no, window in enumerate(windows):
        for sent in rnd.sample([s for s in window if not s.key.startswith("wrong")], len(window) // 12):
            last = max(place for place, other in enumerate(window) if other.key == sent.key)
            if rnd.random() < 0.3 and no + 1 < len(windows):
                windows[no + 1].insert(rnd.randrange(len(windows[no + 1])), sent)
            elif sent.key in shoppers and rnd.random() < 0.5:
                window.insert(rnd.randrange(len(window)), sent._replace(partition=(sent.partition + 1) % 4))
            else:
                window.insert(rnd.randrange(last + 1, len(window) + 1), sent)


@cache
def workload() -> tuple[tuple[Sent, ...], ...]:
    """The records of each window, in the order in which they are produced; the same at every call."""
    kinds = (shopper, returner, spender, debtor, holder, stranger, coffee, leaver)
    ws = [Window(no) for no in range(len(DAYS))]
    for person in people():
        kinds[person.no % KINDS](ws, person)
    for w in ws:
        wrong(w)
    rnd = random.Random(2026)
    windows = [w.shuffled(rnd) for w in ws]
    repeat(windows, rnd)
    return tuple(map(tuple, windows))
