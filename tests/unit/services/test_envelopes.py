"""Envelopes around answers: spliced text is still the right JSON, whatever names and originals hold."""

import json
from datetime import UTC, date, datetime
from json.encoder import encode_basestring as quote
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.events.answers import AccrualEvent, RejectionCode, RejectionEvent
from services.outbox.envelopes import ORIGINAL_BYTES_MAX, Envelopes, Row, original_of

AT = datetime(2026, 3, 2, 12, 30, 1, 250_000, tzinfo=UTC)
TEXT = st.text(min_size=1, max_size=64).filter(lambda text: "\0" not in text)
JSON = st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def row(**fields: Any) -> Row:
    empty: dict[str, Any] = dict.fromkeys(Row._fields)
    return Row(**{**empty, "xid": "7", "seq": 1, "at": AT, **fields})


def accrual(member: str | None, outcome: str) -> str:
    shown = "null" if member is None else quote(member)
    window = "null" if member is None else '"2026-03-02"'
    return f'{{"event":{{"source":"/partners/grocer","id":"e:1"}},"outcome":"{outcome}","member":{shown},"window":{window},"effects":[],"balance":null}}'


def rejection(code: RejectionCode, *, event: bool = True) -> str:
    data = {
        "event": {"source": "/partners/grocer", "id": "e:1"} if event else None, "code": code, "detail": "why", "pointer": "/data", "type": None,
        "retryable": code.retryable, "record": {"topic": "h.partner.transactions.v1", "partition": 1, "offset": 2},
    }  # fmt: skip
    return json.dumps(data, separators=(",", ":"))


@given(TEXT)
def test_any_member_id_is_key_and_subject(member: str) -> None:
    message = Envelopes("/operator/opco").of(row(record=5, outcome="accepted", answer=accrual(member, "accepted")))
    assert message is not None
    event = AccrualEvent.model_validate(json.loads(message.value) | {"time": AT, "data": json.loads(message.value)["data"] | {"window": date(2026, 3, 2)}})
    assert (message.topic, message.key, event.subject, event.data.member) == ("points.accruals.v1", member, member, member)
    assert dict(message.headers)["clh-event"] == "/partners/grocer e:1"


@given(TEXT)
def test_a_held_event_is_keyed_by_its_card(card: str) -> None:
    message = Envelopes("/operator/opco").of(row(record=5, outcome="held", answer=accrual(None, "held"), card=card))
    assert message is not None
    assert (message.key, json.loads(message.value)["subject"]) == (card, card)


@given(JSON)
def test_an_original_that_is_json_stands_as_it_came(value: Any) -> None:
    body = json.dumps(value)
    message = Envelopes("/operator/opco").of(row(record=5, outcome="rejected", answer=rejection(RejectionCode.TOO_OLD), body=body))
    assert message is not None
    event = RejectionEvent.model_validate_json(message.value)
    assert (message.topic, message.key) == ("events.rejected.v1", "/partners/grocer")
    assert event.data.original == value


@given(st.text())
def test_an_original_that_is_not_json_is_quoted(body: str) -> None:
    try:
        meant: Any = json.loads(body, parse_constant=lambda _: body)
    except ValueError:
        meant = body
    assert json.loads(original_of(body, None)) == meant


@given(st.binary())
def test_bytes_that_are_no_text_are_shown_as_far_as_they_are(raw: bytes) -> None:
    assert json.loads(original_of(None, raw)) == raw.decode("utf-8", "replace")


def test_what_is_not_kept_too_deep_or_too_large() -> None:
    assert original_of(None, None) == "null"
    assert original_of('"' + "x" * ORIGINAL_BYTES_MAX + '"', None) == "null"
    deep = "[" * 190 + "]" * 190
    assert json.loads(original_of(deep, None)) == json.loads(deep)
    deeper = "[" * 201 + "]" * 201  # it is JSON, but nobody reads it inside an answer
    assert json.loads(original_of(deeper, None)) == deeper
    assert json.loads(original_of('1}, "x": {"y": 2', None)) == '1}, "x": {"y": 2'


def test_the_same_answer_has_the_same_id_and_another_answer_another() -> None:
    def name(answer: str, outcome: str = "accepted") -> str:
        message = Envelopes("/operator/opco").of(row(record=5, outcome=outcome, answer=answer, card="c"))
        assert message is not None
        assert dict(message.headers)["ce_id"] == json.loads(message.value)["id"]
        return str(json.loads(message.value)["id"])

    first = accrual("m-1", "accepted")
    more = first.replace('"effects":[]', '"effects":[{"mechanic":"m","kind":"points","points":1,"sponsor":"grocer","reason":"purchase"}]')
    assert name(first) == name(first)
    assert len({name(first), name(more), name(accrual(None, "held"), "held")}) == 3


def test_a_record_whose_source_is_not_known() -> None:
    message = Envelopes("/operator/opco").of(row(record=5, outcome="rejected", answer=rejection(RejectionCode.MALFORMED, event=False), body="{"))
    assert message is not None
    assert (message.key, [name for name, _ in message.headers]) == ("/unknown", ["content-type", "ce_id"])


def test_an_event_that_waits_is_not_answered() -> None:
    assert Envelopes("/operator/opco").of(row(record=5, outcome="waiting", answer="{}")) is None


def test_a_message_of_the_night() -> None:
    message = Envelopes("/operator/opco").of(row(topic="clearing.events.v1", key="harvest", text='{"state":"netted"}'))
    assert message is not None
    assert json.loads(message.value) == {
        "specversion": "1.0", "id": "e-1", "source": "/operator/opco", "type": "clearing.v1", "time": AT.isoformat(), "subject": "harvest",
        "data": {"state": "netted"},
    }  # fmt: skip
