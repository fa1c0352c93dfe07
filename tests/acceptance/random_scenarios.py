"""Scenarios made from a seed: a random programme, and days on which odd things happen to a few members.

A scenario must not depend on the order across cards, so all that a member does on a day is on one card, and what happens to members and cards
has a day of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.acceptance.oracle.reading import MEMBER_TYPES
from tests.acceptance.oracle.rules import minor, money, month_end
from tests.acceptance.random_programmes import ATTRIBUTES, CATEGORIES, MERCHANTS, SKUS, by_name, programme, shared

Written = dict[str, Any]
SCALE = {"EUR": 1, "KWD": 1, "CZK": 25, "JPY": 100}


def scenario(seed: int, *, in_one_log: bool = False, named: bool = False) -> Written:
    """The scenario of a seed, always the same. `in_one_log`: whatever the card, events are received in the order in which they stand.

    `named`: with privileges and passes besides.
    """
    maker = Maker(Random(seed), seed, in_one_log=in_one_log)
    if named:
        maker.file["mechanics"] += by_name(maker.random, maker.file, maker.days[0], maker.days[-1])
    return maker.made()


class Maker:
    """Makes one scenario, and remembers what has happened in it."""

    def __init__(self, random: Random, seed: int, *, days: Sequence[date] = (), members: int = 0, most: int = 5, in_one_log: bool = False) -> None:
        """`days`: the business days, left out: some. `members`: how many there are from the start, 0: a few. `most`: a member's events on a day."""
        self.random, self.seed, self.most, self.in_one_log = random, seed, most, in_one_log
        self.days = list(days) or self.stretch(date(2027, 1, 1) + timedelta(days=random.randint(0, 800)))
        self.file = programme(random, self.days[0], self.days[-1])
        self.head = self.file["programme"]
        self.zone = ZoneInfo(self.head["timezone"])
        self.members = {f"m{n}": [f"c{n}", f"c{n}x"][: random.randint(1, 2)] for n in range(1, members or random.randint(2, 4))}
        self.strangers: dict[str, list[str]] = {f"s{n}": [f"k{n}", f"k{n}y"][: random.randint(1, 2)] for n in range(1, random.randint(1, 3))}
        self.names = 0
        self.sold: dict[str, list[Written]] = {}
        self.redeemed: dict[str, list[Written]] = {}
        self.rendered: dict[str, list[Written]] = {}

    def stretch(self, first: date) -> list[date]:
        """Four to ten business days with gaps, ends of months among them."""
        days, day = [], first
        for _ in range(self.random.randint(4, 10)):
            days.append(day)
            ends = [month_end(day)] if month_end(day) > day and self.random.random() < 0.4 else []
            day = ends[0] if ends else day + timedelta(days=self.random.choice([1, 1, 1, 2, 5, 20]))
        return days

    def made(self) -> Written:
        """The document."""
        members = [{"id": name, "cards": list(cards), "enrolled": "2020-01-02", **self.facts()} for name, cards in self.members.items()]
        days = [{"day": day.isoformat(), "events": self.day(day)} for day in self.days]
        return {"scenario": f"seed-{self.seed}", "programme": self.file, "members": members, "days": days}

    def facts(self) -> Written:
        """A member's kind and attributes."""
        return {
            "kind": self.random.choice(["consumer", "consumer", "business"]),
            "attributes": {name: self.random.choice(values) for name, values in ATTRIBUTES.items() if self.random.random() < 0.6},
        }

    def day(self, day: date) -> list[Written]:
        """What all members do on a day."""
        events: list[Written] = []
        busy = set()
        for stranger, cards in list(self.strangers.items()):
            if self.random.random() < 0.25:
                member = self.random.choice(list(self.members)) if len(cards) == 1 and self.random.random() < 0.4 else stranger
                if member in busy:
                    continue
                busy.add(member)
                events.append(self.known(day, member, cards))
                self.members.setdefault(member, []).extend(cards)
                del self.strangers[stranger]
                self.sold.setdefault(member, []).extend(self.sold.pop(stranger, []))
                self.rendered.setdefault(member, []).extend(self.rendered.pop(stranger, []))
            else:
                events += self.stranger(day, stranger, self.random.choice(cards))
        for member, cards in self.members.items():
            if member not in busy and self.random.random() < 0.1:
                events.append(self.about_member(day, member, cards))
            elif member not in busy:
                events += self.member(day, member, self.random.choice(cards))
        return self.of_one_member(events) if shared(self.file) and not self.in_one_log else events

    def of_one_member(self, events: list[Written]) -> list[Written]:
        """Under a limit of the whole programme only one member's events of a day: who comes first would matter, and no order is promised across cards."""
        cards = [event["card"] for event in events if event["type"] == "purchase"]
        card = self.random.choice(cards) if cards else ""
        return [event for event in events if event.get("card") == card or event["type"] in MEMBER_TYPES]

    def member(self, day: date, member: str, card: str) -> list[Written]:
        """What a member does on a day, on one card."""
        acts: list[Callable[[date, str, str], Written | list[Written]]] = [self.purchase] * 5
        acts += [self.back] * 3 + [self.redemption] * 3 + [self.reversal, self.again, self.hold, self.adjustment]
        acts += [self.choice] * 2 if self.stamp_cards() else []
        acts += [self.service] * 6 + [self.cancelled] * 3 if self.by_name() else []
        found: list[Written] = []
        for _ in range(self.random.randint(0, self.most)):
            made = self.random.choice(acts)(day, member, card)
            found += made if isinstance(made, list) else [made] if made else []
        if len(found) > 1 and self.random.random() < 0.1:
            self.random.shuffle(found)
        return found

    def stranger(self, day: date, member: str, card: str) -> list[Written]:
        """What is held until somebody enrols with the card."""
        acts: list[Callable[[date, str, str], Written]] = [self.purchase] * 4 + [self.back, self.redemption, self.again]
        acts += [self.service] * 3 + [self.cancelled] if self.by_name() else []
        made = [self.random.choice(acts)(day, member, card) for _ in range(self.random.randint(0, 2))]
        return [one for one in made if one]

    def common(self, kind: str, day: date, card: str) -> Written:
        """Name, sender and time of an event; the time may be late, or a little early."""
        self.names += 1
        late = self.random.choice([0] * 24 + [1, 2, 7, 30, self.head["accepts_events_up_to_days"], self.head["accepts_events_up_to_days"] + 1])
        moment = datetime.combine(day - timedelta(days=late), time(self.random.randint(0, 23), self.random.randint(0, 59), 7), self.zone)
        if self.random.random() < 0.02:
            moment = datetime.combine(day + timedelta(days=1), time(0, self.random.choice([3, 6]), 0), self.zone)
        if self.random.random() < 0.2:
            moment = moment.astimezone(ZoneInfo("UTC"))
        partners = [*MERCHANTS] * 9 + ["dairyco"] + [self.file["contracts"][-1]["party"]]
        return {"type": kind, "id": f"e{self.names}", "partner": self.random.choice(partners), "card": card, "time": moment.isoformat()}

    def amount(self, currency: str) -> int:
        """A sum in minor units: small, odd, now and then round or nothing."""
        whole = self.random.choice([self.random.uniform(0.5, 30), self.random.uniform(20, 150), self.random.randint(1, 60), 0.005])
        return minor(f"{whole * SCALE[currency]:.0f}" if currency == "JPY" else f"{whole * SCALE[currency]:.2f}", currency)

    def purchase(self, day: date, member: str, card: str) -> Written:
        """A purchase of one to four lines."""
        event = self.common("purchase", day, card)
        currency = self.random.choice(self.head["currencies"])
        lines = [self.line(number, currency) for number in range(1, self.random.choice([1, 1, 2, 3, 4]) + 1)]
        total = sum(minor(line["amount"], currency) for line in lines)
        event |= {"currency": currency, "lines": lines, "total": money(total, currency)}
        if self.random.random() < 0.4:
            event |= {"store": self.random.choice(["1", "2"]), "channel": self.random.choice(["web", "app", "till"])}
        if self.random.random() < 0.35 and total:
            first, second = self.random.randint(0, total), self.random.randint(0, total)
            parts = [min(first, second), abs(first - second), total - max(first, second)]
            kinds = self.random.sample(["points", "gift_card", "cash", "payment_card", "other"], 3)
            event["tenders"] = [{"kind": kind, "amount": money(part, currency)} for kind, part in zip(kinds, parts, strict=True)]
        if self.random.random() < 0.03:
            event["total"] = money(total + 1, currency)
        if self.random.random() < 0.02 and currency in ("EUR", "CZK"):
            event["currency"] = "USD"
            return event
        if self.random.random() < 0.1:
            event["repeat"] = 2
        left = {line["line"]: [minor(line["amount"], currency), line["quantity"]] for line in lines}
        self.sold.setdefault(member, []).append({"event": event, "left": left})
        return event

    def line(self, number: int, currency: str) -> Written:
        """A line; a discount may be named in it."""
        amount = self.amount(currency)
        line: Written = {"line": number, "quantity": self.random.choice(["1", "1", "2", "3", "1.5", "0.5"]), "amount": money(amount, currency)}
        if self.random.random() < 0.8:
            line["category"] = self.random.choice(CATEGORIES)
        if self.random.random() < 0.5:
            line["sku"] = self.random.choice(SKUS)
        discounts = [one for one in self.file["mechanics"] if one["kind"] == "card_discount"]
        if discounts and amount > 2 and self.random.random() < 0.7:
            named = int(amount * self.random.choice([0.02, 0.1, 0.12, 0.2]))
            line["discounts"] = [{"mechanic": discounts[0]["id"], "amount": money(named, currency)}]
        return line

    def find(self, member: str) -> Written | None:
        """A purchase of a member, now and then somebody else's."""
        if member in self.members and self.random.random() < 0.04:
            member = self.random.choice(list(self.members))
        own = self.sold.get(member)
        return self.random.choice(own) if own else None

    def back(self, day: date, member: str, card: str) -> Written:
        """A return of some or all of a purchase."""
        event = self.common("return", day, card)
        sold = self.find(member)
        if sold is None and self.redeemed.get(member):
            of = self.redeemed[member][-1]
            return event | {"partner": of["partner"], "original_id": of["id"], "total": "0"}
        if sold is None or self.random.random() < 0.02:
            return event | {"original_id": "nothing", "total": "1" if self.head["currencies"][0] == "JPY" else "1.00"}
        of = sold["event"]
        event |= {"original_id": of["id"], "partner": of["partner"], "currency": of["currency"]}
        if self.random.random() < 0.15:
            event |= {"partner": self.random.choice(MERCHANTS), "original_source": f"/partners/{of['partner']}"}
        everything = self.random.random() < 0.4
        lines, total = [], 0
        for number, left in sold["left"].items():
            if not everything and self.random.random() < 0.4 and number > 1:
                continue
            counted = self.random.random() < 0.6
            amount = left[0] if everything or self.random.random() < 0.3 else self.random.randint(0, left[0])
            units = float(left[1]) if everything or self.random.random() < 0.5 else float(left[1]) / 2
            if self.random.random() < 0.04:
                amount += 1
            if amount == 0 and not counted:
                continue
            line: Written = {"line": number, "amount": money(amount, of["currency"])}
            if counted and units > 0.1:
                line["quantity"] = f"{units:.6g}"
                left[1] = str(float(left[1]) - float(line["quantity"]))
            left[0] = max(0, left[0] - amount)
            total += amount
            lines.append(line)
        if not lines:
            return {}
        return event | {"lines": lines, "total": money(total, of["currency"])}

    def adjustment(self, day: date, member: str, card: str) -> Written:
        """Money paid back on one line."""
        sold = self.find(member)
        if sold is None:
            return {}
        of, (number, left) = sold["event"], self.random.choice(list(sold["left"].items()))
        amount = self.random.randint(0, left[0])
        left[0] -= amount
        line = {"line": number, "amount": money(amount, of["currency"])}
        event = self.common("price-adjustment", day, card)
        return event | {"partner": of["partner"], "original_id": of["id"], "currency": of["currency"], "lines": [line]}

    def redemption(self, day: date, member: str, card: str) -> Written:
        """Points spent."""
        event = self.common("redemption", day, card) | {"points": self.random.choice([1, 10, 20, 50, 77, 150, 400])}
        if member in self.members:
            self.redeemed.setdefault(member, []).append(event)
        return event

    def reversal(self, day: date, member: str, card: str) -> Written:
        """A part or all of a redemption taken back."""
        if not self.redeemed.get(member):
            return {}
        of = self.random.choice(self.redeemed[member])
        points = self.random.choice([of["points"], of["points"], max(1, of["points"] // 2), 1])
        return self.common("redemption-reversal", day, card) | {"partner": of["partner"], "original_id": of["id"], "points": points}

    def hold(self, day: date, member: str, card: str) -> list[Written]:
        """A hold, what may happen while it stands, and its end: captured, released or run out."""
        event = self.common("redemption-hold", day, card) | {"points": self.random.choice([10, 50, 90])}
        moment = datetime.fromisoformat(event["time"])
        event["expires_at"] = (moment + timedelta(minutes=30)).isoformat()
        end = self.common("redemption-capture", day, card) | {"partner": event["partner"], "original_id": event["id"]}
        end["time"] = (moment + timedelta(minutes=self.random.choice([5, 5, 29]))).isoformat()
        between = [self.purchase(day, member, card)] if self.random.random() < 0.4 else []
        choice = self.random.random()
        if choice < 0.1:
            odd = {"points": event["points"] + 1} if choice < 0.05 else {"points": 1, "time": (moment + timedelta(minutes=31)).isoformat()}
            return [event, *between, end | odd]
        if choice < 0.5:
            end["points"] = self.random.choice([event["points"], 10, 7])
            self.redeemed.setdefault(member, []).append(end)
            return [event, *between, end]
        if choice < 0.55:
            end["time"] = (moment + timedelta(minutes=31)).isoformat()
        return [event, *between, end | {"type": "redemption-release"}] if choice < 0.75 else [event, *between]

    def stamp_cards(self) -> list[str]:
        """Names of stamp cards, a later version of one among them."""
        return sorted({one["id"] for one in self.file["mechanics"] if one["kind"] == "stamp_card"})

    def choice(self, day: date, member: str, card: str) -> Written:
        """A stamp card's gift, or saving on; now and then for a card that is not there."""
        name = "base" if self.random.random() < 0.05 else self.random.choice(self.stamp_cards())
        return self.common("stamp-choice", day, card) | {"mechanic": name, "choice": self.random.choice(["save", "gift"])}

    def by_name(self) -> list[Written]:
        """Privileges and passes."""
        return [one for one in self.file["mechanics"] if one["kind"] in ("privilege", "pass")]

    def service(self, day: date, member: str, card: str) -> Written:
        """A service, a pass or a visit; now and then one that is not there."""
        mechanic, random = self.random.choice(self.by_name()), self.random
        bought = any(one["type"] == "pass-sold" and one["mechanic"] == mechanic["id"] for one in self.rendered.get(member, []) if "mechanic" in one)
        kind = "privilege-rendered"
        if mechanic["kind"] == "pass":
            kind = "pass-visit" if random.random() < (0.8 if bought else 0.1) else "pass-sold"
        event = self.common(kind, day, card) | {"mechanic": mechanic["id"] if random.random() < 0.97 else random.choice(["base", "p0", "none"])}
        if kind == "privilege-rendered":
            service = random.choice(mechanic["services"])
            event |= {"service": service["id"] if random.random() < 0.97 else "none"} | ({"partner": service["provider"]} if random.random() < 0.9 else {})
        elif kind == "pass-visit" and random.random() < 0.8:
            event["partner"] = random.choice(mechanic["partners"])["party"]
        if random.random() < 0.3:
            event["store"] = "2"
        self.rendered.setdefault(member, []).append(event)
        return event

    def cancelled(self, day: date, member: str, card: str) -> Written:
        """A service, pass or visit taken back; now and then somebody else's, or one of another type."""
        of = self.rendered.get(self.random.choice(list(self.members)) if self.random.random() < 0.04 else member)
        if not of:
            return {}
        one = self.random.choice(of[-5:])
        kind = one["type"] if self.random.random() < 0.95 else self.random.choice(["pass-visit", "privilege-rendered"])
        return self.common(kind, day, card) | {"partner": one["partner"], "kind": "cancelled", "original_id": one["id"]}

    def again(self, day: date, member: str, card: str) -> Written:
        """An earlier purchase sent again, as it was or with other content."""
        sold = self.find(member)
        if sold is None or sold["event"]["card"] != card:
            return {}
        event: Written = {key: value for key, value in sold["event"].items() if key != "repeat"}
        return event if self.random.random() < 0.6 else event | {"receipt": "other"}

    def known(self, day: date, member: str, cards: list[str]) -> Written:
        """Somebody enrols, or a member is given a card that has been used before."""
        self.names += 1
        event: Written = {"id": f"e{self.names}", "member": member, "time": datetime.combine(day, time(9), self.zone).isoformat()}
        if member in self.members:
            return event | {"type": "card-linked", "card": cards[0]}
        return event | {"type": "member-enrolled", "cards": list(cards), **self.facts()}

    def about_member(self, day: date, member: str, cards: list[str]) -> Written:
        """A card is blocked or given, or an attribute changes."""
        self.names += 1
        event: Written = {"id": f"e{self.names}", "time": datetime.combine(day, time(9), self.zone).isoformat()}
        kind = self.random.choice(["card-linked", "card-blocked", "member-attributes"])
        if kind == "card-linked":
            cards.append(f"n{self.names}")
            return event | {"type": kind, "member": member, "card": cards[-1]}
        if kind == "card-blocked":
            return event | {"type": kind, "card": self.random.choice(cards), "reason": "lost"}
        return event | {"type": kind, "member": member, "attributes": {"staff": self.random.choice(ATTRIBUTES["staff"])}}
