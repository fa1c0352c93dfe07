"""Passes, visits and privileges on PostgreSQL: what is kept between batches is what the books in memory have, and it is what entries and journal say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from clearing.night import run_night
from schemas.ids import MemberId
from schemas.programme import ProgrammeFile
from services.journal.migrate import connect
from services.journal.verify import verified
from services.programme.booked import applied
from services.runtime.local import Addresses
from tests.contract.houses import MemoryHouse, PgHouse, on_postgres
from tests.integration.test_card_books import assert_explained, memory_of
from tests.short import MONDAY, Json, cancel, enrol, of_member, rendered, sold, visit
from tests.unit.clearing.till import BOTH, coalition, mechanic

SHARED = [{"party": "purchase_partner", "share": "0.5"}, {"party": "baker", "share": "0.3"}, {"party": "dairyco", "share": "0.2"}]
PRICE = {"amount": "20.00", "currency": "EUR"}
PARTNERS = [{"party": "grocer", "per_visit": "4.00"}, {"party": "fuelco", "per_visit": "2.75"}, {"party": "baker", "per_visit": "0.00"}]
TWO_A_DAY = {"times": 2, "per": "day"}
NAMED = (
    mechanic("pass", "four", visits=4, price=PRICE, partners=PARTNERS, months=1, funding=SHARED,
             limit=[TWO_A_DAY, {"amount": "9.00", "per": "ever"}], to="2026-03-03"),
    {**mechanic("pass", "four", visits=2, price=PRICE, partners=PARTNERS[1:], months=1, limit=TWO_A_DAY), "from": "2026-03-04"},
    mechanic("pass", "early", visits=3, price=PRICE, partners=PARTNERS[:2], months=2, when={"hours": ["06:00", "12:00"]}),
    mechanic("privilege", "gold", services=[{"id": "delivery", "provider": "fuelco", "cost": "4.99"}, {"id": "wash", "provider": "grocer", "cost": "7.01"}],
             funding=SHARED, limit={"amount": "21.00", "per": "month"}),
    mechanic("privilege", "care", services=[{"id": "check", "provider": "baker", "cost": "6.00"}], funding=[{"party": "grocer", "share": "1"}],
             budget={"amount": "25.00", "at_end": "stop"}, limit={"times": 2, "per": "day"}),
)  # fmt: skip
SELLERS = ("grocer", "fuelco", "dairyco")


def programme() -> ProgrammeFile:
    return coalition(*NAMED, contracts=BOTH)


class Stream:
    """Passes, visits and services of several cards, and their cancellations, right or wrong, in any order."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.sent: list[tuple[str, str, str, str]] = []
        self.no = 0

    def day(self, day: int) -> Iterator[Json]:
        """Some events of a day; an unknown card is enrolled on the third, and somebody leaves."""
        when = {"day": MONDAY + timedelta(days=day)}
        for _ in range(26):
            yield self.one(when)
        if day == 2:
            yield enrol("n7", "m7", "c7", day=when["day"])
        if day == 3:
            yield of_member("member-closed", "x2", "m2", day=when["day"], reason="", erase=False)

    def one(self, when: Json) -> Json:
        random, self.no = self.random, self.no + 1
        name, token, at = f"e{self.no}", random.choice(["c1", "c1", "c2", "c7"]), f"{random.randint(6, 17):02}:15"
        kind = random.choice(["sold", "visit", "visit", "visit", "gold", "care", "care", "cancel", "cancel"])
        if kind == "cancel" and self.sent:
            type_, of, partner, shown = random.choice(self.sent[-8:])
            return cancel(name, type_, of, partner=partner, card=shown if random.random() < 0.9 else token, **when)
        partner = random.choice(SELLERS if kind == "sold" else ("fuelco", "grocer", "baker"))
        which = random.choice(["four", "four", "early", "none"] if random.random() < 0.2 else ["four", "early"])
        self.sent.append(({"sold": "pass-sold", "gold": "privilege-rendered", "care": "privilege-rendered"}.get(kind, "pass-visit"), name, partner, token))
        match kind:
            case "sold":
                return sold(name, which, partner=partner, card=token, at="05:00", **when)
            case "gold" | "care":
                service = {"fuelco": "delivery", "grocer": "wash", "baker": "check"}[partner]
                return rendered(name, kind, service, partner=partner, card=token, at=at, **when)
            case _:
                return visit(name, which, partner=partner, card=token, at=at, **when)


