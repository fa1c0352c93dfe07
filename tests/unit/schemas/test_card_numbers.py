"""Payment card numbers in clear: found where they may not be, let pass where digits are something else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.card_numbers import card_number_pointer, holds_card_number
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
        "4111  1111  1111  1111",
        "4111.1111.1111.1111",
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
