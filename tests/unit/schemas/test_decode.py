"""Decoding: what comes through, and what exactly is said of what does not."""

import contextlib
import copy
import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import EVENT_TYPES, RESERVED_TYPES
from schemas.events.decode import EVENT_BYTES_MAX, Malformed, UnknownType, decode
from schemas.events.purchase import PurchaseEvent
from schemas.events.quick import QuickPurchaseEvent
from schemas.events.refusal import explain
from schemas.events.totals import totals_match
from schemas.topics import example
from tests.unit.schemas.test_quick import attributes

CARD_NUMBER = "4111111111111111"


def value(document: Any) -> bytes:
    return json.dumps(document).encode()


def purchase() -> dict[str, Any]:
    return example("purchase.v1")


def changed(change: Callable[[dict[str, Any]], Any]) -> bytes:
    document = copy.deepcopy(purchase())
    change(document)
    return value(document)


def refused(record: bytes) -> Malformed:
    with pytest.raises(Malformed) as error:
        decode(record)
    return error.value


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_the_example_of_each_type_comes_through(name: str) -> None:
    event = explain(value(example(name)))
    assert attributes(decode(value(example(name)))) == attributes(event)
    assert type(event) is EVENT_TYPES[name]
    assert json.loads(event.model_dump_json(exclude_unset=True)) == example(name)


def test_a_purchase_has_its_values() -> None:
    event = decode(value(purchase()))
    assert isinstance(event, PurchaseEvent | QuickPurchaseEvent)
    assert event.time == dt.datetime(2026, 3, 2, 16, 45, 10, tzinfo=dt.UTC)
    assert [line.quantity for line in event.data.lines] == [Decimal(1), Decimal("0.482")]
    assert event.data.tenders is not None
    assert event.data.total_minor == 2110


def test_what_may_be_left_out_is_left_out() -> None:
    document = purchase()
    for name in ("terminal", "channel", "tenders"):
        del document["data"][name]
    document["data"]["lines"] = [{"line": 1, "amount_minor": 2110}]
    event = decode(value(document))
    assert isinstance(event, PurchaseEvent | QuickPurchaseEvent)
    assert event.data.lines[0].quantity == 1
    assert event.data.tenders is None


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
@pytest.mark.parametrize("indent", [None, 2])
def test_any_layout_of_the_same_json_is_the_same_event(separators: tuple[str, str], indent: int | None) -> None:
    assert attributes(decode(json.dumps(purchase(), separators=separators, indent=indent).encode())) == attributes(decode(value(purchase())))


