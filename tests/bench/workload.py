"""The purchases that the benchmark books: 3 lines each, 3 mechanics, 20,000 members; the same on every run."""

import random
from collections.abc import Iterator
from datetime import date

from confluent_kafka import Producer

from schemas.programme import ProgrammeFile

MEMBERS = 20_000
DAY = date(2026, 3, 2)

_PROGRAMME = {
    "programme": {
        "id": "bench", "name": "Bench", "operator": {"party": "opco", "model": "independent"}, "timezone": "Europe/Berlin", "cutoff": "02:00",
        "currencies": ["EUR"], "points": {"code": "BPT", "name": "Bench point"}, "expiry": {"kind": "rolling", "months": 24},
        "minimum_redemption": 50, "spent_points_on_return": "negative_balance", "netting": "multilateral",
    },
    "parties": [
        {"id": "opco", "kind": "operator", "name": "Operator"},
        *({"id": party, "kind": "merchant", "name": party.title()} for party in ("grocer", "fuelco", "drugco")),
    ],
    "contracts": [
        {"party": party, "from": "2026-01-01", "roles": ["issuer", "redeemer"], "issue": {"price": price, "currency": "EUR"},
         "redeem": {"price": "0.0080", "currency": "EUR"}, "fees": [{"kind": "per_transaction", "amount": "0.01", "currency": "EUR"}]}
        for party, price in (("grocer", "0.0100"), ("fuelco", "0.0120"), ("drugco", "0.0110"))
    ],
    "mechanics": [
        {"id": "base", "kind": "points_on_spend", "from": "2026-01-01", "points": 1, "per": {"amount": "1.00", "currency": "EUR"}},
        {"id": "double-dairy", "kind": "multiplier", "from": "2026-01-01", "factor": "2", "of": ["base"], "when": {"categories": ["grocery/dairy"]}},
        {"id": "big-basket", "kind": "fixed_bonus", "from": "2026-01-01", "points": 10, "when": {"minimum": {"amount": "60.00", "currency": "EUR"}},
         "funding": [{"party": "grocer", "share": "1"}]},
    ],
}  # fmt: skip

CATEGORIES = ("grocery/dairy", "grocery/bread", "grocery/fruit", "household", "fuel/diesel")


def programme(**changes: object) -> ProgrammeFile:
    """The benchmark's programme; `changes` replace settings of it."""
    return ProgrammeFile.model_validate({**_PROGRAMME, "programme": {**_PROGRAMME["programme"], **changes}})  # type: ignore[dict-item]


def purchases(first: int, count: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of purchases, from a number on."""
    rnd = random.Random(first)
    for no in range(first, first + count):
        card = f"card-{rnd.randrange(MEMBERS):05d}"
        partner = ("grocer", "fuelco", "drugco")[no % 3]
        amounts = [rnd.randrange(99, 3999) for _ in range(3)]
        lines = ",".join(
            f'{{"line":{place},"sku":"{1000000 + rnd.randrange(5000)}","category":"{rnd.choice(CATEGORIES)}",'
            f'"quantity":"{rnd.randrange(1, 4)}","amount_minor":{amount}}}'
            for place, amount in enumerate(amounts, 1)
        )
        value = (
            f'{{"specversion":"1.0","id":"b{no}","source":"/partners/{partner}","type":"purchase.v1",'
            f'"time":"2026-03-02T{rnd.randrange(8, 20):02d}:{rnd.randrange(60):02d}:{rnd.randrange(60):02d}+01:00","subject":"{card}",'
            f'"data":{{"store":"{rnd.randrange(1, 400)}","terminal":"2","receipt":"{no}","card":"{card}","channel":"store","currency":"EUR",'
            f'"total_minor":{sum(amounts)},"lines":[{lines}]}}}}'
        )
        yield card.encode(), value.encode()


def publish(sender: Producer, topic: str, first: int, count: int) -> None:
    """Publishes purchases and waits until the broker has them all."""
    for key, value in purchases(first, count):
        while True:
            try:
                sender.produce(topic, value, key)
                break
            except BufferError:
                sender.poll(0.05)
        if not first % 1000:
            sender.poll(0)
    sender.flush()
