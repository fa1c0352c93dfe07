"""Payment card numbers in clear: found where they may not be, let pass where digits are something else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.card_fields import card_number_pointer
from schemas.card_numbers import bytes_hold_card_number, card_numbers_in, holds_card_number, mask_card_numbers
from schemas.events import EVENT_TYPES
from schemas.events.decode import decode
from schemas.topics import example

NUMBER = "4111111111111111"


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "378282246310005",
        "4222222222222",
        "6304000000000000",
        "paid with 4111 1111 1111 1111, thanks",
        "order 12 4111 1111 1111 1111",
        "4111 1111 1111 1111 12/28",
        f"card{NUMBER}x",
        f"hc-{NUMBER}",
        "٤١١١١١١١١١١١١١١١",
        "4111  1111  1111  1111",
        "4111.1111.1111.1111",
    ],
)
def test_a_card_number_is_found(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hc-900",
        "4111111111111112",
        "411111111111",
        f"{NUMBER}0000",
        f"{NUMBER}{NUMBER}",
        "par:V0010013018036776997406844161",
        "2026-03-02T17:45:10+01:00",
    ],
)
def test_what_is_no_card_number_passes(text: str) -> None:
    assert not holds_card_number(text)


def luhn_digit(digits: str) -> str:
    return next(last for last in "0123456789" if holds_card_number(digits + last))


@given(st.integers(10**12, 10**18 - 1).map(str))
def test_of_ten_last_digits_just_one_passes(digits: str) -> None:
    assert sum(holds_card_number(digits + last) for last in "0123456789") == 1


@given(st.text(max_size=40))
def test_any_text_can_be_asked(text: str) -> None:
    holds_card_number(text)


@given(st.integers(10**12, 10**18 - 1).map(str), st.integers(1, 6), st.sampled_from(" -"))
def test_blocks_hide_nothing(digits: str, block: int, separator: str) -> None:
    number = digits + luhn_digit(digits)
    blocks = separator.join(number[at : at + block] for at in range(0, len(number), block))
    assert holds_card_number(f"see {blocks}.")


WRITTEN = {
    "4111.1111.1111.1111": "****.****.****.1111",
    "see 4111/1111/1111/1111": "see ****/****/****/1111",
    "4111_1111_1111_1111": "****_****_****_1111",
    "4111:1111:1111:1111": "****:****:****:1111",
    "4111,1111,1111,1111": "****,****,****,1111",
    "4111, 1111, 1111, 1111": "****, ****, ****, 1111",
    "4111 - 1111 - 1111 - 1111": "**** - **** - **** - 1111",
    "4111\u00a01111\u00a01111\u00a01111": "****\u00a0****\u00a0****\u00a01111",
    "4111\u20091111\u202f1111\u30001111": "****\u2009****\u202f****\u30001111",
    "4111\u20131111\u20141111\u22121111": "****\u2013****\u2014****\u22121111",
    "4111\u200b1111\u00ad1111\u20601111": "****\u200b****\u00ad****\u20601111",
    "4111\n11111111\t1111": "****\n********\t1111",
    "4111    1111    1111    1111": "****    ****    ****    1111",
    "4111 \t \n  1111\u00a0\u2003 \u200b 1111\r\n\r\n1111": "**** \t \n  ****\u00a0\u2003 \u200b ****\r\n\r\n1111",
    "4111     -     1111     -     1111     -     1111": "****     -     ****     -     ****     -     1111",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1": "* * * * * * * * * * * * 1 1 1 1",
    "4.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1": "*.*.*.*.*.*.*.*.*.*.*.*.1.1.1.1",
    "3782.822463.10005": "****.******.*0005",
    "\uff14\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11": "************\uff11\uff11\uff11\uff11",
    "DE89370400440532013000, 4111111111111111": "DE89370400440532013000, ************1111",
    "12 4111 1111 1111 1111 and 5555.5555.5555.4444": "12 **** **** **** 1111 and ****.****.****.4444",
}
"""Texts with a card number, and what of them may be kept."""


@pytest.mark.parametrize("text", WRITTEN)
def test_a_card_number_is_found_however_it_is_written_and_only_its_last_four_digits_stay(text: str) -> None:
    assert card_numbers_in(text)
    assert mask_card_numbers(text) == WRITTEN[text]
    assert not card_numbers_in(WRITTEN[text])
    assert bytes_hold_card_number(text.encode())
    assert bytes_hold_card_number(text.encode("utf-16"))


@pytest.mark.parametrize(
    "text",
    [
        "DE89 3704 0044 0532 0130 00",
        "konto pl61109010140000071219812874",
        "GB82 WEST 1234 5698 7654 32 and DE89 3704 0044 0532 0130 00",
        "RF18 5390 0754 7034",
        "4006381333931",
        "from 2026-03-02 to 2026-03-31",
        "2026-03-02 17:45:10.123",
        "12.50, 4111.11, 1111.11, 11.11",
        "20260302-EUR-22XSV7S74OAQG7R2CLTC",
        "550e8400-e29b-41d4-a716-446655440000",
        "+49 151 4111111, +49 151 1111111",
        "4111x1111x1111x1111",
        "9111111111111117",
        "411111111111116",
        "4111111111111112",
    ],
)
def test_what_only_looks_like_a_card_number_stays_as_it_is(text: str) -> None:
    assert card_numbers_in(text) == []
    assert mask_card_numbers(text) == text


@given(st.text(max_size=60))
def test_any_text_can_be_masked_and_holds_nothing_after_it(text: str) -> None:
    masked = mask_card_numbers(text + " 4111 1111 1111 1111 " + text)
    assert len(masked) == 2 * len(text) + 21
    assert "1111 1111" not in masked
    assert card_numbers_in(masked) == []


@given(st.integers(0, 10**18 - 1))
def test_no_account_number_with_right_check_digits_passes_for_a_card_number(number: int) -> None:
    body = f"{number:018}"
    iban = f"DE{98 - int(body + '131400') % 97:02}{body}"
    assert card_numbers_in(iban) == []
    assert card_numbers_in("to " + " ".join(iban[at : at + 4] for at in range(0, 22, 4))) == []


FOUND: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("purchase.v1", lambda e: e.update(subject=NUMBER), "/subject"),
    ("purchase.v1", lambda e: e["data"].update(card=NUMBER), "/data/card"),
    ("purchase.v1", lambda e: e["data"].update(channel=NUMBER), "/data/channel"),
    ("purchase.v1", lambda e: e["data"]["lines"][1].update(category=NUMBER), "/data/lines/1/category"),
    ("purchase.v1", lambda e: e["data"]["tenders"][1].update(card_token=NUMBER), "/data/tenders/1/card_token"),
    ("return.v1", lambda e: e.update(subject=NUMBER), "/subject"),
    ("price-adjustment.v1", lambda e: e.update(subject=NUMBER), "/subject"),
    ("redemption.v1", lambda e: e["data"].update(card=NUMBER), "/data/card"),
    ("redemption.v1", lambda e: e["data"].update(reward=NUMBER), "/data/reward"),
    ("redemption-hold.v1", lambda e: e["data"].update(card=NUMBER), "/data/card"),
    ("redemption-capture.v1", lambda e: e.update(subject=NUMBER), "/subject"),
    ("redemption-release.v1", lambda e: e.update(subject=NUMBER), "/subject"),
    ("redemption-reversal.v1", lambda e: e.update(subject=NUMBER), "/subject"),
    ("activity.v1", lambda e: e["data"].update(reference=NUMBER), "/data/reference"),
    ("stamp-choice.v1", lambda e: e["data"].update(card=NUMBER), "/data/card"),
    ("stamp-choice.v1", lambda e: e["data"].update(mechanic=NUMBER), "/data/mechanic"),
    ("pass-sold.v1", lambda e: e["data"].update(card=NUMBER), "/data/card"),
    ("pass-sold.v1", lambda e: e["data"].update(mechanic=NUMBER), "/data/mechanic"),
    ("pass-visit.v1", lambda e: e["data"].update(channel=NUMBER), "/data/channel"),
    ("privilege-rendered.v1", lambda e: e["data"].update(service=NUMBER), "/data/service"),
    ("card-transaction.v1", lambda e: e["data"].update(card_token=NUMBER), "/data/card_token"),
    ("card-transaction.v1", lambda e: e["data"].update(rrn=NUMBER), "/data/rrn"),
    ("member-enrolled.v1", lambda e: e["data"].update(cards=["c1", NUMBER]), "/data/cards/1"),
    ("member-enrolled.v1", lambda e: e["data"]["attributes"].update({"a/b": NUMBER}), "/data/attributes/a~1b"),
    ("member-enrolled.v1", lambda e: e["data"]["attributes"].update(number=int(NUMBER)), "/data/attributes/number"),
    ("member-enrolled.v1", lambda e: e["data"]["attributes"].update({NUMBER: 1}), "/data/attributes"),
    ("member-enrolled.v1", lambda e: e["data"].update(consents=[NUMBER]), "/data/consents"),
    ("card-linked.v1", lambda e: e["data"].update(card=NUMBER), "/data/card"),
    ("card-linked.v1", lambda e: e["data"].update(replaces=NUMBER), "/data/replaces"),
    ("card-blocked.v1", lambda e: e["data"].update(reason=f"was {NUMBER}"), "/data/reason"),
    ("member-attributes.v1", lambda e: e["data"]["attributes"].update(segments=["x", NUMBER]), "/data/attributes/segments"),
    ("consent-changed.v1", lambda e: e["data"].update(consent=NUMBER), "/data/consent"),
    ("member-closed.v1", lambda e: e["data"].update(reason=NUMBER), "/data/reason"),
    ("members-merged.v1", lambda e: e.update(subject=NUMBER), "/subject"),
    ("members-unmerged.v1", lambda e: e.update(subject=NUMBER), "/subject"),
]


@pytest.mark.parametrize(("name", "change", "pointer"), FOUND)
def test_it_is_pointed_at_in_every_field_that_could_hold_one(name: str, change: Callable[[dict[str, Any]], Any], pointer: str) -> None:
    document = example(name)
    change(document)
    assert card_number_pointer(decode(json.dumps(document).encode())) == pointer


LET_PASS: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("purchase.v1", lambda e: e.update(id=NUMBER)),
    ("purchase.v1", lambda e: e["data"].update(receipt=NUMBER)),
    ("purchase.v1", lambda e: e["data"].update(store=NUMBER)),
    ("purchase.v1", lambda e: e["data"].update(terminal=NUMBER)),
    ("purchase.v1", lambda e: e["data"]["lines"][0].update(sku=NUMBER)),
    ("return.v1", lambda e: e["data"].update(original_id=NUMBER)),
    ("card-transaction.v1", lambda e: e["data"].update(acceptor=NUMBER)),
]


@pytest.mark.parametrize(("name", "change"), LET_PASS)
def test_ids_receipts_stores_and_articles_are_not_looked_at(name: str, change: Callable[[dict[str, Any]], Any]) -> None:
    document = example(name)
    change(document)
    assert card_number_pointer(decode(json.dumps(document).encode())) is None


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_examples_hold_none(name: str) -> None:
    assert card_number_pointer(decode(json.dumps(example(name)).encode())) is None