def test_keys_in_any_order_and_text_that_looks_like_keys() -> None:
    document = dict(reversed(purchase().items()))
    document["data"]["store"] = '"type":"return.v1" \\u0000 ":'
    assert decode(value(document)).data.store == document["data"]["store"]  # type: ignore[union-attr]  # it is a purchase


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "unknown field of the envelope": (lambda e: e.update(extra=1), "/extra"),
    "unknown field of the data": (lambda e: e["data"].update(totl_minor=1), "/data/totl_minor"),
    "unknown field of a line": (lambda e: e["data"]["lines"][1].update(qty="1"), "/data/lines/1/qty"),
    "unknown field with signs that a pointer escapes": (lambda e: e["data"].update({"a/b~c": 1}), "/data/a~1b~0c"),
    "missing field": (lambda e: e["data"]["lines"][1].pop("amount_minor"), "/data/lines/1/amount_minor"),
    "missing data": (lambda e: e.pop("data"), "/data"),
    "missing subject": (lambda e: e.pop("subject"), "/subject"),
    "data that is no object": (lambda e: e.update(data=[]), "/data"),
    "no line": (lambda e: e["data"].update(lines=[]), "/data/lines"),
    "a line that stands twice": (lambda e: e["data"]["lines"][1].update(line=1), "/data/lines/1/line"),
    "amount as text": (lambda e: e["data"].update(total_minor="2110"), "/data/total_minor"),
    "amount with a fraction": (lambda e: e["data"].update(total_minor=2110.0), "/data/total_minor"),
    "amount as a word of truth": (lambda e: e["data"].update(total_minor=True), "/data/total_minor"),
    "negative amount": (lambda e: e["data"]["lines"][0].update(amount_minor=-1), "/data/lines/0/amount_minor"),
    "amount without end": (lambda e: e["data"].update(total_minor=10**16), "/data/total_minor"),
    "quantity as a number": (lambda e: e["data"]["lines"][0].update(quantity=1), "/data/lines/0/quantity"),
    "quantity of nothing": (lambda e: e["data"]["lines"][0].update(quantity="0.00"), "/data/lines/0/quantity"),
    "negative quantity": (lambda e: e["data"]["lines"][0].update(quantity="-1"), "/data/lines/0/quantity"),
    "currency in small letters": (lambda e: e["data"].update(currency="eur"), "/data/currency"),
    "unknown tender": (lambda e: e["data"]["tenders"][0].update(kind="cheque"), "/data/tenders/0/kind"),
    "time without offset": (lambda e: e.update(time="2026-03-02T10:00:00"), "/time"),
    "time as a number": (lambda e: e.update(time=1772443510), "/time"),
    "time as a number in text": (lambda e: e.update(time="1772443510"), "/time"),
    "time of a day that does not exist": (lambda e: e.update(time="2026-02-30T10:00:00Z"), "/time"),
    "time out of all calendars": (lambda e: e.update(time="0001-01-01T00:00:00+14:00"), "/time"),
    "id with a space": (lambda e: e.update(id="a b"), "/id"),
    "id of 65 characters": (lambda e: e.update(id="a" * 65), "/id"),
    "id as a number": (lambda e: e.update(id=31198570044), "/id"),
    "source of nobody": (lambda e: e.update(source="/shops/grocer"), "/source"),
    "another version of CloudEvents": (lambda e: e.update(specversion="0.3"), "/specversion"),
    "type as a number": (lambda e: e.update(type=1), "/type"),
    "a zero character": (lambda e: e["data"].update(store="3\x0030"), "/data/store"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_malformed_and_pointed_at(mistake: str) -> None:
    change, pointer = MISTAKES[mistake]
    assert refused(changed(change)).pointer == pointer


UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "a word": b"null",
    "a list": b"[]",
    "broken UTF-8": value(purchase()).replace(b"330", b"3\xff0"),
    "half of a pair of surrogates": value(purchase()).replace(b"330", b"\\ud800"),
    "cut off": value(purchase())[:-1],
    "something behind it": value(purchase()) + b"}",
    "NaN": value(purchase()).replace(b"2110", b"NaN"),
    "a number of 5,000 digits": value(purchase()).replace(b"2110", b"9" * 5000),
    "a key that stands twice": value(purchase()).replace(b'"store": "330"', b'"store": "330", "store": "331"'),
    "a key that stands twice, with spaces": value(purchase()).replace(b'"store": "330"', b'"store" : "330", "store" : "331"'),
    "a key that stands twice, with a tab": value(purchase()).replace(b'"store": "330"', b'"store"\t: "330", "store": "331"'),
    "a key of a line that stands twice": value(purchase()).replace(b'"line": 1', b'"line": 1, "line": 1'),
    "nested lists": b"[" * 500_000,
    "nested objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a byte order mark": b"\xef\xbb\xbf" + value(purchase()),
    "2 MB": b'{"type":"purchase.v1",' + b" " * 2_000_000 + value(purchase())[1:],
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_is_malformed_as_a_whole(what: str) -> None:
    assert refused(UNREADABLE[what]).pointer == ""


def test_what_is_malformed_claims_its_id_where_its_object_names_one() -> None:
    def claim(**terms: Any) -> tuple[str, str, str | None] | None:
        return refused(value({**purchase(), "data": {}, **terms})).claim

    document = purchase()
    assert claim() == (document["source"], document["id"], "purchase.v1")
    assert claim(time="yesterday", subject=7, more=1) == (document["source"], document["id"], "purchase.v1")
    assert claim(type="purchase", specversion="2") == (document["source"], document["id"], None) == claim(type=["purchase.v1"], specversion="2")
    for wrong in ({"id": 7}, {"id": "e 1"}, {"id": "e1\n"}, {"id": "x" * 65}, {"source": "grocer"}, {"source": None}, {"source": "/partners/"}):
        assert claim(**wrong) is None
    without = {name: part for name, part in document.items() if name != "id"}
    assert refused(value(without)).claim is None


def test_how_deep_an_event_may_be_nested_does_not_depend_on_the_interpreter() -> None:
    def nested(levels: int, inner: str = "") -> bytes:
        """An event with lists in its data, so that this many lie in one another, the two objects around them included."""
        return value(purchase()).replace(b'"data": {', b'"data": {"more": ' + b"[" * (levels - 2) + inner.encode() + b"]" * (levels - 2) + b", ")

    deepest = refused(nested(200, '"[[{{ \\\\" , "\\" [["'))
    assert (deepest.pointer, deepest.claim is not None) == ("/data/more", True)
    for deeper in (nested(201), nested(3000), nested(500_000), nested(201)[:-1]):
        assert (refused(deeper).detail, refused(deeper).claim) == ("The value is nested too deeply.", None)


@pytest.mark.parametrize(
    "odd",
    [b'"', b'"\\', b'"' + b'\\"' * 500_000, b'"' + b'\\"' * 500_000 + b"\\", b'"' * 1_000_001],
    ids=["a quote", "a backslash", "escaped quotes", "escaped quotes and a backslash", "quotes"],
)
@pytest.mark.timeout(10)
def test_text_without_an_end_is_refused_in_no_time(odd: bytes) -> None:
    assert refused(odd).detail == "The value is not valid JSON."


@pytest.mark.parametrize(
    "record",
    [b"", b"[]", b"{}", value(purchase())[:-1], value(purchase())[:-1] + b', "id": "e2"}', value({**purchase(), "more": float("nan")}),
     value(purchase()).replace(b'"data": {', b'"data": {"more": ' + b"[" * 3000 + b"]" * 3000 + b", "),
     b'{"id": "e1", "source": "/partners/grocer", "data": "\xff"}',
     value({**purchase(), "more": "x" * EVENT_BYTES_MAX})],
    ids=["nothing", "a list", "no id", "cut off", "an id twice", "no JSON", "nested too deeply", "no UTF-8", "too large"],
)  # fmt: skip
def test_what_is_no_object_or_can_be_read_in_two_ways_claims_nothing(record: bytes) -> None:
    assert refused(record).claim is None


@pytest.mark.parametrize(
    ("consents", "pointer", "detail"),
    [
        ({"mail": True, "post": "yes"}, "/data/consents/post", "The value must be true or false."),
        ({"a/b": 1}, "/data/consents/a~1b", "The value must be true or false."),
        ("mail", "/data/consents", "The value must be an object."),
    ],
)
def test_a_consent_that_is_neither_given_nor_not_is_pointed_at(consents: Any, pointer: str, detail: str) -> None:
    document = example("member-enrolled.v1")
    document["data"]["consents"] = consents
    found = refused(value(document))
    assert (found.pointer, found.detail) == (pointer, detail)


def test_a_value_of_the_largest_size_is_read() -> None:
    record = value(purchase())
    assert decode(record + b" " * (EVENT_BYTES_MAX - len(record))) == decode(record)


@pytest.mark.parametrize("name", [*sorted(RESERVED_TYPES), "purchase.v2", "purchase", "accrual.v1"])
def test_a_type_that_is_not_in_the_catalogue_is_unknown(name: str) -> None:
    with pytest.raises(UnknownType) as error:
        decode(changed(lambda e: e.update(type=name)))
    assert (error.value.pointer, error.value.envelope.id, error.value.envelope.type) == ("/type", "31198570044", name)


def test_an_unknown_type_in_a_broken_envelope_is_malformed() -> None:
    assert refused(changed(lambda e: e.update(type="purchase.v2", id=""))).pointer == "/id"


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e["data"].update({CARD_NUMBER: 1}),
        lambda e: e["data"].update(currency=CARD_NUMBER),
        lambda e: e.update(id=CARD_NUMBER + " "),
        lambda e: e.update(type=CARD_NUMBER),
        lambda e: e["data"]["lines"][0].update({f"x {CARD_NUMBER}": "y"}),
    ],
)
def test_a_refusal_repeats_no_part_of_a_card_number(change: Callable[[dict[str, Any]], Any]) -> None:
    assert "1111" not in str(refused(changed(change)))


