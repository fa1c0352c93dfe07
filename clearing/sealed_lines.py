"""Whether sealed obligation lines follow from sealed entries: quantities added up again, prices and percents applied again, rounded once.

What a price or percent is follows from the contract, which the party knows; what it is applied to follows from the entries.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

from clearing.entries import Code
from clearing.rounding import half_even

CHARGED: Final = frozenset({Code.ACCRUAL, Code.REDEMPTION, Code.REPAYMENT, Code.RETURN_UNSPENT, Code.RETURN_SPENT, Code.REDEMPTION_REVERSAL, Code.EXPIRY,
                            Code.RETURN_SPENT_REVERSAL, *(Code(no) for no in range(Code.DISCOUNT, Code.DEFAULT_LOSS + 1))})  # fmt: skip
"""Codes from whose totals lines follow (clearing/obligations.py). Of PURCHASE a line follows only under some contracts."""


class Key(NamedTuple):
    """A pricing key in names, as moves and the sources of lines tell it."""

    code: int
    sponsor: str | None
    contract: str | None
    counterparty: str | None
    counter_contract: str | None
    unit: str


Totals = dict[tuple[str, Key], int]
"""By whose tree, and pricing key: what the moves of its entries add up to."""


class Wrong(NamedTuple):
    """A line, by its number, that does not follow, and why."""

    party: str
    line: int
    why: str


def owner(party: str, key: Key) -> str:
    """In whose tree a total of a party's line is found: its own, where it is sponsor or counterparty; else (the operator's lines) the sponsor's."""
    return party if party in (key.sponsor, key.counterparty) or key.sponsor is None else key.sponsor


def wrong_lines(party: str, lines: Mapping[int, Mapping[str, Any]], totals: Totals) -> Iterator[Wrong]:
    """The lines of a party that do not follow from the totals of its entries, and from each other."""
    for number, line in lines.items():
        why = _from_totals(party, line, totals) if line["sources"] else _from_lines(line, lines)
        if why is not None:
            yield Wrong(party, number, why)


def without_line(party: str, lines: Mapping[int, Mapping[str, Any]], totals: Totals) -> list[Key]:
    """The totals of a party that could be owed for and stand behind none of its lines: nobody owes himself, and a price can be nothing (rule 24)."""
    behind = {Key(*source) for line in lines.values() for source in line["sources"]}
    return sorted((key for whose, key in totals if whose == party and key.code in CHARGED and key not in behind and key.sponsor != key.counterparty), key=str)


def _exact(line: Mapping[str, Any], quantity: int) -> Fraction:
    """A quantity at the line's price, in minor units; a sum of amounts is in minor units already."""
    return Fraction(quantity) if line["unit_price"] is None else quantity * Fraction(line["unit_price"]) * 10 ** line["places"]


def _from_totals(party: str, line: Mapping[str, Any], totals: Totals) -> str | None:
    keys = [Key(*source) for source in line["sources"]]
    if len(set(keys)) != len(keys):
        return "it names a total twice"
    added = sum(totals.get((owner(party, key), key), 0) for key in keys)
    if line["unit_price"] is not None and added != line["quantity"]:
        return f"its quantity is {line['quantity']}, its entries add up to {added}"
    expected = half_even(_exact(line, added))
    return None if expected == line["amount_minor"] else f"its amount is {line['amount_minor']}, from its entries follows {expected}"


def _from_lines(line: Mapping[str, Any], lines: Mapping[int, Mapping[str, Any]]) -> str | None:
    basis = line["basis"]
    if basis is None:
        if line["unit_price"] is None or line["quantity"] != 1 or line["kind"] != "fee":
            return "nothing is named from which it follows"
        exact = _exact(line, 1)
    elif "percent" in basis:
        for number, counts in basis["of"]:
            based = lines.get(number)
            if based is None:
                return f"it rests on line {number}, which is not there"
            priced = based["quantity"] is not None and based["unit_price"] is not None
            most = max(Fraction(based["amount_minor"]), abs(_exact(based, based["quantity"])) if priced else Fraction(0))
            if abs(Fraction(counts)) > most or (line["kind"] == "vat" and abs(Fraction(counts)) != based["amount_minor"]):
                return f"it counts {counts} of line {number}, which has {based['amount_minor']}"
        exact = abs(Fraction(basis["percent"]) / 100 * sum((Fraction(counts) for _, counts in basis["of"]), Fraction(0)))
    else:
        exact = Fraction(basis["minimum_minor"]) - Fraction(basis["paid_minor"])
    expected = half_even(exact)
    return None if expected == line["amount_minor"] else f"its amount is {line['amount_minor']}, from what it rests on follows {expected}"
