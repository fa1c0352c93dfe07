"""From netted to approved, and back: two people beside the maker, whoever tries it how; and every move is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from clearing.approval import Action, Refused
from clearing.window import Event
from services.night.run import clear_due
from services.report.approvals import approvals_in_words
from services.report.sections import payment_ids
from services.report.stored import shown
from services.runtime.local import Addresses
from services.settlement.errors import SettlementError
from services.settlement.payments import payments_of
from services.settlement.runs import newest_run, runs_of
from services.settlement.signing import record, to_sign
from services.settlement.verify import verify_settlement
from tests.coalition import Coalition, coalition
from tests.signers import MONDAY, TUESDAY, WEDNESDAY, Signers, netted, shop

SUBMIT, APPROVE, REJECT = Action.SUBMIT, Action.APPROVE, Action.REJECT


@pytest.fixture
def signers(addresses: Addresses) -> Iterator[Signers]:
    """Monday is netted, and rests on two purchases."""
    with coalition(addresses, day=MONDAY) as one:
        shop(one)
        with netted(one, MONDAY) as people:
            yield people


def refused(code: str, work: Callable[[], object]) -> None:
    """The work is refused under this code."""
    with pytest.raises((SettlementError, Refused)) as refusal:
        work()
    assert isinstance(refusal.value, SettlementError | Refused)
    assert refusal.value.code == code


def broken(one: Coalition, day: date = MONDAY) -> list[str]:
    """What the verifier finds."""
    with one.books() as connection:
        return [proof.what for proof in verify_settlement(connection, one.id, day) if not proof.holds]


def told(one: Coalition) -> list[dict[str, Any]]:
    """What is told of windows, in its order."""
    with one.books() as connection:
        rows = connection.execute("select body from outbox where topic = 'clearing.events.v1' order by seq").fetchall()
    return [json.loads(body) for (body,) in rows]


def test_a_run_is_approved_by_two_people_beside_its_maker(signers: Signers) -> None:
    assert signers.say(SUBMIT, "mia").state == "netted"
    assert signers.say(APPROVE, "carl").state == "netted"
    assert signers.say(APPROVE, "dora").state == "approved"
    assert broken(signers.one) == []
    with signers.one.books() as connection:
        run = newest_run(connection, MONDAY)
    assert [(one.action, one.person) for one in run.signatures] == [(SUBMIT, "mia"), (APPROVE, "carl"), (APPROVE, "dora")]
    assert run.approved_by is not None
    assert run.approved_by.person == "dora"


def test_every_page_of_a_report_says_who_signed_it(signers: Signers) -> None:
    def said() -> str:
        with signers.one.books() as connection:
            return approvals_in_words(shown(connection, MONDAY, nights=0).approvals)

    assert said() == "not approved yet"
    signers.say(SUBMIT, "mia")
    signers.say(APPROVE, "carl")
    assert said().startswith("not approved yet: submitted by mia, ")
    signers.say(APPROVE, "dora")
    assert [part.partition(",")[0] for part in said().split("; ")] == ["submitted by mia", "approved by carl", "approved by dora"]


def test_a_clock_that_jumps_back_changes_nothing_of_who_came_when(signers: Signers) -> None:
    signers.say(SUBMIT, "mia")
    signers.say(APPROVE, "carl")
    signers.now -= timedelta(days=400)
    signers.revoke("carl")
    signers.say(APPROVE, "dora")
    assert signers.say(APPROVE, "emil").state == "approved"
    signers.now -= timedelta(days=400)
    signers.revoke("emil")
    assert signers.states()[0] == "approved"
    assert broken(signers.one) == []


def test_neither_the_maker_nor_the_same_person_twice_nor_a_third_approves(signers: Signers) -> None:
    refused("not-submitted", lambda: signers.say(APPROVE, "carl"))
    signers.say(SUBMIT, "mia")
    refused("submitted-already", lambda: signers.say(SUBMIT, "carl"))
    refused("maker-is-checker", lambda: signers.say(APPROVE, "mia"))
    signers.say(APPROVE, "carl")
    refused("signed-already", lambda: signers.say(APPROVE, "carl"))
    signers.say(APPROVE, "dora")
    refused("window-too-late", lambda: signers.say(APPROVE, "emil"))
    assert broken(signers.one) == []


def test_of_approvers_at_the_same_moment_two_count_and_no_third(signers: Signers) -> None:
    signers.say(SUBMIT, "mia")
    signers.enrol("finn", "gert")
    names = ["carl", "dora", "emil", "finn", "gert"]
    ready = Barrier(len(names))

    def approve(name: str) -> str:
        with signers.one.books() as connection:
            statement = to_sign(connection, MONDAY, APPROVE, name, signers.now)
            signature = signers.keys[name].sign(statement.canonical())
            ready.wait()
            try:
                return record(connection, signers.one.id, statement, signature).state.value
            except Refused as refusal:
                return refusal.code.value

    with ThreadPoolExecutor(len(names)) as pool:
        came = sorted(pool.map(approve, names))
    assert came == ["approved", "netted", "window-too-late", "window-too-late", "window-too-late"]
    with signers.one.books() as connection:
        assert sum(one.action is APPROVE for one in newest_run(connection, MONDAY).signatures) == 2
    assert broken(signers.one) == []


def test_the_same_person_at_two_desks_at_the_same_moment_counts_once(signers: Signers) -> None:
    signers.say(SUBMIT, "mia")
    ready = Barrier(2)

    def approve(_: int) -> str:
        with signers.one.books() as connection:
            statement = to_sign(connection, MONDAY, APPROVE, "carl", signers.now)
            ready.wait()
            try:
                return record(connection, signers.one.id, statement, signers.keys["carl"].sign(statement.canonical())).state.value
            except Refused as refusal:
                return refusal.code.value

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, range(2))) == ["netted", "signed-already"]


@pytest.mark.parametrize("change", ["run", "action", "person", "report_sha256", "at", "programme", "key"])
def test_a_signature_counts_for_what_was_signed_and_for_nothing_else(signers: Signers, change: str) -> None:
    signers.say(SUBMIT, "mia")
    with signers.one.books() as connection:
        said = to_sign(connection, MONDAY, APPROVE, "carl", signers.now)
        signature = signers.keys["dora" if change == "key" else "carl"].sign(said.canonical())
        other: dict[str, Any] = {"run": said.run + 1, "action": REJECT, "person": "dora", "report_sha256": "0" * 64, "at": signers.now.replace(year=2025)}
        changed = replace(said, reason="x" if change == "action" else None, **{change: other[change]}) if change in other else said
        code = {"run": "run-replaced", "report_sha256": "report-changed"}.get(change, "bad-signature")
        programme = "other" if change == "programme" else signers.one.id
        refused(code, lambda: record(connection, programme, changed, signature))
        assert len(newest_run(connection, MONDAY).signatures) == 1


def test_a_changed_report_is_neither_signed_nor_accepted(signers: Signers) -> None:
    signers.say(SUBMIT, "mia")
    with signers.one.books() as connection, signers.one.books(owner=True) as owner:
        said = to_sign(connection, MONDAY, APPROVE, "carl", signers.now)
        owner.execute("set session_replication_role = replica")
        owner.execute('update run set report = replace(report, \'"netting":"multilateral"\', \'"netting":"bilateral"\')')
        refused("report-changed", lambda: record(connection, signers.one.id, said, signers.keys["carl"].sign(said.canonical())))
        refused("report-changed", lambda: signers.say(APPROVE, "carl"))
    assert {"hash of the stored report", "signature 1: submit by mia, of the report that the books hold"} <= set(broken(signers.one))


def test_a_report_whose_lines_were_changed_in_the_books_is_not_approved(signers: Signers) -> None:
    with signers.one.books(owner=True) as owner:
        owner.execute("update obligation set amount = amount + 1 where line = 0")
    refused("check-failed", lambda: signers.say(SUBMIT, "mia"))
    assert signers.say(REJECT, "mia", reason="lines differ").state == "closed"


def test_strangers_and_revoked_keys_sign_nothing(signers: Signers) -> None:
    signers.say(SUBMIT, "mia")
    signers.keys["eve"] = signers.keys["carl"]
    refused("unknown-person", lambda: signers.say(APPROVE, "eve"))
    signers.revoke("carl")
    refused("key-revoked", lambda: signers.say(APPROVE, "carl"))
    refused("key-revoked", lambda: signers.revoke("carl"))


def test_an_approval_whose_key_is_revoked_before_the_second_came_counts_no_more(signers: Signers) -> None:
    signers.say(SUBMIT, "mia")
    signers.say(APPROVE, "carl")
    signers.revoke("carl")
    assert signers.say(APPROVE, "dora").state == "netted"
    signers.enrol("carl")
    refused("signed-already", lambda: signers.say(APPROVE, "carl"))
    assert signers.say(APPROVE, "emil").state == "approved"
    assert broken(signers.one) == []
    signers.revoke("dora")
    assert signers.states()[0] == "approved"
    assert broken(signers.one) == []


def test_what_a_maker_submitted_whose_key_is_revoked_can_only_be_rejected(signers: Signers) -> None:
    signers.say(SUBMIT, "mia")
    signers.revoke("mia")
    refused("maker-revoked", lambda: signers.say(APPROVE, "carl"))
    assert signers.say(REJECT, "carl", reason="its maker has left").state == "closed"


def test_a_rejected_run_is_made_anew_linked_to_it_and_takes_later_windows_with_it(addresses: Addresses) -> None:
    with coalition(addresses, day=MONDAY) as one:
        shop(one)
        with netted(one, MONDAY, TUESDAY, WEDNESDAY) as signers:
            signers.approve(MONDAY)
            signers.approve(TUESDAY)
            refused("reason-missing", lambda: signers.say(REJECT, "emil", MONDAY, reason="  "))
            rejected = signers.say(REJECT, "emil", MONDAY, reason="a wrong\n price")
            assert (rejected.state, rejected.voided) == ("closed", (TUESDAY, WEDNESDAY))
            assert signers.states() == ["closed", "closed", "closed", "open"]
            refused("window-too-early", lambda: signers.say(APPROVE, "emil", TUESDAY))
            assert [broken(one, day) for day in (MONDAY, TUESDAY, WEDNESDAY)] == [[], [], []]

            assert clear_due(one.house, one.id) == [MONDAY, TUESDAY, WEDNESDAY]
            assert signers.states() == ["netted", "netted", "netted", "open"]
            with one.books() as connection:
                runs = runs_of(connection)
            assert [(run.replaces, run.voided_because) for run in runs] == [(None, None), (None, 1), (None, 1), (1, None), (2, None), (3, None)]
            assert [run.signatures for run in runs[3:]] == [(), (), ()]
            assert runs[0].rejection is not None
            assert runs[0].rejection.reason == "a wrong price"
            refused("not-submitted", lambda: signers.say(APPROVE, "carl", MONDAY))
            signers.approve(MONDAY)
            signers.approve(TUESDAY)
            assert [broken(one, day) for day in (MONDAY, TUESDAY, WEDNESDAY)] == [[], [], []]


def test_a_signature_on_a_run_that_was_made_anew_is_refused_though_its_report_is_the_same(signers: Signers) -> None:
    signers.say(SUBMIT, "mia")
    with signers.one.books() as connection:
        said = to_sign(connection, MONDAY, APPROVE, "carl", signers.now)
        signers.say(REJECT, "emil", reason="once more")
        clear_due(signers.one.house, signers.one.id)
        again = newest_run(connection, MONDAY)
        assert again.sha256 == said.report_sha256
        refused("run-replaced", lambda: record(connection, signers.one.id, said, signers.keys["carl"].sign(said.canonical())))


def test_a_window_that_a_later_paid_one_rests_on_is_not_rejected(addresses: Addresses) -> None:
    with coalition(addresses, day=MONDAY) as one, netted(one, MONDAY, TUESDAY) as signers:
        signers.approve(TUESDAY)
        with one.books() as connection:
            connection.execute("update settlement_window set state = 'instructed' where day = %s", (TUESDAY,))
        refused("later-window-paid", lambda: signers.say(REJECT, "emil", MONDAY, reason="too late"))
        assert signers.states()[:2] == ["netted", "instructed"]


def test_a_night_does_not_net_on_what_was_rejected_meanwhile(addresses: Addresses) -> None:
    """Tuesday's night has read what Monday carried on; then Monday is rejected."""
    with coalition(addresses, day=MONDAY) as one, netted(one, MONDAY, TUESDAY) as signers:
        signers.say(REJECT, "mia", TUESDAY, reason="again")
        night = one.house.night(one.id, lambda *_: None)
        with night.connection:
            carried = night.carried_in(TUESDAY)
            signers.say(REJECT, "mia", MONDAY, reason="a wrong price")
            from clearing.netting import net

            night.keep(TUESDAY, [], net(TUESDAY, night.plan.file, [], carried), [])
            assert signers.states()[:2] == ["closed", "closed"]
        assert clear_due(one.house, one.id) == [MONDAY, TUESDAY]
        assert broken(one, TUESDAY) == []


