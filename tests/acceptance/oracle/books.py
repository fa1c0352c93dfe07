"""What the night prices: points that moved between parties, and sums agreed event by event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from tests.acceptance.oracle.programme import Contract, Programme


@dataclass(frozen=True)
class Line:
    """What makes an obligation a line of its own (rule 25), and whose contract it follows."""

    kind: str
    detail: str | None
    debtor: str
    creditor: str
    currency: str
    contract: Contract | None
    unit_price: Fraction | None
    taxed_as: str | None = None
    redeemer: Contract | None = None

    @property
    def shown(self) -> tuple[object, ...]:
        """The line as the report tells it apart."""
        return self.kind, self.detail, self.debtor, self.creditor, self.currency, self.contract and self.contract.start, self.unit_price


@dataclass
class Sum:
    """How much of a line there is in a window, and the events behind it. Money lines count minor units."""

    quantity: int = 0
    events: set[str] = field(default_factory=set)


@dataclass
class Window:
    """What a business day brought."""

    day: date
    sums: dict[Line, Sum] = field(default_factory=dict)
    purchases: dict[Contract, set[str]] = field(default_factory=dict)


class Books:
    """Writes rules 16 to 20 and 23 down, in the window that is open."""

    def __init__(self, programme: Programme) -> None:
        """Nothing is owed."""
        self.programme = programme
        self.window = Window(date.min)

    def _add(self, line: Line, quantity: int, event: str | None) -> None:
        """Rule 24: nothing where the parties are the same or the price is zero."""
        if line.debtor == line.creditor or line.unit_price == 0 or not quantity:
            return
        entry = self.window.sums.setdefault(line, Sum())
        entry.quantity += quantity
        if event is not None:
            entry.events.add(event)

    def issued(self, contract: Contract, points: int, event: str | None) -> None:
        """Rule 16."""
        operator, price = self.programme.operator, contract.issue_price * self.programme.due(contract)
        self._add(Line("issue", None, contract.party, operator, contract.issue_currency, contract, price, "issue"), points, event)

    def spent(self, lot: Contract, points: int, event: str | None, redeemer: Contract | None, bearer: str | None) -> None:
        """Rules 17 and 18, for a redemption at a partner or (rule 15) a repayment to the debt's bearer."""
        self._spend("redemption", lot, points, event, redeemer, bearer)

    def unspent(self, lot: Contract, points: int, event: str, redeemer: Contract) -> None:
        """Rule 19, `redemption_reversal`: both parts backwards."""
        self._spend("redemption_reversal", lot, points, event, redeemer, None)

    def _spend(self, kind: str, lot: Contract, points: int, event: str | None, redeemer: Contract | None, bearer: str | None) -> None:
        programme, operator, back = self.programme, self.programme.operator, kind.endswith("_reversal")
        later = lot.issue_price * (1 - programme.due(lot))
        if programme.model == "anchor":
            taker = redeemer.party if redeemer else bearer
            assert taker is not None
            pair = (taker, lot.party) if back else (lot.party, taker)
            self._add(Line(kind, None, *pair, lot.issue_currency, lot, later, "redemption", redeemer), points, event)
            return
        if redeemer is not None:
            price, currency = Fraction(redeemer.written["redeem"]["price"]), redeemer.written["redeem"]["currency"]
            pair = (redeemer.party, operator) if back else (operator, redeemer.party)
            self._add(Line(kind, None, *pair, currency, redeemer, price, "redemption", redeemer), points, event)
        if programme.model == "hybrid":
            pair = (operator, lot.party) if back else (lot.party, operator)
            name = kind if back else "issue"
            self._add(Line(name, None, *pair, lot.issue_currency, lot, later, "issue"), points, event)

    def taken_back(self, lot: Contract, points: int, event: str, bearer: str | None) -> None:
        """Rule 19, `issue_reversal`: without a bearer the points were not spent."""
        price = lot.issue_price * (self.programme.due(lot) if bearer is None else 1)
        line = Line("issue_reversal", None, bearer or self.programme.operator, lot.party, lot.issue_currency, lot, price, "issue")
        self._add(line, points, event)

    def expired(self, lot: Contract, points: int) -> None:
        """Rule 20."""
        price = lot.issue_price * self.programme.due(lot) * lot.share("unused_points_share", "0")
        self._add(Line("unused_points", None, self.programme.operator, lot.party, lot.issue_currency, lot, price), points, None)

    def paid(self, kind: str, debtor: str, creditor: str, currency: str, amount: int, event: str) -> None:
        """Rule 23: a sum of one event."""
        self._add(Line(kind, None, debtor, creditor, currency, None, None), amount, event)
