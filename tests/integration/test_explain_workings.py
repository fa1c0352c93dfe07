"""How figures were worked out is the truth: formulas come to what was given and cut off, and the reason of a cut is the one that the booking had."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from clearing.limits import Limits, Used, period
from clearing.ports import Refusal
from schemas.programme import ProgrammeFile
from services.explain.event import explain_event
from services.explain.ledger import Ledger
from services.explain.working import Working
from services.runtime.local import Addresses
from services.scenario import run as scenarios
from services.scenario.outcome import outcome_of

ACCEPTANCE = Path(__file__).parents[1] / "acceptance"
SCENARIOS = sorted((*(ACCEPTANCE / "golden").glob("*.yaml"), *(ACCEPTANCE / "worked").glob("*.yaml")))
MORE = ACCEPTANCE / "worked" / "extra-points-by-product-hour-store-segment.yaml"
NUMBER = r"([\d,]+(?:\.\d+)?)"
NOUNS = {"points": "points", "stamp": "stamps"}


def number(text: str) -> Decimal:
    return Decimal(text.split(maxsplit=1)[0].replace(",", ""))


def down(value: Decimal) -> Decimal:
    return Decimal(int(value))


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def _steps(spent: Decimal, per: Decimal, points: Decimal, rounding: str) -> Decimal:
    if rounding == "rounded down":
        return down(spent * points / per)
    return (down(spent / per) if rounding == "whole steps only" else (spent / per).quantize(Decimal(1), ROUND_HALF_UP)) * points


def _discounts(lines: str) -> Decimal:
    found = re.findall(rf"line \d+: {NUMBER} \w+ named, {NUMBER} % of {NUMBER} \w+ allowed", lines)
    assert len(found) == lines.count("line ")
    return sum((min(number(named), cents(number(percent) * number(whole) / 100)) for named, percent, whole in found), Decimal(0))


FORMULAS: Sequence[tuple[str, Callable[..., Decimal]]] = (
    (
        rf"{NUMBER} \w+ ÷ {NUMBER} \w+ × {NUMBER}, (whole steps only|steps rounded half up|rounded down)(?: \(category \d+\))?",
        lambda spent, per, points, rounding: _steps(number(spent), number(per), number(points), rounding),
    ),
    (rf"\({NUMBER} − 1\) × {NUMBER} points of .+ on {NUMBER} \w+, rounded down", lambda factor, points, _: down((number(factor) - 1) * number(points))),
    (rf"{NUMBER} for the (?:event|purchase)", number),
    (rf"{NUMBER} units, whole ones only × {NUMBER}", lambda units, points: down(number(units)) * number(points)),
    (rf"1 for each of {NUMBER} units, whole ones only", lambda units: down(number(units))),
    (rf"{NUMBER} \w+ ÷ {NUMBER} \w+, whole steps only", lambda spent, per: down(number(spent) / number(per))),
    (r"of each line the smaller of what the seller named and what is allowed, half-even: (.+)", _discounts),
    (
        rf"{NUMBER} % × {NUMBER} \w+ = {NUMBER} \w+, rounded half-even \(category \d+\)",
        lambda percent, spent, _: cents(number(percent) * number(spent) / 100),
    ),
    (
        rf"{NUMBER} \w+ up to the next multiple of {NUMBER} \w+(?:; .+)?",
        lambda spent, multiple: (number(multiple) - number(spent) % number(multiple)) % number(multiple),
    ),
)


def computed(formula: str) -> Decimal:
    """What a formula comes to, from nothing but its text."""
    for pattern, comes_to in FORMULAS:
        found = re.fullmatch(pattern, formula)
        if found is not None:
            return comes_to(*found.groups())
    raise AssertionError(f"no rule reads {formula}")


@dataclass
class Cuts:
    """Each cut that the booking made: mechanic, event date, what was left, and which limits had no more room: period, measure, most."""

    made: list[tuple[str, date, int, frozenset[tuple[str, str, int]]]] = field(default_factory=list)

    def noting(self, cut: Callable[..., int]) -> Callable[..., int]:
        def noted(limits: Limits, value: int, used: Used, day: date) -> int:
            left = cut(limits, value, used, day)
            if left < value:
                rooms = {(per, measure, most): _room(name, per, measure, most, used, day) for name, per, measure, most in limits._limits}
                mechanic = limits._limits[0][0].rsplit(":", 2)[0]
                self.made.append((mechanic, day, left, frozenset(key for key, room in rooms.items() if room is not None and max(0, room) == left)))
            return left

        return noted

    def had(self, mechanic: str, day: date, left: int) -> Iterator[frozenset[tuple[str, str, int]]]:
        return (which for name, of, given, which in self.made if (name, of, given) == (mechanic, day, left))


def _room(name: str, per: str, measure: str, most: int, used: Used, day: date) -> int | None:
    before = 0 if per == "event" else used.get(name + period(per, day), 0)
    if measure == "times":
        return 0 if before >= most else None
    return most - before


def in_words(per: str, measure: str, most: int, effect: str, currency: str) -> set[str]:
    """How a limit, or a budget, is to be told."""
    what = f"{most:,} {NOUNS[effect]}" if effect in NOUNS else f"{Decimal(most) / 100:.2f} {currency}"
    if measure == "times":
        what = f"{most:,} times"
    when = "ever" if per == "ever" else f"for each {per}"
    return {f"at most {what} {when}", f"at most {what} {when}, all members together", *({f"a budget of {what}"} if per == "ever" else ())}


@dataclass
class Told:
    """Every working of some books, with the date of its event."""

    workings: list[tuple[str, date, Working]]
    currency: str
    cuts: Cuts

    def untrue(self) -> list[tuple[str, str, Working]]:
        return [(what, id_, working) for id_, day, working in self.workings for what in self._wrong(day, working)]

    def _wrong(self, day: date, working: Working) -> Iterator[str]:
        worth, given = number(working.worth), number(working.given)
        if computed(working.formula) != worth:
            yield f"the formula comes to {computed(working.formula)}"
        if bool(working.why_less) != (given < worth):
            yield "a reason without a cut, or a cut without a reason"
        if given < worth:
            cut, reason = working.why_less.split(" cut off: ")
            if number(cut) != worth - given:
                yield "another part was cut off"
            reasons = set(reason.removeprefix("one of these: ").split("; "))
            minor = int(given * (1 if working.kind in NOUNS else 100))
            binding = [
                {words for key in which for words in in_words(*key, working.kind, self.currency)} for which in self.cuts.had(working.mechanic, day, minor)
            ]
            if not any(reasons & words if len(reasons) > 1 else reasons <= words for words in binding):
                yield f"the booking had {binding}"


def told_of(paths: Sequence[Path], monkeypatch: pytest.MonkeyPatch) -> list[Told]:
    """What is told of every accepted event of some scenarios, after their last night, beside the cuts that their booking made."""
    found: list[Told] = []
    cuts = Cuts()
    monkeypatch.setattr(Limits, "cut", cuts.noting(Limits.cut))

    def walk(connection: psycopg.Connection, file: ProgrammeFile, name: str, refused: Sequence[Refusal]) -> dict[str, Any]:
        ledger, workings = Ledger(connection), []
        for (record,) in connection.execute("select record from entry where outcome = 'accepted' order by record").fetchall():
            event = explain_event(ledger, record)
            assert event.id is not None
            assert event.event_day is not None or not event.workings
            workings += [(event.id, event.event_day, working) for working in event.workings if event.event_day is not None]
        found.append(Told(workings, file.programme.currencies[0], Cuts(list(cuts.made))))
        cuts.made.clear()
        return outcome_of(connection, file, name, refused)

    monkeypatch.setattr(scenarios, "outcome_of", walk)
    assert all(isinstance(result, scenarios.ScenarioResult) for result in scenarios.run_files(list(paths)))
    return found


@pytest.fixture
def servers(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("servers")
def test_formulas_come_to_what_was_given_and_cut_off_for_the_reason_that_the_booking_had(monkeypatch: pytest.MonkeyPatch) -> None:
    told = told_of(SCENARIOS, monkeypatch)
    assert len(told) == len(SCENARIOS)
    assert [wrong for each in told for wrong in each.untrue()] == []
    workings = [working for each in told for _, _, working in each.workings]
    assert {working.kind for working in workings} >= {"points", "stamp", "discount", "cash_back", "round_up"}
    reasons = {working.why_less.split(" cut off: ")[1] for working in workings if working.why_less}
    assert len(reasons) > 5, reasons


@pytest.mark.usefixtures("servers")
def test_a_multiplier_is_shown_on_what_was_for_the_member(monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = told_of([MORE], monkeypatch)
    happy = {id_: (working.formula, working.given, working.why_less) for id_, _, working in told.workings if working.mechanic == "happy-hour"}
    assert happy == {
        "e2": ("(2 − 1) × 20 points of base on 20.20 EUR, rounded down", "20 points", ""),
        "e3": ("(2 − 1) × 20 points of base on 20.20 EUR, rounded down", "20 points", ""),
        "e8": ("(2 − 1) × 18 points of base, club on 12.00 EUR, rounded down", "18 points", ""),
    }
