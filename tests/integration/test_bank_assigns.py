"""Money that came in and names no payment: two people say what became of it, once, and it is found no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from schemas.ids import PartyId
from services.bank.errors import BankCode, BankError
from services.bank.references import creditor_reference
from services.risk.errors import RiskCode, RiskError
from services.risk.funds import Entry, entries
from services.settlement.assigning import Became, Wanted, assigned, to_assign
from services.settlement.deciding import keep
from services.settlement.findings import findings
from services.settlement.verify import verify_settlement
from services.settlement.withdrawing import to_withdraw
from tests.bank_messages import Movement, transaction
from tests.paying import AGAIN, AtTheBank, at_the_bank
from tests.signers import MONDAY, Signers

FUNDS = Wanted("IN-1", Became.FUNDS, "paid in for April", "mia", party="grocer")
BACK = Wanted("IN-1", Became.GIVEN_BACK, "paid to the wrong account", "mia", debit="OUT-1")
KEPT = Wanted("IN-1", Became.KEPT, "nobody knows whose it is", "mia")


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    """The window is paid; a statement shows 250.00 that name no payment, the same again, and a debit of 250.00 and one of 3.00 that nobody ordered."""
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        show(bank)
        yield bank


def show(bank: AtTheBank) -> None:
    figures = (("IN-1", "250.00"), ("IN-2", "250.00"), ("OUT-1", "-250.00"), ("OUT-2", "-3.00"))
    bank.take(bank.statement(*(Movement(figure, name, transaction(figure, end_to_end="NOTPROVIDED")) for name, figure in figures), name="S-1"))
    bank.match()


def said(one: AtTheBank, signers: Signers, wanted: Wanted, *people: str) -> list[bool]:
    """What each person's word brings about: whether it is decided."""
    held = []
    for person in people:
        words = to_assign(one.books, one.programme, replace(wanted, person=person), one.now)
        held.append(keep(one.books, words, signers.keys[person].sign(words.signed())))
    return held


def refused(code: BankCode | RiskCode, one: AtTheBank, signers: Signers, wanted: Wanted, person: str = "dora") -> None:
    with pytest.raises(BankError if isinstance(code, BankCode) else RiskError) as told:
        said(one, signers, wanted, person)
    assert isinstance(told.value, BankError | RiskError) and told.value.code is code


def found(one: AtTheBank) -> list[tuple[str, str]]:
    return [(finding.code.value, finding.about) for finding in findings(one.books, one.now) if finding.about[:2] in ("IN", "OU")]


def funds(one: AtTheBank) -> list[tuple[str, int, str, str]]:
    return [(row["party"], row["amount_minor"], row["reference"], row["by_whom"]) for row in entries(one.books)]


ALL = [("ORPHAN_CREDIT", "IN-1"), ("ORPHAN_CREDIT", "IN-2"), ("MISSING_AT_PROGRAMME", "OUT-1"), ("MISSING_AT_PROGRAMME", "OUT-2")]


def test_with_the_second_word_it_is_funds_of_a_party_and_found_no_more(one: AtTheBank, signers: Signers) -> None:
    assert found(one) == ALL
    assert said(one, signers, FUNDS, "mia") == [False]
    assert (found(one), funds(one)) == (ALL, [])
    refused(BankCode.NOTHING_NEW, one, signers, FUNDS, "mia")
    assert said(one, signers, FUNDS, "carl") == [True]
    assert (found(one), funds(one)) == (ALL[1:], [("grocer", 25000, "IN-1, statement S-1", "carl")])
    (listed,) = assigned(one.books)
    assert (listed.bank_reference, listed.verdict, listed.party, listed.decided, listed.people) == ("IN-1", "funds", "grocer", True, ["mia", "carl"])
    for again in (FUNDS, BACK, KEPT):
        refused(BankCode.ASSIGNED, one, signers, again)
    assert len(funds(one)) == 1


def test_a_debit_shows_that_it_was_given_back_and_gives_back_one_credit(one: AtTheBank, signers: Signers) -> None:
    refused(BankCode.OTHER_SUM, one, signers, replace(BACK, debit="OUT-2"))
    refused(BankCode.UNKNOWN_CREDIT, one, signers, replace(BACK, debit="OUT-9"))
    second = to_assign(one.books, one.programme, replace(BACK, credit="IN-2", person="dora"), one.now)
    assert said(one, signers, replace(BACK, credit="IN-2"), "mia") == [False]
    assert said(one, signers, BACK, "mia", "carl") == [False, True]
    assert (found(one), funds(one)) == ([ALL[1], ALL[3]], [])
    refused(BankCode.ASSIGNED, one, signers, replace(BACK, credit="IN-2"))
    with pytest.raises(BankError) as refusal:
        keep(one.books, second, signers.keys["dora"].sign(second.signed()))
    assert refusal.value.code is BankCode.CONTRADICTS


