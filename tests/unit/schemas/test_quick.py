"""Purchases read the quick way: never accepted where the models refuse, never read otherwise, and quick where it is plain."""

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from schemas.events import quick
from schemas.events.purchase import NamedDiscount, Purchase, PurchaseEvent, PurchaseLine, Tender
from schemas.events.quick import QuickDiscount, QuickLine, QuickPurchase, QuickPurchaseEvent, QuickTender, read_purchase
from schemas.events.refusal import EventError, explain
from schemas.topics import example
from tests.bench.workload import purchases

PAIRS: list[tuple[type[msgspec.Struct], type[BaseModel]]] = [
    (QuickPurchaseEvent, PurchaseEvent),
    (QuickPurchase, Purchase),
    (QuickLine, PurchaseLine),
    (QuickTender, Tender),
    (QuickDiscount, NamedDiscount),
]


def attributes(event: Any) -> Any:
    """Every attribute that the models have, down to the last line."""
    model = next((model for pair in PAIRS for model in [pair[1]] if isinstance(event, pair)), None)
    if model is not None:
        return {name: attributes(getattr(event, name)) for name in model.model_fields}
    return [attributes(one) for one in event] if isinstance(event, list) else event


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: str(pair[1].__name__))
def test_fields_are_those_of_the_models(pair: tuple[type[msgspec.Struct], type[BaseModel]]) -> None:
    struct, model = pair
    fields = {field.encode_name: field.required for field in msgspec.structs.fields(struct)}
    assert fields == {name: field.is_required() for name, field in model.model_fields.items()}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: str(pair[1].__name__))
def test_bounds_are_those_of_the_models(pair: tuple[type[msgspec.Struct], type[BaseModel]]) -> None:
    struct, model = pair
    ours = msgspec.json.schema_components([struct])[1][struct.__name__]["properties"]
    theirs = TypeAdapter(model).json_schema()["properties"]
    for name, wanted in theirs.items():
        found = bounds(ours[name])
        assert found == bounds(wanted) or (not found and name in ("id", "source", "time", "currency", "quantity")), name


BOUNDS: tuple[str, ...] = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


def bounds(schema: dict[str, Any]) -> dict[str, int]:
    """The smallest and largest that a field may be or have, also where it may be left out."""
    found: dict[str, int] = {key: schema[key] for key in BOUNDS if key in schema}
    for one in schema.get("anyOf", ()):
        found |= bounds(one)
    return found


def test_plain_purchases_are_read_the_quick_way() -> None:
    assert read_purchase(json.dumps(example("purchase.v1")).encode()) is not None
    assert all(read_purchase(value) is not None for _, value in purchases(0, 50))


@pytest.mark.parametrize("time", ["2026-03-02T10:00:00Z", "2026-03-02T10:00:00.123456+05:30", "1970-01-01T00:00:00-23:59", "2999-12-31T23:59:59+00:00"])
def test_times_with_offset_are_read_the_quick_way(time: str) -> None:
    event = read_purchase(json.dumps(example("purchase.v1") | {"time": time}).encode())
    assert event is not None
    assert event.time == explain(json.dumps(example("purchase.v1") | {"time": time}).encode()).time


def judge(value: bytes) -> bool:
    """Holds the two ways against each other; returns whether the quick one accepted."""
    found = read_purchase(value)
    if found is None:
        return False
    try:
        known = explain(value)
    except EventError as error:
        raise AssertionError(f"accepted, and refused by the models: {error.detail} {value!r}") from error
    assert attributes(found) == attributes(known)
    return True


ODD: list[Any] = [
    None, True, False, 0, -0, -1, 1, 1.0, 1e3, 10**9, 10**9 + 1, 10**15, 10**15 + 1, 10**30, "", " ", "a", "a" * 64, "a" * 65, "a" * 128, "a" * 129, "é" * 128,
    "😀" * 128, "😀" * 129, "\ud83d", "a\nb", "EUR", "eur", "EURO", "EUR\n", "٣", "1", "0", "0.0", "0.001", "1.0000001", "000000001", "0000000001",
    "999999999.999999",    "1e3", "+1", "1.", ".5", "purchase.v1", "1.0", "application/json", "/partners/a", "/partners/a\n", "/partners/",
    "/shops/a", "cash", "cheque", "pass",
    [], {}, [1],    "2026-03-02T10:00:00", "2026-03-02 10:00:00Z", "2026-03-02T24:00:00Z", "2026-02-30T10:00:00Z", "2026-03-02T10:00:60Z",
    "2026-03-02T10:00:00.1Z",
    "2026-03-02T10:00:00.1234567Z", "2026-03-02T10:00:00+24:00", "2026-03-02t10:00:00z", "1969-12-31T23:59:59Z", "3000-01-01T00:00:00Z", "20260302T100000Z",
]  # fmt: skip


def paths(document: Any, before: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a document."""
    inner = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    return [before, *(path for key, value in inner for path in paths(value, (*before, key)))]


def whole() -> dict[str, Any]:
    """A purchase that says all that a purchase can say."""
    document = copy.deepcopy(example("purchase.v1")) | {"datacontenttype": "application/json"}
    document["data"]["lines"][0] |= {"discounts": [{"mechanic": "card", "amount_minor": 5}]}
    document["data"] |= {"terminal": "1", "channel": "web"}
    return document


@given(st.data())
@settings(max_examples=600, deadline=None)
def test_one_odd_value_is_judged_alike(data: st.DataObject) -> None:
    document = whole()
    path = data.draw(st.sampled_from([path for path in paths(document) if path]))
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    if data.draw(st.booleans()):
        place[path[-1]] = data.draw(st.sampled_from(ODD))
    elif isinstance(place, list) or data.draw(st.booleans()):
        del place[path[-1]]
    else:
        place[str(path[-1]) + "x"] = 1
    judge(json.dumps(document, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "surrogatepass"))


@given(st.data())
@settings(max_examples=600, deadline=None)
def test_damaged_bytes_are_judged_alike(data: st.DataObject) -> None:
    value = bytearray(json.dumps(whole(), separators=data.draw(st.sampled_from([(",", ":"), (", ", ": ")]))).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(value) - 1))
        end = data.draw(st.integers(at, min(len(value), at + 12)))
        value[at:end] = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from([b'"', b"\\", b",", b'"line":1,', b"\\u0041", b"\xc3\xa9", b"1", b"0", bytes(value[at:end]) * 2]))
        )
    judge(bytes(value))


def test_the_two_ways_meet() -> None:
    """Else the comparisons above compare nothing."""
    assert judge(json.dumps(whole()).encode())
    assert 2 * quick.texts_in_order(msgspec.json.decode(json.dumps(whole()), type=QuickPurchaseEvent)) == json.dumps(whole()).count('"')
