"""Short events written in full, and files of events passed through."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from schemas.events import EVENT_TYPES
from schemas.events.decode import decode
from schemas.scenario_events import AnyShortEvent
from schemas.topics import TOPIC_OF_TYPE
from services.documents.findings import UnusableFileError
from services.scenario.expand import events_file, expand, outgoing_lines
from services.scenario.short import ShortEventError
from tests.unit.programme.harvest import programme

FILE = programme(("currencies: [EUR]", "currencies: [EUR, JPY, KWD]"))
SHORT: TypeAdapter[AnyShortEvent] = TypeAdapter(AnyShortEvent)
TIME = "2026-03-02T10:00:00+01:00"


def full(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The full event of a short one, which the house can read."""
    (record,) = expand([SHORT.validate_python({"type": kind, "id": "e1", "time": TIME} | fields)], FILE)
    decode(record.value)
    document: dict[str, Any] = json.loads(record.value)
    assert (record.event_id, record.source, record.key.decode()) == (document["id"], document["source"], document["subject"])
    assert record.topic == TOPIC_OF_TYPE[document["type"]]
    return document


def data(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = full(kind, fields)["data"]
    return found


LINE = {"line": 1, "quantity": "1", "amount_minor": 5430}
PURCHASE = {"store": "1", "receipt": "e1", "card": "c1", "currency": "EUR", "total_minor": 5430}
SALE = {"partner": "grocer", "card": "c1"}

# Type, what is written, and the data of the full event.
EVENTS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a purchase with only a total": ("purchase", {**SALE, "total": "54.30"}, {**PURCHASE, "lines": [LINE]}),
    "a purchase with a category": (
        "purchase",
        {**SALE, "total": "54.30", "category": "dairy", "sku": "m1", "quantity": "2.5"},
        {**PURCHASE, "lines": [{"line": 1, "sku": "m1", "category": "dairy", "quantity": "2.5", "amount_minor": 5430}]},
    ),
    "a purchase with everything": (
        "purchase",
        {
            **SALE,
            "total": "54.30",
            "store": "330",
            "terminal": "2",
            "receipt": "r7",
            "channel": "web",
            "lines": [
                {"line": 3, "sku": "m1", "category": "dairy/milk", "quantity": "0.482", "amount": "50", "discounts": [{"mechanic": "price", "amount": "0.66"}]},
                {"line": 1, "amount": "4.3"},
            ],
            "tenders": [{"kind": "points", "amount": "4.30"}, {"kind": "payment_card", "card_token": "par:V001", "amount": "50.00"}],
        },
        {
            "store": "330",
            "terminal": "2",
            "receipt": "r7",
            "card": "c1",
            "channel": "web",
            "currency": "EUR",
            "total_minor": 5430,
            "lines": [
                {
                    "line": 3,
                    "sku": "m1",
                    "category": "dairy/milk",
                    "quantity": "0.482",
                    "amount_minor": 5000,
                    "discounts": [{"mechanic": "price", "amount_minor": 66}],
                },
                {"line": 1, "quantity": "1", "amount_minor": 430},
            ],
            "tenders": [{"kind": "points", "amount_minor": 430}, {"kind": "payment_card", "card_token": "par:V001", "amount_minor": 5000}],
        },
    ),
    "a purchase whose total is that of its lines": (
        "purchase",
        {**SALE, "lines": [{"line": 1, "amount": "54.30"}]},
        {**PURCHASE, "lines": [LINE]},
    ),
    "a purchase whose lines do not add up": (
        "purchase",
        {**SALE, "total": "54.31", "lines": [{"line": 1, "amount": "54.30"}]},
        {**PURCHASE, "total_minor": 5431, "lines": [LINE]},
    ),
    "a discount on the only line": (
        "purchase",
        {**SALE, "total": "54.30", "discounts": [{"mechanic": "price", "amount": "1.00"}]},
        {**PURCHASE, "lines": [{**LINE, "discounts": [{"mechanic": "price", "amount_minor": 100}]}]},
    ),
    "a currency without places": (
        "purchase",
        {**SALE, "total": "5430", "currency": "JPY"},
        {**PURCHASE, "currency": "JPY", "lines": [LINE]},
    ),
    "a currency with three places": (
        "purchase",
        {**SALE, "total": "5.43", "currency": "KWD"},
        {**PURCHASE, "currency": "KWD", "lines": [LINE]},
    ),
    "a return": (
        "return",
        {**SALE, "original_id": "p1", "total": "8.60", "lines": [{"line": 3, "quantity": "1", "amount": "8.60"}, {"line": 4, "amount": "0"}]},
        {
            "original_id": "p1",
            "store": "1",
            "receipt": "e1",
            "currency": "EUR",
            "total_minor": 860,
            "lines": [{"line": 3, "quantity": "1", "amount_minor": 860}, {"line": 4, "amount_minor": 0}],
        },
    ),
    "a return with only a total": (
        "return",
        {**SALE, "original_id": "p1", "original_source": "/partners/fuelco", "total": "8.60", "store": "7", "receipt": "r", "currency": "JPY"}
        | {"currency": "EUR"},
        {
            "original_id": "p1",
            "original_source": "/partners/fuelco",
            "store": "7",
            "receipt": "r",
            "currency": "EUR",
            "total_minor": 860,
            "lines": [{"line": 1, "amount_minor": 860}],
        },
    ),
    "a price adjustment": (
        "price-adjustment",
        {**SALE, "original_id": "p1", "lines": [{"line": 1, "amount": "1.00"}]},
        {"original_id": "p1", "currency": "EUR", "lines": [{"line": 1, "amount_minor": 100}]},
    ),
    "a redemption": ("redemption", {**SALE, "points": 50}, {"card": "c1", "store": "1", "receipt": "e1", "points": 50}),
    "a redemption with everything": (
        "redemption",
        {**SALE, "points": 50, "store": "9", "receipt": "x", "reward": "bag", "value": "0.50"},
        {"card": "c1", "store": "9", "receipt": "x", "points": 50, "reward": "bag", "value_minor": 50, "currency": "EUR"},
    ),
    "a hold": (
        "redemption-hold",
        {**SALE, "points": 50, "expires_at": "2026-03-02T10:05:00+01:00"},
        {"card": "c1", "store": "1", "receipt": "e1", "points": 50, "expires_at": "2026-03-02T10:05:00+01:00"},
    ),
    "a capture": ("redemption-capture", {**SALE, "original_id": "h1", "points": 40}, {"original_id": "h1", "points": 40}),
    "a release": ("redemption-release", {**SALE, "original_id": "h1"}, {"original_id": "h1"}),
    "a reversal": ("redemption-reversal", {**SALE, "original_id": "e0", "points": 40}, {"original_id": "e0", "points": 40}),
    "an activity": ("activity", {**SALE, "activity": "review"}, {"card": "c1", "activity": "review", "quantity": "1"}),
    "an activity with everything": (
        "activity",
        {**SALE, "activity": "referral", "quantity": "2", "value": "3.00", "reference": "c2"},
        {"card": "c1", "activity": "referral", "quantity": "2", "value_minor": 300, "currency": "EUR", "reference": "c2"},
    ),
    "a choice of a stamp card": (
        "stamp-choice",
        {**SALE, "mechanic": "coffee-card", "choice": "gift"},
        {"card": "c1", "mechanic": "coffee-card", "choice": "gift"},
    ),
    "a pass": (
        "pass-sold",
        {**SALE, "mechanic": "ten"},
        {"card": "c1", "kind": "sold", "mechanic": "ten", "store": "1", "receipt": "e1"},
    ),
    "a visit taken back": (
        "pass-visit",
        {**SALE, "kind": "cancelled", "original_id": "v1", "channel": "web", "store": "2", "receipt": "r7"},
        {"card": "c1", "kind": "cancelled", "original_id": "v1", "store": "2", "channel": "web", "receipt": "r7"},
    ),
    "a service": (
        "privilege-rendered",
        {**SALE, "mechanic": "gold", "service": "delivery"},
        {"card": "c1", "kind": "rendered", "mechanic": "gold", "service": "delivery", "store": "1", "receipt": "e1"},
    ),
    "a card transaction": (
        "card-transaction",
        {"bank": "bank1", "card": "tok1", "amount": "100.25", "mcc": "5411"},
        {"card_token": "tok1", "kind": "clearing", "amount_minor": 10025, "currency": "EUR", "mcc": "5411", "transacted_at": TIME, "posted_on": "2026-03-02"},
    ),
    "a refund with everything": (
        "card-transaction",
        {
            "bank": "bank1",
            "card": "tok1",
            "kind": "refund",
            "original_id": "t1",
            "amount": "30.00",
            "mcc": "5411",
            "acceptor": "a",
            "rrn": "r",
            "auth_code": "u",
        }
        | {"arn": "n", "transacted_at": "2026-03-01T23:00:00+01:00", "posted_on": "2026-03-03"},
        {"card_token": "tok1", "kind": "refund", "original_id": "t1", "amount_minor": 3000, "currency": "EUR", "mcc": "5411", "acceptor": "a", "rrn": "r"}
        | {"auth_code": "u", "arn": "n", "transacted_at": "2026-03-01T23:00:00+01:00", "posted_on": "2026-03-03"},
    ),
    "an enrolment": (
        "member-enrolled",
        {"member": "m1", "cards": ["c1", "c2"]},
        {"member": "m1", "cards": ["c1", "c2"], "kind": "consumer", "enrolled_on": "2026-03-02"},
    ),
    "an enrolment with everything": (
        "member-enrolled",
        {"member": "m1", "cards": [], "kind": "business", "enrolled_on": "2026-02-01", "attributes": {"birthday": "1990-05-01", "staff": True, "tags": ["a"]}}
        | {"consents": {"service": True}, "household": "h1"},
        {"member": "m1", "cards": [], "kind": "business", "enrolled_on": "2026-02-01", "attributes": {"birthday": "1990-05-01", "staff": True, "tags": ["a"]}}
        | {"consents": {"service": True}, "household": "h1"},
    ),
    "a card": ("card-linked", {"member": "m1", "card": "c3", "replaces": "c1"}, {"member": "m1", "card": "c3", "replaces": "c1"}),
    "a blocked card": ("card-blocked", {"card": "c1", "reason": "lost"}, {"card": "c1", "reason": "lost"}),
    "attributes": ("member-attributes", {"member": "m1", "attributes": {"region": "south"}}, {"member": "m1", "attributes": {"region": "south"}}),
    "a consent": ("consent-changed", {"member": "m1", "consent": "news", "given": False}, {"member": "m1", "consent": "news", "given": False}),
    "a closing": ("member-closed", {"member": "m1", "erase": True}, {"member": "m1", "reason": "", "erase": True}),
    "a merger": ("members-merged", {"member": "m1", "into": "m2"}, {"member": "m1", "into": "m2"}),
    "a merger undone": ("members-unmerged", {"original_id": "e0", "subject": "m1"}, {"original_id": "e0"}),
}


