"""Programmes made from a seed: every model, netting, contract clause and mechanic that the oracle knows, in odd combinations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

Written = dict[str, Any]

MERCHANTS = ("grocer", "fuelco", "baker")
SPONSORS = ("dairyco", "bank1")
PARTIES = [
    {"id": "opco", "kind": "operator", "name": "Operating Company"},
    *({"id": one, "kind": "merchant", "name": one.title()} for one in (*MERCHANTS, "dairyco")),
    {"id": "bank1", "kind": "bank", "name": "First Bank"},
]
CATEGORIES = ("dairy", "dairy/milk", "bakery", "tobacco", "fuel", "dairyfree")
SKUS = ("a1", "b2", "c3")
ATTRIBUTES = {"staff": ("yes", "no"), "town": ("Ulm", "Brno")}


def programme(random: Random, first: date, last: date) -> Written:
    """A programme whose events lie between two days, and up to 70 days before the first."""
    currencies = random.choice([["EUR"], ["EUR"], ["EUR"], ["EUR", "CZK"], ["JPY"], ["KWD"]])
    model = random.choice(["independent", "anchor", "hybrid"])
    head: Written = {
        "id": "harvest", "name": "Harvest Club", "operator": {"party": "opco", "model": model},
        "timezone": random.choice(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]), "cutoff": "02:00", "currencies": currencies,
        "points": {"code": "HVP", "name": "Harvest point", "decimals": 0}, "entry": {"kind": "open"},
        "accepts_events_up_to_days": random.choice([60, 60, 10]), "claim_days": random.choice([30, 5, 1]), "expiry": expiry(random),
        "pending_days": random.choice([0, 0, 0, 1, 3, 14]), "minimum_redemption": random.choice([0, 1, 10, 50]),
        "spent_points_on_return": random.choice(["negative_balance", "negative_balance", "partner", "operator"]),
        "netting": random.choice(["multilateral", "multilateral", "bilateral", "gross"]),
        "minimum_settlement": {one: small(random, one) for one in currencies},
    }  # fmt: skip
    if random.random() < 0.4:
        head["maximum_carry_days"] = random.choice([1, 3, 10])
    sellers = [*MERCHANTS, "opco"] if random.random() < 0.3 else list(MERCHANTS)
    contracts: list[Written] = []
    for party in [*SPONSORS, *sellers]:
        contracts += versions(random, party, model, currencies, first, last)
    found = mechanics(random, currencies, sellers, first, last)
    return {"programme": head, "parties": PARTIES, "contracts": contracts, "mechanics": found}


def expiry(random: Random) -> Written:
    """A rule of expiry, often soon enough to matter."""
    return random.choice([
        {"kind": "rolling", "months": random.choice([1, 1, 2, 24])},
        {"kind": "fixed", "month": random.randint(1, 12), "day": random.choice([1, 15, 28])},
        {"kind": "inactivity", "months": random.choice([1, 2])},
        {"kind": "never"},
    ])  # fmt: skip


def small(random: Random, currency: str) -> str:
    """A small sum in a currency."""
    return random.choice(["0", "1", "5"]) if currency == "JPY" else random.choice(["0.00", "0.50", "2.00"])


def versions(random: Random, party: str, model: str, currencies: list[str], first: date, last: date) -> list[Written]:
    """A party's contract: one to three versions, now and then with a gap or none at all."""
    if random.random() < 0.02:
        return []
    days = sorted({first + timedelta(days=random.randint(-40, (last - first).days)) for _ in range(random.choice([0, 0, 1, 2]))})
    starts = [date(first.year - 1, 1, 1), *days]
    found = [contract(random, party, model, random.choice(currencies), start) for start in starts]
    for one, following in zip(found, starts[1:], strict=False):
        if random.random() < 0.1:
            one["to"] = max(date.fromisoformat(one["from"]), following - timedelta(days=random.choice([1, 3]))).isoformat()
    return found