@pytest.mark.parametrize("seed", range(4))
def test_batches_on_postgresql_come_to_what_the_books_in_memory_come_to(addresses: Addresses, seed: int) -> None:
    random = Random(seed)
    sent = Stream(random)
    file = programme()
    memory = MemoryHouse(file, 1)
    codes = set()
    with on_postgres(addresses.postgres_uri, file) as real:
        for day in range(4):
            events = list(sent.day(day))
            while events:
                batch = [events.pop(0) for _ in range(min(len(events), random.choice([1, 1, 2, 5])))]
                for one in (memory, real):
                    one.send(*batch)
                    one.book()
            window = MONDAY + timedelta(days=day)
            for one in (memory, real):
                run_night(window, file, one.books)
            assert real.rows(window) == memory.rows(window)
            codes |= {row[0] for row in real.rows(window)}
        for member in ("m1", "m2", "m7"):
            state = memory.memory.facts.by_id[MemberId(member)]
            assert kept(real, member) == (state.memory, state.used)
        with connect(real.uri, real.schema) as connection:
            assert [one.differences for one in verified(connection) if one.differing] == []
            assert_explained(connection, MONDAY)
    assert codes == {"PRIVILEGE", "PRIVILEGE_REVERSAL", "PASS", "PASS_REVERSAL"}


def kept(one: PgHouse, member: str) -> tuple[Any, Any]:
    """What mechanics remember of a member, and what it has used of limits."""
    row = one.connection.execute("select state::jsonb from member where id = %s", (member,)).fetchone()
    assert row is not None
    return row[0].get("memory", {}), row[0].get("used", {})


@contextmanager
def booked(addresses: Addresses, *batches: list[Json]) -> Iterator[PgHouse]:
    with on_postgres(addresses.postgres_uri, programme()) as one:
        for batch in batches:
            one.send(*batch)
            one.book()
        yield one


def test_visits_left_are_kept_by_pass_and_what_was_tampered_with_is_found(addresses: Addresses) -> None:
    with booked(addresses, [sold("s1", "four")], [visit("v1", "four")], [visit("v2", "four"), cancel("x1", "pass-visit", "v1")]) as one:
        assert memory_of(one) == {"four": {"2026-04-02/2026-03-02/grocer/s1": 3}}
        assert kept(one, "m1")[1] == {"four:0:2026-03-02": 1, "four:1:": 275}
        with connect(one.uri, one.schema) as connection:
            connection.execute(
                """update member set state = jsonb_set(state::jsonb, '{memory,four,2026-04-02/2026-03-02/grocer/s1}', '4')::text where id = 'm1'"""
            )
            connection.execute("""update member set state = jsonb_set(state::jsonb, '{used,four:1:}', '274')::text where id = 'm1'""")
            differing = {each.what: [(d.member, d.place, d.expected, d.found) for d in each.differences] for each in verified(connection) if each.differing}
            assert differing == {
                "visits on passes": [("m1", "visits of four", "3", "4")],
                "use of limits": [("m1", "limit four:1:", "275", "274")],
            }
            connection.rollback()


def test_a_version_of_a_pass_applied_on_the_day_on_which_it_was_sold_and_a_privilege_on_that_of_the_service(addresses: Addresses) -> None:
    later = MONDAY + timedelta(days=3)
    with booked(addresses, [sold("s1", "four"), sold("s2", "early")]) as one:
        run_night(MONDAY, one.file, one.books)
        one.send(visit("v1", "four", day=MONDAY + timedelta(days=1)), rendered("p1", "gold", "delivery", day=MONDAY + timedelta(days=1)))
        one.book()
        days = {(name, first.isoformat()): last for (name, first), last in applied(one.connection, one.file).mechanics.items()}
        assert days == {
            ("four", "2026-01-01"): MONDAY,
            ("early", "2026-01-01"): MONDAY,
            ("gold", "2026-01-01"): MONDAY + timedelta(days=1),
        }
        assert later not in days.values()
