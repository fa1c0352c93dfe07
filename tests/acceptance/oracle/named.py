"""Events that name their mechanic: services of a privilege, passes sold and visits on them, and each of them cancelled."""

from __future__ import annotations

from datetime import date
from typing import TypeVar

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.basket import Purchase
from tests.acceptance.oracle.earning import applies
from tests.acceptance.oracle.programme import Written, day_of
from tests.acceptance.oracle.reading import Event
from tests.acceptance.oracle.state import Held, Named, Pass, PutOff, Refused, State, Waits

Found = TypeVar("Found", Named, Pass)
EFFECTS = {"privilege": "privilege", "pass": "pass_visit"}


def render(state: State, event: Event) -> list[Written]:
    """A service, or its claim taken back. Gives the effects."""
    if "original_id" in event.data:
        return _cancel(state, event)
    member, day = state.cards[event.subject], state.day_of(event)
    mechanic = _version(state, event.data["mechanic"], "privilege", day)
    if mechanic is None or event.party not in mechanic.get("partners", [event.party]):
        raise Refused("malformed")
    costs = [one["cost"] for one in mechanic["services"] if (one["id"], one["provider"]) == (event.data["service"], event.party)]
    if not costs:
        raise Refused("malformed")
    _still_here(state, member)
    cost = rules.minor(costs[0], state.programme.currency) if _allows(state, mechanic, event, member) else 0
    one = Named(event, member, day, mechanic, event.party, cost)
    if cost and state.programme.contract(event.party, day) is None:
        raise Refused("no-contract")
    state.named[event.source, event.id] = one
    if _of_all(mechanic):
        one.undecided = True
        state.put_off.append(PutOff(event, None, [], named=one))
        return []
    return give(state, one, at_night=False)


def give(state: State, one: Named, *, at_night: bool) -> list[Written]:
    """What limits leave of what a service or visit costs: each funder to the party that rendered it. Gives the effects."""
    currency, one.undecided = state.programme.currency, False
    value = state.limits.cut(one.mechanic, one.member, one.day, currency, one.cost, at_night=at_night) if one.cost else 0
    if not value:
        return []
    state.limits.count(one.mechanic, one.member, one.day, value, times=1)
    funders = state.programme.shares(one.mechanic, one.seller)
    parts = rules.shares(value, [share for _, share in funders])
    one.has = {party: part for (party, _), part in zip(funders, parts, strict=True) if part}
    for party, part in one.has.items():
        state.books.paid(one.mechanic["kind"], party, one.event.party, currency, part, one.event.id)
    return [_amount(one, party, part, currency) for party, part in one.has.items()]


def sell(state: State, event: Event) -> list[Written]:
    """A pass sold, or one that comes back. Gives the effects."""
    if "original_id" in event.data:
        return _back(state, event)
    member, day = state.cards[event.subject], state.day_of(event)
    mechanic = _version(state, event.data["mechanic"], "pass", day)
    if mechanic is None:
        raise Refused("malformed")
    _still_here(state, member)
    if not _is_for(state, mechanic, member):
        raise Refused("malformed")
    if state.programme.contract(event.party, day) is None:
        raise Refused("no-contract")
    one = Pass(event, member, day, mechanic, mechanic["visits"], rules.months_later(day, mechanic["months"]))
    state.passes[event.source, event.id] = one
    return [_count(mechanic, one.left)]


def visit(state: State, event: Event) -> list[Written]:
    """A visit, or one taken back. Gives the effects."""
    if "original_id" in event.data:
        return _cancel(state, event)
    member, day = state.cards[event.subject], state.day_of(event)
    if event.subject in state.blocked:
        raise Refused("card-blocked")
    if member in state.gone:
        raise Refused("member-closed")
    name = event.data["mechanic"]
    if not any(one["id"] == name and one["kind"] == "pass" and _promised(one, event.party) is not None for one in state.programme.mechanics):
        raise Refused("malformed")
    own = [one for one in state.passes.values() if one.member == member and one.mechanic["id"] == name and one.left]
    good = [one for one in own if one.sold <= day < one.end and _promised(one.mechanic, event.party) is not None]
    if not good:
        raise Refused("insufficient-points")
    for one in sorted(good, key=lambda one: (one.end, one.sold, one.event.party, one.event.id)):
        cost = rules.minor(_promised(one.mechanic, event.party), state.programme.currency)
        allowed = cost and state.limits.cut(one.mechanic, member, day, state.programme.currency, cost)
        if not _holds(state, one.mechanic, event, member) or (cost and not allowed):
            continue
        if cost and state.programme.contract(event.party, day) is None:
            raise Refused("no-contract")
        one.left -= 1
        made = state.named[event.source, event.id] = Named(event, member, day, one.mechanic, one.event.party, cost, on=one)
        return [_count(one.mechanic, -1), *give(state, made, at_night=False)]
    state.named[event.source, event.id] = Named(event, member, day, good[0].mechanic, event.party, 0)
    return []


