"""Who may sign what: every state, every action, and every way in which two people could turn out to be one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from itertools import product
from typing import Any

import pytest

from clearing.approval import Action, Refused, Signed, Statement, Unsigned, accounts_sha256, judge
from clearing.window import Event, Misplaced, State
from schemas.ids import ProgrammeId

MAKER, FIRST = Signed(Action.SUBMIT, "mia"), Signed(Action.APPROVE, "carl")
AT = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
STATEMENT = Statement(ProgrammeId("harvest"), date(2026, 3, 2), 7, Action.APPROVE, "carl", "ab" * 32, AT)


def code(state: State, signed: list[Signed], action: Action, person: str, **more: Any) -> str:
    with pytest.raises(Refused) as refusal:
        judge(state, signed, action, person, **more)
    return refusal.value.code.value


def test_a_maker_submits_and_the_second_of_two_others_approves() -> None:
    assert judge(State.NETTED, [], Action.SUBMIT, "mia") is None
    assert judge(State.NETTED, [MAKER], Action.APPROVE, "carl") is None
    assert judge(State.NETTED, [MAKER, FIRST], Action.APPROVE, "dora") is Event.APPROVED


@pytest.mark.parametrize(("state", "action"), list(product(State, (Action.SUBMIT, Action.APPROVE))))
def test_only_a_netted_window_takes_submission_and_approval(state: State, action: Action) -> None:
    expected = {State.NETTED: "signed", State.OPEN: "window-too-early", State.DRAINING: "window-too-early", State.CLOSED: "window-too-early",
                State.DEFAULTED: "window-too-early", State.APPROVED: "window-too-late", State.INSTRUCTED: "window-too-late",
                State.SETTLED: "window-final"}[state]  # fmt: skip
    signed = [] if action is Action.SUBMIT else [MAKER]
    assert (code(state, signed, action, "carl") if expected != "signed" else (judge(state, signed, action, "carl"), "signed")[1]) == expected


@pytest.mark.parametrize("state", State)
def test_a_netted_or_approved_window_can_be_rejected_with_a_reason_by_anybody(state: State) -> None:
    if state in (State.NETTED, State.APPROVED):
        for person in ("mia", "carl", "dora"):
            assert judge(state, [MAKER, FIRST], Action.REJECT, person, reason="a wrong price") is Event.REJECTED
        assert judge(state, [], Action.REJECT, "mia", reason="a wrong price") is Event.REJECTED
        for none in (None, "", "  \n"):
            assert code(state, [MAKER], Action.REJECT, "carl", reason=none) == Unsigned.REASON_MISSING
    else:
        late = {State.INSTRUCTED: Misplaced.TOO_LATE, State.SETTLED: Misplaced.FINAL}
        assert code(state, [MAKER], Action.REJECT, "carl", reason="a wrong price") == late.get(state, Misplaced.TOO_EARLY)


@pytest.mark.parametrize("later", State)
def test_what_a_paid_window_rests_on_can_no_longer_be_rejected(later: State) -> None:
    for others in ([later], [State.NETTED, later], [later, State.OPEN]):
        if later in (State.INSTRUCTED, State.SETTLED, State.DEFAULTED):
            assert code(State.NETTED, [], Action.REJECT, "mia", reason="late", later=others) == Unsigned.LATER_WINDOW_PAID
        else:
            assert judge(State.NETTED, [], Action.REJECT, "mia", reason="late", later=others) is Event.REJECTED


def test_nobody_counts_as_two() -> None:
    assert code(State.NETTED, [], Action.APPROVE, "carl") == Unsigned.NOT_SUBMITTED
    assert code(State.NETTED, [MAKER], Action.APPROVE, "mia") == Unsigned.MAKER_IS_CHECKER
    assert code(State.NETTED, [MAKER, FIRST], Action.APPROVE, "mia") == Unsigned.MAKER_IS_CHECKER
    assert code(State.NETTED, [MAKER, FIRST], Action.APPROVE, "carl") == Unsigned.SIGNED_ALREADY
    assert code(State.NETTED, [MAKER], Action.SUBMIT, "mia") == Unsigned.SUBMITTED_ALREADY
    assert code(State.NETTED, [MAKER], Action.SUBMIT, "carl") == Unsigned.SUBMITTED_ALREADY


def test_who_has_approved_a_run_that_has_no_maker_cannot_submit_it() -> None:
    assert code(State.NETTED, [FIRST], Action.SUBMIT, "carl") == Unsigned.SIGNED_ALREADY
    assert judge(State.NETTED, [FIRST], Action.SUBMIT, "mia") is None


@pytest.mark.parametrize(
    ("state", "signed", "action", "more", "says"),
    [
        (State.NETTED, [], Action.APPROVE, {}, "^nobody has submitted it for approval$"),
        (State.NETTED, [MAKER], Action.SUBMIT, {}, "^mia has submitted it already$"),
        (State.NETTED, [FIRST], Action.SUBMIT, {}, "^carl has signed it already$"),
        (State.NETTED, [Signed(Action.SUBMIT, "carl")], Action.APPROVE, {}, "carl has submitted it, and cannot approve it too"),
        (State.NETTED, [MAKER, FIRST], Action.APPROVE, {}, "carl has approved it already: another person has to"),
        (State.NETTED, [replace(MAKER, counts=False)], Action.APPROVE, {}, "the key of mia, who submitted it, is revoked"),
        (State.NETTED, [], Action.REJECT, {}, "^a run is rejected with a reason$"),
        (State.NETTED, [], Action.REJECT, {"reason": "x", "later": [State.SETTLED]}, "a later window is settled already, and rests on this one"),
        (State.OPEN, [], Action.SUBMIT, {}, "^a window that is open cannot be moved by approved$"),
    ],
)
def test_who_may_not_sign_is_told_why(state: State, signed: list[Signed], action: Action, more: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        judge(state, signed, action, "carl", **more)


def test_a_signature_of_a_revoked_key_does_not_count_and_its_owner_cannot_sign_again() -> None:
    gone = replace(FIRST, counts=False)
    assert judge(State.NETTED, [MAKER, gone], Action.APPROVE, "dora") is None
    assert judge(State.NETTED, [MAKER, gone, Signed(Action.APPROVE, "dora")], Action.APPROVE, "emil") is Event.APPROVED
    assert code(State.NETTED, [MAKER, gone], Action.APPROVE, "carl") == Unsigned.SIGNED_ALREADY
    assert code(State.NETTED, [replace(MAKER, counts=False)], Action.APPROVE, "carl") == Unsigned.MAKER_REVOKED


def test_what_is_signed_is_one_text_for_one_content() -> None:
    assert STATEMENT.canonical() == (
        b'clh settlement signature v1\n{"action":"approve","at":"2026-03-03T07:00:00.000000+00:00","person":"carl","programme":"harvest","reason":null,'
        b'"report_sha256":"' + b"ab" * 32 + b'","run":7,"window":"2026-03-02"}'
    )
    accounts = accounts_sha256({"opco": "DE89370400440532013000", "cafe": ""}.items())
    assert accounts == sha256(b'[["cafe",""],["opco","DE89370400440532013000"]]').hexdigest()
    assert replace(STATEMENT, accounts_sha256=accounts).canonical().startswith(b'clh settlement signature v1\n{"accounts_sha256":"' + accounts.encode() + b'",')
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    assert replace(STATEMENT, at=elsewhere).canonical() == STATEMENT.canonical()


@pytest.mark.parametrize(
    "change",
    [
        {"programme": "other"}, {"window": date(2026, 3, 3)}, {"run": 8}, {"action": Action.SUBMIT}, {"person": "dora"}, {"report_sha256": "ac" * 32},
        {"at": AT + timedelta(microseconds=1)}, {"reason": ""}, {"accounts_sha256": "ab" * 32},
    ],
    ids=str,
)  # fmt: skip
def test_nothing_that_is_bound_can_be_exchanged(change: dict[str, Any]) -> None:
    assert replace(STATEMENT, **change).canonical() != STATEMENT.canonical()