def contract(random: Random, party: str, model: str, currency: str, start: date) -> Written:
    """One version."""
    scale = {"EUR": "0.0", "KWD": "0.00", "CZK": "0.", "JPY": "1."}[currency]
    one: Written = {"party": party, "from": start.isoformat(), "roles": random.choice([["issuer", "redeemer"]] * 16 + [["issuer"], ["redeemer"], []])}
    if "issuer" in one["roles"]:
        one["issue"] = {"price": scale + random.choice(["1", "12", "095", "1005", "2"]), "currency": currency}
        one["due_at_issue"] = {"independent": "1", "anchor": "0"}.get(model) or random.choice(["0", "0.25", "0.3333", "0.5", "1"])
        one["unused_points_share"] = random.choice(["0", "0.6", "1", "0.333"])
    if "redeemer" in one["roles"] and (model != "anchor" or random.random() < 0.5):
        one["redeem"] = {"price": scale + random.choice(["085", "1", "05", "0775"]), "currency": currency}
    fees = [
        {"kind": "per_transaction", "amount": random.choice(["0.02", "0.015", "1"]), "currency": currency},
        {"kind": "percent_of_issue", "percent": random.choice(["5", "2.5", "33.3"])},
        {"kind": "percent_of_redemption", "percent": random.choice(["1", "7.5"])},
        {"kind": "monthly", "amount": "10", "currency": currency},
        {"kind": "monthly_minimum", "amount": random.choice(["12", "15", "1"]), "currency": currency},
    ]
    one["fees"] = [fee for fee in fees if random.random() < 0.35]
    if random.random() < 0.5:
        applies = [name for name in ("fees", "issue", "redemption") if random.random() < 0.6] or ["fees"]
        one["vat"] = {"percent": random.choice(["19", "7.5", "0", "21"]), "applies_to": applies}
    if random.random() < 0.3:
        one["settlement"] = random.choice(["weekly", "monthly"])
    return one


def limit_debts(random: Random, file: Written) -> None:
    """Gives most contracts a limit that a few purchases reach; of a few it is lifted or raised by a later version."""
    scale = {"EUR": 1, "KWD": 1, "CZK": 10, "JPY": 100}
    for one in file["contracts"]:
        currency = one.get("issue", {}).get("currency", file["programme"]["currencies"][0])
        if random.random() < 0.8:
            cap, funds = (str(random.choice([0, 0, 1, 2, 5, 40]) * scale[currency]) for _ in range(2))
            one["limit"] = {"currency": currency if random.random() < 0.95 else file["programme"]["currencies"][-1], "prefunded": funds}
            if random.random() < 0.8:
                one["limit"]["net_debit_cap"] = cap


def mechanics(random: Random, currencies: list[str], sellers: list[str], first: date, last: date) -> list[Written]:
    """One to six mechanics; the first gives points on what is spent."""
    found = [on_spend(random, "base", currencies[0], sellers)]
    if len(currencies) > 1:
        found.append(on_spend(random, "base2", currencies[1], sellers))
    makers: list[Callable[[], Written]] = [
        lambda: on_spend(random, "more", random.choice(currencies), sellers),
        lambda: {"id": "times", "kind": "multiplier", "factor": random.choice(["2", "1.5", "3", "1.333"]), **of(random)},
        lambda: {"id": "bonus", "kind": "fixed_bonus", "points": random.randint(1, 60), "each": random.choice(["event", "unit"])},
        lambda: {"id": "price", "kind": "card_discount", "percent": random.choice(["10", "3", "12.5"])},
        lambda: stamp_card(random, single=len(currencies) == 1),
    ]
    chosen = random.choices(makers, k=random.randint(0, 6))
    extra = [common(random, maker() | {"id": f"x{place}"}, currencies, sellers, first, last) for place, maker in enumerate(chosen)]
    for one in extra:
        found += later_version(random, one, first) if random.random() < 0.2 else [one]
    for kinds in (("points_on_spend", "fixed_bonus"), ("fixed_bonus", "multiplier"), ("card_discount",), ("stamp_card",)):
        rivals = [one for one in found if one["kind"] in kinds and "group" not in one]
        if len(rivals) > 1 and random.random() < 0.2:
            for one in random.sample(rivals, random.randint(2, len(rivals))):
                one["group"] = kinds[-1]
    for place, one in enumerate(found):
        if random.random() < 0.15 and one["kind"] in ("points_on_spend", "multiplier", "fixed_bonus"):
            pending = {"pending_days": random.choice([0, 2, 20]), "expiry": {"kind": "rolling", "months": 37 + place}}
            one.update(random.choice([{"expiry": expiry(random)}, pending]))
    return found


def later_version(random: Random, one: Written, first: date) -> list[Written]:
    """A mechanic that ends, and goes on with other figures the day after."""
    end = first + timedelta(days=random.randint(-3, 4))
    if one["from"] > end.isoformat() or "to" in one:
        return [one]
    other: Written = {"points": random.choice([2, 5]), "factor": "2.5", "percent": "7", "gift_value": "4"}
    following = {key: other.get(key, value) for key, value in one.items()} | {"from": (end + timedelta(days=1)).isoformat()}
    return [one | {"to": end.isoformat()}, following]


