"""What of the issue price is deferred and what has become revenue (IFRS 15), rolled forward over a month (I2).

What sponsors pay at issue is deferred revenue until the points are spent. A *pool* is the points of one sponsor's contract version that were earned in one
month. With, of its points, N given (less what was taken back), S spent, X expired, the price i paid at issue, and w the share of it that goes back to the
sponsor when points expire, what is deferred is

    N·i − S·i·(1 + g·(1 − w)) − X·i·(w + h·(1 − w))

- With an estimate: of a pool's points the share b = (X + left × unspent) ÷ N will never be spent. It becomes revenue with the points that are spent:
  g = b ÷ (1 − b), h = 0.
- Without one (too little history), or where points of a pool have expired and none was spent: they become revenue when they expire, g = 0, h = 1.

Between two estimates g and h stand still, so every movement is a quantity times a price. At a month's end the new estimate is caught up in full. When all
of a pool is spent or expired, nothing is deferred, by either way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique
from fractions import Fraction
from typing import NamedTuple

from clearing.entries import Code
from clearing.errors import ClearingError
from clearing.liability import Unspent
from clearing.lines import minor
from clearing.rounding import half_even
from clearing.terms import Terms, issue_price
from clearing.unused_points import months_between
from schemas.ids import PartyId

ZERO, ONE = Fraction(0), Fraction(1)


class PoolKey(NamedTuple):
    """Whose points, under which contract version, earned in which month (its first day)."""

    sponsor: PartyId
    contract: date
    cohort: date


class Pool(NamedTuple):
    """Points given (less what was taken back), spent and expired."""

    given: int = 0
    spent: int = 0
    expired: int = 0

    def plus(self, other: "Pool") -> "Pool":
        """Both together."""
        return Pool(self.given + other.given, self.spent + other.spent, self.expired + other.expired)

    @property
    def left(self) -> int:
        """What members have of them."""
        return self.given - self.spent - self.expired


class Factors(NamedTuple):
    """By how much revenue for points never to be spent goes with each point spent (`with_spent`, g) and with each that expires (`with_expired`, h)."""

    with_spent: Fraction
    with_expired: Fraction


AT_EXPIRY = Factors(ZERO, ONE)
"""Points never to be spent become revenue when they expire."""


class Price(NamedTuple):
    """What a sponsor has paid at issue for a point, in minor units, and the share of it that goes back when the point expires."""

    currency: str
    issue_minor: Fraction
    paid_back: Fraction

    @property
    def kept(self) -> Fraction:
        """The share that stays when a point expires."""
        return ONE - self.paid_back


@unique
class Movement(StrEnum):
    """What moves deferred revenue. Those of a window first; the last two are of the month's end."""

    ISSUED = "issued"
    """Points given: receivable against deferred revenue."""
    REDEEMED = "redeemed"
    """Points spent (or put back): deferred revenue becomes revenue."""
    UNUSED = "unused"
    """The share for points never to be spent becomes revenue: with the points spent, or as they expire."""
    REVERSED = "reversed"
    """Points taken back: at the original price, to their sponsor."""
    PAID_BACK = "paid_back"
    """Points expired: what their contract gives back to the sponsor (rule 20)."""
    CAUGHT_UP = "caught_up"
    """A new estimate of points never to be spent, applied to all that has been spent so far."""
    ROUNDING = "rounding"
    """What rounding every window's amount once has left of the month's."""


class Change(NamedTuple):
    """Points of a pool under one code in one window. `by_operator`: the operator is their counterparty, so it bears what is taken back of spent points."""

    day: date
    pool: PoolKey
    code: Code
    by_operator: bool
    points: int

    @property
    def of_pool(self) -> Pool:
        """What it does to the pool. What somebody other than the operator bears is between it and the sponsor: to the operator the points stay spent."""
        match self.code:
            case Code.ACCRUAL:
                return Pool(given=self.points)
            case Code.RETURN_UNSPENT:
                return Pool(given=-self.points)
            case Code.REDEMPTION | Code.REPAYMENT:
                return Pool(spent=self.points)
            case Code.REDEMPTION_REVERSAL:
                return Pool(spent=-self.points)
            case Code.RETURN_SPENT if self.by_operator:
                return Pool(given=-self.points, spent=-self.points)
            case Code.RETURN_SPENT_REVERSAL if self.by_operator:
                return Pool(given=self.points, spent=self.points)
            case Code.EXPIRY:
                return Pool(expired=self.points)
            case _:
                return Pool()


