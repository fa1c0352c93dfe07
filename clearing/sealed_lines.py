"""Whether sealed obligation lines follow from sealed entries: quantities added up again, prices and percents applied again, rounded once.

What a price or percent is follows from the contract, which the party knows; what it is applied to follows from the entries, and who owes whom from the
rules. Percentages rest on lines that rest on entries, and taxes on these and on fees: so nothing can rest on itself.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

from clearing.entries import Code
from clearing.obligations import SUMS
from clearing.rounding import half_even
from clearing.sealed_rules import EXACT, PLAIN, Key, Line, counted_by, operator_in, rule_of
from schemas.money import MoneyError, currency_places

__all__ = ["Key", "Lines", "Totals", "Wrong", "operator_of", "owner", "without_line", "wrong_lines"]

CHARGED: Final = frozenset({Code.ACCRUAL, Code.REDEMPTION, Code.REPAYMENT, Code.RETURN_UNSPENT, Code.RETURN_SPENT, Code.REDEMPTION_REVERSAL, Code.EXPIRY,
                            Code.RETURN_SPENT_REVERSAL, *(Code(no) for no in range(Code.DISCOUNT, Code.DEFAULT_LOSS + 1))})  # fmt: skip
"""Codes from whose totals lines follow (clearing/obligations.py). Of PURCHASE a line follows only under some contracts."""
TAXED: Final = frozenset({"fee", "issue", "issue_reversal", "redemption", "redemption_reversal"})
"""Kinds of lines that can bear tax (rule 22)."""

Lines = Mapping[int, Line]
"""Lines by their numbers."""
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


def wrong_lines(
    party: str, lines: Lines, totals: Totals, shown: Lines | None = None, operator: str | None = None, events: Totals | None = None
) -> Iterator[Wrong]:
    """The lines of a party that do not follow from the totals of its entries, and from each other.

    `shown`: the lines of all parties, where more than the party's own are there: a fee of one party can rest on a line between two others.
    `operator`: who it is, as far as that is known (`operator_of`). `events`: of each total, how many entries move something of it; left out: not looked at.
    """
    looked = _Looked(party, lines if shown is None else shown, totals, operator, events)
    for number, line in lines.items():
        why = looked.why(line)
        if why is not None:
            yield Wrong(party, number, why)


def operator_of(lines: Lines) -> str | None:
    """Who is the operator by the first line that can tell: one that follows from totals at a price of a contract with the operator."""
    for line in lines.values():
        for key in (Key(*source) for source in line["sources"] if len(source) == len(Key._fields)):
            rule = rule_of(key, line)
            if rule is not None and (name := operator_in(rule, line)) is not None:
                return name
    return None


def without_line(party: str, lines: Lines, totals: Totals) -> list[tuple[Key, bool]]:
    """The totals of a party that could be owed for and stand behind none of its lines: nobody owes himself, and nothing is owed for nothing (rule 24).

    With each whether it is a fault: sums of amounts are owed as they are. Points are owed at a price, which can be nothing.
    """
    behind = {Key(*source) for line in lines.values() for source in line["sources"]}
    open_ = [key for whose, key in totals if whose == party and key.code in CHARGED and key not in behind and key.sponsor != key.counterparty]
    return [(key, key.code in SUMS) for key in sorted(open_, key=str) if totals[party, key] or key.code not in SUMS]


def _exact(line: Line, quantity: int) -> Fraction:
    """A quantity at the line's price, in minor units; a sum of amounts is in minor units already."""
    return Fraction(quantity) if line["unit_price"] is None else quantity * Fraction(line["unit_price"]) * 10 ** line["places"]


def _form(party: str, line: Line) -> str | None:
    """What cannot be so in any line, whatever it follows from."""
    try:
        places = currency_places(line["currency"])
    except MoneyError:
        return f"{line['currency']} is no currency"
    if line["places"] != places:
        return f"{line['currency']} has {places} places"
    if line["unit_price"] is not None and not PLAIN.fullmatch(line["unit_price"]):
        return "its price is not written as prices are"
    if party not in (line["debtor"], line["creditor"]) or line["debtor"] == line["creditor"]:
        return f"it is not between {party} and another"
    if line["amount_minor"] < 0:
        return "its amount is below zero"
    return None


