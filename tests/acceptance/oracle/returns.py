"""Returns and price adjustments: what remains is valued again, and the difference is taken back."""

from __future__ import annotations

from fractions import Fraction

from tests.acceptance.oracle import limits, rules
from tests.acceptance.oracle.basket import Gift, Line, Purchase
from tests.acceptance.oracle.earning import worth
from tests.acceptance.oracle.points import Debt
from tests.acceptance.oracle.programme import Written
from tests.acceptance.oracle.purchases import effect
from tests.acceptance.oracle.reading import Event
from tests.acceptance.oracle.state import Held, PutOff, Refused, State, Waits


def book(state: State, event: Event) -> list[Written]:
    """Rules 13 to 15. Gives the effects. A return waits for its original before it is held for its card."""
    original = (event.data.get("original_source", event.source), event.data["original_id"])
    bought = state.purchases.get(original)
    if bought is None:
        if any((one.source, one.id) == original for one in state.held):
            raise Held
        raise Waits
    if event.subject not in state.cards:
        raise Held
    member = state.cards[event.subject]
    if member != bought.member:
        raise Refused("original-of-other-card")
    _take_out(bought, event)
    left = bought.left()
    if bought.undecided:
        state.put_off.append(PutOff(event, bought, left))
    return take_back(state, event, bought, left, at_night=False)


def take_back(state: State, event: Event, bought: Purchase, left: list[Line], *, at_night: bool) -> list[Written]:
    """What a return takes back of all gifts; at night of those that the night decides. Gives the effects."""
    file = state.programme.mechanics
    late = limits.at_night(file)
    effects: list[Written] = []
    for gift in bought.gifts:
        of_night = file.index(gift.mechanic) in late
        if not at_night or of_night:
            effects += _difference(state, event, bought, gift, worth(gift.mechanic, bought, left, file), room_at_night=of_night and not at_night)
    state.account(bought.member).repay(state.day_of(event), state.books, event.id)
    return effects


def _take_out(bought: Purchase, event: Event) -> None:
    """Marks what comes back, unless it is more than there is."""
    if event.data["currency"] != bought.currency:
        raise Refused("currency-not-accepted")
    amounts: dict[int, int] = {}
    units: dict[int, Fraction] = {}
    uncounted: set[int] = set()
    for line in event.data["lines"]:
        number = int(line["line"])
        if number not in bought.lines:
            raise Refused("returned-too-much")
        amounts[number] = amounts.get(number, 0) + line["amount_minor"]
        units[number] = units.get(number, Fraction(0)) + Fraction(str(line.get("quantity", "0")))
        if "quantity" not in line and event.type == "return":
            uncounted.add(number)
    for number, line in bought.lines.items():
        if line.back + amounts.get(number, 0) > line.amount or units.get(number, Fraction(0)) > line.units_left:
            raise Refused("returned-too-much")
    for number, amount in amounts.items():
        line = bought.lines[number]
        line.back += amount
        line.units_back += units[number]
        line.gone = line.gone or (number in uncounted and line.back == line.amount)


def _difference(state: State, event: Event, bought: Purchase, gift: Gift, worth_now: int, *, room_at_night: bool) -> list[Written]:
    """Takes one mechanic's difference back, from each sponsor in proportion to what it still has from it. Gives the effects.

    `room_at_night`: the room that this brings back is there at night, for what was received after it.
    """
    taken = max(0, gift.total - worth_now)
    if not taken:
        return []
    mechanic, source = gift.mechanic, bought.event
    parts = rules.shares(taken, list(gift.has.values()))
    effects = []
    for sponsor, part in zip(list(gift.has), parts, strict=True):
        gift.has[sponsor] -= part
        shown = part
        if gift.unit == "points":
            shown = _points_back(state, event, bought, (source.source, source.id, mechanic["id"], sponsor), part)
        elif gift.unit == "discount":
            state.books.paid("discount_funding_reversal", source.party, sponsor, bought.currency, part, event.id)
        else:
            state.stamps[bought.member, mechanic["id"]].take(mechanic, part, bought.day)
        if shown:
            effects.append(effect(mechanic, gift.unit, -shown, sponsor or None, bought.currency))
    times = 0 if gift.total else -1
    if room_at_night:
        state.put_off.append(PutOff(event, bought, [], (mechanic, -taken, times)))
    else:
        state.limits.count(mechanic, bought.member, bought.day, -taken, times=times)
    return effects


def _points_back(state: State, event: Event, bought: Purchase, key: tuple[str, str, str, str], points: int) -> int:
    """Rules 14 and 19: takes points out of their lot; what was spent somebody bears. Gives what was taken back, expired points left out."""
    programme, account, lot = state.programme, state.account(bought.member), state.lots_of[key]
    unspent, spent = account.take_back(lot, points)
    dropped = account.dropped
    state.books.taken_back(lot.contract, unspent, event.id, None)
    bears = programme.head.get("spent_points_on_return", "negative_balance")
    if spent:
        bearer = bought.event.party if bears == "partner" else programme.operator
        if bears == "negative_balance" and programme.model == "anchor":
            bearer = lot.contract.party
        state.books.taken_back(lot.contract, spent, event.id, bearer)
        if bears == "negative_balance":
            account.debts.append(Debt(spent, bearer))
    return dropped + unspent + spent
