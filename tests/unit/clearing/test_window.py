"""The window's state machine: every pair of state and event, and what follows from the whole table."""

from itertools import product

import pytest

from clearing.errors import ClearingError
from clearing.window import TRANSITIONS, Event, State, WrongTransition, advance

DIAGRAM = """
open        cut_off             draining
draining    drained             closed
closed      netted              netted
netted      approved            approved
netted      rejected            closed
netted      voided              closed
approved    instructed          instructed
approved    rejected            closed
approved    voided              closed
instructed  confirmed           settled
instructed  unpaid_at_deadline  defaulted
defaulted   netted              netted
"""
REFUSED = """
            open   draining  closed  netted  approved  instructed  settled  defaulted
cut_off     .      late      late    late    late      late        final    late
drained     early  .         late    late    late      late        final    late
netted      early  early     .       late    late      late        final    .
approved    early  early     early   .       late      late        final    early
rejected    early  early     early   .       .         late        final    early
voided      early  early     early   .       .         late        final    early
instructed  early  early     early   early   .         late        final    early
confirmed   early  early     early   early   early     .           final    early
unpaid_at_deadline early early early early   early     .           final    early
"""
"""What each event is refused as, by state; a dot where it is taken."""
CODES = {"early": "window-too-early", "late": "window-too-late", "final": "window-final"}
MOVES = {(State(state), Event(event)): State(after) for state, event, after in (line.split() for line in DIAGRAM.split("\n") if line)}


def refusals() -> dict[tuple[State, Event], str]:
    states, *rows = (line.split() for line in REFUSED.split("\n") if line)
    return {(State(state), Event(event)): CODES[word] for event, *words in rows for state, word in zip(states, words, strict=True) if word != "."}


def test_every_pair_of_state_and_event_is_either_taken_or_refused_under_a_code() -> None:
    assert refusals().keys() | MOVES.keys() == set(product(State, Event))
    assert not refusals().keys() & MOVES.keys()
    assert TRANSITIONS == MOVES


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_event_moves_every_state_as_drawn_or_is_refused(state: State, event: Event) -> None:
    if (state, event) in MOVES:
        assert advance(state, event) is MOVES[state, event]
        return
    with pytest.raises(WrongTransition) as refusal:
        advance(state, event)
    assert (refusal.value.state, refusal.value.event, refusal.value.code) == (state, event, refusals()[state, event])
    assert str(refusal.value) == f"a window that is {state.value} cannot be moved by {event.value}"
    assert isinstance(refusal.value, ClearingError)


def test_what_is_settled_is_final() -> None:
    assert [event for state, event in TRANSITIONS if state is State.SETTLED] == []


def test_every_window_can_be_reached_and_can_still_settle() -> None:
    def reachable(start: State) -> set[State]:
        seen, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            after = {to for (state, _), to in TRANSITIONS.items() if state is here} - seen
            seen |= after
            waiting += after
        return seen

    assert reachable(State.OPEN) == set(State)
    assert all(State.SETTLED in reachable(state) for state in State)


def test_the_way_of_an_undisturbed_window() -> None:
    state = State.OPEN
    for event in (Event.CUT_OFF, Event.DRAINED, Event.NETTED, Event.APPROVED, Event.INSTRUCTED, Event.CONFIRMED):
        state = advance(state, event)
    assert state is State.SETTLED


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[State.SETTLED, Event.NETTED] = State.NETTED  # type: ignore[index]
