"""The life of a break: every state and move, and what two people decide."""

from __future__ import annotations

from datetime import date

import pytest

from clearing.matching import BY_MATCHING, REFUSED_AS, SECOND_PERSON, TRANSITIONS, BreakCode, BreakState, Move, MoveRefused, Pass, Unmoved, age_days, moved
from schemas.events.answers import RejectionCode

OPEN, PROPOSED = BreakState.OPEN, BreakState.PROPOSED
OVER = {BreakState.RESOLVED, BreakState.WRITTEN_OFF}


def move(state: BreakState, by: Move, who: str = "ben", proposal: Move | None = None) -> BreakState:
    return moved(state, by, who=who, proposal=proposal, proposed_by=None if proposal is None else "ann")


@pytest.mark.parametrize("state", BreakState)
@pytest.mark.parametrize("by", Move)
def test_a_break_moves_as_the_table_says_and_no_other_way(state: BreakState, by: Move) -> None:
    proposal = by if by in SECOND_PERSON else None
    if (state, by) in TRANSITIONS:
        assert move(state, by, proposal=proposal) is TRANSITIONS[state, by]
    else:
        with pytest.raises(MoveRefused, match=f"a break that is {state} cannot be moved by {by}"):
            move(state, by, proposal=proposal)


@pytest.mark.parametrize("by", sorted(SECOND_PERSON))
def test_what_needs_two_people_is_decided_by_another_than_proposed_it_and_as_it_was_proposed(by: Move) -> None:
    assert move(PROPOSED, by, "ben", by) in OVER
    with pytest.raises(MoveRefused, match="ann proposed it: a second person decides"):
        move(PROPOSED, by, "ann", by)
    for other in [each for each in sorted(SECOND_PERSON) if each is not by]:
        with pytest.raises(MoveRefused, match=f"{other} was proposed, not {by}"):
            move(PROPOSED, by, "ben", other)
    with pytest.raises(MoveRefused, match=f"^a break that is open cannot be moved by {by}; it has to be proposed first$"):
        move(OPEN, by, "ben", None)


@pytest.mark.parametrize(
    ("state", "by", "who", "proposal", "code"),
    [
        (PROPOSED, Move.WRITE_OFF, "  ", Move.WRITE_OFF, Unmoved.NOBODY), (PROPOSED, Move.WRITE_OFF, "ann", Move.WRITE_OFF, Unmoved.SECOND_PERSON),
        (PROPOSED, Move.CREATE, "ben", Move.WRITE_OFF, Unmoved.OTHER_PROPOSAL), (OPEN, Move.CREATE, "ben", None, Unmoved.NOT_PROPOSED),
        (BreakState.RESOLVED, Move.CREATE, "ben", None, Unmoved.WRONG_MOVE), (OPEN, Move.REOPEN, "ben", None, Unmoved.WRONG_MOVE),
    ],
)  # fmt: skip
def test_a_refused_move_has_its_code(state: BreakState, by: Move, who: str, proposal: Move | None, code: Unmoved) -> None:
    with pytest.raises(MoveRefused) as refused:
        move(state, by, who, proposal)
    assert refused.value.code is code
    assert code is not Unmoved.NOBODY or str(refused.value) == "a move has somebody who makes it"


def test_a_break_is_over_only_by_two_people_or_by_matching_and_can_be_reopened() -> None:
    ends = {by for (_, by), after in TRANSITIONS.items() if after in OVER}
    assert ends == SECOND_PERSON | BY_MATCHING
    assert {by for (before, by) in TRANSITIONS if before in OVER} == {Move.REOPEN}


def test_the_passes_stand_in_their_fixed_order() -> None:
    assert [one.name for one in sorted(Pass)] == ["REPLAY", "TRANSACTION", "ARN", "RRN", "CIRCUMSTANCES", "GROUP"]


def test_refusals_lead_to_codes_of_matching() -> None:
    assert set(REFUSED_AS) <= {code.value for code in RejectionCode}
    assert REFUSED_AS["too-old"] is BreakCode.LATE


def test_age_counts_whole_days_and_is_never_below_zero() -> None:
    assert age_days(date(2026, 2, 27), date(2026, 3, 2)) == 3
    assert age_days(date(2026, 3, 2), date(2026, 3, 2)) == 0
    assert age_days(date(2026, 3, 3), date(2026, 3, 2)) == 0
