"""What was final when a window was settled, or defaulted, stays: nothing that it rests on is undone any more, and whoever tries is told what it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from clearing.approval import Action
from clearing.payment_states import Verdict
from schemas.ids import PartyId
from services.bank.errors import BankCode, BankError
from services.night.run import clear_due
from services.risk.funds import Entry, entries
from services.runtime.local import Addresses
from services.settlement.assigning import Became, Wanted, to_assign
from services.settlement.deciding import BankDecision, keep, to_decide
from services.settlement.instructing import alone
from services.settlement.undoing import to_undo
from services.settlement.verify import verify_settlement
from tests.bank_messages import Movement, status_line, transaction
from tests.defaults import again
from tests.paying import AtTheBank, approved
from tests.signers import MONDAY, Signers

LATE = date(2026, 5, 20)
NOW = datetime(2026, 5, 20, 9, 0, tzinfo=UTC)


@contextmanager
def rejected(addresses: Addresses, folder: Path) -> Iterator[tuple[Signers, AtTheBank]]:
    """Monday's run was approved and is rejected: what names its payments has come too late for it, and too early for the run after it."""
    with approved(addresses) as signers, signers.one.books() as books:
        signers.say(Action.REJECT, "emil", MONDAY, reason="a wrong price")
        yield signers, AtTheBank(books, signers.one.id, folder)


def netted_anew(signers: Signers) -> None:
    assert clear_due(signers.one.house, signers.one.id) == [MONDAY]


def entry(one: AtTheBank, *, credit: bool = True) -> str:
    row = one.books.execute("select bank_reference from bank_entry where credit = %s", (credit,)).fetchone()
    assert row is not None
    return str(row[0])


def sign(one: AtTheBank, signers: Signers, said: BankDecision) -> bool:
    return keep(one.books, said, signers.keys[said.person].sign(said.signed()))


def assign(one: AtTheBank, signers: Signers, name: str, became: Became, *, party: str | None = None, debit: str | None = None) -> None:
    for person, holds in (("mia", False), ("carl", True)):
        wanted = Wanted(name, became, "of the run that was rejected", person, party=party, debit=debit)
        assert sign(one, signers, to_assign(one.books, one.programme, wanted, one.now)) is holds


def stays(one: AtTheBank, about: str) -> str:
    """Why it is not undone."""
    with pytest.raises(BankError) as told:
        to_undo(one.books, one.programme, about, "it was a mistake", "mia", one.now)
    assert told.value.code is BankCode.FINAL
    return str(told.value)


def unsound(one: AtTheBank) -> list[str]:
    return [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds]


def test_money_that_was_funds_when_a_window_defaulted_stays_funds(addresses: Addresses, tmp_path: Path) -> None:
    with rejected(addresses, tmp_path) as (signers, one):
        amount = one.standings()["grocer"].amount_minor
        one.take(one.statement(one.credit("grocer")))
        netted_anew(signers)
        one.match()
        name = entry(one)
        assign(one, signers, name, Became.FUNDS, party="grocer")
        signers.approve()
        one.pay()
        one.take(one.statement(one.debit("cafe"), one.debit("fuelco")))
        one.match()
        early = to_undo(one.books, one.programme, name, "it was a mistake", "mia", one.now)
        payment = one.standings()["grocer"].id
        signers.fund(one.books, Entry(PartyId("grocer"), "EUR", 10000, "paid in", "hand"), one.now)
        signers.default(one.books, ["grocer"], LATE, NOW)
        again(signers)
        assert one.pay().state == "settled"
        assert f"names payment {payment}, and what counted as paid when window {MONDAY} defaulted stays" in stays(one, name)
        with pytest.raises(BankError) as told:  # the database asks again
            sign(one, signers, early)
        assert told.value.code is BankCode.CONTRADICTS
        assert [row["amount_minor"] for row in entries(one.books, PartyId("grocer"))] == [amount, 10000, -amount]
        assert unsound(one) == []


