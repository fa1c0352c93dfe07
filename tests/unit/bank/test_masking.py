"""A card number in the text of a statement or notification: the entry is read, and nothing of the number but its last four digits is kept."""

from __future__ import annotations

import re

import pytest

from services.bank.errors import BankCode, BankError
from services.bank.messages import read_message, read_to_keep
from tests.bank_messages import CARD, OURS, Movement, recall_answer, recall_line, statement, transaction
from tests.broken_messages import CARDS_IN_TEXTS, GOOD, edited

REFERENCE = "RF18539007547034"
IBAN = "DE89 3704 0044 0532 0130 00"


def digits(content: bytes) -> str:
    """All digits that stand in texts, whatever stands between them."""
    return "".join(re.findall(r"\d", " ".join(re.findall(r">([^<]+)<", content.decode()))))


@pytest.mark.parametrize("where", CARDS_IN_TEXTS)
def test_it_is_taken_and_of_the_number_only_the_last_four_digits_are_kept(where: str) -> None:
    content, _ = CARDS_IN_TEXTS[where]
    read = read_to_keep(content, accounts={OURS})
    assert read.masked == (2 if "two lines" in where else 1)
    assert "*" in read.kept.decode()
    for number in (CARD, "378282246310005"):
        assert number not in digits(read.kept)
        assert number[:6] not in digits(read.kept)
        assert number not in re.sub(r"\D", "", repr(read.message))
    assert read_message(read.kept, accounts={OURS}) == read.message
    assert read_to_keep(read.kept).masked == 0


@pytest.mark.parametrize("text", [REFERENCE, IBAN, "2026-03-02 2026-03-31", "4111 1111 1111 1112", "invoice 12345"])
def test_what_is_no_card_number_stays_and_the_banks_own_bytes_are_kept(text: str) -> None:
    content = edited("statement", b"<Ustrd>March", f"<Ustrd>{text}".encode())
    read = read_to_keep(content, accounts={OURS})
    assert (read.masked, read.kept) == (0, content)
    assert text in repr(read.message)


def test_a_comment_is_not_kept_since_it_may_hold_one() -> None:
    read = read_to_keep(edited("statement", b"<Ustrd>", f"<!-- {CARD} --><Ustrd>".encode()))
    assert (read.masked, CARD in read.kept.decode()) == (0, False)
    assert read_message(read.kept) == read.message


def test_a_text_with_an_amount_beside_it_keeps_its_sums() -> None:
    said = statement(Movement("-12.50", details=transaction("-12.50", more=f"<RmtInf><Ustrd>{CARD}</Ustrd></RmtInf>")), closing="987.50")
    (one,) = read_message(said)  # type: ignore[misc]  # it is a statement
    assert [(entry.amount_minor, entry.remittance) for entry in one.entries] == [(1250, "*" * 12 + "1111")]  # type: ignore[union-attr]


@pytest.mark.parametrize("lines", [("4111 1111", "1111 1111"), (CARD,)])
def test_other_messages_are_refused_as_ever_also_where_a_number_goes_over_two_lines(lines: tuple[str, ...]) -> None:
    told = "</AddtlInf><AddtlInf>".join(lines)
    for content in (
        edited("status report", b"<AddtlInf>closed", f"<AddtlInf>{told}".encode()),
        recall_answer(recall_line(status="RJCR", reason="LEGL")).replace(b"no funds", told.encode()),
    ):
        with pytest.raises(BankError) as refused:
            read_message(content)
        assert refused.value.code is BankCode.CARD_DATA
    assert read_message(GOOD["status report"])
