"""Messages of a bank that are broken in one way each: every one is refused with its reason, and nothing of a card number is repeated."""

from __future__ import annotations

import pytest

from services.bank.errors import BankError
from services.bank.messages import read_message
from tests.bank_messages import CARD, OURS
from tests.broken_messages import GOOD, all_broken

BROKEN = all_broken()


@pytest.mark.parametrize("kind", GOOD)
def test_the_message_that_is_broken_below_is_a_good_one(kind: str) -> None:
    assert read_message(GOOD[kind], accounts={OURS})


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_message_is_refused_with_its_reason(what: str) -> None:
    content, code = BROKEN[what]
    with pytest.raises(BankError) as refused:
        read_message(content, accounts={OURS})
    assert refused.value.code is code, refused.value
    sentence = str(refused.value)
    assert 15 < len(sentence) < 400
    assert CARD not in sentence
    assert "4111 1111" not in sentence


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("share", range(1, 10))
def test_a_message_that_is_cut_off_anywhere_is_refused(kind: str, share: int) -> None:
    content = GOOD[kind].rstrip()
    with pytest.raises(BankError):
        read_message(content[: len(content) * share // 10])
