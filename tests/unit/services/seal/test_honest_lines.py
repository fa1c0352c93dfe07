"""Lines that the night priced hold for both verifiers, under every model; and of what is changed in one of them, nothing holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import date
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearing.entries import Code, Total, add_up
from clearing.lines import Claim, Line
from clearing.obligations import PRICED, SUMS, claims_of, priced_lines
from clearing.sealed_lines import Key, operator_of, without_line, wrong_lines
from clearing.terms import Terms
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from services.explain.ledger import Key as Numbers
from services.explain.ledger import Ledger, StoredLine
from services.seal.lines import line_bodies
from tests.seals import auditor
from tests.unit.clearing.coalition import contract, programme

MONTH_END = date(2026, 3, 31)
PARTIES = ("grocer", "fuelco", "bank1")
MODELS = ("independent", "anchor", "hybrid")
FEES = [
    {"kind": "per_transaction", "amount": "0.02", "currency": "EUR"}, {"kind": "percent_of_issue", "percent": "5"},
    {"kind": "percent_of_redemption", "percent": "0.0000001"}, {"kind": "monthly", "amount": "100.00", "currency": "EUR"},
    {"kind": "monthly_minimum", "amount": "250.00", "currency": "EUR"},
]  # fmt: skip


class Same(dict[Any, Any]):
    """Names are their own numbers."""

    def __missing__(self, key: Any) -> Any:
        return key


class Names:
    contract_from = party_id = unit_id = Same()


class Books:
    """What lines are made of, without a database."""

    names = Names()

    def __init__(self, file: ProgrammeFile, totals: Sequence[Total]) -> None:
        self.terms = Terms(file)
        self.totals = add_up(totals)
        self.all = priced_lines(MONTH_END, file, self.totals, {})

    def priced(self, _: date) -> tuple[Line, ...]:
        return self.all

    def claims(self, _: date) -> list[Claim]:
        return [claim for total in self.totals for claim in claims_of(total, self.terms) if claim.stands]

    def lines(self, day: date) -> list[StoredLine]:
        return [
            StoredLine(
                day, no, of.kind.value, of.detail, of.debtor, of.creditor, of.currency, of.quantity, of.unit_price, of.amount_minor, of.events, of.contract,
                tuple(Numbers(*cast("Any", source.key)) for source in of.sources),
            )
            for no, of in enumerate(line.obligation for line in self.all)
        ]  # fmt: skip

    def line(self, day: date, number: int) -> StoredLine:
        return self.lines(day)[number]

    def lines_between(self, _: date, last: date) -> list[StoredLine]:
        return self.lines(last)


def coalition(model: str) -> ProgrammeFile:
    """Everybody issues and redeems, with every fee and tax on everything."""
    terms = {"fees": FEES, "vat": {"percent": "19", "applies_to": ["fees", "issue", "redemption"]}, "unused_points_share": "0.5"}
    share = {"due_at_issue": "0.25"} if model == "hybrid" else {}
    prices = {"grocer": ("0.0100", "0.0085"), "fuelco": ("0.0123", "0.0085"), "bank1": ("0.0100", "0.0070"), "opco": ("0.0110", "0.0085")}
    return programme(*({**contract(party, *price), **terms, **share} for party, price in prices.items()), model=model)


@st.composite
def some_totals(draw: st.DrawFn) -> list[Total]:
    totals = []
    for code in draw(st.lists(st.sampled_from(sorted({*PRICED, *SUMS})), min_size=1, max_size=12)):
        sponsor, other = (PartyId(draw(st.sampled_from([*PARTIES, "opco"]))) for _ in range(2))
        if code == Code.PURCHASE:
            totals.append(Total(code, sponsor, FIRST, None, None, "purchases", draw(st.integers(1, 900)), 1))
        elif code in SUMS:
            totals.append(Total(code, sponsor, None, other, None, "EUR", draw(st.integers(1, 900)), 1))
        else:
            alone = code in (Code.ACCRUAL, Code.RETURN_UNSPENT, Code.EXPIRY)
            totals.append(Total(code, sponsor, FIRST, None if alone else other, None if alone else FIRST, "points", draw(st.integers(1, 90_000)), 1))
    return totals


FIRST = date(2026, 1, 1)
Told = dict[tuple[str, Key], tuple[int, int]]


def sealed_lines(model: str, totals: Sequence[Total]) -> tuple[dict[int, dict[str, Any]], Told]:
    """Bodies of lines by number; of each total by whose it is how much, and in how many events."""
    books = Books(coalition(model), totals)
    told: Told = {}
    for total in books.totals:
        code, *names = astuple(total)[:6]
        key = Key(int(code), *(name.isoformat() if isinstance(name, date) else name for name in names))
        told |= {(party, key): (total.quantity, total.events) for party in {key.sponsor, key.counterparty} - {None} if party is not None}
    return {body["line"]: body for body in line_bodies(cast("Ledger", books), MONTH_END)}, told


def found(module: Any, lines: Mapping[int, dict[str, Any]], totals: Told, shown: Sequence[str]) -> tuple[list[Any], list[Any]]:
    """What both verifiers find in the lines that these parties are shown."""
    own = {party: {no: line for no, line in lines.items() if party in (line["debtor"], line["creditor"])} for party in shown}
    every = {no: line for some in own.values() for no, line in some.items()}
    seen = {(party, key): total for (party, key), (total, _) in totals.items() if party in shown}
    events = {(party, key): number for (party, key), (_, number) in totals.items()}
    operator = "opco" if len(shown) > 1 else operator_of(every)
    ours: list[Any] = [wrong for party, some in own.items() for wrong in wrong_lines(party, some, seen, every, operator, events)]
    ours += [(party, key) for party, some in own.items() for key, fault in without_line(party, some, seen) if fault]
    export = module.Export.__new__(module.Export)
    export.lines, export.roots, export.manifest = {party: list(some.values()) for party, some in own.items()}, dict.fromkeys(shown), {"party": "opco"}
    export.totals, export.events = ({(party, *key): number for (party, key), number in some.items()} for some in (seen, events))
    export.problems, export.notes = [], []
    export.follows()
    return ours, export.problems


@pytest.fixture(scope="module")
def module() -> Any:
    return auditor()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(totals=some_totals(), model=st.sampled_from(MODELS))
def test_what_the_night_priced_holds_for_each_party_and_for_all(totals: list[Total], model: str, module: Any) -> None:
    lines, told = sealed_lines(model, totals)
    for shown in (*((party,) for party in (*PARTIES, "opco")[:3]), (*PARTIES, "opco")):
        assert found(module, lines, told, shown) == ([], [])


CHANGES: tuple[dict[str, Any], ...] = (
    {"kind": "issue"}, {"kind": "fee"}, {"kind": "vat"}, {"kind": "redemption_reversal"}, {"detail": "monthly"}, {"detail": "x"}, {"currency": "USD"},
    {"events": 999}, {"places": 3}, {"quantity": 999_999}, {"unit_price": "0.5"}, {"unit_price": "1e99999999"}, {"contract": "2026-02-02"}, {"contract": None},
    {"basis": None}, {"basis": {"percent": "5", "of": []}}, {"sources": []}, {"amount_minor": 10**9}, {"amount_minor": -1},
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(totals=some_totals(), model=st.sampled_from(MODELS), at=st.integers(0, 99), change=st.sampled_from(CHANGES))
def test_a_line_that_says_something_else_does_not_hold(totals: list[Total], model: str, at: int, change: dict[str, Any], module: Any) -> None:
    lines, told = sealed_lines(model, totals)
    number = sorted(lines)[at % len(lines)]
    other = lines[number] | change
    if other != lines[number]:
        ours, theirs = found(module, lines | {number: other}, told, (*PARTIES, "opco"))
        assert ours, other
        assert theirs, other


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(totals=some_totals(), model=st.sampled_from(MODELS), at=st.integers(0, 99))
def test_no_line_is_charged_twice_or_the_other_way(totals: list[Total], model: str, at: int, module: Any) -> None:
    lines, told = sealed_lines(model, totals)
    number = sorted(lines)[at % len(lines)]
    line = lines[number]
    again = lines | {900: line | {"line": 900}}
    swapped = lines | {number: line | {"debtor": line["creditor"], "creditor": line["debtor"]}}
    for changed in (again, swapped):
        ours, theirs = found(module, changed, told, (*PARTIES, "opco"))
        assert ours, line
        assert theirs, line