def test_payments_are_dated_when_they_are_approved_and_keep_their_ids(addresses: Addresses) -> None:
    """Maundy Thursday: with one bank day in Germany it is paid on the Tuesday after Easter; approved later than that, on the next bank day."""
    thursday, tuesday = date(2026, 4, 2), date(2026, 4, 7)
    with coalition(addresses, day=thursday) as one:
        shop(one)
        with netted(one, thursday) as signers, one.books() as connection:
            first = newest_run(connection, thursday)
            assert len(first.report.payments) > 0
            assert shown(connection, thursday, nights=0).value_date == tuesday
            signers.now = datetime(2026, 4, 3, 8, 0, tzinfo=UTC)
            signers.approve(thursday)
            dated = payments_of(connection, first.no)
            assert [one.id for one in dated] == sorted(payment_ids(first.report))
            assert {one.value_date for one in dated} == {tuesday}
            assert sum(one.amount_minor for one in dated) == sum(one.amount_minor for one in first.report.payments)
            signers.say(REJECT, "emil", thursday, reason="once more")
            clear_due(one.house, one.id)
            signers.now = datetime(2026, 4, 10, 22, 30, tzinfo=UTC)  # Saturday by the programme's clock
            signers.approve(thursday)
            again = payments_of(connection, newest_run(connection, thursday).no)
            assert [replace(one, value_date=tuesday) for one in again] == dated
            assert {one.value_date for one in again} == {date(2026, 4, 13)}
            assert shown(connection, thursday, nights=0).value_date == date(2026, 4, 13)
        assert broken(one, thursday) == []