def _cancel(state: State, event: Event) -> list[Written]:
    """A service or visit taken back whole."""
    one = _original(state, event, state.named)
    if one.cancelled:
        raise Refused("returned-too-much")
    one.cancelled = True
    effects = []
    if one.on is not None:
        one.on.left += 1
        effects.append(_count(one.mechanic, 1))
    if one.undecided:
        state.put_off.append(PutOff(event, None, [], named=one))
        return effects
    return effects + take_back(state, event, one, at_night=False)


def take_back(state: State, event: Event, one: Named, *, at_night: bool) -> list[Written]:
    """All that a service or visit brought; the room under limits of all is there at night, for what came after it. Gives the effects."""
    currency, total = state.programme.currency, sum(one.has.values())
    effects = []
    for party, part in one.has.items():
        state.books.paid(f"{one.mechanic['kind']}_reversal", one.event.party, party, currency, part, event.id)
        effects.append(_amount(one, party, -part, currency))
    one.has = {}
    if total and _of_all(one.mechanic) and not at_night:
        state.put_off.append(PutOff(event, None, [], room=(one.mechanic, -total, -1), named=one))
    elif total:
        state.limits.count(one.mechanic, one.member, one.day, -total, times=-1)
    return effects


def _back(state: State, event: Event) -> list[Written]:
    """A pass that comes back with the visits left on it."""
    one = _original(state, event, state.passes)
    if one.back or not one.left or state.day_of(event) >= one.end:
        raise Refused("returned-too-much")
    left, one.left, one.back = one.left, 0, True
    return [_count(one.mechanic, -left)]


def _original(state: State, event: Event, among: dict[tuple[str, str], Found]) -> Found:
    """What a cancellation names. It waits for it before it is held for its card."""
    key = (event.source, event.data["original_id"])
    one = among.get(key)
    if one is not None and one.event.type != event.type:
        one = None
    if one is None:
        if any((held.source, held.id) == key for held in state.held):
            raise Held
        raise Refused("unknown-original") if key in state.seen else Waits
    if event.subject not in state.cards:
        raise Held
    if state.cards[event.subject] != one.member:
        raise Refused("original-of-other-card")
    return one


def _version(state: State, name: str, kind: str, day: date) -> Written | None:
    """The mechanic of that name and kind in force on a day."""
    begun = [one for one in state.programme.mechanics if (one["id"], one["kind"]) == (name, kind) and day_of(one["from"]) <= day]
    latest = max(begun, key=lambda one: day_of(one["from"]), default=None)
    return latest if latest is not None and day <= day_of(latest.get("to") or day) else None


def _bought(state: State, event: Event, member: str) -> Purchase:
    """The event as conditions see it."""
    return Purchase(event, state.day_of(event), event.time.astimezone(state.programme.zone), member, state.facts[member], {})


def _allows(state: State, mechanic: Written, event: Event, member: str) -> bool:
    return applies(mechanic, _bought(state, event, member))


def _holds(state: State, mechanic: Written, event: Event, member: str) -> bool:
    """The conditions of a pass; its days, partners and audience were asked for at the sale."""
    return applies({"from": "1970-01-01", "when": mechanic.get("when") or {}}, _bought(state, event, member))


def _is_for(state: State, mechanic: Written, member: str) -> bool:
    """Whether a pass may be sold to a member."""
    audience, facts = mechanic.get("for") or {}, state.facts[member]
    attributes = facts.get("attributes") or {}
    return (
        facts.get("kind", "consumer") in audience.get("kinds", [facts.get("kind", "consumer")])
        and member in audience.get("members", [member])
        and all(attributes.get(name) in (value if isinstance(value, list) else [value]) for name, value in (audience.get("attributes") or {}).items())
    )


def _still_here(state: State, member: str) -> None:
    if member in state.gone:
        raise Refused("member-closed")


def _promised(mechanic: Written, party: str) -> str | None:
    """What a partner is promised for a visit."""
    return next((str(one["per_visit"]) for one in mechanic["partners"] if one["party"] == party), None)


def _of_all(mechanic: Written) -> bool:
    limit, budget = mechanic.get("limit") or [], mechanic.get("budget")
    limits = [limit] if isinstance(limit, dict) else limit
    return any(one.get("of") == "programme" for one in limits) or bool(budget and budget["at_end"] == "stop")


def _count(mechanic: Written, visits: int) -> Written:
    return {"mechanic": mechanic["id"], "kind": "pass_visit", "count": visits, "sponsor": None}


def _amount(one: Named, sponsor: str, amount: int, currency: str) -> Written:
    return {"mechanic": one.mechanic["id"], "kind": EFFECTS[one.mechanic["kind"]], "amount": rules.money(amount, currency), "sponsor": sponsor}
