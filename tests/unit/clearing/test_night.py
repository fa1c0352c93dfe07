"""The night run on books in memory: its order, its figures, and that it can be started again wherever it stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from clearing.checks import Balances, PartitionCount
from clearing.entries import Total
from clearing.night import run_night
from clearing.plan import Plan
from clearing.ports import Refusal
from clearing.window import State, WrongTransition
from tests.contract.fakes import MemoryBooks
from tests.short import MONDAY, back, hold, moment, purchase, redeem, value_of
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, BOTH, Till, coalition, contract, mechanic

TUESDAY = day("2026-03-03")
STEPS = [
    "cut off", "book to the cut", "book what waited", "decide limits of all", "fund points", "free holds", "release pending points", "lapse unclaimed events",
    "expire points", "close", "add up", "price", "net", "check", "report",
]  # fmt: skip


def night(books: MemoryBooks, of_day: date = MONDAY) -> list[str]:
    """Runs the night; returns the steps that were announced."""
    steps: list[str] = []
    run_night(of_day, books.plan.file, books, steps.append)
    return steps


def filled(**terms: Any) -> MemoryBooks:
    """A window in which something of every kind happens, appended and not booked yet."""
    file = coalition(BASE, mechanic("fixed_bonus", "later", points=5, pending_days=1), claim_days=0, **terms)
    books = MemoryBooks(Plan(file), MONDAY)
    books.enrol("m1", "c1")
    for event in (
        back("r1", "e1", {1: 500}),
        purchase("e1", 10_000),
        redeem("x1", 50),
        hold("h1", 20),
        purchase("e2", 100, card="nobody"),
        purchase("e1", 10_000),
        purchase("e3", 100, currency="USD"),
    ):
        books.append(value_of(event))
    return books


def lines(books: MemoryBooks, of_day: date = MONDAY) -> list[str]:
    return [f"{one.kind} {one.debtor}>{one.creditor} {one.quantity} {one.amount_minor}" for one in books.runs[of_day].obligations]


def test_the_night_goes_through_its_steps_in_order_and_ends_netted() -> None:
    books = filled()
    assert night(books) == STEPS
    assert books.state(MONDAY) is State.NETTED
    assert books.state(TUESDAY) is State.OPEN
    # 105 earned at 0.01, 50 spent at 0.0085, half of 10.00 came back
    assert lines(books) == ["issue grocer>opco 105 105", "issue_reversal opco>grocer 5 5", "redemption opco>fuelco 50 42"]
    member = books.facts.members[books.facts.cards["c1"].member]  # type: ignore[index]
    assert (member.available, member.pending, member.held) == (50, 0, 0)  # rule 14: pending before available


def test_without_a_listener_the_night_is_the_same() -> None:
    books = filled()
    run_night(MONDAY, books.plan.file, books)
    assert books.state(MONDAY) is State.NETTED


def test_every_check_is_made_and_named() -> None:
    books = filled()
    night(books)
    checks = {check.name: check.ok for check in books.runs[MONDAY].checks}
    assert checks == dict.fromkeys(
        ["journal_balanced", "balances_equal_lots", "positions_sum_to_zero", "recomputed_equal", "every_event_once", "payments_cover_positions"], True
    )
    counted = next(check for check in books.runs[MONDAY].checks if check.name == "every_event_once")
    assert counted.figures == {
        "partitions": 1, "incomplete": 0, "received": 7, "accepted": 4, "rejected": 1, "held": 1, "duplicates": 1,
    }  # fmt: skip


def test_a_night_that_is_done_does_nothing_when_it_is_started_again() -> None:
    books = filled()
    night(books)
    before = (list(books.journal), list(books.totals), books.runs[MONDAY])
    assert night(books) == []
    assert (list(books.journal), list(books.totals), books.runs[MONDAY]) == before


class Died(Exception):
    """The process was killed."""


def dying(books: MemoryBooks, method: str, *, after: bool) -> Callable[[], None]:
    """Makes a method of the books die once, before or after it has done its work."""
    whole = getattr(books, method)

    def dies(*arguments: object) -> object:
        done = whole(*arguments) if after else None
        setattr(books, method, whole)
        raise Died(done)

    setattr(books, method, dies)
    return lambda: setattr(books, method, whole)


PORT = (
    "cut_off", "drain", "book_waiting", "give_shared", "free_holds", "release_pending", "lapse_held", "expire_lots", "close", "booked_totals", "journal_totals",
    "carried_in", "fees_before", "count_events", "sums_by_unit", "balances", "partition_counts", "keep",
)  # fmt: skip


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", PORT)
def test_a_night_that_died_at_any_step_goes_on_where_it_stopped(method: str, after: bool) -> None:
    undisturbed, books = filled(), filled()
    night(undisturbed)
    dying(books, method, after=after)
    with pytest.raises(Died):
        night(books)
    night(books)
    assert books.state(MONDAY) is State.NETTED
    assert books.journal == undisturbed.journal
    assert lines(books) == lines(undisturbed)
    assert books.runs[MONDAY].checks == undisturbed.runs[MONDAY].checks


def test_a_window_that_is_cut_off_is_not_cut_again_and_one_that_is_closed_is_not_booked_again() -> None:
    books = filled()
    books.cut_off(MONDAY)
    assert night(books)[0] == "book to the cut"
    closed = filled()
    closed.cut_off(MONDAY)
    closed.drain(MONDAY)
    closed.book_waiting(MONDAY)
    closed.close(MONDAY)
    assert night(closed) == ["add up", "price", "net", "check", "report"]


def test_a_defaulted_window_is_cleared_anew() -> None:
    books = filled()
    night(books)
    books.windows[MONDAY].state = State.DEFAULTED
    assert night(books) == ["add up", "price", "net", "check", "report"]
    assert books.state(MONDAY) is State.NETTED


@pytest.mark.parametrize("state", [State.NETTED, State.APPROVED, State.INSTRUCTED, State.SETTLED])
def test_what_is_netted_or_further_is_left_alone(state: State) -> None:
    books = filled()
    books.windows[MONDAY].state = state
    assert night(books) == []
    assert books.runs == {}


def test_the_night_opens_the_next_window_for_what_comes_meanwhile() -> None:
    books = filled()
    books.cut_off(MONDAY)
    books.append(value_of(purchase("late", 700)))
    night(books)
    assert "issue grocer>opco 105 105" in lines(books)
    assert night(books, TUESDAY) == STEPS
    assert lines(books, TUESDAY) == ["issue grocer>opco 12 12"]  # 7 and the bonus; the points of e1 that were released bring nothing


def tampered(books: MemoryBooks, method: str, change: Callable[[Any], Any]) -> None:
    whole = getattr(books, method)
    setattr(books, method, lambda *arguments: change(whole(*arguments)))


def more(totals: tuple[Total, ...]) -> list[Total]:
    return [replace(totals[0], quantity=totals[0].quantity + 1), *totals[1:]]


@pytest.mark.parametrize(
    ("method", "change", "check"),
    [
        ("journal_totals", more, "recomputed_equal"),
        ("sums_by_unit", lambda sums: (sums[0], {}), "journal_balanced"),
        ("balances", lambda _: Balances(1, 0, 0, 0, 0, 0), "balances_equal_lots"),
        ("partition_counts", lambda _: [PartitionCount("t", 0, 5, 5, 5, 4, 0, 0, 0)], "every_event_once"),
    ],
)
def test_a_check_that_does_not_hold_stops_the_night_before_anything_is_kept(method: str, change: Callable[[Any], Any], check: str) -> None:
    books = filled()
    tampered(books, method, change)
    with pytest.raises(Refusal, match=f"window 2026-03-02: {check}: ") as refused:
        night(books)
    assert ([one.name for one in refused.value.failed], refused.value.day) == ([check], MONDAY)
    assert books.runs == {}
    assert books.state(MONDAY) is State.CLOSED


def test_all_checks_that_do_not_hold_are_named() -> None:
    books = filled()
    tampered(books, "balances", lambda _: Balances(1, 0, 0, 0, 0, 0))
    tampered(books, "sums_by_unit", lambda _: ({"EUR": 1}, {"EUR": 2}))
    with pytest.raises(Refusal) as refused:
        night(books)
    assert [one.name for one in refused.value.failed] == ["journal_balanced", "balances_equal_lots"]
    assert str(refused.value) == (
        "window 2026-03-02: journal_balanced: {'EUR': 'debited 1, credited 2'}; "
        "balances_equal_lots: {'available': 'members 1, lots 0', 'pending': 'members 0, lots 0', 'held': 'members 0, open holds 0'}"
    )


def test_once_somebody_has_set_it_right_the_night_goes_on() -> None:
    books = filled()
    right = books.balances
    tampered(books, "balances", lambda _: Balances(1, 0, 0, 0, 0, 0))
    with pytest.raises(Refusal):
        night(books)
    books.balances = right  # type: ignore[method-assign]
    assert night(books) == ["add up", "price", "net", "check", "report"]


# --- figures over several nights ---------------------------------------------------------------------------------------------------------


def test_pending_points_are_released_in_the_first_window_whose_day_has_come() -> None:
    till = Till(BASE, pending_days=2)
    till.send(purchase("e1", 1000))
    till.night(TUESDAY)
    assert till.balance() == (0, 10)
    till.night()
    assert till.balance() == (10, 0)
    assert till.journal() == ["accrual 10 grocer by base", "release 10 grocer"]
    assert [till.lines(of_day) for of_day in (MONDAY, TUESDAY, day("2026-03-04"))] == [["issue grocer>opco 10 x 0.01 = 0.10 EUR"], [], []]


def test_points_expire_in_the_window_of_their_day_and_a_share_of_them_comes_back() -> None:
    till = Till(
        BASE,
        contracts=(contract("grocer", "0.0100", unused_points_share="0.5"), *BOTH[1:]),
        expiry={"kind": "fixed", "month": 3, "day": 3},
        pending_days=0,
    )
    till.send(purchase("e1", 1000))
    till.night()
    assert till.balance() == (10, 0)
    till.night()
    assert till.balance() == (0, 0)
    assert till.lines(TUESDAY) == ["unused_points opco>grocer 10 x 0.005 = 0.05 EUR"]
    assert till.books.runs[TUESDAY].obligations[0].events is None  # no event is behind it


def test_pending_points_expire_too() -> None:
    till = Till(BASE, expiry={"kind": "fixed", "month": 3, "day": 3}, pending_days=30)
    till.send(purchase("e1", 1000))
    till.night(TUESDAY)
    assert till.balance() == (0, 0)


def test_inactive_members_lose_their_points_and_active_ones_keep_them() -> None:
    till = Till(BASE, expiry={"kind": "inactivity", "months": 1}, accepts_events_up_to_days=90)
    till.enrol("m2", "c2")
    till.send(purchase("e1", 1000, day=day("2026-01-15")), purchase("e2", 1000, card="c2", day=day("2026-01-15")), purchase("e3", 100, card="c2"))
    till.night()  # m1: the end of February has passed; m2 was active in March
    assert (till.balance("m1"), till.balance("m2")) == ((0, 0), (11, 0))


def test_what_is_carried_forward_reaches_the_next_night() -> None:
    till = Till(BASE, minimum_settlement={"EUR": "0.15"})
    till.send(purchase("e1", 1000))
    till.night()
    netting = till.books.runs[MONDAY].netting
    assert netting.payments == ()
    assert {key: waiting.amount_minor for key, waiting in netting.carried.items()} == {("EUR", "grocer"): -10}
    till.send(purchase("e2", 600, day=TUESDAY))
    till.night()
    (paid,) = till.books.runs[TUESDAY].netting.payments
    assert (paid.payer, paid.payee, paid.amount_minor) == ("grocer", "opco", 16)


def test_fees_of_the_months_earlier_windows_count_towards_the_minimum() -> None:
    fees = [
        {"kind": "per_transaction", "amount": "0.10", "currency": "EUR"},
        {"kind": "monthly_minimum", "amount": "1.00", "currency": "EUR"},
    ]
    till = Till(contracts=(contract("grocer", "0.01", fees=fees),), day=day("2026-03-30"))
    till.send(purchase("e1", 100, day=day("2026-03-30")), purchase("e2", 100, day=day("2026-03-30")))
    till.night()
    till.send(purchase("e3", 100, day=day("2026-03-31")))
    till.night()
    assert till.lines(day("2026-03-31")) == ["fee/monthly_minimum grocer>opco 0.70 EUR", "fee/per_transaction grocer>opco 1 x 0.1 = 0.10 EUR"]


def test_one_event_behind_several_totals_of_a_line_is_counted_once() -> None:
    # points of two lots, earned under one version, spent by one event: one line of one event
    till = Till(BASE)
    till.send(purchase("e1", 1000, day=day("2026-02-01")), purchase("e2", 1000), redeem("x1", 20))
    till.night()
    events = {str(one.kind): one.events for one in till.books.runs[MONDAY].obligations}
    assert events == {"issue": 2, "redemption": 1}


def test_a_redemption_of_two_sponsors_points_is_one_event_of_one_line() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000), purchase("e2", 1000, partner="baker"), redeem("x1", 20))
    till.night()
    redeemed = next(one for one in till.books.runs[MONDAY].obligations if one.kind == "redemption")
    assert (redeemed.quantity, redeemed.events, len(redeemed.sources)) == (20, 1, 2)


def test_a_hold_that_runs_out_while_its_member_owes_repays() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 2000), hold("h1", 15, until=moment(at="11:30")), back("r1", "e1", {1: 2000}))
    assert till.debts() == ["15 opco"]
    till.night()
    assert (till.debts(), till.balance()) == ([], (0, 0))
    assert "repayment 15 grocer>opco" in till.journal()


def test_what_is_released_repays_what_its_member_owes() -> None:
    till = Till(BASE, mechanic("fixed_bonus", "at-once", points=30, pending_days=0, partners=["grocer"]), pending_days=1)
    till.send(purchase("e1", 2000), redeem("x1", 30), back("r1", "e1", {1: (2000, "1")}), purchase("e2", 500, partner="fuelco"))
    assert (till.debts(), till.balance()) == (["30 opco"], (-30, 5))
    till.night(TUESDAY)
    assert (till.debts(), till.balance()) == (["25 opco"], (-25, 0))
    assert till.journal()[-2:] == ["release 5 fuelco", "repayment 5 fuelco>opco"]


def test_the_window_of_another_day_is_not_known() -> None:
    with pytest.raises(LookupError):
        night(filled(), day("2026-03-09"))


def test_a_window_is_netted_from_closed_or_defaulted_only() -> None:
    books = filled()
    with pytest.raises(WrongTransition):
        books.keep(MONDAY, (), None, ())  # type: ignore[arg-type]