def of(random: Random) -> Written:
    """What a multiplier multiplies."""
    return {"of": ["base"]} if random.random() < 0.5 else {}


def on_spend(random: Random, name: str, currency: str, sellers: list[str]) -> Written:
    """Points on spend, in one currency."""
    per = {"EUR": ["1.00", "0.10", "2.50"], "KWD": ["1.000", "0.333"], "CZK": ["25.00", "10.00"], "JPY": ["100", "7"]}[currency]
    one: Written = {
        "id": name, "kind": "points_on_spend", "from": "2020-01-01", "points": random.choice([1, 1, 2, 3]),
        "per": {"amount": random.choice(per), "currency": currency}, "rounding": random.choice(["down", "down", "half_up", "proportional"]),
    }  # fmt: skip
    if random.random() < 0.3:
        one["partners"] = random.sample(sellers, random.randint(1, len(sellers)))
    if random.random() < 0.3:
        one["funding"] = funding(random)
    return one


def stamp_card(random: Random, *, single: bool) -> Written:
    """A stamp card of one to three rows; for a sum only where there is a `single` currency, as its sum has none beside it."""
    one: Written = {
        "id": "stamps", "kind": "stamp_card", "stamp_for": random.choice(["purchase", "unit", {"amount": "20"} if single else "unit"]),
        "rows": random.choice([[4], [2, 3], [3, 3, 3]]), "gift": "coffee", "on_full": "restart",
    }  # fmt: skip
    if random.random() < 0.8:
        one["gift_value"] = random.choice(["2", "3", "7"])
    return one


def funding(random: Random) -> list[Written]:
    """Shares of one to three parties; the seller may be named by name and as the seller."""
    shares = random.choice([["1"], ["0.5", "0.5"], ["0.3333", "0.6667"], ["0.25", "0.25", "0.5"], ["0.1", "0.2", "0.7"]])
    parties = random.sample(["purchase_partner", *MERCHANTS, *SPONSORS], len(shares))
    return [{"party": party, "share": share} for party, share in zip(parties, shares, strict=True)]


def common(random: Random, one: Written, currencies: list[str], sellers: list[str], first: date, last: date) -> Written:
    """What all mechanics have: days, partners, conditions, audience, limits."""
    one.setdefault("from", (first + timedelta(days=random.choice([-400, -400, -20, 2]))).isoformat())
    if random.random() < 0.2:
        one["to"] = max(one["from"], (last - timedelta(days=random.randint(0, 5))).isoformat())
    if random.random() < 0.4:
        one.setdefault("partners", random.sample(sellers, random.randint(1, len(sellers))))
    if random.random() < 0.6:
        one.setdefault("funding", funding(random))
    if random.random() < 0.6:
        one["when"] = when(random, currencies[0], first)
    if random.random() < 0.2:
        one["for"] = random.choice(
            [{"kinds": ["business"]}, {"members": ["m1", "m3"]}, {"attributes": {"staff": "yes"}}, {"attributes": {"town": ["Ulm", "Wien"]}}]
        )
    if random.random() < 0.5:
        limits = [limit(random, one["kind"], currencies) for _ in range(random.choice([1, 1, 2]))]
        one["limit"] = limits[0] if len(limits) == 1 and random.random() < 0.5 else limits
    if random.random() < 0.1 and len(currencies) == 1:
        share(random, one, currencies[0])
    return one


