"""What the points of a total bring about (rules 15 to 20): one function for each code, named as it."""

from collections.abc import Iterator
from decimal import Decimal

from clearing.entries import LineKind, Total
from clearing.errors import ClearingError
from clearing.lines import Claim, priced
from clearing.rounding import rest_of
from clearing.terms import Terms, issue_price, redeem_price
from schemas.contracts import Contract
from schemas.ids import PartyId


class UnpricedTotalError(ClearingError):
    """A total that cannot be priced: without a party, below zero, or of a code that has no rule. Leaving it out would lose money."""

    def __init__(self, total: Total, reason: str) -> None:
        super().__init__(f"{total.code!r} of {total.sponsor}: {reason}")
        self.total = total


def accrual(total: Total, terms: Terms) -> Iterator[Claim]:
    """Rule 16: sponsor → operator, what is due at issue."""
    lot = _lot(total, terms)
    yield _at_issue_price(LineKind.ISSUE, lot.party, terms.operator, total, lot, terms.due_at_issue(lot))


def redemption(total: Total, terms: Terms) -> Iterator[Claim]:
    """Rule 17: operator → redeeming partner, at its redeem price; and what falls due when a point is spent (rule 18)."""
    partner = counterparty(total)
    redeemer = terms.version(partner, total.counter_contract)
    if terms.model != "anchor":
        yield _at_redeem_price(LineKind.REDEMPTION, terms.operator, partner, total, redeemer)
    yield from _falls_due(total, terms, redeemer)


def repayment(total: Total, terms: Terms) -> Iterator[Claim]:
    """Rules 15 and 18: points that repay count as spent with the debt's bearer, without a redemption price or fee."""
    yield from _falls_due(total, terms, None)


def _falls_due(total: Total, terms: Terms, redeemer: Contract | None) -> Iterator[Claim]:
    """Rule 18: what was not due at issue, at the lot's version: hybrid sponsor → operator, anchor sponsor → the one who took the points."""
    lot = _lot(total, terms)
    rest = rest_of(terms.due_at_issue(lot))
    if terms.model == "anchor":
        yield _at_issue_price(LineKind.REDEMPTION, lot.party, counterparty(total), total, lot, rest, redeemer=redeemer)
    else:
        yield _at_issue_price(LineKind.ISSUE, lot.party, terms.operator, total, lot, rest)


def redemption_reversal(total: Total, terms: Terms) -> Iterator[Claim]:
    """Rule 19: rules 17 and 18 backwards, at the original prices, both parts under this kind."""
    partner = counterparty(total)
    redeemer = terms.version(partner, total.counter_contract)
    lot = _lot(total, terms)
    rest = rest_of(terms.due_at_issue(lot))
    if terms.model == "anchor":
        yield _at_issue_price(LineKind.REDEMPTION_REVERSAL, partner, lot.party, total, lot, rest, redeemer=redeemer)
    else:
        yield _at_redeem_price(LineKind.REDEMPTION_REVERSAL, partner, terms.operator, total, redeemer)
        yield _at_issue_price(LineKind.REDEMPTION_REVERSAL, terms.operator, lot.party, total, lot, rest)


def return_unspent(total: Total, terms: Terms) -> Iterator[Claim]:
    """Rule 19: operator → sponsor, what was due at issue."""
    lot = _lot(total, terms)
    yield _at_issue_price(LineKind.ISSUE_REVERSAL, terms.operator, lot.party, total, lot, terms.due_at_issue(lot))


def return_spent(total: Total, terms: Terms) -> Iterator[Claim]:
    """Rule 19: bearer → sponsor, the full issue price; where the sponsor itself bears them there is no line."""
    lot = _lot(total, terms)
    yield _at_issue_price(LineKind.ISSUE_REVERSAL, counterparty(total), lot.party, total, lot)


def return_spent_reversal(total: Total, terms: Terms) -> Iterator[Claim]:
    """Rule 19 backwards, where a chargeback is reversed: sponsor → bearer, the full issue price."""
    lot = _lot(total, terms)
    yield _at_issue_price(LineKind.ISSUE, lot.party, counterparty(total), total, lot)


def expiry(total: Total, terms: Terms) -> Iterator[Claim]:
    """Rule 20: operator → sponsor, the agreed share of what was due at issue."""
    lot = _lot(total, terms)
    yield _at_issue_price(LineKind.UNUSED_POINTS, terms.operator, lot.party, total, lot, terms.due_at_issue(lot), lot.unused_points_share)


def sponsor(total: Total) -> PartyId:
    """The total's sponsor. Raises UnpricedTotalError where it has none."""
    if total.sponsor is None:
        raise UnpricedTotalError(total, "it names no sponsor")
    return total.sponsor


def counterparty(total: Total) -> PartyId:
    """The total's counterparty. Raises UnpricedTotalError where it has none."""
    if total.counterparty is None:
        raise UnpricedTotalError(total, "it names no counterparty")
    return total.counterparty


def _lot(total: Total, terms: Terms) -> Contract:
    """The sponsor's contract version under which the points were issued."""
    return terms.version(total.sponsor, total.contract)


def _at_issue_price(
    kind: LineKind, debtor: PartyId, creditor: PartyId, total: Total, lot: Contract, *shares: Decimal, redeemer: Contract | None = None
) -> Claim:
    """The total's points at the issue price of their lot's version, times the shares of it that are owed."""
    issue = issue_price(lot)
    return priced(
        kind, debtor, creditor, lot, quantity=total.quantity, factors=(issue.price, *shares), currency=issue.currency, redeemer=redeemer, source=total
    )


def _at_redeem_price(kind: LineKind, debtor: PartyId, creditor: PartyId, total: Total, redeemer: Contract) -> Claim:
    """The total's points at the redeem price of the redeeming partner's version."""
    redeem = redeem_price(redeemer)
    return priced(kind, debtor, creditor, redeemer, quantity=total.quantity, factors=(redeem.price,), currency=redeem.currency, redeemer=redeemer, source=total)
