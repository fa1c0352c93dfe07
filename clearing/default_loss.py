"""Default (product.md E9): who bears what a party has not paid at its deadline, and what a further run of the window still pays.

First what the defaulter has paid in beforehand; then, by the programme's rule, the operator bears the rest, or the others do in proportion to what the
defaulter owes each. What was confirmed stays final and counts as paid: the further run pays the differences, and carries on what the run before it did.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from clearing.entries import Code
from clearing.lines import Obligation
from clearing.netting import CarriedPositions, Netting, Payment, positions
from clearing.rounding import largest_remainder
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile

LossRule = Literal["operator", "shared"]


@dataclass(frozen=True, slots=True)
class Unpaid:
    """What a defaulter owes the operator and has not paid, and what of its funds there is, in minor units of a currency."""

    party: PartyId
    currency: str
    amount_minor: int
    funds_minor: int

    @property
    def used_minor(self) -> int:
        """What its own funds cover."""
        return min(self.amount_minor, max(0, self.funds_minor))


@dataclass(frozen=True, slots=True)
class Borne:
    """An entry of the defaulted window: `bearer` owes the defaulter so much, who owes the operator that much less."""

    code: Literal[Code.ADJUSTMENT, Code.DEFAULT_LOSS]
    bearer: PartyId
    defaulter: PartyId
    currency: str
    amount_minor: int


def borne(rule: LossRule, operator: PartyId, lines: Iterable[Obligation], defaulters: Iterable[Unpaid]) -> list[Borne]:
    """Who bears what the defaulters of one window have not paid. `lines`: what the defaulters' debts rest on, of the window and of those that
    carried to it; the shares add up to what is lost, to the minor unit.
    """
    every, defaulting = list(lines), list(defaulters)
    out = {one.party for one in defaulting}
    found: list[Borne] = []
    for one in sorted(defaulting, key=lambda unpaid: (unpaid.party, unpaid.currency)):
        if one.used_minor:
            found.append(Borne(Code.ADJUSTMENT, operator, one.party, one.currency, one.used_minor))
        lost = one.amount_minor - one.used_minor
        shares = shared(one.party, one.currency, every, out, lost) if rule == "shared" else {}
        for bearer, share in (shares or {operator: lost}).items():
            if share:
                found.append(Borne(Code.DEFAULT_LOSS, bearer, one.party, one.currency, share))
    return found


def shared(defaulter: PartyId, currency: str, lines: Iterable[Obligation], out: set[PartyId], lost: int) -> dict[PartyId, int]:
    """The loss split over those whom the defaulter owes, net of what they owe it, by largest remainder; empty where it owes nobody else."""
    owes: dict[PartyId, int] = {}
    for line in lines:
        if line.currency == currency:
            if line.debtor == defaulter:
                owes[line.creditor] = owes.get(line.creditor, 0) + line.amount_minor
            if line.creditor == defaulter:
                owes[line.debtor] = owes.get(line.debtor, 0) - line.amount_minor
    weights = {party: amount for party, amount in sorted(owes.items()) if amount > 0 and party not in out}
    return dict(zip(weights, largest_remainder(lost, list(weights.values())), strict=True)) if weights else {}


def recovered(late_minor: int, defaulter: PartyId, losses: Mapping[PartyId, int]) -> dict[PartyId, int]:
    """To whom belongs what came after the default, all of it together, in minor units: up to the loss to those who bore it, in their shares, by largest
    remainder; what is beyond it to the defaulter, whose share is below zero where more was taken back than came.
    """
    back = min(max(0, late_minor), sum(losses.values()))
    shares = dict(zip(losses, largest_remainder(back, list(losses.values())), strict=True)) if losses else {}
    return {**shares, defaulter: late_minor - back}


@dataclass(frozen=True, slots=True)
class Settled:
    """What earlier runs of the window have settled: paid, by currency, payer and payee in minor units; and what the last of them carried on."""

    paid: Mapping[tuple[str, PartyId, PartyId], int]
    carried: CarriedPositions


def rest(day: date, file: ProgrammeFile, obligations: Iterable[Obligation], carried_in: CarriedPositions, settled: Settled) -> Netting:
    """What is still to be paid for a window of which a part is settled: the differences, all of them, however small.

    With multilateral netting they are paid to and by the operator; otherwise within each pair. What was carried on stays: later windows rest on it.
    """
    operator = file.programme.operator.party
    debts: dict[tuple[str, PartyId, PartyId], int] = {}

    def owe(currency: str, debtor: PartyId, creditor: PartyId, amount: int) -> None:
        first, second, sign = (debtor, creditor, 1) if debtor < creditor else (creditor, debtor, -1)
        debts[currency, first, second] = debts.get((currency, first, second), 0) + sign * amount

    if file.programme.netting == "multilateral":
        for currency, of_currency in positions(obligations).items():
            for party, amount in of_currency.items():
                if party != operator:
                    owe(currency, operator, party, amount)
    else:
        for line in obligations:
            owe(line.currency, line.debtor, line.creditor, line.amount_minor)
    for (currency, party), waiting in carried_in.items():
        owe(currency, operator, party, waiting.amount_minor)
    for (currency, party), waiting in settled.carried.items():
        owe(currency, operator, party, -waiting.amount_minor)
    for (currency, payer, payee), amount in settled.paid.items():
        owe(currency, payer, payee, -amount)
    payments = [
        Payment(day, currency, *((first, second) if amount > 0 else (second, first)), abs(amount))
        for (currency, first, second), amount in debts.items()
        if amount
    ]
    ordered = sorted(payments, key=lambda payment: (payment.currency, payment.payer, payment.payee, payment.amount_minor))
    return Netting(tuple(ordered), dict(settled.carried))
