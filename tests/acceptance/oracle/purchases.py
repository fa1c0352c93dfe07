"""Booking a purchase: what each mechanic gives, who funds it, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.basket import Gift, Line, Purchase, purchase
from tests.acceptance.oracle.credit import Waiting, at_once
from tests.acceptance.oracle.earning import UNITS, in_force, worth
from tests.acceptance.oracle.limits import at_night
from tests.acceptance.oracle.programme import Written, day_of
from tests.acceptance.oracle.reading import Event
from tests.acceptance.oracle.stamps import Stamps
from tests.acceptance.oracle.state import PutOff, Refused, State


def book(state: State, event: Event) -> list[Written]:
    """Rules 3 to 9. Gives the effects."""
    programme, member, day = state.programme, state.cards[event.subject], state.day_of(event)
    local = event.time.astimezone(programme.zone)
    bought = purchase(event, day, local, member, state.facts[member])
    gifts = _gifts(state, bought)
    if gifts and programme.contract(event.party, day) is None:
        raise Refused("no-contract")
    for gift in gifts:
        if gift.unit == "points" and any(points and not _issuing(state, sponsor, bought) for sponsor, points in gift.had.items()):
            raise Refused("no-contract")
    file = programme.mechanics
    late = at_night(file)
    bought.gifts = [gift for gift in gifts if file.index(gift.mechanic) not in late]
    if late:
        bought.undecided = True
        state.put_off.append(PutOff(event, bought, bought.left()))
    state.purchases[event.source, event.id] = bought
    own = programme.contract(event.party, day)
    if own:
        state.books.window.purchases.setdefault(own, set()).add(event.id)
    return [effect for gift in bought.gifts for effect in give(state, bought, gift)]


def decide(state: State, bought: Purchase, left: list[Line]) -> list[Written]:
    """The night run: what all limits leave of a purchase as it came, and who wins where that depends on it. Gives the effects."""
    file, bought.undecided = state.programme.mechanics, False
    late = at_night(file)

    def given(mechanic: Written) -> int:
        value = worth(mechanic, bought, left, file)
        value = state.limits.cut(mechanic, bought.member, bought.day, bought.currency, value, at_night=True)
        if state.programme.contract(bought.event.party, bought.day) is None:
            return 0
        if UNITS[mechanic["kind"]] == "points" and not all(_issuing(state, sponsor, bought) for sponsor in _gift(state, bought, mechanic, value).had):
            return 0
        return value

    bought.losers -= late
    _contend(state, bought, given, late)
    values = [(file[place], given(file[place])) for place in sorted(late - bought.losers)]
    effects = []
    for gift in [_gift(state, bought, mechanic, value) for mechanic, value in values if value]:
        bought.gifts = sorted([*bought.gifts, gift], key=lambda one: file.index(one.mechanic))
        effects += give(state, bought, gift)
    return effects


def _issuing(state: State, sponsor: str, bought: Purchase) -> bool:
    contract = state.programme.contract(sponsor, bought.day)
    return contract is not None and contract.issuer


def _gifts(state: State, bought: Purchase) -> list[Gift]:
    """What every mechanic gives: limits, then the winner of each group, multipliers after what they multiply."""
    file, left = state.programme.mechanics, bought.left()

    def given(mechanic: Written) -> int:
        return state.limits.cut(mechanic, bought.member, bought.day, bought.currency, worth(mechanic, bought, left, file))

    _contend(state, bought, given, set(range(len(file))))
    totals = [(mechanic, given(mechanic)) for place, mechanic in enumerate(file) if place not in bought.losers]
    return [_gift(state, bought, mechanic, total) for mechanic, total in totals if total]


def _contend(state: State, bought: Purchase, given: Callable[[Written], int], places: set[int]) -> None:
    """Of each group at these places, all but the one that gives most lose."""
    file = state.programme.mechanics
    for multiplying in (False, True):
        for group in dict.fromkeys(file[place]["group"] for place in sorted(places) if "group" in file[place]):
            rivals = [one for one in file if one.get("group") == group and in_force(one, bought)]
            if rivals and any(one["kind"] == "multiplier" for one in rivals) is multiplying:
                winner = max(rivals, key=given)
                bought.losers |= {file.index(one) for one in rivals if one is not winner}


def _gift(state: State, bought: Purchase, mechanic: Written, total: int) -> Gift:
    """Rule 6: split over who funds it."""
    funders = state.programme.shares(mechanic, bought.event.party)
    parts = rules.shares(total, [share for _, share in funders])
    if UNITS[mechanic["kind"]] == "stamp":
        funders, parts = [("", funders[0][1])], [total]
    had = {party: part for (party, _), part in zip(funders, parts, strict=True) if part}
    return Gift(mechanic, UNITS[mechanic["kind"]], had, dict(had))


def give(state: State, bought: Purchase, gift: Gift) -> list[Written]:
    """Books one mechanic's gift. Gives its effects."""
    mechanic, event = gift.mechanic, bought.event
    state.limits.count(mechanic, bought.member, bought.day, gift.total, times=1)
    if gift.unit == "points":
        state.account(bought.member).touch(bought.day)
    if gift.unit == "stamp":
        return _stamp(state, bought, gift)
    for sponsor, part in gift.had.items():
        if gift.unit == "points":
            _issue(state, bought, mechanic, sponsor, part)
        else:
            state.books.paid("discount_funding", sponsor, event.party, bought.currency, part, event.id)
    return [effect(mechanic, gift.unit, part, sponsor, bought.currency) for sponsor, part in gift.had.items()]


