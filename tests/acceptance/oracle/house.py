"""The house: takes the events of a scenario one by one, and closes each day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path

from tests.acceptance.oracle import named, netting, night, pricing, purchases, reading, returns, spending
from tests.acceptance.oracle.programme import Written, read
from tests.acceptance.oracle.reading import Event
from tests.acceptance.oracle.state import Held, Refused, State, Waits

PARTNER_TYPES: dict[str, Callable[[State, Event], list[Written]]] = {
    "purchase": purchases.book,
    "return": returns.book,
    "price-adjustment": returns.book,
    "redemption": spending.redeem,
    "redemption-hold": spending.hold,
    "redemption-capture": spending.capture,
    "redemption-release": spending.release,
    "redemption-reversal": spending.reverse,
    "stamp-choice": purchases.choose,
    "privilege-rendered": named.render,
    "pass-sold": named.sell,
    "pass-visit": named.visit,
}
NEED_A_MEMBER = ("redemption", "redemption-hold")

SOLD = ("purchase", "return", "price-adjustment")
"""What an operator that also sells sends as a partner."""
NAME_THEIR_MECHANIC = ("privilege-rendered", "pass-sold", "pass-visit")
LOOK_FOR_THEIR_ORIGINAL = ("return", "price-adjustment", "redemption-reversal")
"""They wait for it, whether their card is known or not."""


def report(document: Written, folder: Path | None = None) -> Written:
    """What a scenario must come to, as the report of scenario.md. `folder`: where its files of events are."""
    programme = read(document["programme"])
    house = House(State(programme))
    for one in document.get("members") or []:
        house.enrol(one)
    carried = netting.Carried()
    answer: Written = {"scenario": document["scenario"], "obligations": [], "positions": {}, "payments": [], "carried": {}}
    for day, events in reading.days(document, programme, folder):
        house.day(day, events)
        lines = pricing.price(programme, house.state.books.window, house.state.credit.months)
        house.state.credit.book(lines)
        netting.settle(programme, day, lines, carried, answer)
    return answer | house.shown()


@dataclass
class House:
    """The state of a programme, and what happens to it."""

    state: State

    def day(self, day: date, events: list[Event]) -> None:
        """One window: events in the order in which they come, then the night run up to the monthly fees."""
        state = self.state
        state.open(day)
        for event in events:
            self.receive(event)
        for event in state.clear_waiting():
            self.take_effect(event, last=True)
        night.run(state)

    def receive(self, event: Event) -> None:
        """Judges an event on arrival; the same event again changes nothing, other content under its id is refused."""
        state = self.state
        if event.type in SOLD and event.source.startswith("/operator/"):
            state.refuse(event, "wrong-source")
            return
        known = state.seen.setdefault((event.source, event.id), event)
        if known is not event:
            if known != event:
                state.refuse(event, "id-reused")
            return
        code = self.judge(event)
        if code:
            state.refuse(event, code)
        elif event.type in reading.MEMBER_TYPES:
            self.member(event)
        else:
            state.credit.in_order = True
            self.take_effect(event)
            state.credit.in_order = False

    def judge(self, event: Event) -> str | None:
        """Party, totals, currency, time: in this order."""
        programme, data = self.state.programme, event.data
        if event.party not in programme.parties:
            return "unknown-partner"
        if "total_minor" in data and (
            data["total_minor"] != sum(line["amount_minor"] for line in data["lines"])
            or ("tenders" in data and data["total_minor"] != sum(one["amount_minor"] for one in data["tenders"]))
        ):
            return "totals-mismatch"
        if "currency" in data and data["currency"] not in programme.head["currencies"]:
            return "currency-not-accepted"
        day = self.state.day
        received = datetime.combine(day, clock(23, 59, 59), programme.zone)
        if event.time - received > timedelta(minutes=5):
            return "time-in-future"
        return "too-old" if (day - self.state.day_of(event)).days > programme.head["accepts_events_up_to_days"] else None

    def take_effect(self, event: Event, *, last: bool = False) -> None:
        """Books an event, holds it, lets it wait for its original, or refuses it. `last`: it has waited until the window's end."""
        state = self.state
        state.events.pop(event.id, None)
        try:
            effects = self.effects(event)
        except Refused as refused:
            state.refuse(event, refused.code)
        except Held:
            state.held.append(event)
            state.events[event.id] = {"outcome": "held"}
        except Waits:
            if last:
                state.refuse(event, "unknown-original")
            else:
                state.waiting.append(event)
        else:
            state.events[event.id] = {"outcome": "accepted", "window": state.day, "effects": effects}

    def effects(self, event: Event) -> list[Written]:
        """What an event of a partner brings about."""
        about_another = event.type in LOOK_FOR_THEIR_ORIGINAL or (event.type in NAME_THEIR_MECHANIC and "original_id" in event.data)
        if event.subject in self.state.cards or about_another:
            return PARTNER_TYPES[event.type](self.state, event)
        raise Refused("unknown-card") if event.type in NEED_A_MEMBER else Held

    def member(self, event: Event) -> None:
        """Enrolment and cards; what was held for a card takes effect when it becomes known."""
        state, data = self.state, event.data
        state.events[event.id] = {"outcome": "accepted", "window": state.day, "effects": []}
        if event.type == "member-enrolled":
            self.enrol({"id": data["member"], **data})
        elif event.type == "card-linked":
            state.cards[data["card"]] = data["member"]
        elif event.type == "member-closed":
            state.gone.add(data["member"])
        elif event.type == "card-blocked":
            state.blocked.add(data["card"])
        elif event.type == "member-attributes":
            facts = state.facts[data["member"]]
            state.facts[data["member"]] = {**facts, "attributes": {**(facts.get("attributes") or {}), **data["attributes"]}}
        for held in state.clear_held(lambda one: one.subject in state.cards):
            if (state.day - state.day_of(held)).days > state.programme.head["claim_days"]:
                state.lapse(held)
            else:
                self.take_effect(held)

    def enrol(self, member: Written) -> None:
        """A member with cards."""
        self.state.facts[member["id"]] = {key: member[key] for key in ("kind", "attributes") if key in member}
        for card in member.get("cards", []):
            self.state.cards[card] = member["id"]

    def shown(self) -> Written:
        """Balances, events, rejections and members of the report."""
        state = self.state
        stamps: Written = {}
        for (member, mechanic), cards in sorted(state.stamps.items(), key=lambda item: item[0]):
            on_card = cards.on_card(state.mechanic(mechanic))
            if on_card:
                stamps.setdefault(member, {}).setdefault("stamps", {})[mechanic] = on_card
        for one in state.passes.values():
            if one.left and state.day < one.end:
                visits = stamps.setdefault(one.member, {}).setdefault("visits", {})
                visits[one.mechanic["id"]] = visits.get(one.mechanic["id"], 0) + one.left
        events = {name: {**one, "window": str(one["window"])} if "window" in one else one for name, one in state.events.items()}
        balances = {member: state.account(member).balance() for member in state.facts}
        return {"balances": balances, "events": events, "rejected": state.rejected, "members": stamps}
