"""Rewards that do not work on people: out of reach, not understood, for the wrong audience, soon all had."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from schemas import mechanics as spec
from schemas.programme import Mechanic, ProgrammeFile
from services.programme.advice.advice import Advice
from services.programme.coverage import days_of
from services.programme.units import Unit, senders, unit_of

STAMPS_MOST = 20
"""Stamps for a first gift that people still collect."""
PURCHASES_A_MONTH = 8
"""More purchases a month at one kind of shop than this are rare."""
ITEMS_MOST = 24
RULES_MOST = 10
CONDITIONS_MOST = 4
LADDER_LEAST = 3
"""The top of a ladder should lie at least so many times as high as its first step."""

RARELY_BOUGHT = frozenset(
    [
        *("appliances", "cars", "carpets", "electronics", "fireplaces", "flooring", "funerals", "furniture", "heating", "houses", "instruments"),
        *("jewellery", "jewelry", "kitchens", "mattresses", "motorcycles", "pianos", "real-estate", "roofing", "solar", "vehicles", "weddings"),
        *("white-goods", "windows"),
    ]
)
"""Categories of what most people buy once in years."""

_NOT_FOR_BUSINESS = frozenset(["collect_set", "prize_draw", "round_up", "stamp_card"])
_NOT_FOR_CONSUMERS = frozenset(["volume_rebate"])


def gifts_are_in_reach(file: ProgrammeFile) -> Iterator[Advice]:
    """A gift that hardly anybody will ever get."""
    for position, mechanic in enumerate(file.mechanics):
        place = ("mechanics", position)
        if isinstance(mechanic, spec.StampCard):
            yield from _stamp_card_is_in_reach(mechanic, place)
        elif isinstance(mechanic, spec.CollectSet) and len(mechanic.items) > ITEMS_MOST:
            reason = f"a set of {len(mechanic.items)} items: few will complete it"
            yield Advice((*place, "items"), "gift-out-of-reach", reason, f"ask for at most {ITEMS_MOST}, or give a smaller prize on the way")
    yield from _points_come_to_a_redemption(file)


def _stamp_card_is_in_reach(card: spec.StampCard, place: tuple[str | int, ...]) -> Iterator[Advice]:
    first = card.rows[0]
    way_out = "ask for fewer stamps, or give a gift on the way"
    if first > STAMPS_MOST:
        yield Advice((*place, "rows"), "gift-out-of-reach", f"{first} stamps until the first gift", way_out)
    elif card.months is not None and card.stamp_for == "purchase" and first > PURCHASES_A_MONTH * card.months:
        reason = f"{first} purchases in {card.months} months until the first gift"
        yield Advice((*place, "rows"), "gift-out-of-reach", reason, f"{way_out}, or let the card live longer")
    for number, limit in enumerate(card.limit):
        if limit.times is not None and limit.per == "ever" and limit.of == "member" and limit.times < first:
            reason = f"a member gets at most {limit.times} stamps, and the first gift takes {first}"
            yield Advice((*place, "limit", number), "gift-out-of-reach", reason, "raise the limit")


def _points_come_to_a_redemption(file: ProgrammeFile) -> Iterator[Advice]:
    """Points of programmes that give at most fewer than the least that can be spent."""
    giving = [mechanic for mechanic in file.mechanics if unit_of(mechanic) is Unit.POINTS]
    caps = [_most_points_ever(mechanic) for mechanic in giving]
    known = [cap for cap in caps if cap is not None]
    if giving and len(known) == len(caps) and sum(known) < file.programme.minimum_redemption:
        reason = f"members get at most {sum(known)} points, and can spend no fewer than {file.programme.minimum_redemption}"
        yield Advice(("programme", "minimum_redemption"), "gift-out-of-reach", reason, "lower it, or raise the limits of the mechanics")


def _most_points_ever(mechanic: Mechanic) -> int | None:
    limits = [limit.points for limit in mechanic.limit if limit.points is not None and limit.per == "ever" and limit.of == "member"]
    return min(limits, default=None)


def rewards_fit_how_often_people_buy(file: ProgrammeFile) -> Iterator[Advice]:
    """Points or stamps for what is bought once in years expire before they come to anything."""
    trades = {party.id: party.category for party in file.parties}
    for position, mechanic in enumerate(file.mechanics):
        if unit_of(mechanic) not in (Unit.POINTS, Unit.STAMPS):
            continue
        named = mechanic.when.categories
        sellers = [trades.get(party) for party in senders(mechanic, file)]
        if named and all(_rare(category) for category in named):
            yield _rarely(("mechanics", position, "when", "categories"), mechanic.id, ", ".join(named))
        elif not named and sellers and all(trade is not None and _rare(trade) for trade in sellers):
            yield _rarely(("mechanics", position, "partners" if mechanic.partners else "id"), mechanic.id, ", ".join(sorted({str(trade) for trade in sellers})))


def _rarely(place: tuple[str | int, ...], mechanic: str, what: str) -> Advice:
    reason = f"{mechanic} is for what people buy once in years ({what}): a balance comes to nothing before it expires"
    return Advice(place, "rarely-bought", reason, "give a discount or a service there, and points for what goes with it")


def _rare(category: str) -> bool:
    return any(part.lower() in RARELY_BOUGHT for part in category.split("/"))


def rules_can_be_followed(file: ProgrammeFile) -> Iterator[Advice]:
    """Members follow few rules, and simple ones."""
    for position, mechanic in enumerate(file.mechanics):
        conditions = len(mechanic.when.model_fields_set) + len(mechanic.audience.model_fields_set) + len(mechanic.limit)
        if conditions > CONDITIONS_MOST:
            reason = f"{mechanic.id} has {conditions} conditions and limits: nobody at the till can say whether it applies"
            yield Advice(("mechanics", position, "id"), "too-many-rules", reason, f"leave at most {CONDITIONS_MOST}")
    for party in file.parties:
        busiest = max((_in_force_with(mechanic, party.id, file) for mechanic in file.mechanics), key=len, default=[])
        if len(busiest) > RULES_MOST:
            reason = f"{len(busiest)} mechanics apply at {party.id} on the same day: members will not follow them"
            yield Advice(("mechanics", busiest[-1], "id"), "too-many-rules", reason, f"leave at most {RULES_MOST} at one partner")


def _in_force_with(mechanic: Mechanic, party: str, file: ProgrammeFile) -> list[int]:
    """Positions of the mechanics that apply at a party on the first day of one of them."""
    day = mechanic.valid_from
    return [
        position
        for position, other in enumerate(file.mechanics)
        if party in senders(other, file) and days_of(other.valid_from, other.valid_to).first <= day <= days_of(other.valid_from, other.valid_to).last
    ]


def ladders_have_room(file: ProgrammeFile) -> Iterator[Advice]:
    """A ladder whose top is soon full gives its best to everybody."""
    for position, mechanic in enumerate(file.mechanics):
        if not isinstance(mechanic, spec.CumulativeDiscount) or mechanic.idle_months is not None or mechanic.period != "ever":
            continue
        steps = [step.threshold for step in mechanic.steps if step.threshold > 0]
        if len(steps) > 1 and steps[-1] < LADDER_LEAST * steps[0]:
            reason = f"its top lies only {steps[-1] / steps[0]:.2g} times as high as its first step, and nobody ever steps down: soon all stand on it"
            yield Advice(("mechanics", position, "steps"), "ladder-soon-full", reason, "put the top higher, or count within a period")


def rewards_suit_their_audience(file: ProgrammeFile) -> Iterator[Advice]:
    """Business customers calculate; consumers play."""
    for position, mechanic in enumerate(file.mechanics):
        kinds = set(mechanic.audience.kinds)
        unsuitable = _NOT_FOR_BUSINESS if kinds == {"business"} else _NOT_FOR_CONSUMERS if kinds == {"consumer"} else frozenset()
        if mechanic.kind in unsuitable:
            (audience,) = kinds
            reason = f"{mechanic.kind} seldom moves members of the kind {audience}"
            yield Advice(
                ("mechanics", position, "kind"), "unsuited-reward", reason, "business customers: discounts, rebates, tiers; consumers: points, stamps, gifts"
            )


def partners_do_not_compete(file: ProgrammeFile) -> Iterator[Advice]:
    """No two competing partners in one category and region, unless the programme is a club of one trade (product A3)."""
    merchants = [(position, party) for position, party in enumerate(file.parties) if party.kind == "merchant" and party.category is not None]
    if len({party.category for _, party in merchants}) < 2:
        return
    for (_, one), (position, other) in itertools.combinations(merchants, 2):
        shared = sorted(set(one.regions) & set(other.regions))
        if one.category == other.category and shared:
            reason = f"{one.id} and {other.id} are both in {other.category} in {', '.join(shared)}: a coalition seldom holds two competitors"
            yield Advice(("parties", position, "category"), "competing-partners", reason, "name what sets them apart, by category or region")


CHECKS = (
    gifts_are_in_reach,
    rewards_fit_how_often_people_buy,
    rules_can_be_followed,
    ladders_have_room,
    rewards_suit_their_audience,
    partners_do_not_compete,
)