def by_name(random: Random, file: Written, first: date, last: date) -> list[Written]:
    """One to three privileges and passes."""
    currencies, found = file["programme"]["currencies"], []
    places = {"JPY": ("300", "7", "0"), "KWD": ("3.000", "0.333", "0.000")}.get(currencies[0], ("3.00", "0.33", "0.00"))
    for place in range(random.randint(1, 3)):
        partners = random.sample(MERCHANTS, random.randint(1, 3))
        one: Written
        if random.random() < 0.5:
            one = {
                "id": f"p{place}",
                "kind": "privilege",
                "services": [{"id": f"s{no % 2}", "provider": party, "cost": random.choice(places)} for no, party in enumerate(partners[:2])],
            }
            if random.random() < 0.3:
                one["budget"] = {"amount": {"JPY": "700", "KWD": "7.000"}.get(currencies[0], "7.00"), "at_end": "stop"}
        else:
            promised = [{"party": party, "per_visit": random.choice(places)} for party in partners]
            one = {"id": f"p{place}", "kind": "pass", "visits": random.randint(1, 4), "months": random.choice([1, 1, 3]), "partners": promised}
            one["price"] = {"amount": places[0], "currency": currencies[0]}
        one["from"] = (first + timedelta(days=random.choice([-400, -400, -400, 2]))).isoformat()
        if random.random() < 0.2:
            one["to"] = max(one["from"], (last - timedelta(days=random.randint(0, 5))).isoformat())
        if random.random() < 0.6:
            one["funding"] = funding(random)
        if random.random() < 0.3:
            one["when"] = random.choice([{"stores": ["1"]}, {"weekdays": ["mon", "tue", "wed", "sun"]}, {"hours": ["06:00", "15:00"]}])
        if random.random() < 0.2:
            one["for"] = random.choice([{"kinds": ["business"]}, {"attributes": {"staff": "yes"}}])
        if random.random() < 0.5:
            amount: Written = {"amount": {"JPY": "500", "KWD": "5.000"}.get(currencies[0], "5.00")}
            one["limit"] = random.choice([amount, {"times": 1}, {"times": 3}]) | {"per": random.choice(["day", "month", "ever"])}
        found.append(one)
    return found


def share(random: Random, one: Written, currency: str) -> None:
    """Limits it for the whole programme, or gives it a budget."""
    most = (
        {"amount": {"JPY": "900"}.get(currency, "9.00")}
        if one["kind"] == "card_discount"
        else {"points": random.choice([3, 7] if one["kind"] == "stamp_card" else [50, 200])}
    )
    if random.random() < 0.4:
        one["budget"] = most | {"at_end": random.choice(["stop", "stop", "warn"])}
    else:
        per = random.choice(["day", "month", "ever"])
        one["limit"] = random.choice([most, {"times": 4}]) | {"per": per, "of": "programme"}


def share_much(random: Random, file: Written) -> None:
    """Limits much of a file for the whole programme, among it some of a group."""
    currencies, mechanics = file["programme"]["currencies"], file["mechanics"]
    rivals = sorted({one["id"] for one in mechanics if one["kind"] in ("points_on_spend", "fixed_bonus")})
    group = random.sample(rivals, min(len(rivals), random.choice([0, 2, 2, 3])))
    for one in mechanics:
        if one["id"] in group:
            one.setdefault("group", "rivals")
        if "limit" in one or (one["kind"] == "card_discount" and len(currencies) > 1):
            continue
        if random.random() < 0.4:
            share(random, one, currencies[0])
        elif one["kind"] != "card_discount" and random.random() < 0.3:
            one["limit"] = {"points": random.choice([20, 60]), "per": random.choice(["day", "ever"])}


def shared(file: Written) -> bool:
    """Whether what members get depends on what others got before."""
    limits = [limit for one in file["mechanics"] for limit in (one["limit"] if isinstance(one.get("limit"), list) else [one.get("limit") or {}])]
    return any(limit.get("of") == "programme" for limit in limits) or any("budget" in one for one in file["mechanics"])


def when(random: Random, currency: str, first: date) -> Written:
    """One to three conditions."""
    makers: list[Written] = [
        {"categories": random.sample(CATEGORIES, 2)},
        {"skus": random.sample(SKUS, 2)},
        {"except": random.choice([{"categories": ["tobacco"]}, {"skus": ["b2"], "categories": ["dairy/milk"]}])},
        {"stores": ["1"]},
        {"channels": ["web", "app"]},
        {"weekdays": random.sample(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 4)},
        {"hours": random.choice([["08:00", "12:00"], ["00:00", "23:59"], ["20:00", "09:30"]])},
        {"days": [(first + timedelta(days=days)).isoformat() for days in (0, 1, 3, 5)]},
        {"minimum": {"amount": {"JPY": "500"}.get(currency, "20.00"), "currency": currency}},
    ]
    found: Written = {}
    for one in random.sample(makers, random.choice([1, 1, 2, 3])):
        found |= one
    return found


def limit(random: Random, kind: str, currencies: list[str]) -> Written:
    """A limit of a member that fits the kind."""
    per = random.choice(["event", "day", "month", "year", "ever"])
    if kind == "stamp_card" or len(currencies) > 1 or random.random() < 0.3:
        return {"times": random.randint(1, 3), "per": "day" if per == "event" else per}
    if kind == "card_discount":
        return {"amount": {"JPY": "300"}.get(currencies[0], "3.00"), "per": per}
    return {"points": random.choice([5, 40, 90]), "per": per}