@pytest.mark.parametrize("name", EVENTS)
def test_a_short_event_is_written_in_full(name: str) -> None:
    kind, written, expected = EVENTS[name]

    assert data(kind, written) == expected


def test_every_type_is_written_in_full() -> None:
    assert {f"{kind}.v1" for kind, _, _ in EVENTS.values()} == set(EVENT_TYPES)


def test_the_envelope() -> None:
    document = full("purchase", {**SALE, "total": "1.00"})

    del document["data"]
    assert document == {"specversion": "1.0", "id": "e1", "source": "/partners/grocer", "type": "purchase.v1", "time": TIME, "subject": "c1"}


MINOR: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a redemption": ("redemption", {**SALE, "points": 5, "value_minor": 100}, {"value": "1"}),
    "a redemption in a currency": ("redemption", {**SALE, "points": 5, "value_minor": 100, "currency": "JPY"}, {"value": "100"}),
    "a hold": ("redemption-hold", {**SALE, "points": 5, "value_minor": 7, "expires_at": "2026-03-02T11:00:00+01:00"}, {"value": "0.07"}),
    "an activity": ("activity", {**SALE, "activity": "run", "value_minor": 0}, {"value": "0"}),
    "a purchase": ("purchase", {**SALE, "total_minor": 5430, "discounts": [{"mechanic": "a", "amount_minor": 3}]}, {"total": "54.30"}),
    "lines": (
        "purchase",
        {**SALE, "lines": [{"line": 1, "amount_minor": 10}, {"line": 2, "amount": "0.20"}], "tenders": [{"kind": "cash", "amount_minor": 30}]},
        {"total_minor": 30},
    ),
    "a return": ("return", {**SALE, "original_id": "p", "total_minor": 100}, {"total": "1.00", "lines": [{"line": 1, "amount_minor": 100}]}),
    "an adjustment": ("price-adjustment", {**SALE, "original_id": "p", "lines": [{"line": 1, "amount_minor": 3}]}, {"lines": [{"line": 1, "amount": "0.03"}]}),
    "a card transaction": ("card-transaction", {"bank": "bank1", "card": "t", "mcc": "5411", "amount_minor": 9}, {"amount": "0.09"}),
}


