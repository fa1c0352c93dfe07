"""From approved to instructed: what is noted before it is handed over, and what the database holds a payment to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from clearing.approval import Action, Refused
from schemas.money import to_text
from services.bank.errors import BankCode, BankError
from services.bank.xml import PAIN_001, read_xml
from services.runtime.local import Addresses
from services.settlement.instructing import Paying, pay
from services.settlement.payment_states import states_of
from services.settlement.recalled import recalls_of
from services.settlement.recalling import recall
from services.settlement.transport import BankUrl, Folder
from services.settlement.verify import verify_settlement
from tests.bank_messages import Movement, recall_answer, recall_line, status_line, transaction
from tests.coalition import coalition
from tests.paying import AGAIN, NOW, AtTheBank, approved, at_the_bank
from tests.signers import MONDAY, Signers, netted

REFUSED = psycopg.errors.RestrictViolation


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


def test_a_window_without_payments_is_settled_at_once(addresses: Addresses) -> None:
    with coalition(addresses, day=MONDAY) as empty, netted(empty, MONDAY) as people:
        people.approve()
        with empty.books() as books:
            paid = pay(books, MONDAY, Paying(empty.id, "mia", NOW, None))
            assert (paid.state, paid.files, paid.handed_over) == ("settled", (), ())
            moves = books.execute("select event, by_whom from window_move order by no").fetchall()
            assert moves[-2:] == [("instructed", "mia"), ("confirmed", "mia")]
            told = books.execute("select body::jsonb ->> 'event' from outbox where topic = 'clearing.events.v1' order by seq").fetchall()
            assert [event for (event,) in told][-2:] == ["instructed", "confirmed"]


def test_what_parties_pay_each_other_directly_is_waited_for_by_nobody(addresses: Addresses, tmp_path: Path) -> None:
    """In the anchor model sponsors pay redeeming partners, and with bilateral netting they do so directly; fees still go to the operator."""
    changes = (("model: independent", "model: anchor"), ("netting: multilateral", "netting: bilateral"), ('due_at_issue: "1" ', 'due_at_issue: "0" '))
    with approved(addresses, *changes) as people, at_the_bank(people, tmp_path / "out") as one:
        by_kind = {(standing.payer, standing.payee): standing.kind.value for standing in states_of(one.books, one.run)}
        assert by_kind == {("grocer", "cafe"): "direct", ("grocer", "fuelco"): "direct", ("grocer", "opco"): "incoming"}
        assert one.pay().files == ()
        (fees,) = (standing for standing in states_of(one.books, one.run) if standing.kind == "incoming")
        figure = to_text(fees.amount_minor, "EUR")
        said = f"<RmtInf><Strd><CdtrRefInf><Ref>{fees.reference}</Ref></CdtrRefInf></Strd></RmtInf>"
        one.take(one.statement(Movement(figure, "B-1", transaction(figure, more=said))))
        assert one.match().settled == [MONDAY]


@pytest.mark.parametrize(("answer", "state"), [("ACCR", "recalled"), ("RJCR", "recall refused"), ("PDCR", "recall asked")])
def test_a_recall_is_noted_handed_over_once_and_answered(one: AtTheBank, answer: str, state: str) -> None:
    one.pay()
    cafe = one.standings()["cafe"]
    how = Paying(one.programme, "mia", NOW, Folder(one.folder))
    asked = recall(one.books, cafe.id, "TECH", how)
    content = (one.folder / f"{asked.message_id}.xml").read_bytes()
    assert cafe.id.encode() in content
    assert (asked.end_to_end_id, one.states()["cafe"]) == (cafe.id, "recall asked")
    with pytest.raises(BankError) as refusal:
        recall(one.books, cafe.id, "TECH", how)
    assert refusal.value.code is BankCode.NOT_RECALLABLE
    (before,) = recalls_of(one.books, one.run)
    assert (before.message_id, before.payment, before.reason, before.by, before.sent_at, before.answers) == (
        asked.message_id, cafe.id, "TECH", "mia", NOW, (),
    )  # fmt: skip
    one.take(recall_answer(recall_line(cafe.id, answer, "NOAS")))
    assert one.states()["cafe"] == state
    (after,) = recalls_of(one.books, one.run)
    assert [(said.status, said.reason_code, said.reason_text, said.received_at) for said in after.answers] == [(answer, "NOAS", "no funds", one.now)]
    if answer == "ACCR":
        assert [file.payments for file in one.pay(corrected=True).files] == [2, 1]


def test_what_is_not_with_the_bank_is_not_recalled(one: AtTheBank) -> None:
    how = Paying(one.programme, "mia", NOW, Folder(one.folder))
    cafe = one.standings()["cafe"].id
    with pytest.raises(BankError) as refusal:
        recall(one.books, cafe, "TECH", how)
    assert refusal.value.code is BankCode.UNKNOWN_PAYMENT
    one.pay()
    one.take(one.status(status_line(cafe, "RJCT", "AC04")))
    with pytest.raises(BankError) as refusal:
        recall(one.books, cafe, "TECH", how)
    assert refusal.value.code is BankCode.NOT_RECALLABLE
    with pytest.raises(BankError) as refusal:
        recall(one.books, cafe, "TECH", Paying(one.programme, "mia", NOW, None))
    assert refusal.value.code is BankCode.NO_TRANSPORT


@pytest.mark.parametrize("transport", [Folder(Path("gone")), Folder(Path(__file__)), BankUrl("http://bank.example/")])
def test_a_recall_that_cannot_reach_the_bank_is_not_noted(one: AtTheBank, transport: Folder | BankUrl) -> None:
    one.pay()
    with pytest.raises(BankError) as refusal:
        recall(one.books, one.standings()["cafe"].id, "TECH", Paying(one.programme, "mia", NOW, transport))
    assert refusal.value.code is BankCode.NOT_HANDED_OVER
    assert one.books.execute("select count(*) from recall").fetchone() == (0,)


def test_a_recall_that_died_before_it_was_handed_over_is_handed_over_as_it_was_noted(one: AtTheBank) -> None:
    one.pay()
    cafe = one.standings()["cafe"].id

    def die(step: str) -> None:
        raise KeyboardInterrupt(step)

    with pytest.raises(KeyboardInterrupt, match="noted"):
        recall(one.books, cafe, "TECH", Paying(one.programme, "mia", NOW, Folder(one.folder), die))
    asked = recall(one.books, cafe, "TECH", Paying(one.programme, "mia", NOW, Folder(one.folder)))
    noted = one.books.execute("select content from recall").fetchall()
    assert [bytes(content) for (content,) in noted] == [(one.folder / f"{asked.message_id}.xml").read_bytes()]


def test_payments_after_a_default_have_other_ids_than_those_that_were_missing(signers: Signers, one: AtTheBank) -> None:
    one.pay()
    before = {standing.id for standing in one.standings().values()}
    one.books.execute("reset role")
    one.books.execute("set local session_replication_role = replica")  # as if two people had signed the default: which payments it leaves is told elsewhere
    one.books.execute("update settlement_window set state = 'defaulted' where day = %s", (MONDAY,))
    one.books.execute("set local session_replication_role = origin")
    one.books.execute("set local role clh_app")
    one.books.execute(AGAIN, (MONDAY,))
    one.books.execute("update settlement_window set state = 'netted' where day = %s", (MONDAY,))
    for action, name in ((Action.SUBMIT, "mia"), (Action.APPROVE, "carl"), (Action.APPROVE, "dora")):
        signers.say(action, name, connection=one.books)
    after = {standing.id for standing in one.standings().values()}
    assert len(after) == len(before)
    assert not after & before
    assert [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if "payments" in proof.what and not proof.holds] == []
    assert len(one.pay().handed_over) == 1


FORGED = {
    "holds what was approved, and nothing else": """
      with forged as (select message_id, convert_to(replace(convert_from(content, 'UTF8'), 'Ccy="EUR">', 'Ccy="EUR">1'), 'UTF8') content from payment_file)
      update payment_file f set content = g.content, sha256 = encode(sha256(g.content), 'hex') from forged g where g.message_id = f.message_id""",
    "all that the operator pays is in a file": "delete from payment_attempt",
    "what statements show is what the bank has sent": "update bank_entry set amount = amount + 1 where reference is not null",
    "statements show every payment of the settled window": "delete from bank_entry where reference is not null",
}


@pytest.mark.parametrize("what", FORGED)
def test_whoever_goes_past_all_rules_is_found_by_the_verifier(signers: Signers, tmp_path: Path, what: str) -> None:
    """Somebody with all rights over the database, for whom no trigger and no key holds, after the window was settled."""
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        (tmp_path / "out").mkdir()
        one = AtTheBank(owner, signers.one.id, tmp_path / "out")
        one.pay()
        one.take(one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer")))
        assert one.match().settled == [MONDAY]
        assert all(proof.holds for proof in verify_settlement(owner, one.programme, MONDAY))
        owner.execute("set local session_replication_role = replica")
        assert owner.execute(FORGED[what]).rowcount > 0
        found = [proof.what for proof in verify_settlement(owner, one.programme, MONDAY) if not proof.holds]
    assert any(name.endswith(what) for name in found), found


def test_what_came_back_after_the_end_is_no_flaw_to_the_verifier(one: AtTheBank) -> None:
    one.pay()
    one.take(one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer")), one.statement(one.back("cafe")))
    one.match()
    assert [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds] == []