class _Looked:
    """The lines of a party as they are looked at one after the other: what is charged already is charged once."""

    def __init__(self, party: str, shown: Lines, totals: Totals, operator: str | None, events: Totals | None) -> None:
        self.party = party
        self.shown = shown
        self.totals = totals
        self.operator = operator
        self.events = events
        self.charged: set[tuple[Any, ...]] = set()
        self.counting: dict[tuple[str, str | None, str | None, str], dict[int, Fraction]] = {}
        for number, line in sorted(shown.items()):
            if line["sources"] and _form(line["debtor"], line) is None:
                self._counts(number, line)

    def why(self, line: Line) -> str | None:
        """Why a line does not follow, or None."""
        return _form(self.party, line) or (self._from_totals(line) if line["sources"] else self._from_lines(line))

    def _counts(self, number: int, line: Line) -> None:
        for key in (Key(*source) for source in line["sources"] if len(source) == len(Key._fields)):
            for detail, payer, version, sign in counted_by(key, line):
                of = self.counting.setdefault((detail, payer, version, line["currency"]), {})
                of[number] = of.get(number, Fraction(0)) + sign * _exact(line, self._total(key))

    def _total(self, key: Key) -> int:
        return self.totals.get((owner(self.party, key), key), 0)

    def _once(self, *what: Any) -> bool:
        """Whether something is charged for the first time."""
        first = what not in self.charged
        self.charged.add(what)
        return first

    def _operates(self, name: str | None) -> str | None:
        self.operator = self.operator or name
        return None if name in (None, self.operator) else f"{name} stands where {self.operator}, the operator, has to"

    def _from_totals(self, line: Line) -> str | None:
        keys = [Key(*source) for source in line["sources"]]
        if len(set(keys)) != len(keys):
            return "it names a total twice"
        if line["basis"] is not None:
            return "it names totals and lines"
        for key in keys:
            rule = rule_of(key, line)
            if rule is None:
                return f"a {line['kind']} of {line['creditor']} from {line['debtor']} in these terms does not follow from a total of code {key.code}"
            if why := self._operates(operator_in(rule, line)):
                return why
            if not self._once("debtor", line["debtor"], key) & self._once("creditor", line["creditor"], key):
                return f"a total of code {key.code} is charged by another line already"
        added = sum(map(self._total, keys))
        if line["unit_price"] is not None and added != line["quantity"]:
            return f"its quantity is {line['quantity']}, its entries add up to {added}"
        if why := self._events(line, keys):
            return why
        return _differs(line, _exact(line, added), "its entries")

    def _events(self, line: Line, keys: list[Key]) -> str | None:
        """An event can be in several totals of a line, and is told once: there are no fewer than in one of them, and no more than in all."""
        if self.events is None:
            return None
        counts = [self.events.get((owner(self.party, key), key), 0) for key in keys]
        least, most, told = max(counts), sum(counts), line["events"]
        return None if (told is None and most == 0) or (told and least <= told <= most) else f"it tells of {told} events, its entries are {least} to {most}"

    def _from_lines(self, line: Line) -> str | None:
        basis, kind = line["basis"], line["kind"]
        if kind not in ("fee", "vat") or line["contract"] is None:
            return "nothing is named from which it follows"
        if line["events"] is not None:
            return "it tells a number of events, and rests on none"
        if kind == "fee" and not self._once(line["detail"], line["debtor"], line["creditor"], line["currency"], line["contract"]):
            return "this fee is charged by another line already"
        how: Callable[[Line], str | None] | None = {
            (True, "fee", "monthly"): self._monthly,
            (False, "fee", "monthly_minimum"): self._minimum,
            (False, "fee", "percent_of_issue"): self._percentage,
            (False, "fee", "percent_of_redemption"): self._percentage,
            (False, "vat", None): self._tax,
        }.get((basis is None, kind, line["detail"]))
        if how is None or (basis is not None and (line["quantity"], line["unit_price"]) != (None, None)):
            return "nothing is named from which it follows"
        return how(line)

    def _monthly(self, line: Line) -> str | None:
        if line["unit_price"] is None or line["quantity"] != 1:
            return "nothing is named from which it follows"
        return self._operates(line["creditor"]) or _differs(line, _exact(line, 1), "what it rests on")

    def _minimum(self, line: Line) -> str | None:
        basis = line["basis"]
        if set(basis) != {"minimum_minor", "paid_minor"} or not all(EXACT.fullmatch(part) for part in basis.values()):
            return "what it rests on is not written as that is"
        short = Fraction(basis["minimum_minor"]) - Fraction(basis["paid_minor"])
        return self._operates(line["creditor"]) or _differs(line, short, "what it rests on")

    def _percentage(self, line: Line) -> str | None:
        """All that counts for the fee, and no other. Where more came back than was charged, the operator owes it."""
        if why := _unread(line["basis"]):
            return why
        told, payers = line["basis"]["of"], ((line["debtor"], 1), (line["creditor"], -1))
        for payer, sign in payers:
            of = self.counting.get((line["detail"], payer, line["contract"], line["currency"]), {})
            if told and told == [[number, str(counts)] for number, counts in of.items()]:
                return self._operates(payers[sign > 0][0]) or _differs(line, sign * _percent(line, sum(of.values(), Fraction(0))), "what it rests on")
        return f"the lines that it rests on are not those that count for a {line['detail']} of this contract, each with what counts of it"

    def _tax(self, line: Line) -> str | None:
        """Lines between the same two, each once, as far as they go from the one who owes the tax to the one who gets it."""
        if why := _unread(line["basis"]):
            return why
        base, sides = 0, {line["debtor"], line["creditor"]}
        for number, counts in line["basis"]["of"]:
            of = self.shown.get(number)
            if of is None:
                return f"it rests on line {number}, which is not there"
            if of["kind"] not in TAXED or {of["debtor"], of["creditor"]} != sides or any(of[name] != line[name] for name in ("currency", "contract")):
                return f"line {number} bears no tax of {line['debtor']} to {line['creditor']} in {line['currency']} under this contract"
            owed = of["amount_minor"] if of["debtor"] == line["debtor"] else -of["amount_minor"]
            if counts != str(owed):
                return f"it counts {counts[:40]} of line {number}, which has {owed}"
            if not self._once("taxed", number):
                return f"line {number} is taxed already"
            base += owed
        return _differs(line, _percent(line, Fraction(base)), "what it rests on")


def _unread(basis: Mapping[str, Any]) -> str | None:
    if set(basis) == {"of", "percent"} and PLAIN.fullmatch(basis["percent"]):
        return None
    return "what it rests on is not written as that is"


def _percent(line: Line, base: Fraction) -> Fraction:
    return Fraction(line["basis"]["percent"]) / 100 * base


def _differs(line: Line, exact: Fraction, whence: str) -> str | None:
    expected = half_even(exact)
    return None if expected == line["amount_minor"] and exact > 0 else f"its amount is {line['amount_minor']}, from {whence} follows {expected}"
