"""The night run, from top to bottom (programme.md, "Night run", and rules 16 to 28).

Every step says of itself whether it was done, so a run that died is simply started again: it passes over what is done and goes on where
it stopped. Nothing is done twice, whoever starts it how often.
"""

from collections.abc import Callable
from datetime import date

from clearing import checks
from clearing.default_loss import rest
from clearing.netting import net, positions
from clearing.obligations import price
from clearing.ports import NightBooks, Refusal
from clearing.window import State
from schemas.programme import ProgrammeFile

Progress = Callable[[str], None]


def run_night(day: date, file: ProgrammeFile, books: NightBooks, progress: Progress = lambda _: None) -> None:
    """Brings the window of `day` from open to netted. Raises `Refusal` when a check does not hold."""
    if books.state(day) is State.OPEN:
        progress("cut off")
        books.cut_off(day)
    if books.state(day) is State.DRAINING:
        book_the_night(day, books, progress)
    if books.state(day) in (State.CLOSED, State.DEFAULTED):
        clear(day, file, books, progress)


def book_the_night(day: date, books: NightBooks, progress: Progress) -> None:
    """What is booked when the last event of the window is: in this order, and all of it before the next window goes on."""
    for step, book in (
        ("book to the cut", books.drain),
        ("book what waited", books.book_waiting),
        ("decide limits of all", books.give_shared),
        ("fund points", books.fund_points),
        ("free holds", books.free_holds),
        ("release pending points", books.release_pending),
        ("lapse unclaimed events", books.lapse_held),
        ("expire points", books.expire_lots),
        ("close", books.close),
    ):
        progress(step)
        book(day)


def clear(day: date, file: ProgrammeFile, books: NightBooks, progress: Progress) -> None:
    """Prices what the window brought, nets it and checks it by a second path; only then it counts as netted."""
    progress("add up")
    totals = books.booked_totals(day)
    recomputed = books.journal_totals(day)
    carried_in = books.carried_in(day)

    progress("price")
    obligations = books.count_events(day, price(day, file, totals, books.fees_before(day)))

    progress("net")
    settled = books.settled_before(day)
    netting = net(day, file, obligations, carried_in) if settled is None else rest(day, file, obligations, carried_in, settled)
    net_positions = positions(obligations)

    progress("check")
    made: tuple[checks.Check, ...] = (
        checks.journal_balanced(*books.sums_by_unit(day)),
        checks.balances_equal_lots(books.balances(day)),
        checks.positions_sum_to_zero(net_positions),
        checks.recomputed_equal(totals, recomputed),
        checks.every_event_once(books.partition_counts(day)),
        checks.payments_cover_positions(net_positions, netting, carried_in, file.programme.operator.party, settled.paid if settled is not None else {}),
    )
    given = books.given_under_limits(day)
    if given:  # the report of a programme without limits does not speak of them
        made = (*made, checks.limits_respected(given))
    failed = [check for check in made if not check.ok]
    if failed:
        raise Refusal(day, failed)

    progress("report")
    books.keep(day, obligations, netting, made)
