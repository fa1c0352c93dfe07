"""What happens in the night run before prices: holds, pending points, held events, expiry."""

from __future__ import annotations

from datetime import datetime
from datetime import time as clock

from tests.acceptance.oracle import credit, receipt
from tests.acceptance.oracle.points import Account, Lot, Part
from tests.acceptance.oracle.state import State


def free(parts: list[Part], account: Account, state: State) -> None:
    """All holds that ran out at once; what comes back repays in the order of rule 10, whichever hold it was in."""
    for lot in sorted(account.lots, key=Lot.order):
        account.arrive(lot, sum(part.points for part in parts if part.lot is lot), state.books, None)


def run(state: State) -> None:
    """In the contract's order. What waited for its original has been booked or rejected before."""
    receipt.decide(state)
    credit.fund(state)
    end = datetime.combine(state.day, clock(23, 59, 59), state.programme.zone)
    ran_out = [state.holds.pop(key) for key, taken in list(state.holds.items()) if taken.expires is not None and taken.expires <= end]
    for member, account in state.accounts.items():
        free([part for taken in ran_out if taken.member == member for part in taken.parts], account, state)
    for account in state.accounts.values():
        for lot in sorted(account.lots, key=Lot.order):
            for release in sorted(day for day in lot.pending if day <= state.day):
                account.arrive(lot, lot.pending.pop(release), state.books, None)
    claim_days = state.programme.head["claim_days"]
    for event in state.clear_held(lambda one: (state.day - state.day_of(one)).days >= claim_days):
        state.lapse(event)
    for account in state.accounts.values():
        for lot in account.lots:
            if lot.expires is not None and lot.expires <= state.day:
                points = lot.available + sum(lot.pending.values())
                lot.expired += points + sum(lot.unfunded.values())
                lot.available, lot.pending, lot.unfunded = 0, {}, {}
                state.books.expired(lot.contract, points)