def test_what_the_operator_keeps_is_found_no_more(one: AtTheBank, signers: Signers) -> None:
    assert said(one, signers, KEPT, "mia", "carl") == [False, True]
    assert (found(one), funds(one)) == (ALL[1:], [])


def test_two_who_say_different_things_have_decided_nothing_and_who_has_changed_his_mind_counts_by_his_last_word(one: AtTheBank, signers: Signers) -> None:
    assert said(one, signers, FUNDS, "mia") == said(one, signers, KEPT, "carl") == said(one, signers, replace(FUNDS, party="fuelco"), "dora") == [False]
    assert [waiting.decided for waiting in assigned(one.books)] == [False, False, False]
    assert said(one, signers, FUNDS, "carl") == [True]
    assert [(last.verdict, last.people) for last in assigned(one.books)] == [("funds", ["mia", "carl"])]
    other = replace(KEPT, credit="IN-2")
    assert said(one, signers, other, "mia") == said(one, signers, replace(FUNDS, credit="IN-2"), "mia") == said(one, signers, other, "carl") == [False]


def test_funds_entered_under_the_reference_before_are_these_and_those_of_one_credit_only(one: AtTheBank, signers: Signers) -> None:
    for minor, reference in ((25000, "April"), (7, "May")):
        signers.fund(one.books, Entry(PartyId("grocer"), "EUR", minor, "paid in", reference), one.now)
    refused(RiskCode.REFERENCE_USED, one, signers, replace(FUNDS, reference="May"))
    refused(RiskCode.UNKNOWN_PARTY, one, signers, replace(FUNDS, party="nobody"))
    assert said(one, signers, replace(FUNDS, reference="April"), "mia", "carl") == [False, True]
    assert [row[1] for row in funds(one)] == [25000, 7]
    assert said(one, signers, replace(FUNDS, credit="IN-2", reference="April"), "mia") == [False]
    refused(BankCode.ASSIGNED, one, signers, replace(FUNDS, credit="IN-2", reference="April"))


def test_what_names_a_payment_or_several_or_none_is_not_assigned(one: AtTheBank, signers: Signers) -> None:
    paid = replace(one.credit("grocer"), reference="IN-3")
    again = Movement("250.00", "IN-1", transaction("250.00", end_to_end="NOTPROVIDED"))
    one.take(one.statement(paid, again, name="S-2"))
    refused(BankCode.UNKNOWN_CREDIT, one, signers, replace(KEPT, credit="IN-9"))
    one.match()
    for credit in ("IN-3", "IN-1", "OUT-1"):
        refused(BankCode.UNKNOWN_CREDIT, one, signers, replace(KEPT, credit=credit))
    assert said(one, signers, replace(KEPT, statement="S-2"), "mia", "carl") == [False, True]


def test_a_statement_with_money_that_was_assigned_is_not_withdrawn(one: AtTheBank, signers: Signers) -> None:
    to_withdraw(one.books, one.programme, "S-1", "of another year", "mia", one.now)
    said(one, signers, KEPT, "mia", "carl")
    with pytest.raises(BankError) as refusal:
        to_withdraw(one.books, one.programme, "S-1", "of another year", "mia", one.now)
    assert refusal.value.code is BankCode.SHOWS_PAYMENTS


def test_what_was_assigned_counts_for_no_payment_that_gets_its_reference_later(one: AtTheBank, signers: Signers) -> None:
    """Nobody is credited twice: as funds, and as the payment of a debt."""
    named = f"<RmtInf><Strd><CdtrRefInf><Ref>{creditor_reference('20260302-EUR-LATER')}</Ref></CdtrRefInf></Strd></RmtInf>"
    both = [Movement("250.00", name, transaction("250.00", end_to_end="NOTPROVIDED", more=named)) for name in ("IN-4", "IN-5")]
    one.take(one.statement(*both, name="S-2"))
    one.match()
    said(one, signers, replace(FUNDS, credit="IN-4"), "mia", "carl")
    one.books.execute(
        "insert into payment (run, id, currency, payer, payee, amount, value_date, kind) values (%s, '20260302-EUR-LATER', 'EUR', 'grocer', 'opco', 50000, %s, "
        "'incoming')",
        (one.run, MONDAY),
    )
    shown = one.books.execute("select confirmed from payment_confirmed where payment = '20260302-EUR-LATER'").fetchall()
    assert shown == [(25000,)]


