"""Tax (rule 22): a percentage of the rounded lines that it applies to, less their reversals."""

from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction
from typing import Literal

from clearing.entries import LineKind
from clearing.lines import Claim, Line, difference, per_hundred
from clearing.terms import Terms
from schemas.contracts import OperatorModel
from schemas.ids import PartyId

TaxBase = Literal["fees", "issue", "redemption"]


def vat_claims(lines: Iterable[Line], terms: Terms) -> Iterator[Claim]:
    """One for each payer, payee, contract version and currency, from the one who pays the fee or the points to the one who gets it.

    The percent is that of the contract whose line it is: of a fee the party's own, of issue the sponsor's, of redemption the redeeming
    partner's, in the anchor model the sponsor's. More reversed than charged gives a line the other way.
    """
    sums: dict[tuple[PartyId, PartyId, str, PartyId, date], int] = {}
    for line in lines:
        contract, charge = line.contract, line.obligation
        if contract is None or contract.vat is None or tax_base(line, terms.model) not in contract.vat.applies_to:
            continue
        if is_reversal(line):
            payer, payee, amount_minor = charge.creditor, charge.debtor, -charge.amount_minor
        else:
            payer, payee, amount_minor = charge.debtor, charge.creditor, charge.amount_minor
        key = (payer, payee, charge.currency, contract.party, contract.valid_from)
        sums[key] = sums.get(key, 0) + amount_minor
    for (payer, payee, currency, party, valid_from), sum_minor in sums.items():
        contract = terms.version(party, valid_from)
        if contract.vat is not None:
            exact_minor = per_hundred(contract.vat.percent, Fraction(sum_minor))
            yield difference(LineKind.VAT, payer, payee, contract, exact_minor=exact_minor, currency=currency)


def tax_base(line: Line, model: OperatorModel) -> TaxBase | None:
    """What a line is for tax; None where no tax can apply to it.

    The issue part of a hybrid's reversed redemption, which comes back to the sponsor under the sponsor's contract, lowers the tax on issue.
    """
    match line.obligation.kind:
        case LineKind.FEE:
            return "fees"
        case LineKind.ISSUE | LineKind.ISSUE_REVERSAL:
            return "issue"
        case LineKind.REDEMPTION:
            return "redemption"
        case LineKind.REDEMPTION_REVERSAL:
            to_sponsor = line.contract is not None and line.obligation.creditor == line.contract.party
            return "issue" if model == "hybrid" and to_sponsor else "redemption"
        case _:
            return None


def is_reversal(line: Line) -> bool:
    """Whether the line takes back what was charged: a reversal, or a fee that the operator pays."""
    if line.obligation.kind is LineKind.FEE:
        return line.contract is not None and line.obligation.debtor != line.contract.party
    return line.obligation.kind in (LineKind.ISSUE_REVERSAL, LineKind.REDEMPTION_REVERSAL)
