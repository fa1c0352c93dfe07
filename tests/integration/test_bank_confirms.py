"""Only statements settle: what the bank says, in any order, late, twice, or never, and where payments and their window stand then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.programme import Programme
from services.bank.errors import BankCode, BankError
from services.bank.references import creditor_reference
from services.journal.programmes import load
from services.settlement.deadlines import deadline_of
from services.settlement.findings import findings
from services.settlement.statements import halted
from tests.bank_messages import Movement, status_line, transaction
from tests.paying import AGAIN, AtTheBank, at_the_bank
from tests.signers import MONDAY, Signers


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    """The window is paid."""
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        yield bank


def programme_of(one: AtTheBank) -> Programme:
    return load(one.books).programme


def all_paid(one: AtTheBank) -> bytes:
    """A statement on which everything is."""
    return one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer"))


def refused(code: BankCode, one: AtTheBank, content: bytes) -> None:
    with pytest.raises(BankError) as refusal:
        one.take(content)
    assert refusal.value.code is code


def test_acceptance_and_booking_settle_nothing_and_a_statement_settles_all(one: AtTheBank) -> None:
    one.take(one.status(group="ACCP"))
    assert one.match().settled == []
    assert one.states() == {"fuelco": "accepted", "cafe": "accepted", "grocer": "planned"}
    one.take(one.notification(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer")))
    assert one.match().settled == []
    assert one.states() == dict.fromkeys(("fuelco", "cafe", "grocer"), "booked")
    one.take(all_paid(one))
    done = one.match()
    assert (done.settled, one.window(), done.corrections) == ([MONDAY], "settled", [])
    assert one.states() == dict.fromkeys(("fuelco", "cafe", "grocer"), "confirmed")
    assert {standing.statements for standing in one.standings().values()} == {(done.statements[0],)}


def test_the_move_and_every_payment_is_told_with_the_statement_that_moved_it(one: AtTheBank) -> None:
    one.take(all_paid(one))
    (name,) = one.match().statements
    moved = one.books.execute("select after, by_whom, because from window_move where day = %s order by no desc limit 1", (MONDAY,)).fetchone()
    assert moved == ("settled", "house", name)
    told = one.books.execute("select body::jsonb from outbox where topic = 'clearing.events.v1' order by seq desc limit 4").fetchall()
    window, *payments = (body for (body,) in told)
    assert (window["event"], window["state"], window["because"]) == ("confirmed", "settled", name)
    moves = {(body["event"], body["before"], body["state"], body["because"]) for body in payments}
    assert moves == {("payment_moved", "planned", "confirmed", name)}
    one.match()
    assert one.books.execute("select count(*) from payment_move").fetchone() == (3,)


def test_a_bank_that_is_silent_settles_by_its_statement_alone(one: AtTheBank) -> None:
    one.take(all_paid(one))
    assert one.match().settled == [MONDAY]


def test_the_same_message_again_changes_nothing_and_another_under_its_id_is_refused(one: AtTheBank) -> None:
    cafe = one.standings()["cafe"].id
    first, other = (one.status(status_line(cafe, status)).replace(f"SR-{no}".encode(), b"SR-X") for no, status in ((1, "ACCP"), (2, "RJCT")))
    assert [taken.new for taken in one.take(first, first)] == [True, False]
    refused(BankCode.CONTRADICTS, one, other)
    assert one.states()["cafe"] == "accepted"
    statement = one.statement(one.debit("cafe"), name="S-1")
    assert [taken.new for taken in one.take(statement, statement.replace(b"M-S-1", b"M-other"))] == [True, False]
    assert one.match().statements == ["S-1"]
    assert one.match().statements == []


def test_a_statement_that_contradicts_an_earlier_one_is_refused_by_id_and_by_number(one: AtTheBank) -> None:
    one.take(one.statement(one.debit("cafe"), name="S-1"))
    for counted in (False, True):
        if counted:
            one.match()
        refused(BankCode.CONTRADICTS, one, one.statement(one.debit("fuelco"), name="S-1", sequence=1, opening=100_000_00))
        refused(BankCode.CONTRADICTS, one, one.statement(one.debit("fuelco"), name="S-2", sequence=1, opening=100_000_00))
    assert one.states()["fuelco"] == "sent"


def test_what_lies_behind_a_gap_waits_until_the_gap_is_filled(one: AtTheBank) -> None:
    first, second, third = one.statement(), one.statement(one.debit("cafe")), one.statement(one.debit("fuelco"), one.credit("grocer"))
    one.take(first, third)
    assert one.match().settled == []
    ((account, _, halt),) = halted(one.books)
    assert (account.currency, halt.code, halt.expected) == ("EUR", "STATEMENT_GAP", 2)
    assert one.states() == {"fuelco": "booked", "cafe": "sent", "grocer": "booked"}
    one.take(second)
    assert one.match().settled == [MONDAY]
    assert halted(one.books) == []


def test_a_statement_that_does_not_open_with_the_closing_before_waits_for_the_right_one(one: AtTheBank) -> None:
    one.take(one.statement())
    one.take(one.statement(one.debit("cafe"), one.debit("fuelco"), one.credit("grocer"), opening=1, sequence=2))
    assert one.match().settled == []
    ((_, _, halt),) = halted(one.books)
    assert (halt.code, halt.expected) == ("BALANCE", 100_000_00)
    one.take(all_paid(one))
    assert one.match().settled == [MONDAY]
    assert halted(one.books) == []
    refused(BankCode.CONTRADICTS, one, one.statement(opening=1, sequence=2))


def test_the_first_statement_of_an_account_is_number_1_or_said_to_be_the_first(one: AtTheBank) -> None:
    from services.settlement.taking import take_message

    later = one.statement(one.debit("cafe"), sequence=57, opening=500_00)
    one.take(later)
    assert one.match().statements == []
    assert [halt.code for _, _, halt in halted(one.books)] == ["STATEMENT_GAP"]
    told = one.statement(one.debit("fuelco"), sequence=58, opening=500_00)
    take_message(one.books, told, "a file", one.now, first=True)
    assert len(one.match().statements) == 1
    assert one.states()["fuelco"] == "confirmed"
    refused(BankCode.BEFORE_FIRST, one, one.statement(sequence=3, opening=0))


def test_a_statement_without_a_number_is_refused(one: AtTheBank) -> None:
    refused(BankCode.NO_NUMBER, one, one.statement().replace(b"<ElctrncSeqNb>1</ElctrncSeqNb>", b""))


def test_a_statement_of_another_account_is_refused(one: AtTheBank) -> None:
    refused(BankCode.WRONG_ACCOUNT, one, one.statement().replace(b"DE89370400440532013000", b"NL91ABNA0417164300"))


def test_a_duplicate_is_nothing_new_and_a_rejected_file_rejects_all_its_payments(one: AtTheBank) -> None:
    one.take(one.status(group="RJCT", reason="DUPL"))
    assert one.states() == {"fuelco": "sent", "cafe": "sent", "grocer": "planned"}
    one.take(one.status(group="RJCT", reason="FF01"))
    assert one.states() == {"fuelco": "rejected", "cafe": "rejected", "grocer": "planned"}


def test_partial_payments_add_up_and_what_is_too_much_is_owed_back_once(one: AtTheBank) -> None:
    owed = one.standings()["grocer"].amount_minor
    one.take(one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer", owed - 100)))
    one.match()
    assert (one.states()["grocer"], one.standings()["grocer"].missing_minor, one.window()) == ("partly confirmed", 100, "instructed")
    one.take(
        one.statement(one.credit("grocer", 60), one.credit("grocer", 70, reference="", text="thank you " + creditor_reference(one.standings()["grocer"].id)))
    )
    done = one.match()
    assert (done.settled, one.window()) == ([MONDAY], "settled")
    assert one.corrections() == [("opco", "grocer", 30)]
    one.take(one.statement(one.credit("grocer", 5)))
    one.match()
    one.match()
    assert one.corrections() == [("opco", "grocer", 30), ("opco", "grocer", 5)]


def test_a_payment_that_comes_back_before_the_end_is_open_again_and_sent_again(one: AtTheBank) -> None:
    one.take(one.statement(one.debit("fuelco"), one.debit("cafe")), one.statement(one.back("cafe"), one.credit("grocer")))
    assert one.match().settled == []
    assert (one.states()["cafe"], one.window()) == ("returned", "instructed")
    (attempt,) = one.standings()["cafe"].attempts
    assert attempt.came_back_on is not None
    assert any(f"came back on {attempt.came_back_on}: " in finding.says for finding in findings(one.books, one.now))
    one.pay(corrected=True)
    assert one.states()["cafe"] == "sent"
    one.take(one.statement(one.debit("cafe")))
    assert one.match().settled == [MONDAY]
    assert one.corrections() == []


def test_money_that_comes_back_after_the_end_is_owed_again_in_the_current_window(one: AtTheBank) -> None:
    one.take(all_paid(one))
    one.match()
    cafe = one.standings()["cafe"].amount_minor
    one.take(one.statement(one.back("cafe"), one.credit("grocer", 40, sign="-")))
    done = one.match()
    assert sorted(one.corrections()) == [("grocer", "opco", 40), ("opco", "cafe", cafe)]
    assert sorted(correction.amount_minor for correction in done.corrections) == sorted([-cafe, -40])
    assert one.window() == "settled"
    days = one.books.execute("select distinct day from correction").fetchall()
    assert days == [(MONDAY + timedelta(days=1),)]


def test_a_payment_that_a_bank_makes_twice_is_owed_back(one: AtTheBank) -> None:
    """It says that it rejects the payment, it is sent again, and then the bank makes both."""
    cafe = one.standings()["cafe"]
    one.take(one.status(status_line(cafe.id, "RJCT", "AC04")))
    one.pay(corrected=True)
    one.take(one.statement(one.debit("cafe", attempt=0), one.debit("cafe", attempt=1), one.debit("fuelco"), one.credit("grocer")))
    assert one.match().settled == [MONDAY]
    assert one.corrections() == [("cafe", "opco", cafe.amount_minor)]


def test_nothing_depends_on_the_clock(one: AtTheBank) -> None:
    one.take(one.statement(one.debit("fuelco")))
    one.now -= timedelta(days=4000)
    one.match()
    one.take(one.statement(one.debit("cafe")))
    one.now += timedelta(days=9000)
    one.match()
    one.take(one.statement(one.credit("grocer")))
    one.now -= timedelta(days=9000)
    assert one.match().settled == [MONDAY]


def found(one: AtTheBank, days: int = 0) -> dict[str, list[int | None]]:
    """What is found so many days later: sums by code."""
    sums: dict[str, list[int | None]] = {}
    for finding in findings(one.books, one.now + timedelta(days=days)):
        sums.setdefault(finding.code.value, []).append(finding.amount_minor)
    return sums


def test_what_names_no_payment_is_kept_and_shown_and_counts_once_it_does(one: AtTheBank) -> None:
    """A credit without a reference, one in another currency than its payment, a debit that nobody here has ordered."""
    reference = one.standings()["grocer"].reference
    strange = Movement("-3.00", "B-fee", transaction("-3.00", end_to_end="FEES"))
    one.take(one.statement(one.credit("grocer", 500, reference=""), one.credit("grocer", 600, reference="RF18539007547034"), strange))
    other = one.statement(one.credit("grocer", 700), sequence=1, opening=0).replace(b'Ccy="EUR"', b'Ccy="USD"').replace(b"<Ccy>EUR", b"<Ccy>USD")
    one.take(other)
    one.match()
    assert found(one) == {"ORPHAN_CREDIT": [500, 600], "MISSING_AT_PROGRAMME": [300], "CURRENCY": [700]}
    assert one.standings()["grocer"].confirmed_minor == 0
    assert creditor_reference(one.standings()["grocer"].id) == reference


def test_what_is_rejected_returned_too_little_or_too_much_is_found_with_its_sum(one: AtTheBank) -> None:
    cafe, fuelco, grocer = (one.standings()[name] for name in ("cafe", "fuelco", "grocer"))
    one.take(one.status(status_line(cafe.id, "RJCT", "AC04", "closed")))
    one.take(one.statement(one.debit("fuelco", minor=100), one.credit("grocer", grocer.amount_minor + 7)))
    one.match()
    assert found(one) == {"BANK_REJECTED": [cafe.amount_minor], "AMOUNT_UNDER": [fuelco.amount_minor - 100], "AMOUNT_OVER": [7]}
    one.take(one.statement(one.back("fuelco", minor=100)))
    one.match()
    assert found(one)["BANK_RETURNED"] == [fuelco.amount_minor]


def test_what_is_missing_after_its_deadline_is_late(one: AtTheBank) -> None:
    """Value date Thursday 5 March; three bank days more end on Tuesday the 10th, by the clock of the programme."""
    assert {deadline_of(standing.value_date, programme_of(one)) for standing in one.standings().values()} == {date(2026, 3, 10)}
    assert found(one, days=5) == {}
    assert len(found(one, days=6)["MISSING_AT_BANK"]) == 3
    assert found(one, days=-4000) == {}
    one.take(all_paid(one))
    one.match()
    assert found(one, days=6) == {}


def test_money_for_a_run_that_another_replaced_in_older_books_is_late(one: AtTheBank) -> None:
    credit = one.credit("grocer", 900)
    one.books.execute("reset role")
    one.books.execute("set local session_replication_role = replica")  # as it was before two people signed a default, and before its baselines
    one.books.execute("update settlement_window set state = 'defaulted' where day = %s", (MONDAY,))
    one.books.execute("set local session_replication_role = origin")
    one.books.execute("set local role clh_app")
    one.books.execute(AGAIN, (MONDAY,))
    one.take(one.statement(credit))
    one.match()
    assert found(one) == {"LATE": [900]}


def told_by_a_bank(one: AtTheBank) -> list[bytes]:
    """Everything that can be said of three payments, some of it twice: a return before the end, an overpayment, a return after it."""
    cafe, fuelco = one.standings()["cafe"], one.standings()["fuelco"]
    return [
        one.status(status_line(cafe.id, "RJCT", "AC04"), status_line(fuelco.id, "ACCP")),
        one.status(group="ACCP"),
        one.notification(one.debit("fuelco"), one.credit("grocer", 10)),
        one.statement(one.debit("fuelco"), name="S-a"),
        one.statement(one.back("fuelco"), one.credit("grocer"), name="S-b"),
        one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer", 3), name="S-c"),
        one.statement(one.back("cafe", minor=100), name="S-d"),
    ]


def ended(one: AtTheBank) -> Any:
    """Everything that may not depend on the order of arrival."""
    moves = one.books.execute("select event, because from window_move where day = %s order by no", (MONDAY,)).fetchall()
    counted = one.books.execute("select r.id from statement_counted c join bank_report r on r.no = c.report order by c.no").fetchall()
    standings = [(s.id, s.state, s.confirmed_minor, s.announced_minor, s.statements) for s in one.standings().values()]
    return one.window(), standings, sorted(one.corrections()), moves, counted


def test_messages_in_any_order_and_twice_and_matched_whenever_end_the_same(one: AtTheBank) -> None:
    messages = told_by_a_bank(one)
    with one.books.transaction(force_rollback=True):
        one.take(*messages)
        one.match()
        expected = ended(one)
    assert expected[0] == "settled"
    assert expected[2] == [("opco", "cafe", 100), ("opco", "grocer", 3)]

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.permutations(range(len(messages))), st.lists(st.integers(0, len(messages) - 1), max_size=3), st.sets(st.integers(0, 9)))
    def in_any_order(order: list[int], again: list[int], matched: set[int]) -> None:
        with one.books.transaction(force_rollback=True):
            for place, no in enumerate([*order, *again]):
                one.take(messages[no])
                if place in matched:
                    one.match()
            one.match()
            assert ended(one) == expected

    in_any_order()