def factors(pool: Pool, unspent: Fraction | None) -> Factors:
    """How points never to be spent become revenue, if of those left the share `unspent` never will be (None: nothing to rest on)."""
    if unspent is None or pool.spent < 0 or (pool.spent == 0 and pool.expired > 0):
        return AT_EXPIRY
    share = (pool.expired + pool.left * unspent) / pool.given if pool.given > 0 else unspent
    return Factors(share / (ONE - share), ZERO) if ZERO <= share < ONE else AT_EXPIRY


def deferred_minor(pool: Pool, price: Price, by: Factors) -> Fraction:
    """What is deferred of a pool, exactly, in minor units."""
    of_spent = ONE + by.with_spent * price.kept
    of_expired = price.paid_back + by.with_expired * price.kept
    return (pool.given - pool.spent * of_spent - pool.expired * of_expired) * price.issue_minor


class Amount(NamedTuple):
    """Points and what they come to, exactly, in minor units; negative is what leaves deferred revenue."""

    points: int
    minor: Fraction


def movements(change: Change, price: Price, by: Factors) -> dict[Movement, Amount]:
    """What a change does to deferred revenue. Points never to be spent are a share, so no points stand beside their revenue."""
    of = change.of_pool
    unused = (of.spent * by.with_spent + of.expired * by.with_expired) * price.kept
    return {
        (Movement.ISSUED if change.code is Code.ACCRUAL else Movement.REVERSED): Amount(of.given, of.given * price.issue_minor),
        Movement.REDEEMED: Amount(-of.spent, -of.spent * price.issue_minor),
        Movement.UNUSED: Amount(0, -unused * price.issue_minor),
        Movement.PAID_BACK: Amount(-of.expired, -of.expired * price.paid_back * price.issue_minor),
    }


def caught_up(pool: Pool, price: Price, before: Factors, after: Factors) -> Fraction:
    """What a new estimate changes for all that was spent and has expired so far."""
    more = pool.spent * (after.with_spent - before.with_spent) + pool.expired * (after.with_expired - before.with_expired)
    return -more * price.kept * price.issue_minor


class UnexplainedError(ClearingError):
    """Opening and movements of an account do not come to what its pools say is deferred: `left_minor` is what nobody has explained."""

    def __init__(self, account: "Account", left_minor: Fraction) -> None:
        super().__init__(f"deferred revenue of {account.sponsor} from {account.contract} in {account.currency}: {left_minor} minor units are not explained")
        self.account = account
        self.left_minor = left_minor


class Account(NamedTuple):
    """Deferred revenue is kept for each sponsor, contract version and currency."""

    sponsor: PartyId
    contract: date
    currency: str


@dataclass(frozen=True, slots=True)
class Moved:
    """One amount: what a window (the month's end, for the last two) moved on an account.

    `points`: those that it is the price of, where there are such. Both are below zero where they leave deferred revenue.
    """

    day: date
    account: Account
    movement: Movement
    points: int | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Rolled:
    """An account over a month, in minor units: opening plus all that moved is closing."""

    account: Account
    opening_minor: int
    closing_minor: int
    moved: tuple[Moved, ...]

    def sum_of(self, movement: Movement) -> int:
        """A movement of the whole month."""
        return sum(one.amount_minor for one in self.moved if one.movement is movement)


def price_of(key: PoolKey, terms: Terms) -> Price:
    """What was paid at issue for points of a version. Raises MissingTermsError where the programme file does not have it."""
    contract = terms.version(key.sponsor, key.contract)
    issue = issue_price(contract)
    whole = minor(issue.price, issue.currency)
    return Price(issue.currency, whole * Fraction(terms.due_at_issue(contract)), Fraction(contract.unused_points_share))


