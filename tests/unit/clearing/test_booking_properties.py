"""What holds for any purchases, returns and redemptions in any order: nothing is lost, nothing counts twice, nobody has less than nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearing.entries import Code
from clearing.night import run_night
from clearing.plan import Plan
from tests.contract.fakes import MemoryBooks
from tests.short import MONDAY, Json, adjust, back, capture, enrol, hold, line, moment, purchase, redeem, release, reverse, value_of
from tests.unit.clearing.till import BASE, Entry, coalition, mechanic

CATEGORIES = ("dairy", "bakery", "fuel", None)
CARDS = ("c1", "c2", "c9")
PARTNERS = ("grocer", "fuelco", "baker")


def funding(draw: st.DrawFn) -> list[Json]:
    return draw(
        st.sampled_from(
            [
                [{"party": "purchase_partner", "share": "1"}],
                [{"party": "dairyco", "share": "0.5"}, {"party": "purchase_partner", "share": "0.5"}],
                [{"party": "fuelco", "share": "0.33"}, {"party": "baker", "share": "0.33"}, {"party": "dairyco", "share": "0.34"}],
            ]
        )
    )


@st.composite
def mechanics(draw: st.DrawFn) -> list[Entry]:
    """Several mechanics with conditions, groups, limits and funders."""
    whens: st.SearchStrategy[Json] = st.sampled_from(
        [{}, {"categories": ["dairy"]}, {"except": {"categories": ["fuel"]}}, {"minimum": {"amount": "20.00", "currency": "EUR"}}]
    )
    limits: st.SearchStrategy[Any] = st.sampled_from(
        [
            [],
            {"points": 20, "per": "day"},
            [{"times": 2, "per": "day"}, {"points": 15, "per": "event"}],
            {"points": 60, "per": "ever"},
            {"points": 50, "per": "day", "of": "programme"},
            [{"points": 9, "per": "event"}, {"times": 3, "per": "ever", "of": "programme"}],
        ]
    )
    groups = st.sampled_from([None, None, "one"])
    kinds = draw(st.lists(st.sampled_from(["points_on_spend", "fixed_bonus", "multiplier"]), min_size=1, max_size=4))
    found = [BASE]
    for no, kind in enumerate(kinds):
        terms: Json = {"when": draw(whens), "limit": draw(limits), "group": draw(groups), "funding": funding(draw)}
        if kind == "points_on_spend":
            terms |= {"points": draw(st.integers(1, 7)), "per": {"amount": draw(st.sampled_from(["0.70", "1.00", "3.00"])), "currency": "EUR"}}
            terms["rounding"] = draw(st.sampled_from(["down", "half_up", "proportional"]))
        elif kind == "fixed_bonus":
            terms |= {"points": draw(st.integers(1, 30)), "each": draw(st.sampled_from(["event", "unit"]))}
        else:
            terms |= {"factor": draw(st.sampled_from(["1.5", "2", "3.3"])), "of": ["base"]}
        found.append(mechanic(kind, f"m{no}", **terms))
    return found


purchased = st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(CATEGORIES), st.integers(1, 4), st.integers(0, 300)), min_size=1, max_size=4)


def basket(event_id: str, lines: list[tuple[int, str | None, int, int]], **terms: Any) -> Json:
    bought = [line(no, amount, category, quantity=str(quantity)) for no, (amount, category, quantity, _) in enumerate(lines)]
    total = sum(amount for amount, *_ in lines)
    points = min(total, sum(points for *_, points in lines))
    return purchase(event_id, bought, tenders={"points": points, "cash": total - points}, **terms)


@dataclass
class Shop:
    """Makes events that may or may not be accepted, at random, with their dates in one day."""

    random: Random
    sold: dict[str, dict[int, tuple[int, int]]] = field(default_factory=dict)
    count: int = 0

    def events(self, number: int) -> list[Json]:
        return [self._event() for _ in range(number)]

    def _event(self) -> Json:
        self.count += 1
        name, rnd, card = f"e{self.count}", self.random, self.random.choice(CARDS)
        known = list(self.sold)
        kind = rnd.choice(["purchase"] * 5 + ["return"] * 3 + ["adjust", "redeem", "redeem", "hold", "capture", "release", "reverse", "enrol"])
        if kind == "purchase":
            lines = [(rnd.randrange(3000), rnd.choice(CATEGORIES), rnd.randint(1, 3), rnd.choice([0, 0, 150])) for _ in range(rnd.randint(1, 3))]
            self.sold[name] = {no: (amount, quantity) for no, (amount, _, quantity, _) in enumerate(lines)}
            return basket(name, lines, card=card)
        if kind in ("return", "adjust") and known:
            original = rnd.choice(known)
            lines_of = self.sold[original]
            no = rnd.choice(list(lines_of))
            amount, quantity = lines_of[no]
            if kind == "adjust":
                return adjust(name, original, {no: rnd.randint(0, amount)}, card=card)
            return back(name, original, {no: (rnd.randint(0, amount), str(rnd.randint(1, quantity)))}, card=card)
        if kind == "enrol":
            return enrol(name, "m9", "c9")
        original = f"e{rnd.randint(1, self.count)}"
        points = rnd.randint(1, 40)
        if kind == "hold":
            return hold(name, points, card=card, until=moment(at=rnd.choice(["11:05", "23:00"])))
        if kind == "capture":
            return capture(name, original, points, card=card)
        if kind == "release":
            return release(name, original, card=card)
        if kind == "reverse":
            return reverse(name, original, points, card=card)
        return redeem(name, points, card=card)


def house(entries: list[Entry], **terms: Any) -> MemoryBooks:
    books = MemoryBooks(Plan(coalition(*entries, **terms)), MONDAY)
    books.enrol("m1", "c1")
    books.enrol("m2", "c2")
    return books


def book(books: MemoryBooks, events: list[Json], batch: int = 1000) -> None:
    for start in range(0, len(events), batch):
        for event in events[start : start + batch]:
            books.append(value_of(event))
        books.book()


def picture(books: MemoryBooks) -> Json:
    """What the books say, without the places of records in the log."""
    return {
        "members": {
            member.id: (member.available, member.pending, member.held, [(d.bearer, d.points) for d in member.debts], member.used, member.last_activity)
            for member in books.facts.members.values()
        },
        "lots": {
            (member.id, key): (lot.points, lot.expired)
            for member in books.facts.members.values()
            for key, lot in (member.lots or {}).items()
            if lot.points or lot.expired
        },
        "journal": [(of_day, t.what.code, t.amount, t.what.sponsor, t.what.counterparty, t.what.mechanic, t.what.lot) for of_day, t in books.journal],
        "totals": books.booked_totals(MONDAY),
    }


def sound(books: MemoryBooks) -> None:
    """Lots add up to balances, nothing is below zero, both paths agree, and what was issued is somewhere."""
    for member in books.facts.members.values():
        lots = member.lots or {}
        assert all(lot.points >= 0 and lot.expired >= 0 for lot in lots.values())
        assert member.available == sum(lot.points for key, lot in lots.items() if key.release_on is None)
        assert member.pending == sum(lot.points for key, lot in lots.items() if key.release_on is not None)
        assert member.held >= 0
        assert all(debt.points > 0 for debt in member.debts)
        assert all(used > 0 for used in member.used.values())
    for of_day in books.windows:
        assert books.booked_totals(of_day) == books.journal_totals(of_day)
    sums = {code: sum(t.amount for _, t in books.journal if t.what.code is code) for code in Code}
    there = books.measured()
    assert there.held == there.open_holds
    debts = sum(member.owed for member in books.facts.members.values())
    gone = sums[Code.REDEMPTION] - sums[Code.REDEMPTION_REVERSAL] + sums[Code.REPAYMENT] + sums[Code.RETURN_UNSPENT] + sums[Code.EXPIRY]
    assert sums[Code.ACCRUAL] == there.available + there.pending + there.held + gone
    owed = sum(t.amount for _, t in books.journal if t.what.code is Code.RETURN_SPENT and t.what.held)
    assert owed == debts + sums[Code.REPAYMENT]


thorough = settings(max_examples=settings().max_examples * 3 // 10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
who_bears = st.sampled_from(["negative_balance", "partner", "operator"])
pending_days = st.sampled_from([0, 0, 1, 2])
seeds = st.integers(0, 2**32)


@thorough
@given(entries=mechanics(), seed=seeds, bearer=who_bears, pending=pending_days, batch=st.integers(1, 30))
def test_whatever_comes_the_books_are_sound_and_the_night_agrees(entries: list[Entry], seed: int, bearer: str, pending: int, batch: int) -> None:
    books = house(entries, spent_points_on_return=bearer, pending_days=pending, expiry={"kind": "fixed", "month": 3, "day": 3})
    book(books, Shop(Random(seed)).events(60), batch)
    sound(books)
    for number in range(3):
        run_night(MONDAY + timedelta(days=number), books.plan.file, books)
        sound(books)


@thorough
@given(entries=mechanics(), seed=seeds)
def test_any_order_of_duplicates_gives_the_same_books(entries: list[Entry], seed: int) -> None:
    random = Random(seed)
    events = Shop(random).events(40)
    again = list(events)
    for event in events:
        for _ in range(random.choice([0, 1, 2])):
            again.insert(random.randint(again.index(event) + 1, len(again)), event)
    once, often = house(entries), house(entries)
    book(once, events, random.randint(1, 20))
    book(often, again, random.randint(1, 20))
    assert picture(once) == picture(often)
    for books in (once, often):
        run_night(MONDAY, books.plan.file, books)
    assert picture(once) == picture(often)
    assert once.runs[MONDAY].obligations == often.runs[MONDAY].obligations


@thorough
@given(entries=mechanics(), seed=seeds)
def test_batches_do_not_matter(entries: list[Entry], seed: int) -> None:
    events = Shop(Random(seed)).events(40)
    one, many = house(entries), house(entries)
    book(one, events)
    book(many, events, Random(seed).randint(1, 7))
    assert picture(one) == picture(many)


@thorough
@given(entries=mechanics(), lines=purchased, partner=st.sampled_from(PARTNERS), seed=seeds)
def test_returning_all_in_any_parts_takes_back_all(entries: list[Entry], lines: list[tuple[int, str | None, int, int]], partner: str, seed: int) -> None:
    books = house(entries)
    book(books, [basket("e1", lines, partner=partner)])
    run_night(MONDAY, books.plan.file, books)  # limits of the whole programme are decided then
    given_to = books.facts.members[books.facts.cards["c1"].member]  # type: ignore[index]
    left, random = {no: (amount, quantity) for no, (amount, _, quantity, _) in enumerate(lines)}, Random(seed)
    before, count = given_to.available, 0
    while left:
        no = random.choice(list(left))
        amount, quantity = left.pop(no)
        part, units = random.randint(0, amount), random.randint(1, quantity)
        if units == quantity:
            part = amount
        count += 1
        book(books, [back(f"r{count}", "e1", {no: (part, str(units))}, partner=partner)])
        if quantity > units:
            left[no] = (amount - part, quantity - units)
        assert 0 <= given_to.available <= before  # no return gives anything, none takes more than is left
        before = given_to.available
        sound(books)
    assert given_to.available == 0
    run_night(MONDAY + timedelta(days=1), books.plan.file, books)  # room of what a night decided comes back in a night
    assert given_to.available == 0
    assert given_to.used == {}
    assert books.shared == {}
    assert {key: lot.points for key, lot in (given_to.lots or {}).items() if lot.points} == {}
    taken, gave = (sum(t.amount for _, t in books.journal if t.what.code is code) for code in (Code.RETURN_UNSPENT, Code.ACCRUAL))
    assert taken == gave
    by_sponsor = {
        (code, sponsor): sum(t.amount for _, t in books.journal if (t.what.code, t.what.sponsor) == (code, sponsor))
        for code in (Code.ACCRUAL, Code.RETURN_UNSPENT)
        for sponsor in {t.what.sponsor for _, t in books.journal}
    }
    assert all(by_sponsor[Code.ACCRUAL, sponsor] == by_sponsor[Code.RETURN_UNSPENT, sponsor] for _, sponsor in by_sponsor)


@thorough
@given(entries=mechanics(), lines=purchased, spent=st.integers(1, 200), bearer=who_bears, seed=seeds)
def test_what_was_spent_meanwhile_is_borne_by_somebody_and_all_of_it_is_taken_back(
    entries: list[Entry], lines: list[tuple[int, str | None, int, int]], spent: int, bearer: str, seed: int
) -> None:
    books = house(entries, spent_points_on_return=bearer)
    book(books, [basket("e1", lines), redeem("x1", spent)])
    member = books.facts.members[books.facts.cards["c1"].member]  # type: ignore[index]
    taken = sum(t.amount for _, t in books.journal if t.what.code is Code.REDEMPTION)
    order = list(enumerate(lines))
    Random(seed).shuffle(order)
    for count, (no, (amount, _, quantity, _)) in enumerate(order):
        book(books, [back(f"r{count}", "e1", {no: (amount, str(quantity))})])
    sums = {code: sum(t.amount for _, t in books.journal if t.what.code is code) for code in Code}
    assert sums[Code.ACCRUAL] == sums[Code.RETURN_UNSPENT] + sums[Code.RETURN_SPENT]
    owes = bearer == "negative_balance"
    # without a debt, points that are left after some of their own kind were borne by others stay with the member
    assert member.spendable == (-taken if owes else sums[Code.RETURN_SPENT] - taken)
    assert (member.owed > 0) is (owes and taken > 0)
    sound(books)


def test_the_same_content_in_other_bytes_is_a_duplicate_and_other_content_is_refused() -> None:
    books = house([BASE])
    event = purchase("e1", 1000)
    book(books, [event])
    books.append(json.dumps(dict(reversed(event.items())), indent=1).encode())
    books.append(value_of(purchase("e1", 1001)))
    books.book()
    assert books.tally[MONDAY, 0, "duplicate"] == 1
    assert books.tally[MONDAY, 0, "rejected"] == 1
    assert books.measured().available == 10
