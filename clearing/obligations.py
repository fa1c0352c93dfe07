"""From a window's totals to who owes whom what: `price` (rules 16 to 25).

Every code of the journal stands in one of the tables below. What a total of it brings about, exactly, say point_claims.py (points), fees.py
and, for sums of amounts, this file; lines.py gathers and rounds; vat.py comes last, since tax is on rounded lines.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from clearing import point_claims
from clearing.entries import Code, LineKind, Total, add_up
from clearing.fees import fees_paid, monthly_fees, monthly_minimums, percent_fees, transaction_fees
from clearing.lines import Claim, Line, Obligation, gather
from clearing.point_claims import UnpricedTotalError, counterparty, sponsor
from clearing.terms import Terms
from clearing.vat import vat_claims
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile

__all__ = ["Obligation", "UnpricedTotalError", "claims_of", "fees_paid", "price", "priced_lines"]

ClaimsOf = Callable[[Total, Terms], Iterator[Claim]]


def price(day: date, file: ProgrammeFile, totals: Sequence[Total], fees_before: Mapping[tuple[PartyId, str], int]) -> tuple[Obligation, ...]:
    """The obligation lines of the window of `day`, sorted as reports sort them.

    `totals` may come in several parts with equal keys; they are added up first. `fees_before` are the rounded fees of each party, by currency,
    in the earlier windows of the same month, `monthly_minimum` left out, less those that came back (`fees_paid` of each window, added).
    Raises a ClearingError where a total has no rule, contract version or price.
    """
    return tuple(line.obligation for line in priced_lines(day, file, totals, fees_before))


def priced_lines(day: date, file: ProgrammeFile, totals: Sequence[Total], fees_before: Mapping[tuple[PartyId, str], int]) -> tuple[Line, ...]:
    """The lines that `price` gives, in its order, each with the contract version whose price or percent it is."""
    terms = Terms(file)
    claims = [claim for total in add_up(totals) for claim in claims_of(total, terms)]
    claims += [*percent_fees(claims, terms), *monthly_fees(day, terms)]
    lines = gather(day, claims)
    fees_minor = dict(fees_before)
    for key, paid_minor in fees_paid((line.obligation for line in lines), terms.operator).items():
        fees_minor[key] = fees_minor.get(key, 0) + paid_minor
    lines += gather(day, monthly_minimums(day, terms, fees_minor))
    lines += gather(day, vat_claims(lines, terms))
    return tuple(sorted(lines, key=lambda line: line.obligation.order()))


def claims_of(total: Total, terms: Terms) -> Iterator[Claim]:
    """What one total brings about, exactly; percentages, monthly fees and tax rest on these. Nothing, for codes that nobody owes for."""
    if total.quantity < 0:
        raise UnpricedTotalError(total, f"its quantity is {total.quantity}, below zero")
    if total.code in SUMS:
        yield _sum_of_amounts(total)
    elif total.code in PRICED:
        yield from PRICED[total.code](total, terms)
    elif total.code not in OWED_BY_NOBODY:
        raise UnpricedTotalError(total, "no rule says who owes for it")


PRICED: Final[Mapping[Code, ClaimsOf]] = MappingProxyType(
    {
        Code.ACCRUAL: point_claims.accrual,
        Code.REDEMPTION: point_claims.redemption,
        Code.REPAYMENT: point_claims.repayment,
        Code.RETURN_UNSPENT: point_claims.return_unspent,
        Code.RETURN_SPENT: point_claims.return_spent,
        Code.REDEMPTION_REVERSAL: point_claims.redemption_reversal,
        Code.EXPIRY: point_claims.expiry,
        Code.RETURN_SPENT_REVERSAL: point_claims.return_spent_reversal,
        Code.PURCHASE: transaction_fees,
    }
)
"""Quantities that a contract puts a price on."""

SUMS: Final[Mapping[Code, tuple[LineKind, bool]]] = MappingProxyType(
    {
        Code.DISCOUNT: (LineKind.DISCOUNT_FUNDING, False),
        Code.DISCOUNT_REVERSAL: (LineKind.DISCOUNT_FUNDING_REVERSAL, True),
        Code.REWARD: (LineKind.REWARD, False),
        Code.REWARD_REVERSAL: (LineKind.REWARD_REVERSAL, True),
        Code.CASH_BACK: (LineKind.CASH_BACK, False),
        Code.CASH_BACK_REVERSAL: (LineKind.CASH_BACK_REVERSAL, True),
        Code.ROUND_UP_MATCH: (LineKind.ROUND_UP_MATCH, False),
        Code.ROUND_UP_MATCH_REVERSAL: (LineKind.ROUND_UP_MATCH_REVERSAL, True),
        Code.PRIVILEGE: (LineKind.PRIVILEGE, False),
        Code.PRIVILEGE_REVERSAL: (LineKind.PRIVILEGE_REVERSAL, True),
        Code.PASS: (LineKind.PASS, False),
        Code.PASS_REVERSAL: (LineKind.PASS_REVERSAL, True),
        Code.ADJUSTMENT: (LineKind.ADJUSTMENT, False),
        Code.DISPUTE: (LineKind.DISPUTE, False),
        Code.DEFAULT_LOSS: (LineKind.DEFAULT_LOSS, False),
    }
)
"""Amounts, whole when they were booked: the kind of line, and whether the counterparty pays them back (rule 23)."""

OWED_BY_NOBODY: Final = frozenset(
    {Code.RELEASE, Code.HOLD, Code.HOLD_RELEASE, Code.UNFUNDED, Code.UNFUNDED_REVERSAL, Code.STAMP, Code.STAMP_REVERSAL, Code.ROUND_UP}
)
"""Moves within a member's account, and points that wait to be funded, which change nothing between parties."""


def _sum_of_amounts(total: Total) -> Claim:
    """Rule 23: amounts added up, sponsor → counterparty; a reversal the other way. The unit is the currency."""
    kind, reversal = SUMS[total.code]
    debtor, creditor = sponsor(total), counterparty(total)
    if reversal:
        debtor, creditor = creditor, debtor
    return Claim(kind, debtor, creditor, total.unit, Fraction(total.quantity), source=total)