def test_a_debit_that_gave_back_the_money_of_a_settled_window_stays_out_of_its_payment(addresses: Addresses, tmp_path: Path) -> None:
    with rejected(addresses, tmp_path) as (signers, one):
        taken = one.credit("grocer", sign="-")
        figure = taken.figure.removeprefix("-")
        one.take(one.statement(Movement(figure, "IN-9", transaction(figure, end_to_end="NOTPROVIDED")), taken))
        netted_anew(signers)
        one.match()
        assign(one, signers, "IN-9", Became.GIVEN_BACK, debit=entry(one, credit=False))
        early = to_undo(one.books, one.programme, "IN-9", "it was a mistake", "mia", one.now)
        signers.approve()
        payment = one.standings()["grocer"].id
        one.pay()
        one.take(one.statement(one.debit("cafe"), one.debit("fuelco"), one.credit("grocer")))
        assert one.match().settled == [MONDAY]
        assert f"names payment {payment}, whose window {MONDAY} is settled" in stays(one, "IN-9")
        with pytest.raises(BankError):
            sign(one, signers, early)
        assert one.states()["grocer"] == "confirmed"
        assert unsound(one) == []


def test_that_a_payment_was_not_made_stays_once_its_window_defaulted_on_it(addresses: Addresses, tmp_path: Path) -> None:
    with approved(addresses) as signers, signers.one.books() as books:
        one = AtTheBank(books, signers.one.id, tmp_path)
        one.pay()
        one.take(one.statement(one.debit("fuelco")))
        one.match()
        first = one.standings()["cafe"].attempts[0]
        said = (status_line(first.end_to_end_id, "RJCT", "AC04"), status_line(first.end_to_end_id, "ACSC"))
        one.take(*(one.status(line, file=first.message_id) for line in said))
        for person in ("mia", "carl"):
            sign(one, signers, to_decide(books, one.programme, first.end_to_end_id, Verdict.NOT_PAID, "asked the bank", person, one.now))
        assert to_undo(books, one.programme, first.end_to_end_id, "it was made", "mia", one.now).undoes is not None
        signers.default(books, ["grocer"], LATE, NOW)
        again(signers)
        assert len(one.pay().handed_over) == 1
        assert f"window {MONDAY} has defaulted since" in stays(one, first.end_to_end_id)
        assert unsound(one) == []


WAITS = "select count(*) from pg_locks where locktype = 'advisory' and not granted and pid = %s"
FUNDING = "select pg_advisory_xact_lock(hashtext(current_schema() || ' funding'))"
SIGNATURES = "select pg_try_advisory_xact_lock(hashtext(current_schema() || ' signatures'))"


def signs_beside(one: AtTheBank, signers: Signers, said: BankDecision, other: psycopg.Connection) -> tuple[threading.Thread, list[bool]]:
    """Somebody signs on a connection of its own, and waits by now for what this one holds."""
    held: list[bool] = []
    beside = threading.Thread(target=lambda: held.append(keep(other, said, signers.keys[said.person].sign(said.signed()))))
    beside.start()
    with signers.one.books() as watching:
        while beside.is_alive() and watching.execute(WAITS, (other.info.backend_pid,)).fetchone() == (0,):
            beside.join(0.01)
    return beside, held


@pytest.mark.parametrize("what", ["undone", "put aside", "undone of funds"])
def test_who_takes_a_decision_back_waits_for_who_pays_and_holds_up_nobody_who_signs(what: str, addresses: Addresses, tmp_path: Path) -> None:
    """The other order, signatures first, would let the two wait for each other for ever."""
    with approved(addresses) as signers, signers.one.books() as books, signers.one.books() as other:
        one = AtTheBank(books, signers.one.id, tmp_path)
        one.pay()
        if what == "undone of funds":
            one.take(one.statement(Movement("250.00", "IN-9", transaction("250.00", end_to_end="NOTPROVIDED"))))
            one.match()
            assign(one, signers, "IN-9", Became.FUNDS, party="grocer")
            said = to_undo(books, one.programme, "IN-9", "it was a mistake", "mia", one.now)
        else:
            name = one.standings()["cafe"].attempts[0].end_to_end_id
            if what == "undone":
                one.take(one.status(status_line(name, "RJCT", "AC04")), one.status(status_line(name, "ACSC")))
                sign(one, signers, to_decide(books, one.programme, name, Verdict.PAID, "asked the bank", "mia", one.now))
                said = to_undo(books, one.programme, name, "it was a mistake", "mia", one.now)
            else:
                said = BankDecision(one.programme, name, None, Verdict.NOT_PAID.value, None, 0, "it never went", "mia", one.now)
                with signers.one.books(owner=True) as owner:  # as if it had not been handed over
                    owner.execute("set session_replication_role = replica")
                    owner.execute("delete from handed_over")
        with alone(books), books.transaction():
            books.execute(FUNDING)
            beside, held = signs_beside(one, signers, said, other)
            assert beside.is_alive()
            assert books.execute(SIGNATURES).fetchone() == (True,)
        beside.join(20)
        assert held == [False]
