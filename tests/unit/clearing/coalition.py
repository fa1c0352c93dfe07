"""A small coalition for the tests of the night: programme files, totals, and lines as one readable text each."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from clearing.entries import POINTS, PURCHASES, Code, Total
from clearing.lines import Obligation
from clearing.netting import Payment, positions
from clearing.obligations import price
from schemas.ids import PartyId
from schemas.money import to_text
from schemas.programme import ProgrammeFile

FIRST = date(2026, 1, 1)
"""From when contracts run, unless a test says otherwise."""
MONDAY = date(2026, 3, 2)
MONTH_END = date(2026, 3, 31)

PARTIES = ("opco", "grocer", "fuelco", "baker", "dairyco", "bank1")


def contract(party: str, issue: str | None = None, redeem: str | None = None, *, since: date = FIRST, **terms: Any) -> dict[str, Any]:
    """A contract version as the programme file has it; prices in EUR unless `currency` names another."""
    currency = terms.pop("currency", "EUR")
    return {
        "party": party,
        "from": since,
        "roles": (["issuer"] if issue else []) + (["redeemer"] if redeem else []),
        **({"issue": {"price": issue, "currency": currency}} if issue else {}),
        **({"redeem": {"price": redeem, "currency": currency}} if redeem else {}),
        **terms,
    }


def programme(*contracts: Mapping[str, Any], model: str = "independent", **terms: Any) -> ProgrammeFile:
    """A programme file with these contracts; opco is the operator."""
    return ProgrammeFile.model_validate(
        {
            "programme": {
                "id": "harvest",
                "name": "Harvest Club",
                "operator": {"party": "opco", "model": model},
                "timezone": "Europe/Berlin",
                "cutoff": "02:00",
                "currencies": ["EUR", "CZK", "JPY"],
                "points": {"code": "HVP", "name": "Harvest point"},
                "expiry": {"kind": "never"},
                "spent_points_on_return": "negative_balance",
                "netting": "multilateral",
                **terms,
            },
            "parties": [{"id": party, "kind": "operator" if party == "opco" else "merchant", "name": party.title()} for party in PARTIES],
            "contracts": list(contracts),
        }
    )


def total(
    code: Code,
    sponsor: str,
    quantity: int,
    counterparty: str | None = None,
    *,
    at: date | None = FIRST,
    counter_at: date | None = FIRST,
    unit: str | None = None,
    events: int = 1,
) -> Total:
    """A total; contract versions begin on FIRST unless `at` (the sponsor's) or `counter_at` (the counterparty's) says otherwise."""
    partner = PartyId(counterparty) if counterparty else None
    has_counter_contract = code in (Code.REDEMPTION, Code.REDEMPTION_REVERSAL)
    unit = unit or (PURCHASES if code is Code.PURCHASE else POINTS if code < Code.DISCOUNT else "EUR")
    return Total(code, PartyId(sponsor), at, partner, counter_at if has_counter_contract else None, unit, quantity, events)


def text(line: Obligation) -> str:
    """`kind[/detail] debtor>creditor [quantity x unit price =] amount currency [@version]`; the version only where it is not FIRST."""
    kind = f"{line.kind}/{line.detail}" if line.detail else str(line.kind)
    computed = f"{line.quantity} x {line.unit_price} = " if line.quantity is not None else ""
    version = f" @{line.contract}" if line.contract not in (None, FIRST) else ""
    return f"{kind} {line.debtor}>{line.creditor} {computed}{to_text(line.amount_minor, line.currency)} {line.currency}{version}"


def priced(file: ProgrammeFile, *totals: Total, day: date = MONDAY, fees_before: Mapping[tuple[PartyId, str], int] | None = None) -> list[str]:
    """The window's lines, each as text, in the order of the report."""
    return [text(line) for line in price(day, file, totals, fees_before or {})]


def euros(obligations: Iterable[Obligation]) -> dict[str, str]:
    """Positions in EUR, as text."""
    return {party: to_text(amount_minor, "EUR") for party, amount_minor in positions(obligations).get("EUR", {}).items()}


def paid(payments: Sequence[Payment]) -> list[str]:
    """Payments as `payer>payee amount currency`."""
    return [f"{payment.payer}>{payment.payee} {to_text(payment.amount_minor, payment.currency)} {payment.currency}" for payment in payments]
