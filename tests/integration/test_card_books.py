"""Card transactions on PostgreSQL: what is kept between batches is what the books in memory have, it is what the journal says, and it can be explained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import psycopg
import pytest

from clearing.entries import Code
from clearing.night import run_night
from schemas.programme import ProgrammeFile
from services.explain.event import explain_event, records_of
from services.explain.ledger import Ledger
from services.explain.member import GotPart, explain_member
from services.explain.obligation import explain_obligation
from services.journal.migrate import connect
from services.journal.verify import verified
from services.runtime.local import Addresses
from tests.contract.houses import MemoryHouse, PgHouse, on_postgres
from tests.short import MONDAY, Json, card, chargeback, enrol, recharge, redeem, refund
from tests.unit.clearing.baskets import EURO
from tests.unit.clearing.till import BOTH, coalition, contract, mechanic

SHARED = [{"party": "purchase_partner", "share": "0.5"}, {"party": "grocer", "share": "0.3"}, {"party": "fuelco", "share": "0.2"}]
LIMITS = [{"amount": "9.00", "per": "month"}, {"times": 4, "per": "day"}]
CARDS = (
    mechanic("card_points", "miles", rates=[{"mcc": "0000-9999", "points": 2, "per": EURO}], exclude_mcc=["quasi_cash"], limit={"points": 250, "per": "day"}),
    mechanic("card_points", "later", rates=[{"mcc": "5411", "points": 1, "per": EURO}], pending_days=2, funding=SHARED),
    mechanic("cash_back", "back", percent="3", limit=LIMITS, funding=SHARED, least_payout="5.00"),
    mechanic("fixed_bonus", "tap", points=3, banks=["bank1"], group="one", limit={"times": 5, "per": "ever"}),
    mechanic("fixed_bonus", "petrol", points=5, when={"mcc": ["5500-5599"]}, group="one"),
    mechanic("round_up", "up", multiple="1.00", limit={"amount": "4.00", "per": "day"}, match={
        "party": "grocer", "percent": "50", "months": 2, "limit": {"amount": "1.20", "per": "month"}}),
)  # fmt: skip
BANK = (*BOTH, contract("bank1", "0.0080", "0.0070"))


def programme(bearing: str) -> ProgrammeFile:
    return coalition(*CARDS, contracts=BANK, spent_points_on_return=bearing, expiry={"kind": "fixed", "month": 3, "day": 4})


class Stream:
    """Clearings of several cards, and what comes after them: mostly what can be, in any order, now and then what cannot."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.sent: list[tuple[str, int, str]] = []
        self.charged: list[tuple[str, int, str]] = []
        self.no = 0

    def day(self, day: int) -> Iterator[Json]:
        """Some events of a day; an unknown card is enrolled on the third."""
        for _ in range(22):
            yield self.one({"day": MONDAY + timedelta(days=day)})
        if day == 2:
            yield enrol("n7", "m7", "c7", day=MONDAY + timedelta(days=day))

    def one(self, when: Json) -> Json:
        random, self.no = self.random, self.no + 1
        amount, token = random.randint(1, 6000), random.choice(["c1", "c1", "c2", "c7"])
        kind = random.choice(["clearing", "clearing", "refund", "chargeback", "chargeback", "reversal", "reversal", "redeem"])
        if kind == "redeem":
            return redeem(f"x{self.no}", random.randint(1, 90), card=token, **when)
        if kind == "clearing" or not self.sent:
            self.sent.append((f"t{self.no}", amount, token))
            return card(f"t{self.no}", amount, random.choice(["5411", "5411", "5541", "6011"]), token=token, **when)
        of, whole, owner = random.choice(self.sent[-6:] if kind != "reversal" or not self.charged else [*self.charged[-4:], random.choice(self.sent)])
        part, shown = random.choice([whole, whole, whole // 2, amount]), owner if random.random() < 0.9 else token
        if kind == "chargeback":
            self.charged += [(f"k{self.no}", part, shown), (of, part, shown)]
            return chargeback(f"k{self.no}", of, part, token=shown, **when)
        return (refund if kind == "refund" else recharge)(f"{kind[:3]}{self.no}", of, part, token=shown, **when)


@pytest.mark.parametrize("seed", range(9))
def test_batches_on_postgresql_come_to_what_the_books_in_memory_come_to(addresses: Addresses, seed: int) -> None:
    random = Random(seed)
    sent = Stream(random)
    file = programme(("negative_balance", "operator", "partner")[seed % 3])
    memory = MemoryHouse(file, 1)
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
            members = ["m1", "m2", "m7"][: 2 + (day >= 2)]
            assert [(real.points(member), real.lots(member)) for member in members] == [(memory.points(member), memory.lots(member)) for member in members]
        with connect(real.uri, real.schema) as connection:
            assert [one.differences for one in verified(connection) if one.differing] == []
            assert_explained(connection, MONDAY)


def assert_explained(connection: psycopg.Connection, first: Any) -> None:
    """Every event's answer is what its rows say, and every line what its events say."""
    ledger = Ledger(connection)
    for (record,) in connection.execute("select record from entry where outcome = 'accepted'").fetchall():
        assert [one for one in explain_event(ledger, record).equations if not one.holds] == []
    for day in (first + timedelta(days=no) for no in range(4)):
        for line in ledger.lines(day):
            assert [one for one in explain_obligation(ledger, day, line.line, limit=1000).equations if not one.holds] == []


@contextmanager
def booked(addresses: Addresses, *batches: list[Json], bearing: str = "negative_balance") -> Iterator[PgHouse]:
    with on_postgres(addresses.postgres_uri, programme(bearing)) as one:
        for batch in batches:
            one.send(*batch)
            one.book()
        yield one


def memory_of(one: PgHouse, member: str = "m1") -> Any:
    return one.connection.execute("select state::jsonb -> 'memory' from member where id = %s", (member,)).fetchone()[0]  # type: ignore[index]


def test_what_a_member_got_so_far_is_kept_and_what_was_tampered_with_is_found(addresses: Addresses) -> None:
    with booked(addresses, [card("t1", 10_030, "5411")], [refund("r1", "t1", 5_000)]) as one:
        # 3 % of 100.30 = 3.009 -> 3.01; of 50.30 = 1.509 -> 1.51. Saved 0.70, matched by 0.35
        assert memory_of(one) == {"back": {"EUR": 151}, "up": {"since": "2026-03-02", "EUR": 70}}
        with connect(one.uri, one.schema) as connection:
            connection.execute("""update member set state = jsonb_set(state::jsonb, '{memory,back,EUR}', '152')::text where id = 'm1'""")
            connection.execute("""update member set state = jsonb_set(state::jsonb, '{used,up:match:0:2026-03}', '34')::text where id = 'm1'""")
            differing = {each.what: [(d.member, d.place, d.expected, d.found) for d in each.differences] for each in verified(connection) if each.differing}
            assert differing == {
                "cash-back and savings": [("m1", "back in EUR", "151", "152")],
                "use of limits": [("m1", "limit up:match:0:2026-03", "35", "34")],
            }
            connection.rollback()


def test_what_a_member_got_in_money_is_explained_from_its_events_and_seen_where_it_was_tampered_with(addresses: Addresses) -> None:
    with booked(addresses, [card("t1", 10_030, "5411"), card("t2", 1_010, "5411", token="c2")], [refund("r1", "t1", 5_000)]) as one:
        ledger = Ledger(one.connection)
        assert explain_member(ledger, "m1").got == (GotPart("back", "EUR", 151, 2), GotPart("up", "EUR", 70, 1))
        assert explain_member(ledger, "m2").got == (GotPart("back", "EUR", 30, 1), GotPart("up", "EUR", 90, 1))
        assert all(each.holds for each in explain_member(ledger, "m1").equations)
        with one.connection.transaction(force_rollback=True):
            one.connection.execute("""update member set state = jsonb_set(state::jsonb, '{memory,up,EUR}', '71')::text where id = 'm1'""")
            (wrong,) = [each for each in explain_member(ledger, "m1").equations if not each.holds]
            assert (wrong.parts, wrong.total, wrong.level, wrong.above) == ("up by 1 event", "0.70 EUR", "up in the books", "0.71 EUR")


def test_an_event_of_a_card_is_explained_down_to_its_rows(addresses: Addresses) -> None:
    with booked(addresses, [card("t1", 1_030, "5411")], [chargeback("k1", "t1", 1_030)], [recharge("v1", "k1", 1_030)]) as one:
        run_night(MONDAY, one.file, one.books)
        ledger = Ledger(one.connection)
        (record,) = records_of(ledger, "t1")
        explained = explain_event(ledger, record)
        assert {(part.code, part.debit, part.credit) for part in explained.transfers if part.unit == "EUR"} == {
            ("cash_back", "bank1: funded (EUR)", "bank1: claimed (EUR)"),
            ("cash_back", "grocer: funded (EUR)", "bank1: claimed (EUR)"),
            ("cash_back", "fuelco: funded (EUR)", "bank1: claimed (EUR)"),
            ("round_up", "bank1: rounded up (EUR)", "member m1: held"),
            ("round_up_match", "grocer: funded (EUR)", "bank1: claimed (EUR)"),
        }
        assert [(each.parts, each.total, each.above) for each in explained.equations] == [
            ("points in the journal", "33", "33"),  # 20 + 10 + 3
            ("amounts in the journal", "1.36 EUR", "1.36 EUR"),  # 0.31 + 0.70 + 0.35
        ]
        assert {Code[name] for name, *_ in one.rows(MONDAY)} >= {Code.CASH_BACK_REVERSAL, Code.RETURN_UNSPENT}