def test_payments_are_not_approved_by_a_calendar_that_nobody_knows(addresses: Addresses) -> None:
    with coalition(addresses, ("holidays: [DE]", "holidays: [XX]"), day=MONDAY) as one, netted(one, MONDAY) as signers:
        signers.say(SUBMIT, "mia")
        signers.say(APPROVE, "carl")
        refused("unknown-country", lambda: signers.say(APPROVE, "dora"))
        assert signers.states()[0] == "netted"
        with one.books() as connection:
            assert shown(connection, MONDAY, nights=0).value_date is None


def test_every_move_of_a_window_is_told_in_order_with_its_run(signers: Signers) -> None:
    signers.approve()
    signers.say(REJECT, "emil", reason="a wrong price")
    clear_due(signers.one.house, signers.one.id)
    events = told(signers.one)
    with signers.one.books() as connection:
        first, second = runs_of(connection, MONDAY)
    moved = [(one["event"], one["state"], one["run"], one["report_sha256"]) for one in events]
    assert moved == [
        (Event.CUT_OFF, "draining", None, None),
        (Event.DRAINED, "closed", None, None),
        (Event.NETTED, "netted", first.no, first.sha256),
        (Event.APPROVED, "approved", first.no, first.sha256),
        (Event.REJECTED, "closed", first.no, first.sha256),
        (Event.NETTED, "netted", second.no, second.sha256),
    ]
    assert {(one["programme"], one["window"]) for one in events} == {(signers.one.id, "2026-03-02")}
    assert "mia" not in json.dumps(events)


def test_nothing_is_told_and_nothing_stands_where_a_signature_is_refused(signers: Signers) -> None:
    before = told(signers.one)
    refused("not-submitted", lambda: signers.say(APPROVE, "carl"))
    signers.say(SUBMIT, "mia")
    refused("maker-is-checker", lambda: signers.say(APPROVE, "mia"))
    assert told(signers.one) == before
