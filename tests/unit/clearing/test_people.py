"""One person is one, however the name is written; wherever two have to decide, it is asked so."""

from __future__ import annotations

from datetime import date

import pytest

from clearing.approval import Action, Refused, Signed, Unsigned, judge
from clearing.disputes import DisputeRefused, may_decide
from clearing.matching import BreakState, Move, MoveRefused, moved
from clearing.people import same_person
from clearing.window import State


@pytest.mark.parametrize(("one", "other"), [("mia", "mia"), ("Mia", "mIA"), (" mia", "mia\t"), ("straße", "STRASSE"), (" Mia ", "mia")])
def test_a_name_written_otherwise_is_the_same_person(one: str, other: str) -> None:
    assert same_person(one, other)
    assert same_person(other, one)


@pytest.mark.parametrize(("one", "other"), [("mia", "mi a"), ("mia", "mía"), ("mia", "mia2"), ("", "mia")])
def test_other_names_are_other_people(one: str, other: str) -> None:
    assert not same_person(one, other)


def test_nobody_decides_about_what_he_brought_under_his_own_name_in_other_letters() -> None:
    day = date(2026, 3, 2)
    with pytest.raises(DisputeRefused, match="has opened it"):
        may_decide(" Ann", "ann", day, day)
    with pytest.raises(MoveRefused, match="a second person decides"):
        moved(BreakState.PROPOSED, Move.WRITE_OFF, who="ANN", proposal=Move.WRITE_OFF, proposed_by="ann")
    maker, checker = Signed(Action.SUBMIT, "mia"), Signed(Action.APPROVE, "carl")
    for signed, action, person, code in (
        ([maker], Action.APPROVE, "Mia", Unsigned.MAKER_IS_CHECKER),
        ([maker, checker], Action.APPROVE, "Carl ", Unsigned.SIGNED_ALREADY),
        ([checker], Action.SUBMIT, "CARL", Unsigned.SIGNED_ALREADY),
    ):
        with pytest.raises(Refused) as refused:
            judge(State.NETTED, signed, action, person)
        assert refused.value.code is code
