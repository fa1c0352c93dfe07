"""What a mechanic gives on what is left of a purchase, before limits."""

from __future__ import annotations

from fractions import Fraction

from tests.acceptance.oracle import rules
from tests.acceptance.oracle.basket import Line, Purchase
from tests.acceptance.oracle.limits import multiplied
from tests.acceptance.oracle.programme import Written, day_of

UNITS = {"points_on_spend": "points", "multiplier": "points", "fixed_bonus": "points", "card_discount": "discount", "stamp_card": "stamp"}
BY_NAME = ("privilege", "pass")
"""What only events of their own bring."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def in_force(mechanic: Written, bought: Purchase) -> bool:
    """Whether the mechanic is there for this purchase, whatever its conditions say: day, partner, audience. Others are nobody's rivals."""
    if day_of(mechanic["from"]) > bought.day or (mechanic.get("to") and day_of(mechanic["to"]) < bought.day):
        return False
    if mechanic.get("banks") or ("partners" in mechanic and bought.event.party not in mechanic["partners"]):
        return False
    audience = mechanic.get("for") or {}
    for name, fact in (("kinds", bought.facts.get("kind", "consumer")), ("members", bought.member)):
        if name in audience and fact not in audience[name]:
            return False
    attributes = bought.facts.get("attributes") or {}
    wanted = (audience.get("attributes") or {}).items()
    return all(attributes.get(name) in (values if isinstance(values, list) else [values]) for name, values in wanted)


def applies(mechanic: Written, bought: Purchase) -> bool:
    """Whether the mechanic is in force, and the conditions hold that no line can change."""
    if not in_force(mechanic, bought):
        return False
    when, data = mechanic.get("when") or {}, bought.event.data
    return (
        ("stores" not in when or data["store"] in when["stores"])
        and ("channels" not in when or data.get("channel") in when["channels"])
        and ("weekdays" not in when or WEEKDAYS[bought.time.weekday()] in when["weekdays"])
        and ("hours" not in when or _within(bought.time.strftime("%H:%M"), *when["hours"]))
        and ("days" not in when or bought.day in [day_of(day) for day in when["days"]])
    )


def _within(time: str, first: str, end: str) -> bool:
    """First in, last out; hours may go over midnight."""
    return first <= time < end if first < end else time >= first or time < end


def _below(category: str | None, named: list[str]) -> bool:
    return category is not None and any(category == one or category.startswith(one + "/") for one in named)


def qualifies(mechanic: Written, line: Line) -> bool:
    """Whether a line counts for a mechanic."""
    when = mechanic.get("when") or {}
    but = when.get("except") or {}
    if _below(line.category, but.get("categories", [])) or line.sku in but.get("skus", []):
        return False
    if "categories" not in when and "skus" not in when:
        return True
    return _below(line.category, when.get("categories", [])) or line.sku in when.get("skus", [])


def worth(mechanic: Written, bought: Purchase, left: list[Line], file: tuple[Written, ...]) -> int:
    """Points, minor units or stamps for what is left. `file`: all mechanics in the order of the file."""
    if mechanic["kind"] in BY_NAME or not applies(mechanic, bought):
        return 0
    lines = [line for line in left if qualifies(mechanic, line)]
    base = sum(line.base for line in lines)
    least = (mechanic.get("when") or {}).get("minimum")
    if not lines or (least and (least["currency"] != bought.currency or base < rules.minor(least["amount"], bought.currency))):
        return 0
    kind = mechanic["kind"]
    if kind == "points_on_spend":
        return _on_spend(mechanic, bought.currency, base)
    if kind == "multiplier":
        names = multiplied(mechanic, file)
        points = sum(worth(one, bought, lines, file) for one in file if one["id"] in names and file.index(one) not in bought.losers)
        return int((Fraction(mechanic["factor"]) - 1) * points // 1)
    if kind == "fixed_bonus":
        return int(mechanic["points"]) * (_units(lines) if mechanic.get("each") == "unit" else 1)
    if kind == "card_discount":
        return sum(_discount(mechanic, line) for line in lines)
    if kind == "stamp_card":
        return _stamps(mechanic, bought.currency, lines, base)
    raise AssertionError(f"{kind} is not in this oracle")


def _units(lines: list[Line]) -> int:
    return int(sum((line.quantity for line in lines), Fraction(0)) // 1)


def _on_spend(mechanic: Written, currency: str, base: int) -> int:
    if mechanic["per"]["currency"] != currency:
        return 0
    steps = Fraction(base, rules.minor(mechanic["per"]["amount"], currency))
    points = Fraction(str(mechanic["points"]))
    rounding = mechanic.get("rounding", "down")
    if rounding == "proportional":
        return int(steps * points // 1)
    return int(((steps + Fraction(1, 2)) // 1 if rounding == "half_up" else steps // 1) * points)


def _discount(mechanic: Written, line: Line) -> int:
    named = sum(amount for name, amount in line.discounts if name == mechanic["id"])
    before = line.amount + sum(amount for _, amount in line.discounts)
    return min(named, rules.half_even(Fraction(mechanic["percent"]) / 100 * before))


def _stamps(mechanic: Written, currency: str, lines: list[Line], base: int) -> int:
    each = mechanic["stamp_for"]
    if each == "purchase":
        return 1
    if each == "unit":
        return _units(lines)
    return base // rules.minor(each["amount"], currency) if each["currency"] == currency else 0
