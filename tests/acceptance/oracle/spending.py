"""Redemptions, reversals and holds."""

from __future__ import annotations

from datetime import date, datetime

from tests.acceptance.oracle.points import Account, Part, Taking
from tests.acceptance.oracle.programme import Contract, Written
from tests.acceptance.oracle.purchases import effect
from tests.acceptance.oracle.reading import Event
from tests.acceptance.oracle.state import Held, Refused, State, Waits


def _redeemer(state: State, party: str, day: date) -> Contract:
    contract = state.programme.contract(party, day)
    if contract is None or "redeemer" not in contract.written["roles"]:
        raise Refused("no-contract")
    if state.programme.model != "anchor" and "redeem" not in contract.written:
        raise Refused("no-contract")
    return contract


def _taken(state: State, event: Event) -> Taking:
    """Rules 10 and 11."""
    member, day = state.cards[event.subject], state.day_of(event)
    if event.subject in state.blocked:
        raise Refused("card-blocked")
    contract = _redeemer(state, event.party, day)
    if event.data["points"] < state.programme.head.get("minimum_redemption", 0):
        raise Refused("below-minimum-redemption")
    parts = state.account(member).take(event.data["points"], day)
    if parts is None:
        raise Refused("insufficient-points")
    return Taking(member, contract, parts)


def _effects(parts: list[Part], sign: int) -> list[Written]:
    by_sponsor: dict[str, int] = {}
    for part in parts:
        by_sponsor[part.lot.contract.party] = by_sponsor.get(part.lot.contract.party, 0) + part.points
    return [effect(None, "points", sign * points, sponsor, "") for sponsor, points in by_sponsor.items() if points]


def redeem(state: State, event: Event) -> list[Written]:
    """A redemption."""
    taken = _taken(state, event)
    return _spend(state, event, taken)


def _spend(state: State, event: Event, taken: Taking) -> list[Written]:
    state.taken[event.source, event.id] = taken
    for part in taken.parts:
        state.books.spent(part.lot.contract, part.points, event.id, taken.redeemer, None)
    state.account(taken.member).touch(state.day_of(event))
    return _effects(taken.parts, -1)


def hold(state: State, event: Event) -> list[Written]:
    """The lots are earmarked at the hold; nothing is spent yet."""
    taken = _taken(state, event)
    taken.expires = datetime.fromisoformat(event.data["expires_at"])
    state.holds[event.source, event.id] = taken
    return []


def _held(state: State, event: Event) -> Taking:
    original = (event.data.get("original_source", event.source), event.data["original_id"])
    taken = state.holds.get(original)
    if taken is None:
        raise Refused("unknown-original")
    if state.cards[event.subject] != taken.member:
        raise Refused("original-of-other-card")
    assert taken.expires is not None
    if event.time > taken.expires:
        raise Refused("insufficient-points")
    return taken


def capture(state: State, event: Event) -> list[Written]:
    """At most what is held; the rest is freed."""
    taken = _held(state, event)
    if event.data["points"] > taken.points:
        raise Refused("insufficient-points")
    points, parts = event.data["points"], []
    for part in taken.parts:
        used = min(points, part.points)
        points, part.points = points - used, part.points - used
        parts.append(Part(part.lot, used))
    free(state, (event.data.get("original_source", event.source), event.data["original_id"]), event.id)
    contract = _redeemer(state, event.party, state.day_of(event))
    return _spend(state, event, Taking(taken.member, contract, parts))


def release(state: State, event: Event) -> list[Written]:
    """What is held is freed."""
    _held(state, event)
    free(state, (event.data.get("original_source", event.source), event.data["original_id"]), event.id)
    return []


def free(state: State, key: tuple[str, str], event: str | None) -> None:
    """Puts what is left of a hold back into its lots, where it repays what the member owes."""
    taken = state.holds.pop(key)
    put_back(state, state.account(taken.member), taken.parts, event)


def put_back(state: State, account: Account, parts: list[Part], event: str | None) -> None:
    """Points that come back into their lots."""
    for part in parts:
        account.arrive(part.lot, part.points, state.books, event)


def reverse(state: State, event: Event) -> list[Written]:
    """Rule 12: back into the lots that they came from, last spent first; there they repay."""
    taken = state.taken.get((event.data.get("original_source", event.source), event.data["original_id"]))
    if taken is None:
        raise Waits
    if event.subject not in state.cards:
        raise Held
    if state.cards[event.subject] != taken.member:
        raise Refused("original-of-other-card")
    points, back = event.data["points"], []
    if points > taken.points:
        raise Refused("returned-too-much")
    for part in reversed(taken.parts):
        put = min(points, part.points)
        points, part.points = points - put, part.points - put
        if put:
            back.append(Part(part.lot, put))
            state.books.unspent(part.lot.contract, put, event.id, taken.redeemer)
    put_back(state, state.account(taken.member), back, event.id)
    return _effects(back, 1)