def test_a_pointer_does_not_repeat_endless_keys() -> None:
    assert refused(changed(lambda e: e["data"].update({"k" * 500: 1}))).pointer == "/data"


@pytest.mark.parametrize("name", ["redemption.v1", "activity.v1"])
def test_a_value_has_its_currency_beside_it(name: str) -> None:
    document = example(name)
    document["data"].pop("currency", None)
    document["data"]["value_minor"] = 42
    assert refused(value(document)).pointer == "/data/currency"
    del document["data"]["value_minor"]
    decode(value(document))


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_are_refused(record: bytes) -> None:
    with pytest.raises((Malformed, UnknownType)):
        decode(record)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(path=st.sampled_from(["id", "source", "type", "time", "subject", "data", "data/lines", "data/tenders", "data/card", "data/lines/0"]), junk=JSON)
def test_junk_in_any_place_raises_nothing_else(path: str, junk: Any) -> None:
    document: Any = purchase()
    here = document
    *above, last = path.split("/")
    for step in above:
        here = here[int(step)] if isinstance(here, list) else here[step]
    here[int(last) if isinstance(here, list) else last] = junk
    with contextlib.suppress(Malformed, UnknownType):
        decode(value(document))


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        (lambda e: e["data"].pop("channel"), True),
        (lambda e: e["data"].pop("tenders"), True),
        (lambda e: e["data"]["lines"][0].update(amount_minor=1251), False),
        (lambda e: e["data"]["tenders"][0].update(amount_minor=501), False),
        (lambda e: e["data"].update(tenders=[]), False),
        (lambda e: e["data"].update(total_minor=2111), False),
    ],
)
def test_lines_and_tenders_add_up_to_the_total(change: Callable[[dict[str, Any]], Any], holds: bool) -> None:
    event = decode(changed(change))
    assert isinstance(event, PurchaseEvent | QuickPurchaseEvent)
    assert totals_match(event.data) is holds
