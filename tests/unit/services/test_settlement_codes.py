"""docs/errors.md has a line on every code under which settlement refuses something, and on no other."""

import re
from pathlib import Path

from clearing.approval import Unsigned
from clearing.payment_breaks import PaymentBreak
from clearing.window import Misplaced
from services.bank.errors import BankCode
from services.settlement.errors import SettlementCode

TEXT = (Path(__file__).parents[3] / "docs" / "errors.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("\n## Settlement\n") :].split("\n## ")[1]
AT_THE_BANK = TEXT[TEXT.index("\n## Payments at the bank\n") :].split("\n## ")[1]
ROWS = re.findall(r"^\| `([a-z-]+)` \| (.+?) \| (.+?) \|$", SECTION, re.MULTILINE)


def test_every_code_has_a_line_and_there_is_no_other() -> None:
    assert sorted(code for code, _, _ in ROWS) == sorted(code.value for codes in (Misplaced, Unsigned, SettlementCode, BankCode) for code in codes)


def test_every_break_of_a_payment_has_a_line_and_there_is_no_other() -> None:
    assert sorted(re.findall(r"^\| `([A-Z_]+)` \|", AT_THE_BANK, re.MULTILINE)) == sorted(code.value for code in PaymentBreak)


def test_a_line_says_what_it_means_and_leads_out() -> None:
    assert all(len(meaning) > 20 and len(way_out) > 8 for _, meaning, way_out in ROWS)
    assert len({meaning for _, meaning, _ in ROWS}) == len(ROWS)