def roll(
    before: Mapping[PoolKey, Pool],
    changes: Iterable[Change],
    terms: Terms,
    month: date,
    end: date,
    opening: Unspent | None,
    closing: Unspent | None,
) -> list[Rolled]:
    """Rolls deferred revenue forward over the windows of the month that begins with `month`, up to `end`.

    `before` are the pools at its beginning. `opening` is the estimate that the month before closed with, `closing` that of this month's end, each by age in
    months at that moment. Points that the operator gives itself are paid by nobody and left out; so are accounts at which nothing stands or moves.
    Raises UnexplainedError if opening and movements should not come to closing, exactly.
    """
    pools = {key: pool for key, pool in before.items() if key.sponsor != terms.operator}
    by: dict[PoolKey, Factors] = {key: _factors(key, pool, opening, month, -1) for key, pool in pools.items()}
    opened = _sums((key, deferred_minor(pool, price_of(key, terms), by[key])) for key, pool in pools.items())
    exact: dict[tuple[date, Account, Movement], Amount] = {}
    for change in changes:
        key = change.pool
        if key.sponsor == terms.operator:
            continue
        price = price_of(key, terms)
        if key not in pools:
            pools[key], by[key] = Pool(), _factors(key, Pool(), opening, month, -1)
        pools[key] = pools[key].plus(change.of_pool)
        for movement, amount in movements(change, price, by[key]).items():
            _add(exact, (change.day, _account(key, price), movement), amount)
    last = {key: _factors(key, pool, closing, month, 0) for key, pool in pools.items()}
    for key, pool in pools.items():
        price = price_of(key, terms)
        _add(exact, (end, _account(key, price), Movement.CAUGHT_UP), Amount(0, caught_up(pool, price, by[key], last[key])))
    closed = _sums((key, deferred_minor(pool, price_of(key, terms), last[key])) for key, pool in pools.items())
    accounts = {key[:2]: _account(key, price_of(key, terms)) for key in pools}
    rolled = [_rolled(accounts[version], opened.get(version, ZERO), closed[version], exact, end) for version in sorted(accounts)]
    return [one for one in rolled if one.opening_minor or one.closing_minor or one.moved]


def _factors(key: PoolKey, pool: Pool, unspent: Unspent | None, month: date, since: int) -> Factors:
    return factors(pool, None if unspent is None else unspent(months_between(key.cohort, month) + since))


def _account(key: PoolKey, price: Price) -> Account:
    return Account(key.sponsor, key.contract, price.currency)


def _sums(amounts: Iterable[tuple[PoolKey, Fraction]]) -> dict[tuple[PartyId, date], Fraction]:
    sums: dict[tuple[PartyId, date], Fraction] = {}
    for key, amount in amounts:
        version = (key.sponsor, key.contract)
        sums[version] = sums.get(version, ZERO) + amount
    return sums


def _add(exact: dict[tuple[date, Account, Movement], Amount], key: tuple[date, Account, Movement], more: Amount) -> None:
    if more.minor:
        had = exact.get(key, Amount(0, ZERO))
        exact[key] = Amount(had.points + more.points, had.minor + more.minor)


def _rolled(account: Account, opened: Fraction, closed: Fraction, exact: Mapping[tuple[date, Account, Movement], Amount], end: date) -> Rolled:
    """Every amount is rounded once; what that leaves of the difference between the two balances, each rounded once, stands as rounding."""
    order = list(Movement)
    explained = sum((amount for (_, of, _), (_, amount) in exact.items() if of == account), opened)
    if explained != closed:
        raise UnexplainedError(account, closed - explained)
    moved = [
        Moved(day, account, movement, points or None, amount_minor)
        for (day, of, movement), (points, amount) in sorted(exact.items(), key=lambda item: (item[0][0], order.index(item[0][2])))
        if of == account and (amount_minor := half_even(amount))
    ]
    opening_minor, closing_minor = half_even(opened), half_even(closed)
    left = closing_minor - opening_minor - sum(one.amount_minor for one in moved)
    if left:
        moved.append(Moved(end, account, Movement.ROUNDING, None, left))
    return Rolled(account, opening_minor, closing_minor, tuple(moved))
