"""A programme's books as the accounts read them: in one snapshot, up to the end of a closed window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any

import psycopg

from clearing.entries import POINTS, Code
from clearing.liability import Held, Outstanding
from clearing.lines import minor
from clearing.terms import Terms, redeem_price
from clearing.unused_points import NEEDS, Estimate, Moved, Needs, Step, estimate, triangle
from schemas.ids import PartyId
from services.accounts import statements as sql
from services.journal.names import Names
from services.journal.programmes import load

YEAR_DAYS = 365
STATES = (Held.AVAILABLE, Held.PENDING, Held.HELD)
"""By the last two bits of a member's account number."""


class NotClosedError(LookupError):
    """The day asked for is no closed window; `sentence` says what there is."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Became:
    """Points of one cohort and contract version under one code. `day` is their window, or the first of its month where a month was asked for."""

    day: date
    cohort: date
    sponsor: PartyId
    contract: date
    code: Code
    by_operator: bool
    points: int

    @property
    def step(self) -> Step:
        """What it does to the cohort, whoever bears what is taken back."""
        match self.code:
            case Code.ACCRUAL:
                return Step(earned=self.points)
            case Code.RETURN_UNSPENT:
                return Step(taken_back=self.points)
            case Code.REDEMPTION | Code.REPAYMENT:
                return Step(spent=self.points)
            case Code.REDEMPTION_REVERSAL:
                return Step(spent=-self.points)
            case Code.RETURN_SPENT:
                return Step(taken_back=self.points, spent=-self.points)
            case Code.RETURN_SPENT_REVERSAL:
                return Step(taken_back=-self.points, spent=self.points)
            case _:
                return Step(expired=self.points)


class Books:
    """What the accounts ask; the connection's transaction is one snapshot."""

    def __init__(self, connection: psycopg.Connection) -> None:
        connection.autocommit = False
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute("set local work_mem to '256MB'")
        self.connection = connection
        self.file = load(connection)
        self.terms = Terms(self.file)
        self.points_unit = Names(connection).unit[POINTS]

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """The rows of a statement of this package; the unit of points and the operator are known to it."""
        named = {"points": self.points_unit, "operator": self.terms.operator, **values}
        return self.connection.execute(statement, named).fetchall()

    @cached_property
    def closed(self) -> tuple[date, date] | None:
        """The first and the newest closed window; None where there is none."""
        ((first, last),) = self.rows(sql.WINDOWS)
        return None if last is None else (first, last)

    def day(self, wanted: date | None) -> date:
        """The closed window asked for, or the newest. Raises NotClosedError."""
        if self.closed is None:
            raise NotClosedError("no window was closed yet: clh window list")
        if wanted is None or wanted == self.closed[1]:
            return self.closed[1]
        row = self.connection.execute(sql.IS_CLOSED, (wanted,)).fetchone()
        if row is None or not row[0]:
            raise NotClosedError(f"{wanted} is no closed window; they lie between {self.closed[0]} and {self.closed[1]}: clh window list")
        return wanted

    def outstanding(self, day: date) -> list[Outstanding]:
        """Points that members had at the end of a window."""
        return [
            Outstanding(PartyId(sponsor), contract, STATES[part], earned, expires, points)
            for sponsor, contract, part, earned, expires, points in self.rows(sql.OUTSTANDING, day=day)
        ]

    def owed(self, day: date) -> int:
        """Points that members owed then."""
        return int(self.rows(sql.OWED, day=day)[0][0])

    def at_close(self, day: date) -> Mapping[str, Any]:
        """What was measured from lots and balances when the window was closed."""
        row = self.connection.execute(sql.CLOSING, (day,)).fetchone()
        assert row is not None, "a closed window was measured"
        figures: Mapping[str, Any] = row[0]
        return figures

    def redemption_prices(self, day: date) -> tuple[dict[str, Fraction], str]:
        """The price at which a point is expected to be spent, by currency in minor units, and what it rests on.

        That is the average of the last year's redemptions; where there were none, the plain average of the prices of all redeemers in force. Prices in several
        currencies count each with its share of the points.
        """
        spent: dict[str, Fraction] = {}
        points = 0
        for party, contract, quantity in self.rows(sql.REDEEMED, after=day - timedelta(days=YEAR_DAYS), day=day):
            version = self.terms.version(PartyId(party), contract)
            if version.redeem is not None:
                price = redeem_price(version)
                spent[price.currency] = spent.get(price.currency, Fraction(0)) + quantity * minor(price.price, price.currency)
                points += quantity
        if points > 0:
            return {currency: amount / points for currency, amount in spent.items()}, "redemptions of the last year"
        asked = [contract.redeem for contract in self.terms.all_in_force(day) if contract.redeem is not None and "redeemer" in contract.roles]
        prices: dict[str, Fraction] = {}
        for price in asked:
            prices[price.currency] = prices.get(price.currency, Fraction(0)) + minor(price.price, price.currency) / len(asked)
        return prices, "prices of the redeemers in force" if asked else "no price of redemption"

    def became(self, day: date, first: date | None = None) -> list[Became]:
        """What became of points up to a window, month by month; from the window `first` on, window by window."""
        rows = self.rows(sql.BY_MONTH, day=day) if first is None else self.rows(sql.BY_WINDOW, day=day, first=first)
        return [Became(at, cohort, PartyId(sponsor), contract, Code(code), by, points) for at, cohort, sponsor, contract, code, by, points in rows]


def whole_month(day: date, newest: date) -> date:
    """The first day of the last month whose windows are all closed by `day`: its own where `day` is its last day or a later month has been closed."""
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    over = day + timedelta(days=1) == following or newest >= following
    return day.replace(day=1) if over else (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def estimated(became: list[Became], last: date, needs: Needs = NEEDS) -> Estimate | None:
    """The estimate of points never to be spent from all months up to that of `last`."""
    return estimate(triangle((Moved(one.cohort, one.day, one.step) for one in became), last), needs)