FORGED = {
    "of what the books hold": "update bank_decision set party = 'fuelco' where decides",
    "with the person's key": "update bank_decision set signature = decode(repeat('00', 64), 'hex') where not decides",
    "after another person had said the same": "delete from bank_decision where not decides",
    "as the books bear it out": "update funding set amount = amount + 1",
    "and nothing else was decided of it": "insert into bank_decision (entry, verdict, known, decides, reason, person, key, at, document, signature) "
    "select entry, 'kept', known, true, reason, person, key, at, document, signature from bank_decision where decides",
}


def test_whoever_goes_past_all_rules_is_found_and_named(signers: Signers, tmp_path: Path) -> None:
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        one = AtTheBank(owner, signers.one.id, tmp_path)
        one.pay()
        show(one)
        said(one, signers, FUNDS, "mia", "carl")
        assert [proof.what for proof in verify_settlement(owner, one.programme, MONDAY) if not proof.holds] == []
        owner.execute("set local session_replication_role = replica")
        for what, statement in FORGED.items():
            with owner.transaction(force_rollback=True):
                assert owner.execute(statement).rowcount > 0
                wrong = [proof.what for proof in verify_settlement(owner, one.programme, MONDAY) if not proof.holds]
            assert any(name.startswith("decision ") and name.endswith(what) for name in wrong), (what, wrong)


def test_the_database_itself_takes_no_word_about_a_debit_or_another_sum(one: AtTheBank, signers: Signers) -> None:
    words = to_assign(one.books, one.programme, KEPT, one.now)
    assert words.credit is not None
    (right,), (wrong,) = one.books.execute("select no from bank_entry where bank_reference in ('OUT-1', 'OUT-2') order by bank_reference").fetchall()
    for other in (
        replace(words, credit=replace(words.credit, amount_minor=1)),
        replace(words, credit=replace(words.credit, entry=right)),
        replace(words, credit=replace(words.credit, given_back=wrong), verdict=Became.GIVEN_BACK.value),
    ):
        with pytest.raises(BankError) as refusal:
            keep(one.books, other, signers.keys["mia"].sign(other.signed()))
        assert refusal.value.code is BankCode.CONTRADICTS
    bare = replace(words, verdict=Became.FUNDS.value)
    with pytest.raises(psycopg.errors.CheckViolation), one.books.transaction():
        keep(one.books, bare, signers.keys["mia"].sign(bare.signed()))


def test_a_debit_that_nobody_ordered_is_borne_and_found_no_more(one: AtTheBank, signers: Signers) -> None:
    borne = Wanted("OUT-2", Became.BORNE, "charges of March", "mia")
    refused(BankCode.UNKNOWN_CREDIT, one, signers, replace(borne, credit="IN-1"))
    assert said(one, signers, borne, "mia", "carl") == [False, True]
    assert (found(one), funds(one)) == (ALL[:3], [])
    refused(BankCode.ASSIGNED, one, signers, borne)
    refused(BankCode.ASSIGNED, one, signers, replace(BACK, debit="OUT-2"))
    assert [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds] == []


@pytest.mark.parametrize("how", [FUNDS, KEPT, BACK], ids=lambda how: how.became)
def test_money_in_another_currency_than_its_payment_is_assigned_like_money_that_names_none(how: Wanted, one: AtTheBank, signers: Signers) -> None:
    """Its party meant its debt, in dollars: it counts for nothing until people say what it is."""
    moved = replace(one.credit("grocer", 700), reference="IN-7"), Movement("-7.00", "OUT-7", transaction("-7.00", end_to_end="NOTPROVIDED"))
    dollars = one.statement(*moved, sequence=1, opening=0).replace(b'Ccy="EUR"', b'Ccy="USD"').replace(b"<Ccy>EUR", b"<Ccy>USD")
    one.take(dollars)
    one.match()
    assert ("CURRENCY", "IN-7") in found(one)
    if how.became is Became.FUNDS:
        refused(RiskCode.UNKNOWN_CURRENCY, one, signers, replace(how, credit="IN-7"))
        return
    assert said(one, signers, replace(how, credit="IN-7", debit=how.debit and "OUT-7"), "mia", "carl") == [False, True]
    left = [] if how.became is Became.GIVEN_BACK else [("MISSING_AT_PROGRAMME", "OUT-7")]
    assert found(one) == [*ALL, *left]
    assert [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds] == []


def test_a_debit_in_another_currency_than_its_payment_is_borne(one: AtTheBank, signers: Signers) -> None:
    moved = replace(one.debit("cafe", minor=700), reference="OUT-7")
    one.take(one.statement(moved, sequence=1, opening=0).replace(b'Ccy="EUR"', b'Ccy="USD"').replace(b"<Ccy>EUR", b"<Ccy>USD"))
    one.match()
    assert ("CURRENCY", "OUT-7") in found(one)
    assert said(one, signers, Wanted("OUT-7", Became.BORNE, "the bank made it in dollars", "mia"), "mia", "carl") == [False, True]
    assert found(one) == ALL
    assert one.states()["cafe"] == "sent"


