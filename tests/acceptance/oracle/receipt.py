"""Limits and budgets of the whole programme: in the night run, in order of receipt."""

from __future__ import annotations

from tests.acceptance.oracle import named, purchases, returns
from tests.acceptance.oracle.state import Named, PutOff, State


def decide(state: State) -> None:
    """Goes through all that was put off. A return that came before its purchase has waited for it, and comes after all that came in order."""
    order = {key: place for place, key in enumerate(state.seen)}

    def place(one: PutOff) -> tuple[bool, int]:
        own = order[one.event.source, one.event.id]
        if one.named is not None and one.event is not one.named.event and one.room is None:
            return own < order[one.named.event.source, one.named.event.id], own
        return one.bought is not None and own < order[one.bought.event.source, one.bought.event.id], own

    waiting, state.put_off = sorted(state.put_off, key=place), []
    for one in waiting:
        if one.named is not None:
            _decide_named(state, one, one.named)
        elif one.bought is None:
            state.events[one.event.id]["effects"] += purchases.chosen(state, one.event)
        elif one.room is not None:
            mechanic, change, times = one.room
            state.limits.count(mechanic, one.bought.member, one.bought.day, change, times=times)
        elif one.event is one.bought.event:
            state.events[one.event.id]["effects"] += purchases.decide(state, one.bought, one.left)
        else:
            state.events[one.event.id]["effects"] += returns.take_back(state, one.event, one.bought, one.left, at_night=True)


def _decide_named(state: State, put_off: PutOff, one: Named) -> None:
    if put_off.room is not None:
        mechanic, change, times = put_off.room
        state.limits.count(mechanic, one.member, one.day, change, times=times)
    elif put_off.event is one.event:
        state.events[put_off.event.id]["effects"] += named.give(state, one, at_night=True)
    else:
        state.events[put_off.event.id]["effects"] += named.take_back(state, put_off.event, one, at_night=True)
