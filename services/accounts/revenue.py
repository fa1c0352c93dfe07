"""Deferred revenue over a month: opening, every movement down to its windows, closing; and what of the issue price was never deferred."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from clearing.deferred import Account, Change, Moved, Movement, Pool, PoolKey, Rolled, roll
from clearing.unused_points import NEEDS, Needs
from schemas.ids import PartyId
from schemas.money import currency_places, to_text
from services.accounts import statements as sql
from services.accounts.books import Became, Books, NotClosedError
from services.accounts.unused import unspent_at
from services.report.tables import Column, Money, Rank, Row, Table, Value, figure, text
from services.report.words import amount_in_words

OF_DEFERRED = (Movement.ISSUED, Movement.REVERSED, Movement.PAID_BACK)
"""Movements whose other side is what a sponsor owes or is owed; the others are revenue."""
WORDS = {
    Movement.ISSUED: "points issued", Movement.REDEEMED: "revenue: points spent", Movement.UNUSED: "revenue: points never to be spent",
    Movement.REVERSED: "reversed by returns", Movement.PAID_BACK: "paid back for expired points", Movement.CAUGHT_UP: "revenue: new estimate caught up",
    Movement.ROUNDING: "revenue: rounding",
}  # fmt: skip


class OperatorsLine(NamedTuple):
    """An obligation line that the operator owes or is owed."""

    day: date
    line: int
    kind: str
    detail: str | None
    debtor: PartyId
    creditor: PartyId
    currency: str
    amount_minor: int
    contract: date | None


@dataclass(frozen=True, slots=True)
class Revenue:
    """A month of deferred revenue. `end` is its last closed window, `over` whether it is its last; `rests_on` says what the share of points
    never to be spent rests on.

    `direct`: by account and window what sponsors were billed for points that was not deferred: due when points are spent (hybrid), less what the operator
    paid back beyond it. `cost` is what redeemed points cost the operator, by currency.
    """

    month: date
    end: date
    over: bool
    rolled: Sequence[Rolled]
    direct: Mapping[tuple[date, Account], int]
    cost: Mapping[str, int]
    lines: Sequence[OperatorsLine]
    rests_on: str

    def sums(self, currency: str) -> dict[str, int]:
        """Opening, each movement, closing, direct revenue and cost, in minor units of a currency."""
        of = [one for one in self.rolled if one.account.currency == currency]
        return {
            "opening": sum(one.opening_minor for one in of),
            **{movement.value: sum(one.sum_of(movement) for one in of) for movement in Movement},
            "closing": sum(one.closing_minor for one in of),
            "direct": sum(amount for (_, account), amount in self.direct.items() if account.currency == currency),
            "cost": self.cost.get(currency, 0),
        }

    def earned(self, currency: str) -> int:
        """What of the deferred money has become revenue in the month, in minor units of a currency; what was never deferred is not in it."""
        return -sum(one.sum_of(movement) for one in self.rolled if one.account.currency == currency for movement in Movement if movement not in OF_DEFERRED)

    @property
    def currencies(self) -> list[str]:
        """All in which something stands or moved."""
        accounts = [one.account for one in self.rolled] + [account for _, account in self.direct]
        return sorted({account.currency for account in accounts} | set(self.cost))


def revenue_of(books: Books, month: date, share: Fraction | None = None, needs: Needs = NEEDS) -> Revenue:
    """The month that begins with `month`, up to its newest closed window; `share` as for the liability.

    Raises NotClosedError where no window of it was closed, or one of its windows was closed but not cleared yet.
    """
    newest = books.day(None)
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    if newest < month or (books.closed and last < books.closed[0]):
        raise NotClosedError(f"no window of {month:%Y-%m} was closed yet; the newest is that of {newest}")
    ((uncleared,),) = books.rows(sql.UNCLEARED, first=month, day=last)
    if uncleared is not None:
        raise NotClosedError(f"the window {uncleared} is closed but not cleared: clh clearing run")
    end, over = min(last, newest), newest >= last
    became = books.became(end)
    earlier = [one for one in became if one.day < month]
    before = month - timedelta(days=1)
    opening = unspent_at(earlier, before, before.replace(day=1), share, needs)
    closing = unspent_at(became, end, month if over else before.replace(day=1), share, needs)
    rolled = roll(pools(earlier), map(change, books.became(end, month)), books.terms, month, end, opening, closing)
    lines = [OperatorsLine(*row) for row in books.rows(sql.OPERATORS_LINES, first=month, day=end)]
    rests_on = "told" if share is not None else "history" if closing is not None else "expiry"
    return Revenue(month, end, over, rolled, direct_of(books, lines, rolled), cost_of(books, lines), lines, rests_on)


def change(one: Became) -> Change:
    """A sum of the journal as a change of a pool."""
    return Change(one.day, PoolKey(one.sponsor, one.contract, one.cohort), one.code, one.by_operator, one.points)


def pools(became: Iterable[Became]) -> dict[PoolKey, Pool]:
    """What all of these come to, pool by pool."""
    found: dict[PoolKey, Pool] = {}
    for one in map(change, became):
        found[one.pool] = found.get(one.pool, Pool()).plus(one.of_pool)
    return found


def deferred_account(books: Books, line: OperatorsLine) -> Account | None:
    """The account on which a line for points of a sponsor other than the operator stands; None for lines that are about anything else."""
    operator, hybrid = books.terms.operator, books.terms.model == "hybrid"
    if line.contract is None:
        return None
    if line.kind == "issue" and line.creditor == operator:
        return Account(line.debtor, line.contract, line.currency)
    owed = ("issue_reversal", "unused_points", *(("redemption_reversal",) if hybrid else ()))
    if line.kind in owed and line.debtor == operator:
        return Account(line.creditor, line.contract, line.currency)
    return None


def direct_of(books: Books, lines: Iterable[OperatorsLine], rolled: Iterable[Rolled]) -> dict[tuple[date, Account], int]:
    """What lines for points come to beyond what was deferred, by window and account."""
    found: dict[tuple[date, Account], int] = {}
    for line in lines:
        account = deferred_account(books, line)
        if account is not None:
            key = (line.day, account)
            found[key] = found.get(key, 0) + (line.amount_minor if line.creditor == books.terms.operator else -line.amount_minor)
    for moved in (moved for one in rolled for moved in one.moved if moved.movement in OF_DEFERRED):
        key = (moved.day, moved.account)
        found[key] = found.get(key, 0) - moved.amount_minor
    return {key: amount for key, amount in sorted(found.items()) if amount}


def is_cost(books: Books, line: OperatorsLine) -> bool:
    """Whether a line is what redeemed points cost the operator, or the same coming back."""
    operator = books.terms.operator
    return (line.kind == "redemption" and line.debtor == operator) or (line.kind == "redemption_reversal" and line.creditor == operator)


def cost_of(books: Books, lines: Iterable[OperatorsLine]) -> dict[str, int]:
    """What redeemed points cost the operator, by currency."""
    cost: dict[str, int] = {}
    for line in lines:
        if is_cost(books, line):
            cost[line.currency] = cost.get(line.currency, 0) + (line.amount_minor if line.kind == "redemption" else -line.amount_minor)
    return cost


def heading(movement: Movement) -> str:
    """A movement as a heading over amounts that are below zero where they leave deferred revenue: to where they go, or that they are taken off."""
    words = WORDS[movement]
    if words.startswith("revenue: "):
        return f"to {words}"
    return words if movement is Movement.ISSUED else f"less {words}"


def table(found: Revenue) -> Table:
    """One row for each account: from opening to closing."""
    columns: tuple[Column, ...] = (
        text("month"), text("sponsor"), text("contract"), text("currency"), figure("opening", "opening deferred"),
        *(figure(movement.value, heading(movement)) for movement in Movement), figure("closing", "closing deferred"),
    )  # fmt: skip
    month = f"{found.month:%Y-%m}"
    rows = []
    for one in found.rolled:
        account = one.account
        amounts = (one.opening_minor, *(one.sum_of(movement) for movement in Movement), one.closing_minor)
        rows.append(Row((month, account.sponsor, account.contract, account.currency, *_money(amounts, account.currency))))
    for currency in found.currencies:
        sums = found.sums(currency)
        amounts = (sums["opening"], *(sums[movement] for movement in Movement), sums["closing"])
        rows.append(Row((month, "all", None, currency, *_money(amounts, currency)), Rank.TOTAL))
    return Table("revenue", f"Deferred revenue of {month}, up to the window {found.end}", columns, tuple(rows), empty="Nothing is deferred, and nothing moved.")


def windows(found: Revenue) -> Table:
    """Every movement down to its windows."""
    columns = (text("day", "window"), text("sponsor"), text("contract"), text("movement"), figure("points"), text("currency"), figure("amount"))
    moved = sorted((moved for one in found.rolled for moved in one.moved), key=lambda one: (one.day, one.account))
    rows = [Row((one.day, one.account.sponsor, one.account.contract, one.movement.value, one.points, *_amount(one))) for one in moved]
    return Table("movements", f"What moved deferred revenue in {found.month:%Y-%m}, window by window", columns, tuple(rows))


def _amount(one: Moved) -> tuple[str, Money]:
    return one.account.currency, Money(one.amount_minor, currency_places(one.account.currency))


def _money(amounts: Iterable[int], currency: str) -> list[Value]:
    return [Money(amount, currency_places(currency)) for amount in amounts]


def as_json(found: Revenue, programme: str) -> dict[str, Any]:
    """All of it in plain types, money as decimal text."""
    return {
        "programme": programme, "month": f"{found.month:%Y-%m}", "end": found.end, "over": found.over, "rests_on": found.rests_on,
        "totals": {currency: {name: to_text(amount, currency) for name, amount in found.sums(currency).items()} for currency in found.currencies},
        "accounts": [
            {
                "sponsor": one.account.sponsor, "contract": one.account.contract, "currency": one.account.currency,
                "opening": to_text(one.opening_minor, one.account.currency),
                **{movement.value: to_text(one.sum_of(movement), one.account.currency) for movement in Movement},
                "closing": to_text(one.closing_minor, one.account.currency),
                "windows": [
                    {"day": moved.day, "movement": moved.movement.value, "points": moved.points, "amount": to_text(moved.amount_minor, one.account.currency)}
                    for moved in one.moved
                ],
            }
            for one in found.rolled
        ],
        "direct": [
            {"day": day, "sponsor": account.sponsor, "contract": account.contract, "currency": account.currency, "amount": to_text(amount, account.currency)}
            for (day, account), amount in found.direct.items()
        ],
    }  # fmt: skip


RESTS_ON = {
    "told": "The share of points never to be spent is the one that was told.",
    "history": "The share of points never to be spent is estimated from the programme's own history: clh accounts unused.",
    "expiry": "The history is too short for an estimate: points count as unused when they expire.",
}


def sentences(found: Revenue) -> list[str]:
    """What the table does not say."""
    said = [RESTS_ON[found.rests_on]]
    if not found.over:
        said.append(f"The month is not over: up to its window {found.end}, with shares estimated from the months before.")
    for currency in found.currencies:
        sums = found.sums(currency)
        earned, movements = f"{amount_in_words(found.earned(currency), currency)} {currency}", "points spent, points never to be spent, estimates, rounding"
        said.append(
            f"Earned in {found.month:%Y-%m}, out of what was deferred: {earned} ({movements}). What leaves deferred revenue is below zero in the table."
        )
        if sums["direct"]:
            direct = f"{amount_in_words(sums['direct'], currency)} {currency}"
            said.append(f"Billed to sponsors and never deferred (due when points are spent, less what returns gave back): {direct}.")
            said.append(f"Earned in {found.month:%Y-%m} in all: {amount_in_words(found.earned(currency) + sums['direct'], currency)} {currency}.")
        said.append(f"Redeemed points cost {amount_in_words(sums['cost'], currency)} {currency}.")
    return said