@pytest.mark.parametrize("how", [FUNDS, KEPT], ids=lambda how: how.became)
def test_money_for_a_run_that_another_has_replaced_is_assigned(how: Wanted, one: AtTheBank, signers: Signers) -> None:
    late = replace(one.credit("grocer", 900), reference="IN-8")
    one.books.execute("reset role")
    one.books.execute("set local session_replication_role = replica")  # as it was before two people signed a default, and before its baselines
    one.books.execute("update settlement_window set state = 'defaulted' where day = %s", (MONDAY,))
    one.books.execute("set local session_replication_role = origin")
    one.books.execute("set local role clh_app")
    one.books.execute(AGAIN, (MONDAY,))
    one.take(one.statement(late, name="S-2"))
    one.match()
    lates = [finding.amount_minor for finding in findings(one.books, one.now) if finding.code == "LATE"]
    assert lates == [900]
    assert said(one, signers, replace(how, credit="IN-8"), "mia", "carl") == [False, True]
    assert "LATE" not in [finding.code for finding in findings(one.books, one.now)]
    assert funds(one) == ([("grocer", 900, "IN-8, statement S-2", "carl")] if how.became is Became.FUNDS else [])


def carries(one: AtTheBank, *figures: str, reference: str = "PREFUND-1") -> None:
    """Credits `RF-1`, `RF-2` … whose payer has written the creditor reference."""
    written = f"<RmtInf><Strd><CdtrRefInf><Ref>{creditor_reference(reference)}</Ref></CdtrRefInf></Strd></RmtInf>"
    moved = (Movement(figure, f"RF-{no}", transaction(figure, end_to_end="NOTPROVIDED", more=written)) for no, figure in enumerate(figures, 1))
    one.take(one.statement(*moved, name="S-RF"))
    one.match()


@pytest.mark.parametrize("entered", [creditor_reference("PREFUND-1"), "Prefund 1"])
def test_funds_entered_under_what_the_payment_carries_are_these(entered: str, one: AtTheBank, signers: Signers) -> None:
    signers.fund(one.books, Entry(PartyId("grocer"), "EUR", 25_000, "paid in", entered), one.now)
    carries(one, "250.00")
    other = replace(FUNDS, credit="RF-1", reference="another")
    refused(RiskCode.REFERENCE_USED, one, signers, other)
    assert said(one, signers, replace(FUNDS, credit="RF-1"), "mia", "carl") == [False, True]
    assert [(row["reference"], row["balance_minor"]) for row in entries(one.books)] == [(entered, 25_000)]
    one.books.execute("set constraints all immediate")
    assert [proof for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds] == []


def test_another_sum_under_what_the_payment_carries_is_named_with_both(one: AtTheBank, signers: Signers) -> None:
    signers.fund(one.books, Entry(PartyId("grocer"), "EUR", 25_000, "paid in", "PREFUND1"), one.now)
    carries(one, "30.00")
    with pytest.raises(RiskError, match=r"RF-1 carries the reference PREFUND1, and PREFUND1 of grocer stands for 250\.00 EUR") as told:
        said(one, signers, replace(FUNDS, credit="RF-1"), "mia")
    assert told.value.code is RiskCode.REFERENCE_USED
    assert said(one, signers, replace(FUNDS, credit="RF-1", reference="May"), "mia", "carl") == [False, True]
    assert [(row["reference"], row["balance_minor"]) for row in entries(one.books)] == [("PREFUND1", 25_000), ("May", 28_000)]


def test_what_the_payment_carries_is_the_reference_of_its_funds_so_that_nobody_enters_them_again(one: AtTheBank, signers: Signers) -> None:
    carries(one, "250.00", "250.00")
    assert said(one, signers, replace(FUNDS, credit="RF-1"), "mia", "carl") == [False, True]
    reference = creditor_reference("PREFUND-1")
    with pytest.raises(RiskError) as told:
        signers.fund(one.books, Entry(PartyId("grocer"), "EUR", 25_000, "paid in", reference), one.now)
    assert told.value.code is RiskCode.FUNDS_ENTERED
    assert said(one, signers, replace(FUNDS, credit="RF-2"), "mia", "carl") == [False, True]
    assert [(row["reference"], row["balance_minor"]) for row in entries(one.books)] == [(reference, 25_000), ("RF-2, statement S-RF", 50_000)]


@pytest.mark.parametrize("reference", ["Ab" * 4500, "APRIL\u200b"], ids=["long", "no width"])
def test_a_reference_that_is_typed_is_plain(reference: str, one: AtTheBank, signers: Signers) -> None:
    refused(RiskCode.REFERENCE_NOT_PLAIN, one, signers, replace(FUNDS, reference=reference))
