"""Funds are not paid out while room that was opened out of them is open: else points are given that nothing covers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from clearing.plan import Plan
from schemas.ids import PartyId
from services.journal.headroom import unused_room
from services.journal.programmes import load
from services.risk.errors import RiskCode, RiskError
from services.risk.exposure import exposure
from services.risk.funds import Entry
from services.risk.signed_funds import confirm, propose, to_confirm, to_propose
from services.runtime.local import Addresses
from tests.coalition import coalition, purchase
from tests.signers import MONDAY, TUESDAY, Signers

CAP = ('net_debit_cap: "100000.00"', 'net_debit_cap: "0.30"')
GROCER = PartyId("grocer")
NOW = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
IN, OUT = Entry(GROCER, "EUR", 200_000, "paid in", "R"), Entry(GROCER, "EUR", 200_000, "paid out", "P")


@pytest.fixture
def signers(addresses: Addresses) -> Iterator[Signers]:
    """The grocer's funds have opened Tuesday's room."""
    with coalition(addresses, CAP, day=MONDAY) as one:
        people = Signers(one)
        people.enrol("mia", "carl")
        one.enrol(("m-1", "card-1"))
        one.book()
        with one.books() as books:
            people.fund(books, IN, NOW)
        one.close(MONDAY)
        yield people


def would_pay_out(signers: Signers, books: psycopg.Connection, entry: Entry = OUT) -> None:
    said = to_propose(books, signers.one.id, entry, "mia", NOW)
    propose(books, said, signers.keys["mia"].sign(said.signed()))


def pay_out(signers: Signers, books: psycopg.Connection, entry: Entry = OUT) -> int:
    said = to_confirm(books, signers.one.id, entry, "carl", NOW)
    return confirm(books, said, signers.keys["carl"].sign(said.signed()))


def covered(books: psycopg.Connection) -> bool:
    """Whether the grocer's debts, and what it may come to owe at once, stay within its cap and funds."""
    plan = Plan(load(books))
    found = exposure(books, plan)
    return found.owes.get((GROCER, "EUR"), 0) + unused_room(books, plan).get((GROCER, "EUR"), 0) <= found.most(GROCER, "EUR")


def test_what_open_room_rests_on_is_paid_out_after_the_night_only(signers: Signers) -> None:
    with signers.one.books() as books:
        would_pay_out(signers, books)
        with pytest.raises(RiskError, match="out of room that is open: it can go once the night has closed that window") as refusal:
            pay_out(signers, books)
        assert refusal.value.code is RiskCode.FUNDS_NEEDED
        assert covered(books)
    signers.one.close(TUESDAY)
    with signers.one.books() as books:
        assert unused_room(books, Plan(load(books)))[GROCER, "EUR"] <= 30
        assert pay_out(signers, books) == 0
        assert covered(books)


def test_debts_come_first_though_a_pay_out_was_proposed_before_them(signers: Signers) -> None:
    with signers.one.books() as books:
        would_pay_out(signers, books)
    signers.one.publish(purchase("p1", "card-1", 540_000))
    signers.one.book()
    with signers.one.books() as books:
        assert books.execute("select count(*) from unfunded").fetchone() == (0,)
    signers.one.close(TUESDAY)
    with signers.one.books() as books:
        with pytest.raises(RiskError, match=r"would be covered for 0.30 by what is left") as refusal:
            pay_out(signers, books)
        assert refusal.value.code is RiskCode.FUNDS_NEEDED
        rest = replace(OUT, amount_minor=150_000, reference="P-2")
        would_pay_out(signers, books, rest)
        assert covered(books)


def test_points_beyond_what_is_left_after_a_pay_out_wait(signers: Signers) -> None:
    with signers.one.books() as books:
        would_pay_out(signers, books)
    signers.one.close(TUESDAY)
    with signers.one.books() as books:
        pay_out(signers, books)
    signers.one.publish(purchase("p1", "card-1", 540_000))
    signers.one.book()
    with signers.one.books() as books:
        (waiting,) = books.execute("select coalesce(sum(points), 0)::int from unfunded").fetchone() or (0,)
        assert waiting > 5000
        assert covered(books)


def test_what_one_person_would_pay_out_opens_no_room_until_something_else_is_proposed(signers: Signers) -> None:
    with signers.one.books() as books:
        would_pay_out(signers, books)
        would_pay_out(signers, books, replace(OUT, amount_minor=1))
    signers.one.close(TUESDAY)
    with signers.one.books() as books:
        assert unused_room(books, Plan(load(books)))[GROCER, "EUR"] > 190_000
