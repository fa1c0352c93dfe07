"""Fees (rule 21): what a party pays the operator under its own contract. Each kind of fee is a line of its own, named in `detail`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Final

from clearing.entries import LineKind, Total
from clearing.lines import Claim, Obligation, difference, minor, per_hundred, priced
from clearing.settlement_days import is_month_end
from clearing.terms import Terms
from schemas.contracts import Contract, MonthlyFee, MonthlyMinimumFee, PercentOfIssueFee, PercentOfRedemptionFee, PerTransactionFee
from schemas.ids import PartyId

MONTHLY_MINIMUM: Final = "monthly_minimum"


def transaction_fees(total: Total, terms: Terms) -> Iterator[Claim]:
    """`per_transaction`: the accepted purchases that a party sent × the amount, by its version on their event date.

    A sender without a contract on that day pays none.
    """
    if total.contract is None:
        return
    contract = terms.version(total.sponsor, total.contract)
    for fee in contract.fees:
        if isinstance(fee, PerTransactionFee):
            yield priced(
                LineKind.FEE,
                contract.party,
                terms.operator,
                contract,
                quantity=total.quantity,
                factors=(fee.amount,),
                currency=fee.currency,
                detail=fee.kind,
                source=total,
            )


def percent_fees(claims: Iterable[Claim], terms: Terms) -> Iterator[Claim]:
    """`percent_of_issue`, `percent_of_redemption`: of the exact sums of a window's lines less their reversals, for each version and currency.

    Issue counts for the sponsor's version (the lot's). Redemption counts for the redeeming partner's version of the event date, in the anchor
    model too, where the price is the sponsor's; repayments (rule 15) do not count, nor does the issue part of a hybrid's reversed redemption.
    """
    issue = _Sums()
    redemption = _Sums()
    for claim in claims:
        if not claim.stands:
            continue
        if claim.kind is LineKind.ISSUE:
            issue.add(claim.contract, claim.currency, claim.exact_minor)
        elif claim.kind is LineKind.ISSUE_REVERSAL:
            issue.add(claim.contract, claim.currency, -claim.exact_minor)
        elif claim.kind is LineKind.REDEMPTION:
            redemption.add(claim.redeemer, claim.currency, claim.exact_minor)
        elif claim.kind is LineKind.REDEMPTION_REVERSAL:
            redemption.add(claim.redeemer, claim.currency, -claim.exact_minor)
    yield from issue.fees(PercentOfIssueFee, terms)
    yield from redemption.fees(PercentOfRedemptionFee, terms)


class _Sums:
    """Exact sums in minor units by contract version and currency."""

    def __init__(self) -> None:
        self.sums: dict[tuple[PartyId, date, str], Fraction] = {}

    def add(self, contract: Contract | None, currency: str, exact_minor: Fraction) -> None:
        if contract is not None:
            key = (contract.party, contract.valid_from, currency)
            self.sums[key] = self.sums.get(key, Fraction(0)) + exact_minor

    def fees(self, kind: type[PercentOfIssueFee | PercentOfRedemptionFee], terms: Terms) -> Iterator[Claim]:
        for (party, valid_from, currency), base_minor in self.sums.items():
            contract = terms.version(party, valid_from)
            for fee in contract.fees:
                if isinstance(fee, kind):
                    exact_minor = per_hundred(fee.percent, base_minor)
                    yield difference(LineKind.FEE, party, terms.operator, contract, exact_minor=exact_minor, currency=currency, detail=fee.kind)


def monthly_fees(day: date, terms: Terms) -> Iterator[Claim]:
    """`monthly`: in the window of the month's last day, by the version in force on it; once, whether or not anything happened."""
    if not is_month_end(day):
        return
    for contract in terms.all_in_force(day):
        for fee in contract.fees:
            if isinstance(fee, MonthlyFee):
                yield priced(
                    LineKind.FEE,
                    contract.party,
                    terms.operator,
                    contract,
                    quantity=1,
                    factors=(fee.amount,),
                    currency=fee.currency,
                    detail=fee.kind,
                )


def monthly_minimums(day: date, terms: Terms, fees_minor: Mapping[tuple[PartyId, str], int]) -> Iterator[Claim]:
    """`monthly_minimum`: on the month's last day, what the party's other rounded fees of the month fall short of it.

    `fees_minor` are those other fees, this window's included, under whatever version, by party and currency; fees of another currency do not
    count. A month in which more fees came back than were paid falls short by that much more.
    """
    if not is_month_end(day):
        return
    for contract in terms.all_in_force(day):
        for fee in contract.fees:
            if isinstance(fee, MonthlyMinimumFee):
                short_minor = minor(fee.amount, fee.currency) - fees_minor.get((contract.party, fee.currency), 0)
                if short_minor > 0:
                    yield difference(LineKind.FEE, contract.party, terms.operator, contract, exact_minor=short_minor, currency=fee.currency, detail=fee.kind)


def fees_paid(obligations: Iterable[Obligation], operator: PartyId) -> dict[tuple[PartyId, str], int]:
    """The rounded fees of each party in minor units by currency, `monthly_minimum` left out, less those that came back to it."""
    paid: dict[tuple[PartyId, str], int] = {}
    for line in obligations:
        if line.kind is LineKind.FEE and line.detail != MONTHLY_MINIMUM:
            party, sign = (line.creditor, -1) if line.debtor == operator else (line.debtor, 1)
            paid[party, line.currency] = paid.get((party, line.currency), 0) + sign * line.amount_minor
    return paid