@pytest.mark.parametrize("name", MINOR)
def test_sums_may_be_written_in_minor_units_beside_the_decimal_text_or_instead_of_it(name: str) -> None:
    kind, minor, more = MINOR[name]
    instead = {key: value for key, value in minor.items() if f"{key.removesuffix('_minor')}" not in more} | more

    assert data(kind, minor) == data(kind, minor | more) == data(kind, instead)


def test_what_the_envelope_has_can_be_said() -> None:
    document = full("purchase", {**SALE, "total": "1.00", "specversion": "1.0", "datacontenttype": "application/json"})

    assert document["datacontenttype"] == "application/json"


TOLD_OTHERWISE = {("card-transaction.v1", "card_token")}
"""Fields of full events that a short one has under another name alone."""


def fields_of(schema: Any, definitions: Any) -> set[str]:
    """Names of the fields of a JSON Schema, those of its parts included."""
    if isinstance(schema, list):
        return set().union(*(fields_of(each, definitions) for each in schema))
    if not isinstance(schema, dict):
        return set()
    if "$ref" in schema:
        return fields_of(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    below = [value for key, value in schema.items() if key not in ("$defs", "properties")]
    return set(schema.get("properties", {})) | fields_of(list(schema.get("properties", {}).values()), definitions) | fields_of(below, definitions)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_field_of_a_full_event_can_be_given(name: str) -> None:
    wanted = EVENT_TYPES[name].model_json_schema()
    definitions = SHORT.json_schema()["$defs"]
    (short,) = [each for each in definitions.values() if each.get("properties", {}).get("type", {}).get("const") == name.removesuffix(".v1")]

    lacking = fields_of(wanted, wanted.get("$defs", {})) - fields_of(short, definitions) - {"data"}

    assert {(name, field) for field in lacking} <= TOLD_OTHERWISE


@pytest.mark.parametrize(
    ("kind", "fields", "source", "subject"),
    [
        ("card-transaction", {"bank": "bank1", "card": "tok1", "amount": "1", "mcc": "5411"}, "/banks/bank1", "tok1"),
        ("member-enrolled", {"member": "m1", "cards": ["c1"]}, "/operator/opco", "m1"),
        ("member-enrolled", {"member": "m1", "cards": ["c1"], "partner": "grocer"}, "/partners/grocer", "m1"),
        ("card-linked", {"member": "m1", "card": "c1"}, "/operator/opco", "m1"),
        ("card-blocked", {"card": "c1"}, "/operator/opco", "c1"),
        ("purchase", {"partner": "opco", "card": "c1", "total": "1"}, "/partners/opco", "c1"),
        ("purchase", {"source": "/partners/nobody", "card": "c1", "total": "1"}, "/partners/nobody", "c1"),
        ("purchase", {**SALE, "total": "1", "subject": "c9"}, "/partners/grocer", "c9"),
        ("return", {"partner": "grocer", "card": "c2", "original_id": "p1", "total": "1"}, "/partners/grocer", "c2"),
    ],
)
def test_who_sends_it_and_what_is_shown(kind: str, fields: dict[str, Any], source: str, subject: str) -> None:
    document = full(kind, fields)

    assert (document["source"], document["subject"]) == (source, subject)


@pytest.mark.parametrize(
    ("time", "day"),
    [("2026-03-02T23:30:00Z", "2026-03-03"), ("2026-03-02T23:30:00+01:00", "2026-03-02"), ("2026-07-01t00:30:00.123456789-05:00", "2026-07-01")],
)
def test_days_that_are_left_out_are_those_of_the_programmes_time_zone(time: str, day: str) -> None:
    assert data("member-enrolled", {"member": "m1", "cards": ["c1"], "time": time})["enrolled_on"] == day


@pytest.mark.parametrize(
    ("kind", "fields", "field", "reason"),
    [
        ("purchase", {**SALE, "total": "1.001"}, ("total",), "EUR has 2 decimal places"),
        ("purchase", {**SALE, "total": "1.5", "currency": "JPY"}, ("total",), "JPY has 0 decimal places"),
        ("purchase", {**SALE, "total": "1", "lines": [{"line": 1, "amount": "1"}, {"line": 2, "amount": "0.001"}]}, ("lines", 1, "amount"), "decimal places"),
        ("purchase", {**SALE, "total": "1", "tenders": [{"kind": "cash", "amount": "0.001"}]}, ("tenders", 0, "amount"), "decimal places"),
        ("purchase", {**SALE, "total": "1", "discounts": [{"mechanic": "a", "amount": "0.001"}]}, ("discounts", 0, "amount"), "decimal places"),
        ("return", {**SALE, "original_id": "p", "total": "0.001"}, ("total",), "decimal places"),
        ("price-adjustment", {**SALE, "original_id": "p", "lines": [{"line": 1, "amount": "0.001"}]}, ("lines", 0, "amount"), "decimal places"),
        ("redemption", {**SALE, "points": 1, "value": "0.001"}, ("value",), "decimal places"),
        ("card-transaction", {"bank": "bank1", "card": "t", "amount": "0.001", "mcc": "5411"}, ("amount",), "decimal places"),
        ("redemption", {**SALE, "points": 1, "value": "1", "value_minor": 10}, ("value_minor",), "says 10, but value says 100 minor units of EUR"),
        ("purchase", {**SALE, "total": "1", "total_minor": 1}, ("total_minor",), "total says 100"),
        ("purchase", {**SALE, "lines": [{"line": 1, "amount": "1", "amount_minor": 1}]}, ("lines", 0, "amount_minor"), "amount says 100"),
        ("purchase", {"card": "c1", "total": "1"}, (), "partner is missing"),
        ("card-transaction", {"card": "t", "amount": "1", "mcc": "5411"}, (), "bank is missing"),
    ],
)
def test_what_cannot_be_written_in_full_is_refused_with_its_field(kind: str, fields: dict[str, Any], field: tuple[str | int, ...], reason: str) -> None:
    with pytest.raises(ShortEventError, match=reason) as refused:
        full(kind, fields)

    assert refused.value.field == field


def test_an_event_is_sent_as_often_as_it_says() -> None:
    event = SHORT.validate_python({"type": "redemption", "id": "e1", "time": TIME, **SALE, "points": 1, "repeat": 3})
    other = SHORT.validate_python({"type": "redemption", "id": "e2", "time": TIME, **SALE, "points": 1})

    records = list(expand([event, other], FILE))

    assert [record.event_id for record in records] == ["e1", "e1", "e1", "e2"]
    assert len(set(records)) == 2


def test_lines_of_a_file_pass_through_byte_for_byte() -> None:
    event = b'{ "subject":"c\\u00e4", "type":"card-transaction.v1",  "id": "e1", "source": "/banks/b", "data": {} }'
    lines = [
        event,
        b"not JSON",
        b"\xff\xfe",
        b"[1]",
        b'{"subject": 7, "type": 5, "id": null}',
        b'{"subject": "\\ud800", "type": "member-enrolled.v1"}',
        b"[" * 9999,
    ]

    records = list(outgoing_lines(b"\n\r\n  \n".join(lines) + b"\r\n"))

    assert [record.value for record in records] == lines
    assert (records[0].topic, records[0].key, records[0].event_id, records[0].source) == ("bank.card-transactions.v1", "cä".encode(), "e1", "/banks/b")
    assert [(record.topic, record.key, record.event_id) for record in records[1:5]] == [("partner.transactions.v1", b"", None)] * 4
    assert (records[5].topic, records[5].key) == ("member.events.v1", b"?")


def test_files_of_events_may_be_compressed(tmp_path: Path) -> None:
    import gzip

    plain, packed, broken = tmp_path / "day.jsonl", tmp_path / "day.jsonl.gz", tmp_path / "broken.gz"
    plain.write_bytes(b"{}\n")
    packed.write_bytes(gzip.compress(b"{}\n"))
    broken.write_bytes(gzip.compress(b"{}\n" * 100)[:-9])

    assert events_file(plain) == events_file(packed) == b"{}\n"
    for path, code in ((broken, "not-gzip"), (tmp_path / "none.gz", "unreadable"), (tmp_path / "none.jsonl", "unreadable")):
        with pytest.raises(UnusableFileError) as refused:
            events_file(path)
        assert refused.value.findings[0].code == code