def _issue(state: State, bought: Purchase, mechanic: Written, sponsor: str, points: int) -> None:
    head, account, event = state.programme.head, state.account(bought.member), bought.event
    contract = state.programme.contract(sponsor, bought.day)
    assert contract is not None
    lot = account.lot(contract, bought.day, mechanic.get("expiry") or head["expiry"])
    state.lots_of[event.source, event.id, mechanic["id"], sponsor] = lot
    pending = mechanic.get("pending_days", head.get("pending_days", 0))
    release = bought.day + timedelta(days=pending) if pending else None
    given = at_once(state, contract, points)
    if given < points:
        lot.unfunded[release] = lot.unfunded.get(release, 0) + points - given
        state.credit.waiting.append(Waiting(list(state.seen).index((event.source, event.id)), account, lot, release, points - given))
    points = given
    state.books.issued(contract, points, event.id)
    if not points:
        return
    if release is not None:
        lot.pending[release] = lot.pending.get(release, 0) + points
    else:
        account.arrive(lot, points, state.books, event.id)


def _stamp(state: State, bought: Purchase, gift: Gift) -> list[Written]:
    """Stamps; at each row that is full for the first time a gift, whose value the funders owe to the seller."""
    mechanic, key = gift.mechanic, (bought.member, gift.mechanic["id"])
    new = state.stamps.setdefault(key, Stamps()).give(mechanic, gift.total, bought.day)
    return [effect(mechanic, "stamp", gift.total, None, ""), *(_hand_out(state, bought.event, mechanic, new) if new else [])]


def choose(state: State, event: Event) -> list[Written]:
    """A stamp choice. Gives the effects."""
    mechanic = _chosen(state, event)
    if mechanic is None:
        raise Refused("malformed")
    if event.data["choice"] == "gift" and state.programme.contract(event.party, state.day_of(event)) is None:
        raise Refused("no-contract")
    file = state.programme.mechanics
    if file.index(mechanic) in at_night(file):
        state.put_off.append(PutOff(event, None, []))
        return []
    return chosen(state, event)


def chosen(state: State, event: Event) -> list[Written]:
    """What a stamp choice brings, now. Gives the effects."""
    mechanic = _chosen(state, event)
    assert mechanic is not None
    key = (state.cards[event.subject], mechanic["id"])
    new = state.stamps.setdefault(key, Stamps()).choose(mechanic, event.data["choice"], state.day_of(event))
    return _hand_out(state, event, mechanic, new) if new else []


def _chosen(state: State, event: Event) -> Written | None:
    """The stamp card that a choice names, if the sender stamps it on the event date."""
    day = state.day_of(event)
    for one in state.programme.mechanics:
        if one["kind"] != "stamp_card" or one["id"] != event.data["mechanic"] or one.get("banks"):
            continue
        if day_of(one["from"]) <= day <= day_of(one.get("to") or day) and event.party in one.get("partners", [event.party]):
            return one
    return None


def _hand_out(state: State, event: Event, mechanic: Written, gifts: int) -> list[Written]:
    """Rule 23, `reward`: the value of gifts, each funder to the partner that hands them out."""
    shown: Written = {"mechanic": mechanic["id"], "kind": "gift", "gift": mechanic["gift"], "sponsor": None}
    currency = state.programme.currency
    value = gifts * rules.minor(mechanic.get("gift_value", "0"), currency)
    if not value:
        return [shown | {"count": gifts}]
    funders = state.programme.shares(mechanic, event.party)
    effects = []
    for (sponsor, _), part in zip(funders, rules.shares(value, [share for _, share in funders]), strict=True):
        if part:
            state.books.paid("reward", sponsor, event.party, currency, part, event.id)
            effects.append(shown | {"sponsor": sponsor, "amount": rules.money(part, currency)})
    return effects


def effect(mechanic: Written | None, unit: str, value: int, sponsor: str | None, currency: str) -> Written:
    """One effect of an answer."""
    shown: Written = {"points": value} if unit == "points" else {"count": value} if unit == "stamp" else {"amount": rules.money(value, currency)}
    return {"mechanic": mechanic and mechanic["id"], "kind": unit, "sponsor": sponsor, **shown}
