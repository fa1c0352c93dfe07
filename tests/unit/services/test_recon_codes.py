"""docs/errors.md has a line on every code under which a move of a break is refused, on every code of a break, and on no other."""

import re
from pathlib import Path

from clearing.matching import BreakCode, Unmoved
from clearing.payment_breaks import PaymentBreak

TEXT = (Path(__file__).parents[3] / "docs" / "errors.md").read_text(encoding="utf-8")


def section(title: str) -> list[tuple[str, str, str]]:
    text = TEXT[TEXT.index(f"\n## {title}\n") :].split("\n## ")[1]
    return re.findall(r"^\| (`.+?`) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)


def test_every_code_of_a_refused_move_has_a_line_that_leads_out() -> None:
    rows = section("Decisions about breaks")
    assert sorted(code.strip("`") for code, _, _ in rows) == sorted(code.value for code in Unmoved)
    assert all(len(meaning) > 20 and len(way_out) > 8 for _, meaning, way_out in rows)


def test_every_code_of_a_break_has_a_line() -> None:
    named = [code for cell, _, _ in section("Breaks of a reconciliation") for code in re.findall(r"`([A-Z_]+)`", cell)]
    assert sorted(named) == sorted(code.value for code in BreakCode)


OWN = ("BANK_CONTRADICTS",)
"""Beyond the contract: what a bank says both ways is neither rejected nor returned."""


def test_matching_and_payments_have_all_codes_of_the_contract_between_them() -> None:
    """The 25 codes of banks.md: those of card rewards, and those of statements and payments."""
    contract = [
        "MISSING_AT_BANK",
        "MISSING_AT_PROGRAMME",
        "AMOUNT_OVER",
        "AMOUNT_UNDER",
        "CURRENCY",
        "DIRECTION",
        "DUPLICATE_BANK",
        "DUPLICATE_PROGRAMME",
        "KEY_REUSED",
        "LATE",
        "REVERSED_UNMATCHED",
        "OVER_REVERSED",
        "WRONG_CARD",
        "WRONG_PROGRAMME",
        "RULE_VERSION",
        "CAP_DIFFERENCE",
        "INELIGIBLE_MCC",
        "SPLIT_INCOMPLETE",
        "AMBIGUOUS",
        "FX_RATE",
        "STATEMENT_GAP",
        "BALANCE",
        "BANK_REJECTED",
        "BANK_RETURNED",
        "ORPHAN_CREDIT",
    ]
    assert len(contract) == 25
    assert {code.value for codes in (BreakCode, PaymentBreak) for code in codes} == {*contract, *OWN}
