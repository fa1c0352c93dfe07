"""A decision about the bank that was a mistake: two people undo it, linked to the first, and nothing that was said is changed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import sleep

import psycopg
import pytest

from clearing.payment_states import Verdict
from clearing.plan import Plan
from clearing.two_people import FundsSaid
from schemas.ids import PartyId
from services.bank.errors import BankCode, BankError
from services.bank.references import creditor_reference
from services.journal.programmes import load
from services.risk import signed_funds
from services.risk.errors import RiskCode, RiskError
from services.risk.exposure import exposure
from services.risk.funds import Entry, entries
from services.risk.signed_funds import confirm, propose, to_confirm, to_propose
from services.runtime.local import Addresses
from services.settlement.assigning import Became, Wanted, assigned, to_assign
from services.settlement.deciding import keep, to_decide
from services.settlement.findings import findings
from services.settlement.undoing import to_undo
from services.settlement.verify import verify_settlement
from tests.bank_messages import Movement, status_line, transaction
from tests.integration.test_paying_accounts import apply
from tests.paying import AtTheBank, approved, at_the_bank
from tests.signers import MONDAY, Signers

FUNDS = Wanted("IN-1", Became.FUNDS, "paid in for April", "mia", party="grocer")
KEPT = Wanted("IN-1", Became.KEPT, "nobody knows whose it is", "mia")
BACK = Wanted("IN-1", Became.GIVEN_BACK, "paid to the wrong account", "mia", debit="OUT-1")
BORNE = Wanted("OUT-1", Became.BORNE, "charges of March", "mia")


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    """The window is paid; a statement shows 250.00 that came in and 250.00 that went out, neither about a payment."""
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        show(bank)
        yield bank


def show(bank: AtTheBank) -> None:
    moved = (Movement(figure, name, transaction(figure, end_to_end="NOTPROVIDED")) for name, figure in (("IN-1", "250.00"), ("OUT-1", "-250.00")))
    bank.take(bank.statement(*moved, name="S-1"))
    bank.match()


def assign(one: AtTheBank, signers: Signers, wanted: Wanted, *people: str) -> list[bool]:
    held = []
    for person in people:
        said = to_assign(one.books, one.programme, replace(wanted, person=person), one.now)
        held.append(keep(one.books, said, signers.keys[person].sign(said.signed())))
    return held


def decide(one: AtTheBank, signers: Signers, verdict: Verdict, *people: str, name: str | None = None) -> list[bool]:
    held = []
    for person in people:
        said = to_decide(one.books, one.programme, name or one.standings()["cafe"].id, verdict, "asked the bank", person, one.now)
        held.append(keep(one.books, said, signers.keys[person].sign(said.signed())))
    return held


def undo(one: AtTheBank, signers: Signers, about: str, *people: str) -> list[bool]:
    held = []
    for person in people:
        said = to_undo(one.books, one.programme, about, "it was a mistake", person, one.now)
        held.append(keep(one.books, said, signers.keys[person].sign(said.signed())))
    return held


def refused(code: BankCode, one: AtTheBank, signers: Signers, about: str, person: str = "dora") -> str:
    with pytest.raises(BankError) as told:
        undo(one, signers, about, person)
    assert told.value.code is code, told.value
    return str(told.value)


def codes(one: AtTheBank) -> list[str]:
    return [finding.code.value for finding in findings(one.books, one.now)]


def funds(one: AtTheBank) -> list[tuple[str, int]]:
    return [(row["kind"], row["amount_minor"]) for row in entries(one.books)]


def unsound(one: AtTheBank) -> list[str]:
    return [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds]


@pytest.mark.parametrize("wanted", [KEPT, BACK, BORNE], ids=lambda one: one.became)
def test_what_became_of_an_entry_is_undone_by_two_and_the_entry_is_found_again(wanted: Wanted, one: AtTheBank, signers: Signers) -> None:
    before = codes(one)
    refused(BankCode.NOT_DECIDED, one, signers, wanted.credit)
    assert assign(one, signers, wanted, "mia", "carl") == [False, True]
    assert len(codes(one)) < len(before)
    kept = one.books.execute("select document from bank_decision order by no").fetchall()
    assert undo(one, signers, wanted.credit, "mia") == [False]
    assert len(codes(one)) < len(before)
    refused(BankCode.NOTHING_NEW, one, signers, wanted.credit, "mia")
    assert undo(one, signers, wanted.credit, "dora") == [True]
    assert codes(one) == before
    (listed,) = assigned(one.books)
    assert (listed.people, listed.undone, listed.undone_by) == (["mia", "carl"], True, ["mia", "dora"])
    assert one.books.execute("select document from bank_decision order by no limit 2").fetchall() == kept
    assert one.books.execute("select undoes from bank_decision order by no").fetchall()[2:] == [(listed_no(one),)] * 2
    refused(BankCode.NOT_DECIDED, one, signers, wanted.credit)
    assert unsound(one) == []


def listed_no(one: AtTheBank) -> int:
    row = one.books.execute("select no from bank_decision where decides and verdict <> 'undone'").fetchone()
    assert row is not None
    return int(row[0])


def test_what_people_had_said_before_it_was_undone_counts_no_more_and_it_can_be_decided_anew(one: AtTheBank, signers: Signers) -> None:
    assign(one, signers, KEPT, "mia", "carl")
    undo(one, signers, "IN-1", "mia", "carl")
    one.now += timedelta(hours=1)
    assert assign(one, signers, KEPT, "dora") == [False]
    assert assign(one, signers, FUNDS, "mia", "carl") == [False, True]
    assert undo(one, signers, "IN-1", "carl", "dora") == [False, True]
    one.now += timedelta(hours=1)
    assert assign(one, signers, FUNDS, "mia", "carl") == [False, True]
    assert [(word.verdict, word.undone, word.reference) for word in assigned(one.books)] == [
        ("kept", True, None), ("funds", True, "IN-1, statement S-1 (2)"), ("funds", False, "IN-1, statement S-1 (3)"),
    ]  # fmt: skip
    assert funds(one) == [("paid in", 25000), ("paid out", -25000), ("paid in", 25000)]
    one.books.execute("set constraints all immediate")  # the database asks what funds rest on when a transaction ends
    assert unsound(one) == []


def test_funds_are_paid_out_with_the_undoing_and_those_that_were_entered_by_hand_stay(one: AtTheBank, signers: Signers) -> None:
    one.books.execute(
        "insert into funding (party, currency, amount, kind, reference, by_whom, at) values ('grocer', 'EUR', 25000, 'paid in', 'April', 'ann', now())"
    )
    by_hand = replace(FUNDS, reference="April")
    assign(one, signers, by_hand, "mia", "carl")
    undo(one, signers, "IN-1", "mia", "carl")
    assert funds(one) == [("paid in", 25000)]
    one.now += timedelta(hours=1)
    assert assign(one, signers, by_hand, "mia", "carl") == [False, True]
    assert funds(one) == [("paid in", 25000)]
    assert unsound(one) == []


def test_a_reference_whose_funds_were_paid_out_as_it_was_undone_stands_for_none_any_more(one: AtTheBank, signers: Signers) -> None:
    named = replace(FUNDS, reference="April")
    assign(one, signers, named, "mia", "carl")
    undo(one, signers, "IN-1", "mia", "carl")
    one.now += timedelta(hours=1)
    assert assign(one, signers, named, "mia") == [False]
    with pytest.raises(BankError) as again:
        assign(one, signers, named, "carl")
    assert again.value.code is BankCode.ASSIGNED
    assert funds(one) == [("paid in", 25000), ("paid out", -25000)]


def test_funds_that_were_used_stay(one: AtTheBank, signers: Signers) -> None:
    assign(one, signers, FUNDS, "mia", "carl")
    early = to_undo(one.books, one.programme, "IN-1", "so", "mia", one.now)
    one.books.execute(
        "insert into funding (party, currency, amount, kind, reference, by_whom, at) values ('grocer', 'EUR', -1, 'used', 'default', 'ann', now())"
    )
    assert "grocer has used the funds" in refused(BankCode.FINAL, one, signers, "IN-1")
    with pytest.raises(BankError) as told:  # the database asks again
        keep(one.books, early, signers.keys["mia"].sign(early.signed()))
    assert told.value.code is BankCode.CONTRADICTS


def test_that_a_payment_was_not_made_is_undone_until_it_is_sent_again(one: AtTheBank, signers: Signers) -> None:
    name = one.standings()["cafe"].id
    one.take(one.status(status_line(name, "RJCT", "AC04")), one.status(status_line(name, "ACSC")))
    decide(one, signers, Verdict.NOT_PAID, "mia", "carl")
    assert one.states()["cafe"] == "rejected"
    assert undo(one, signers, name, "mia", "dora") == [False, True]
    assert (one.states()["cafe"], "BANK_CONTRADICTS" in codes(one)) == ("contradicted", True)
    with pytest.raises(BankError) as held:
        one.pay(corrected=True)
    assert held.value.code is BankCode.CONTRADICTED
    one.now += timedelta(hours=1)
    assert decide(one, signers, Verdict.NOT_PAID, "dora") == [False]
    assert decide(one, signers, Verdict.NOT_PAID, "mia") == [True]
    one.pay(corrected=True)
    assert f"it was sent again as {name}-2" in refused(BankCode.FINAL, one, signers, name)
    assert unsound(one) == []


def test_that_a_payment_was_made_is_undone_until_its_window_is_settled(one: AtTheBank, signers: Signers) -> None:
    name = one.standings()["cafe"].id
    one.take(one.status(status_line(name, "RJCT", "AC04")), one.status(status_line(name, "ACSC")))
    decide(one, signers, Verdict.PAID, "mia")
    assert one.states()["cafe"] == "accepted"
    undo(one, signers, name, "mia", "dora")
    assert one.states()["cafe"] == "contradicted"
    one.now += timedelta(hours=1)
    decide(one, signers, Verdict.PAID, "mia")
    one.take(one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer"), name="S-2"))
    assert one.match().settled == [MONDAY]
    assert "is settled" in refused(BankCode.FINAL, one, signers, name)
    assert unsound(one) == []


def test_money_that_names_a_payment_of_a_settled_window_stays_assigned(one: AtTheBank, signers: Signers) -> None:
    """What came before the payment was there was assigned; counted after all, it would be a sum that nobody puts right."""
    named = f"<RmtInf><Strd><CdtrRefInf><Ref>{creditor_reference('20260302-EUR-LATER')}</Ref></CdtrRefInf></Strd></RmtInf>"
    one.take(one.statement(Movement("250.00", "IN-4", transaction("250.00", end_to_end="NOTPROVIDED", more=named)), name="S-2"))
    one.match()
    assign(one, signers, replace(KEPT, credit="IN-4"), "mia", "carl")
    one.take(one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer"), name="S-3"))
    one.match()
    one.books.execute(
        "insert into payment (run, id, currency, payer, payee, amount, value_date, kind) values (%s, '20260302-EUR-LATER', 'EUR', 'grocer', 'opco', 50000, %s, "
        "'incoming')",
        (one.run, MONDAY),
    )
    assert "names payment 20260302-EUR-LATER" in refused(BankCode.FINAL, one, signers, "IN-4")


FORGED = {
    "which had been decided": "update bank_decision set undoes = (select min(no) from bank_decision) where verdict = 'undone'",
    "of what the books hold": "update bank_decision set undoes = (select min(no) from bank_decision) where verdict = 'undone'",
    "after another person had said the same": "delete from bank_decision where verdict = 'undone' and not decides",
    "with the person's key": "update bank_decision set signature = decode(repeat('00', 64), 'hex') where verdict = 'undone'",
    "as the books bear it out": "delete from funding where kind = 'paid out'",
}


def test_whoever_undoes_past_all_rules_is_found_and_named(signers: Signers, tmp_path: Path) -> None:
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        one = AtTheBank(owner, signers.one.id, tmp_path)
        one.pay()
        show(one)
        assign(one, signers, FUNDS, "mia", "carl")
        undo(one, signers, "IN-1", "mia", "carl")
        assert unsound(one) == []
        owner.execute("set local session_replication_role = replica")
        for what, statement in FORGED.items():
            with owner.transaction(force_rollback=True):
                assert owner.execute(statement).rowcount > 0
                wrong = unsound(one)
            assert any(name.startswith("decision ") and name.endswith(what) for name in wrong), (what, wrong)


def test_the_second_word_asks_for_the_cover_when_it_is_kept(one: AtTheBank, signers: Signers) -> None:
    """Between looking and keeping, other funds that had covered the party were paid out."""
    apply(one.books, 'net_debit_cap: "100000.00"', 'net_debit_cap: "1.00"')
    one.books.execute("reset role")
    one.books.execute("update headroom set room = 0")  # as if the night had opened none
    one.books.execute("set local role clh_app")
    owes = exposure(one.books, Plan(load(one.books))).owes[PartyId("grocer"), "EUR"]
    assert 100 < owes <= 25_100
    assign(one, signers, FUNDS, "mia", "carl")
    other = Entry(PartyId("grocer"), "EUR", 500_000, "paid in", "by hand")
    signers.fund(one.books, other, one.now)
    undo(one, signers, "IN-1", "mia")
    said = to_undo(one.books, one.programme, "IN-1", "it was a mistake", "carl", one.now)
    signers.fund(one.books, replace(other, kind="paid out", reference="back"), one.now, "dora", "emil")
    with pytest.raises(RiskError) as told:
        keep(one.books, said, signers.keys["carl"].sign(said.signed()))
    assert told.value.code is RiskCode.FUNDS_NEEDED
    assert [row["kind"] for row in entries(one.books)] == ["paid in", "paid in", "paid out"]
    signers.fund(one.books, replace(other, reference="by hand, again"), one.now)
    assert keep(one.books, said, signers.keys["carl"].sign(said.signed()))
    assert [row["kind"] for row in entries(one.books)] == ["paid in", "paid in", "paid out", "paid in", "paid out"]


def test_the_second_word_and_who_confirms_funds_do_not_wait_for_each_other(addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both take the lock of funds before that of signatures. Each stops after its first lock until the other has asked for one."""
    with approved(addresses) as signers, signers.one.books() as books:
        bank = AtTheBank(books, signers.one.id, tmp_path)
        bank.pay()
        show(bank)
        assign(bank, signers, FUNDS, "mia", "carl")
        undo(bank, signers, "IN-1", "mia")
        word = to_undo(books, bank.programme, "IN-1", "it was a mistake", "carl", bank.now)
        signature = signers.keys["carl"].sign(word.signed())
        entry = Entry(PartyId("fuelco"), "EUR", 700, "paid in", "RF1")
        proposal = to_propose(books, bank.programme, entry, "mia", bank.now)
        propose(books, proposal, signers.keys["mia"].sign(proposal.signed()))
        agreed = to_confirm(books, bank.programme, entry, "carl", bank.now)
        has_funds, undoing = Event(), Event()

        def slowly(connection: psycopg.Connection, said: FundsSaid, of: int | None, by: bytes) -> None:
            has_funds.set()
            assert undoing.wait(10)
            sleep(0.5)  # until the other waits for a lock
            keep_signature(connection, said, of, by)

        keep_signature = signed_funds._keep
        monkeypatch.setattr(signed_funds, "_keep", slowly)
        with ThreadPoolExecutor(1) as pool, signers.one.books() as other:
            confirmed = pool.submit(confirm, other, agreed, signers.keys["carl"].sign(agreed.signed()))
            assert has_funds.wait(10)
            undoing.set()
            assert keep(books, word, signature)
            assert confirmed.result(20) == 700
        assert [(row["party"], row["amount_minor"]) for row in entries(books)] == [("fuelco", 700), ("grocer", 25_000), ("grocer", -25_000)]
