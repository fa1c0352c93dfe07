"""What two people sign about a break, and what a decision costs whom: worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from clearing.decisions import DOMAIN, Charge, Decision, Difference, Says, charges, digest, still_to_book
from clearing.matching import Move
from clearing.plan import Plan
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile
from services.documents.load import parse_mapping

AT = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
DECISION = Decision(
    "mall-card", 7, 2, Says.DECIDE, Move.WRITE_OFF, "ben", "agreed", AT, "AMOUNT_OVER", 150, 152, "EUR", "ab", "cd", None,
    (Charge("opco", "bank1", "EUR", 1),), "ef",
)  # fmt: skip
EXAMPLE = Path(__file__).parents[3] / "examples" / "co-brand-card.yaml"
POINTS = {
    "id": "pts",
    "kind": "card_points",
    "from": "2026-01-01",
    "banks": ["bank1"],
    "rates": [{"mcc": ["5411"], "points": 1, "per": {"amount": "1.00", "currency": "EUR"}}],
}


def plan(*mechanics: dict[str, Any], **bank: Any) -> Plan:
    """The co-brand card, with what is added to its mechanics and to the bank's contract."""
    document = parse_mapping(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.name)
    document["contracts"][2] |= bank
    document["mechanics"] += mechanics
    return Plan(ProgrammeFile.model_validate(document))


def difference(ours: int, theirs: int, rule: str = "everyday", **more: Any) -> Difference:
    told: dict[str, Any] = {"event_type": "EARN", "kind": "CASHBACK", "unit": "EUR"}
    told |= more
    return Difference(PartyId("bank1"), date(2026, 3, 2), told["event_type"], told["kind"], told["unit"], rule, ours, theirs)


def owed(found: Difference, decision: Move, of: Plan | None = None) -> list[tuple[str, str, int]]:
    return [(one.debtor, one.creditor, one.amount_minor) for one in charges(of or plan(), found, decision)]


@pytest.mark.parametrize(
    ("found", "write_off", "create"),
    [
        (difference(150, 152), [("opco", "bank1", 1)], [("mall", "bank1", 1)]),
        (difference(0, 5), [("opco", "bank1", 2)], [("mall", "bank1", 2)]),
        (difference(6, 0), [("bank1", "opco", 3)], [("bank1", "mall", 3)]),
        (difference(-15, -16), [], []),
        (difference(-14, -16), [("bank1", "opco", 1)], [("bank1", "mall", 1)]),
        (difference(0, 1, "network-bonus"), [("opco", "bank1", 1)], [("network", "bank1", 1)]),
        (difference(0, 5, "of the bank's own"), [("opco", "bank1", 5)], [("opco", "bank1", 5)]),
        (difference(84, 0, "spare-change", kind="ROUNDUP", event_type="ROUNDUP"), [], []),
        (difference(14, 0, "spare-change", kind="ROUNDUP", event_type="MATCH"), [], []),
        (difference(15, 15), [], []),
    ],
)
def test_the_house_follows_the_banks_figure_at_the_operators_cost_or_the_funders(found: Difference, write_off: Any, create: Any) -> None:
    """Halves by largest remainder: of an odd unit the bank, named first, has the larger part, which is its own."""
    assert owed(found, Move.WRITE_OFF) == owed(found, Move.FORCE_MATCH) == write_off
    assert owed(found, Move.CREATE) == create


def test_points_are_the_banks_share_at_its_issue_price_rounded_half_even() -> None:
    found = difference(100, 115, "pts", kind="POINTS", unit="MCP")
    assert owed(found, Move.WRITE_OFF) == []  # the house has no such rule
    issuing = plan(POINTS, roles=["issuer"], issue={"price": "0.005", "currency": "EUR"})
    assert owed(found, Move.WRITE_OFF, issuing) == [("bank1", "opco", 8)]  # 15 x 0.5 cent = 7.5
    assert owed(replace(found, bank_units=99), Move.WRITE_OFF, issuing) == []  # half a cent is rounded to none
    assert owed(replace(found, bank_units=97), Move.WRITE_OFF, issuing) == [("opco", "bank1", 2)]  # 1.5


def test_what_stands_already_is_not_booked_again_and_what_stands_too_much_is_taken_back() -> None:
    one, other = Charge("opco", "bank1", "EUR", 5), Charge("mall", "bank1", "EUR", 2)
    assert still_to_book((one,), ()) == (one,)
    assert still_to_book((one,), (one,)) == ()
    assert still_to_book((), (one,)) == (Charge("bank1", "opco", "EUR", 5),)
    assert set(still_to_book((other,), (one,))) == {other, Charge("bank1", "opco", "EUR", 5)}
    assert still_to_book((one,), (one, Charge("bank1", "opco", "EUR", 5))) == (one,)


def test_everything_that_is_decided_is_in_what_is_signed() -> None:
    changes: list[dict[str, Any]] = [
        {"programme": "other"}, {"no": 8}, {"turn": 3}, {"says": Says.PROPOSE}, {"decision": Move.CREATE}, {"person": "ann"}, {"note": "agreed "},
        {"at": AT + timedelta(microseconds=1)}, {"code": "AMOUNT_UNDER"}, {"programme_units": 151}, {"bank_units": 151}, {"unit": "USD"}, {"ours": "aa"},
        {"theirs": None}, {"counterpart": 9}, {"charges": ()}, {"charges": (Charge("bank1", "opco", "EUR", 1),)}, {"proposal": None},
    ]  # fmt: skip
    assert {name for change in changes for name in change} == set(Decision.__dataclass_fields__)
    documents = {replace(DECISION, **change).document() for change in changes} | {DECISION.document()}
    assert len(documents) == len(changes) + 1
    assert DECISION.signed() == DOMAIN + DECISION.document().encode()
    assert len(digest(DECISION.document())) == 64
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    assert replace(DECISION, at=elsewhere).document() == DECISION.document()
