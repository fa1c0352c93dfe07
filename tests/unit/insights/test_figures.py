"""What is counted, once each, whatever order the records come in."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.insights import HourFigures
from schemas.ids import PartyId
from services.insights.figures import HOURS_MAX
from services.insights.reading import DAY_S, HOUR_S
from services.insights.state import State
from tests.unit.insights.records import DAY, NOON_S, RECEIVED_MS, answer, refusal, sent

GROCER = PartyId("grocer")
T, A, R = "partner.transactions.v1", "points.accruals.v1", "events.rejected.v1"

Record = tuple[str, bytes]


def counted(records: Sequence[Record], *, first_day: int = DAY, received_ms: int = RECEIVED_MS) -> State:
    """A state that has read these records."""
    state = State(first_day, {})
    for offset, (topic, value) in enumerate(records):
        state.take(topic, (topic, 0), offset, received_ms, value)
    return state


def hour(state: State, party: PartyId = GROCER) -> HourFigures:
    (only,) = state.figures.of(party)
    return only


def test_an_accepted_purchase_counts_with_what_was_paid_and_what_it_gave() -> None:
    one = hour(counted([(T, sent("1")), (A, answer("1", given=16))]))
    assert (one.purchases, one.points, one.redemptions, one.held) == (1, 16, 0, 0)
    assert [(each.amount_minor, each.currency) for each in one.turnover] == [(1250, "EUR")]
    assert one.hour.timestamp() == NOON_S


def test_what_was_not_answered_does_not_count() -> None:
    assert counted([(T, sent("1"))]).figures.of(GROCER) == ()
    assert counted([(A, answer("1", given=16))]).figures.of(GROCER) == ()


def test_an_answer_may_be_read_before_its_event() -> None:
    records = [(T, sent("1")), (A, answer("1", given=16))]
    assert hour(counted(records)) == hour(counted(records[::-1]))


@pytest.mark.parametrize(
    ("kind", "data", "spoken", "expected"),
    [
        ("return.v1", {"total_minor": 500}, {"given": -5}, {"returns": 1, "points": -5, "returned": ((500, "EUR"),)}),
        (
            "price-adjustment.v1",
            {"total_minor": None, "lines": [{"line": 1, "amount_minor": 30}, {"line": 2, "amount_minor": 20}]},
            {},
            {"returns": 1, "returned": ((50, "EUR"),)},
        ),
        ("redemption.v1", {"points": 40}, {"spent": 40}, {"redemptions": 1, "points_redeemed": 40}),
        ("redemption-capture.v1", {"points": 30}, {"spent": 30}, {"redemptions": 1, "points_redeemed": 30}),
        ("redemption-reversal.v1", {"points": 10}, {"spent": -10}, {"points_redeemed": -10}),
        ("activity.v1", {}, {"given": 3}, {"points": 3}),
    ],
)
def test_each_type_has_its_figures(kind: str, data: dict[str, Any], spoken: dict[str, Any], expected: dict[str, Any]) -> None:
    one = hour(counted([(T, sent("1", kind, **data)), (A, answer("1", **spoken))]))
    found = one.model_dump(exclude={"hour"})
    found["turnover"], found["returned"] = (tuple((each["amount_minor"], each["currency"]) for each in found[name]) for name in ("turnover", "returned"))
    nothing = {"purchases": 0, "turnover": (), "returns": 0, "returned": (), "points": 0, "redemptions": 0, "points_redeemed": 0, "held": 0, "rejections": {}}
    assert found == nothing | expected


def test_a_hold_of_points_shows_nothing() -> None:
    assert counted([(T, sent("1", "redemption-hold.v1", points=5)), (A, answer("1"))]).figures.of(GROCER) == ()


def test_a_held_purchase_is_shown_as_held_until_it_is_accepted() -> None:
    state = counted([(T, sent("1")), (A, answer("1", outcome="held")), (A, answer("1", outcome="held"))])
    assert (hour(state).held, hour(state).purchases) == (1, 0)
    state.take(A, (A, 0), 99, RECEIVED_MS, answer("1", given=16))
    assert (hour(state).held, hour(state).purchases, hour(state).points) == (0, 1, 16)
    state.take(A, (A, 0), 100, RECEIVED_MS, answer("1", outcome="held"))
    assert hour(state).held == 0, "an older answer that is sent again changes nothing"


def test_a_held_purchase_that_lapses_is_held_no_longer() -> None:
    one = hour(counted([(T, sent("1")), (A, answer("1", outcome="held")), (R, refusal("1", "claim-expired"))]))
    assert (one.held, one.purchases, one.rejections) == (0, 0, {"claim-expired": 1})


def test_answers_before_the_event_keep_the_final_one() -> None:
    held, accepted = (A, answer("1", outcome="held")), (A, answer("1", given=16))
    for before in ([held, accepted], [accepted, held]):
        one = hour(counted([*before, (T, sent("1"))]))
        assert (one.held, one.purchases) == (0, 1)


def test_a_refusal_counts_once_for_each_reason() -> None:
    one = hour(counted([(R, refusal("1")), (R, refusal("1")), (R, refusal("1", "id-reused")), (R, refusal("2"))]))
    assert one.rejections == {"totals-mismatch": 2, "id-reused": 1}


def test_what_could_not_be_read_counts_by_its_record_and_is_nobodys() -> None:
    state = counted([(R, refusal(None, "malformed", offset=1)), (R, refusal(None, "malformed", offset=1)), (R, refusal(None, "malformed", offset=2))])
    assert state.figures.of(GROCER) == ()
    assert hour(state, PartyId("unknown")).rejections == {"malformed": 2}


def test_a_refusal_is_in_the_hour_of_its_event_unless_that_cannot_be_trusted() -> None:
    earlier = {"time": "2026-03-02T09:10:11+00:00"}
    assert hour(counted([(R, refusal("1", original=earlier))])).hour.hour == 9
    for code in ("time-in-future", "too-old", "wrong-source"):
        assert hour(counted([(R, refusal("1", code, original=earlier))])).hour.hour == 12
    for odd in (None, "text", [1], {}, {"time": None}, {"time": "yesterday"}, {"time": "2026-03-02T09:10:11"}):
        assert hour(counted([(R, refusal("1", original=odd))])).hour.hour == 12


def test_a_malformed_event_of_a_proven_sender_is_in_the_hour_it_gives_itself_but_never_in_the_future() -> None:
    for time, expected in (("2026-03-02T09:10:11+00:00", 9), ("2026-03-02T15:10:11+00:00", 12), ("yesterday", 12)):
        assert hour(counted([(R, refusal("1", "malformed", original={"time": time}))])).hour.hour == expected
    nobodys = counted([(R, refusal(None, "malformed", original={"time": "2026-03-02T09:10:11+00:00"}))])
    assert hour(nobodys, PartyId("unknown")).hour.hour == 12


def test_partners_and_hours_stand_apart() -> None:
    state = counted(
        [
            *[(T, sent(str(no), party=party, time_s=NOON_S + HOUR_S * (no % 2))) for no, party in enumerate(["grocer", "fuelco"] * 2 + ["grocer"])],
            *[(A, answer(str(no), party=party)) for no, party in enumerate(["grocer", "fuelco"] * 2 + ["grocer"])],
        ]
    )
    assert [one.purchases for one in state.figures.of(GROCER)] == [3]
    assert [one.hour.hour for one in state.figures.of(PartyId("fuelco"))] == [13]
    assert state.figures.parties == {"grocer", "fuelco"}


def test_a_record_that_cannot_be_read_is_passed_over() -> None:
    poison = [b"", b"{", b"\xff\xfe", b"null", b"[]", b'{"type":"accrual.v1"}', b"[" * 100_000]
    records = [(topic, value) for value in poison for topic in (T, A, R)]
    state = counted([*records, (T, sent("1")), (A, answer("1"))])
    assert hour(state).purchases == 1
    assert state.unreadable == len(records)
    assert state.positions == {(T, 0): len(records) + 1, (A, 0): len(records) + 2, (R, 0): len(records)}


def test_an_offset_that_was_counted_is_not_counted_again() -> None:
    state = State(DAY, {(R, 0): 5})
    for offset in (3, 4, 5, 5, 6):
        state.take(R, (R, 0), offset, RECEIVED_MS, refusal(None, "malformed", offset=offset))
    assert hour(state, PartyId("unknown")).rejections == {"malformed": 2}


def test_what_was_received_before_the_window_does_not_count() -> None:
    yesterday = NOON_S - DAY_S
    assert counted([(T, sent("1")), (A, answer("1"))], received_ms=yesterday * 1000).figures.of(GROCER) == ()
    assert counted([(T, sent("1")), (A, answer("1", received_s=yesterday))]).figures.of(GROCER) == ()
    assert counted([(R, refusal("1", received_s=yesterday))]).figures.of(GROCER) == ()


def test_a_day_that_leaves_the_window_takes_its_events_with_it() -> None:
    state = State(DAY - 1, {})
    for offset, (day, event_id) in enumerate([(DAY - 1, "1"), (DAY, "2")]):
        received_s = day * DAY_S
        state.take(T, (T, 0), offset, received_s * 1000, sent(event_id))
        state.take(A, (A, 0), offset, received_s * 1000, answer(event_id, received_s=received_s))
    assert hour(state).purchases == 2
    state.figures.changed.clear()
    state.drop_before(DAY)
    assert hour(state).purchases == 1
    assert state.figures.changed == {"grocer"}
    assert list(state.figures.days) == [DAY]


def test_only_the_latest_hours_of_a_partner_are_shown() -> None:
    many = range(HOURS_MAX + 3)
    state = counted([record for no in many for record in ((T, sent(str(no), time_s=NOON_S - no * HOUR_S)), (A, answer(str(no))))])
    figures = state.figures.of(GROCER)
    assert len(figures) == HOURS_MAX
    assert figures[-1].hour.timestamp() == NOON_S
    assert [one.hour for one in figures] == sorted(one.hour for one in figures)


EVENTS: tuple[Record, ...] = (
    (T, sent("1")),
    (A, answer("1", given=16)),
    (T, sent("2", time_s=NOON_S - HOUR_S, total_minor=999)),
    (A, answer("2", outcome="held")),
    (A, answer("2", given=9)),
    (T, sent("3", "return.v1", total_minor=100)),
    (A, answer("3", given=-1)),
    (T, sent("4", "redemption.v1", points=5)),
    (A, answer("4", spent=5)),
    (T, sent("5")),
    (R, refusal("5")),
    (R, refusal(None, "malformed")),
    (T, b"{"),
    (T, sent("6")),
    (A, answer("6", outcome="held")),
    (T, sent("7", party="fuelco", currency="USD")),
    (A, answer("7", party="fuelco")),
)


@given(st.lists(st.sampled_from(EVENTS), max_size=12).flatmap(lambda again: st.permutations([*EVENTS, *again])))
def test_any_order_and_any_repetition_gives_the_same_figures(records: list[Record]) -> None:
    once, often = counted(EVENTS), counted(records)
    for party in ("grocer", "fuelco", "unknown"):
        assert often.figures.of(PartyId(party)) == once.figures.of(PartyId(party))
