"""From approved to instructed: what is noted before it is handed over, and what the database holds a payment to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from clearing.approval import Action, Refused
from services.bank.errors import BankCode, BankError
from services.bank.xml import PAIN_001, read_xml
from services.runtime.local import Addresses
from services.settlement.instructing import Paying, pay
from services.settlement.transport import BankUrl, Folder
from tests.bank_messages import status_line
from tests.paying import NOW, AtTheBank, approved, at_the_bank
from tests.signers import MONDAY, Signers

REFUSED = psycopg.errors.RestrictViolation


@pytest.fixture(scope="module")
def signers(addresses: Addresses) -> Iterator[Signers]:
    with approved(addresses) as people:
        yield people


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    with at_the_bank(signers, tmp_path / "out") as bank:
        yield bank


def texts(content: bytes, name: str) -> list[str]:
    return [str(found.text) for found in read_xml(content, PAIN_001).iter(f"{{{PAIN_001}}}{name}")]


def test_what_the_operator_pays_is_noted_handed_over_and_noted_as_handed_over(one: AtTheBank) -> None:
    paid = one.pay()
    (file,) = paid.files
    assert (paid.state, paid.handed_over, file.file_no, file.payments) == ("instructed", (file.message_id,), 1, 2)
    assert (one.folder / f"{file.message_id}.xml").read_bytes() == file.content
    assert one.states() == {"fuelco": "sent", "cafe": "sent", "grocer": "planned"}
    assert texts(file.content, "EndToEndId") == sorted(one.standings()[name].id for name in ("fuelco", "cafe"))
    moves = one.books.execute("select event, before, after, by_whom from window_move where day = %s order by no", (MONDAY,)).fetchall()
    assert moves[-2:] == [("approved", "netted", "approved", "dora"), ("instructed", "approved", "instructed", "mia")]


def test_paying_again_hands_nothing_over_and_a_file_the_bank_has_fetched_is_not_written_again(one: AtTheBank) -> None:
    first = one.pay()
    (one.folder / f"{first.handed_over[0]}.xml").unlink()
    again = one.pay()
    assert (again.handed_over, again.files, list(one.folder.iterdir())) == ((), first.files, [])


def test_a_file_that_was_noted_and_not_handed_over_is_handed_over_as_it_was_noted(one: AtTheBank, tmp_path: Path) -> None:
    gone = Paying(one.programme, "mia", NOW, Folder(tmp_path / "gone"))
    with pytest.raises(BankError) as refusal:
        pay(one.books, MONDAY, gone)
    assert refusal.value.code is BankCode.NOT_HANDED_OVER
    assert (one.window(), one.states()["fuelco"]) == ("instructed", "noted")
    with pytest.raises(BankError) as refusal:
        pay(one.books, MONDAY, Paying(one.programme, "mia", NOW, None))
    assert refusal.value.code is BankCode.NO_TRANSPORT
    paid = one.pay()
    assert (one.folder / f"{paid.handed_over[0]}.xml").read_bytes() == paid.files[0].content
    assert one.states()["fuelco"] == "sent"


def test_nothing_is_noted_where_it_cannot_be_handed_over(one: AtTheBank) -> None:
    with pytest.raises(BankError) as refusal:
        pay(one.books, MONDAY, Paying(one.programme, "mia", NOW, None))
    assert refusal.value.code is BankCode.NO_TRANSPORT
    assert (one.window(), one.states()["fuelco"]) == ("approved", "planned")


def test_another_file_of_the_same_name_is_not_written_over(one: AtTheBank) -> None:
    one.pay()
    name = one.standings()["fuelco"].attempts[0].message_id
    (one.folder / f"{name}.xml").write_bytes(b"something else")
    with pytest.raises(BankError) as refusal:
        Folder(one.folder).hand_over(name, b"ours", lambda _: None)
    assert refusal.value.code is BankCode.NOT_HANDED_OVER
    assert (one.folder / f"{name}.xml").read_bytes() == b"something else"


@pytest.mark.parametrize("url", ["http://bank.example/payments", "file:///tmp/payments", "ftp://bank.example/"])
def test_payments_go_over_no_open_line(url: str) -> None:
    with pytest.raises(BankError) as refusal:
        BankUrl(url).hand_over("M", b"<x/>", lambda _: None)
    assert refusal.value.code is BankCode.NOT_HANDED_OVER


def test_once_it_may_be_with_the_bank_a_run_is_not_rejected(signers: Signers, one: AtTheBank) -> None:
    one.pay()
    with pytest.raises(Refused) as refusal:
        signers.say(Action.REJECT, "emil", reason="too late", connection=one.books)
    assert refusal.value.code == "window-too-late"


def test_what_is_not_approved_is_not_paid(signers: Signers, one: AtTheBank) -> None:
    signers.say(Action.REJECT, "emil", reason="wrong", connection=one.books)
    with pytest.raises(Refused) as refusal:
        one.pay()
    assert refusal.value.code == "window-too-early"
    assert list(one.folder.iterdir()) == []


def test_what_was_rejected_goes_into_a_further_file_under_ids_of_its_own(one: AtTheBank) -> None:
    first = one.pay()
    with pytest.raises(BankError) as refusal:
        one.pay(corrected=True)
    assert refusal.value.code is BankCode.NOTHING_TO_CORRECT
    cafe, fuelco = one.standings()["cafe"], one.standings()["fuelco"]
    one.take(one.status(status_line(cafe.id, "RJCT", "AC04", "closed"), status_line(fuelco.id, "ACCP")))
    assert one.states() == {"fuelco": "accepted", "cafe": "rejected", "grocer": "planned"}
    assert one.standings()["cafe"].reason == "AC04 closed"
    paid = one.pay(corrected=True)
    second = paid.files[1]
    assert (second.file_no, second.payments, paid.handed_over) == (2, 1, (second.message_id,))
    assert second.message_id != first.files[0].message_id
    assert texts(second.content, "EndToEndId") == [f"{cafe.id}-2"]
    assert texts(second.content, "Ref") == [cafe.reference]
    assert one.states() == {"fuelco": "accepted", "cafe": "sent", "grocer": "planned"}
    assert one.pay().handed_over == ()


INSERT = "insert into payment_attempt (end_to_end_id, run, payment, attempt, message_id, block, value_date) values (%s, %s, %s, %s, %s, 'x', '2026-03-06')"


def test_the_database_lets_nothing_into_a_second_file_that_may_still_be_paid(one: AtTheBank) -> None:
    """By a statement that goes past the code: after nothing, an acceptance, a booking; and it does after a rejection."""
    one.pay()
    cafe = one.standings()["cafe"]
    row: tuple[Any, ...] = (f"{cafe.id}-2", one.run, cafe.id, 2, cafe.attempts[0].message_id)

    def again() -> None:
        with one.books.transaction(force_rollback=True):
            one.books.execute(INSERT, row)

    for message in (one.status(status_line(cafe.id, "ACCP")), one.status(status_line(cafe.id, "RJCT", "DUPL"))):
        one.take(message)
        with pytest.raises(REFUSED):
            again()
    one.take(one.status(status_line(cafe.id, "RJCT", "AC04")))
    again()
    one.take(one.notification(one.debit("cafe")))
    with pytest.raises(REFUSED):
        again()
    with pytest.raises(REFUSED), one.books.transaction():
        one.books.execute(INSERT, (f"{cafe.id}-3", one.run, cafe.id, 3, cafe.attempts[0].message_id))
    with pytest.raises(psycopg.errors.UniqueViolation), one.books.transaction():
        one.books.execute(INSERT, (cafe.id, one.run, cafe.id, 1, cafe.attempts[0].message_id))


@pytest.mark.parametrize(("before", "after"), [("approved", "settled"), ("approved", "instructed"), ("instructed", "settled")])
def test_the_database_moves_no_window_past_its_payments(one: AtTheBank, before: str, after: str) -> None:
    if before == "instructed":
        one.pay()
    with pytest.raises(REFUSED), one.books.transaction():
        one.books.execute("update settlement_window set state = %s where day = %s", (after, MONDAY))
