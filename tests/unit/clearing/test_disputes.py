"""The life of a dispute: every pair of state and event, who may do what, and what it books."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing.disputes import (
    TRANSITIONS,
    UNDECIDED,
    Booking,
    DisputeCode,
    DisputeEvent,
    DisputeRefused,
    DisputeState,
    booking,
    deadline,
    may_decide,
    may_lapse,
    may_open,
    moved,
)
from schemas.ids import PartyId

GROCER, OPCO = PartyId("grocer"), PartyId("opco")
MONDAY, LATER = date(2026, 3, 2), date(2026, 4, 1)
S, E = DisputeState, DisputeEvent


@pytest.mark.parametrize(("state", "event"), list(product(DisputeState, DisputeEvent)))
def test_every_event_in_every_state_moves_it_or_is_refused(state: DisputeState, event: DisputeEvent) -> None:
    ends = {E.ADD_EVIDENCE: S.EVIDENCE, E.UPHOLD: S.UPHELD, E.RELEASE: S.RELEASED, E.LAPSE: S.LAPSED}
    moves = {(S.OPEN, E.HOLD): S.HELD} | {(before, what): after for before in (S.OPEN, S.HELD, S.EVIDENCE) for what, after in ends.items()}
    expected = moves.get((state, event))
    assert TRANSITIONS.get((state, event)) == expected
    if expected is None:
        with pytest.raises(DisputeRefused) as refused:
            moved(state, event)
        assert refused.value.code is DisputeCode.DISPUTE_OVER
    else:
        assert moved(state, event) is expected


@given(st.booleans(), st.lists(st.just(E.ADD_EVIDENCE), max_size=4), st.sampled_from([E.UPHOLD, E.RELEASE, E.LAPSE]))
def test_what_is_withheld_is_taken_back_or_due_again_exactly_once(paid: bool, evidence: list[DisputeEvent], end: DisputeEvent) -> None:
    events = [*([] if paid else [E.HOLD]), *evidence, end]
    state, booked = S.OPEN, 0
    for event in events:
        state = moved(state, event)
        booked += {None: 0, Booking.BACK: -1, Booking.AGAIN: 1}[booking(event, withheld=not paid)]
    assert booked == (-1 if end is E.UPHOLD else 0), "the line counts no more, or as it did"
    assert state not in UNDECIDED


SAYS = {
    DisputeCode.NOT_THE_DEBTOR: "grocer owes the line: opco cannot dispute it",
    DisputeCode.AMOUNT_TOO_LARGE: "an amount above nothing, and at most the line's 0.10 EUR, can be disputed",
    DisputeCode.REASON_MISSING: "a dispute has a reason",
    DisputeCode.SECOND_PERSON: "ann has opened it: another person decides",
    DisputeCode.DEADLINE_PASSED: "it could be decided until 2026-04-01, and lapses with the next night",
    DisputeCode.NOT_DUE: "it can be decided until 2026-04-01",
}


@pytest.mark.parametrize(
    ("party", "amount", "reason", "code"),
    [
        (OPCO, 5, "why", DisputeCode.NOT_THE_DEBTOR),
        (GROCER, 0, "why", DisputeCode.AMOUNT_TOO_LARGE),
        (GROCER, 11, "why", DisputeCode.AMOUNT_TOO_LARGE),
        (GROCER, 10, " ", DisputeCode.REASON_MISSING),
    ],
)
def test_only_the_debtor_disputes_at_most_the_line_and_says_why(party: PartyId, amount: int, reason: str, code: DisputeCode) -> None:
    with pytest.raises(DisputeRefused) as refused:
        may_open(party, GROCER, amount, 10, "EUR", reason)
    assert (refused.value.code, str(refused.value)) == (code, SAYS[code])
    for fits in (1, 10):
        may_open(GROCER, GROCER, fits, 10, "EUR", "why")


def test_another_person_decides_until_the_deadline_and_it_lapses_after_it() -> None:
    assert deadline(MONDAY, 30) == LATER
    may_decide("ben", "ann", LATER, LATER)
    for person, today, code in (("ann", MONDAY, DisputeCode.SECOND_PERSON), ("ben", date(2026, 4, 2), DisputeCode.DEADLINE_PASSED)):
        with pytest.raises(DisputeRefused) as refused:
            may_decide(person, "ann", LATER, today)
        assert (refused.value.code, str(refused.value)) == (code, SAYS[code])
    with pytest.raises(DisputeRefused) as early:
        may_lapse(LATER, LATER)
    assert (early.value.code, str(early.value)) == (DisputeCode.NOT_DUE, SAYS[DisputeCode.NOT_DUE])
    may_lapse(LATER, date(2026, 4, 2))
