"""A bank that says of one payment both that it was made and that it was not, in every order: nothing is sent again before two people have decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import permutations
from pathlib import Path

import psycopg
import pytest

from clearing.approval import Refused
from clearing.payment_states import Verdict
from services.bank.errors import BankCode, BankError
from services.settlement.deciding import keep, to_decide
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.findings import findings
from services.settlement.verify import verify_settlement
from tests.bank_messages import recall_answer, recall_line, status_line
from tests.paying import AtTheBank, at_the_bank
from tests.signers import MONDAY, Signers

Say = Callable[[AtTheBank], bytes]
SAYINGS: dict[str, Say] = {
    "rejected": lambda one: one.status(status_line(one.standings()["cafe"].id, "RJCT", "AC04")),
    "settled": lambda one: one.status(status_line(one.standings()["cafe"].id, "ACSC")),
    "credited": lambda one: one.status(status_line(one.standings()["cafe"].id, "ACCC")),
    "accepted": lambda one: one.status(status_line(one.standings()["cafe"].id, "ACCP")),
    "cancelled": lambda one: one.status(status_line(one.standings()["cafe"].id, "CANC")),
    "recalled": lambda one: recall_answer(recall_line(one.standings()["cafe"].id)),
    "booked": lambda one: one.notification(one.debit("cafe", attempt=0)),
    "behind a gap": lambda one: one.statement(one.debit("cafe", attempt=0), sequence=9, opening=0),
}
"""What the bank can say of the payment to the cafe."""


@pytest.fixture
def one(signers: Signers, tmp_path: Path) -> Iterator[AtTheBank]:
    """The window is paid."""
    with at_the_bank(signers, tmp_path / "out") as bank:
        bank.pay()
        yield bank


def decide(one: AtTheBank, signers: Signers, person: str, verdict: Verdict) -> bool:
    said = to_decide(one.books, one.programme, one.standings()["cafe"].id, verdict, "asked the bank", person, one.now)
    return keep(one.books, said, signers.keys[person].sign(said.signed()))


def codes(one: AtTheBank) -> list[str]:
    return [finding.code.value for finding in findings(one.books, one.now)]


def send_again(one: AtTheBank) -> None:
    with one.books.transaction():
        one.pay(corrected=True)


def refused(code: BankCode, one: AtTheBank) -> None:
    with pytest.raises(BankError) as refusal:
        send_again(one)
    assert refusal.value.code is code


@pytest.mark.parametrize(
    "said",
    [
        ("rejected", "settled"),
        ("rejected", "credited"),
        ("rejected", "booked"),
        ("rejected", "behind a gap"),
        ("cancelled", "settled"),
        ("recalled", "settled"),
        ("rejected", "settled", "accepted"),
        ("rejected", "settled", "booked"),
    ],
    ids=" and ".join,
)
def test_in_whatever_order_the_bank_says_both_the_payment_is_contradicted_and_not_sent_again(said: tuple[str, ...], one: AtTheBank) -> None:
    for order in permutations(said):
        with one.books.transaction(force_rollback=True):
            one.take(*(SAYINGS[name](one) for name in order))
            one.match()
            assert (one.states()["cafe"], "BANK_CONTRADICTS" in codes(one)) == ("contradicted", True), order
            refused(BankCode.CONTRADICTED, one)
            assert len(one.standings()["cafe"].attempts) == 1


@pytest.mark.parametrize("said", [("rejected", "accepted"), ("accepted", "cancelled"), ("rejected", "cancelled")], ids=" and ".join)
def test_what_goes_together_is_sent_again_as_before_in_either_order(said: tuple[str, ...], one: AtTheBank) -> None:
    for order in permutations(said):
        with one.books.transaction(force_rollback=True):
            one.take(*(SAYINGS[name](one) for name in order))
            one.pay(corrected=True)
            assert (one.states()["cafe"], "BANK_CONTRADICTS" in codes(one)) == ("sent", False)


@pytest.mark.parametrize("late", [False, True])
def test_a_statement_holds_over_a_rejection_whichever_came_first_and_people_are_told(late: bool, one: AtTheBank) -> None:
    paid = one.statement(one.debit("fuelco"), one.debit("cafe"), one.credit("grocer"))
    for content in (paid, SAYINGS["rejected"](one)) if late else (SAYINGS["rejected"](one), paid):
        one.take(content)
        one.match()
    assert (one.states()["cafe"], one.window(), codes(one)) == ("confirmed", "settled", ["BANK_CONTRADICTS"])
    refused(BankCode.NOTHING_TO_CORRECT, one)


def test_two_people_decide_that_it_was_not_made_and_only_then_it_is_sent_again(one: AtTheBank, signers: Signers) -> None:
    one.take(SAYINGS["rejected"](one), SAYINGS["settled"](one))
    assert decide(one, signers, "mia", Verdict.NOT_PAID) is False
    refused(BankCode.CONTRADICTED, one)
    with pytest.raises(BankError) as again:
        decide(one, signers, "mia", Verdict.NOT_PAID)
    assert again.value.code is BankCode.NOTHING_NEW
    assert decide(one, signers, "carl", Verdict.NOT_PAID) is True
    assert (one.states()["cafe"], codes(one)) == ("rejected", ["BANK_REJECTED"])
    one.pay(corrected=True)
    assert (one.states()["cafe"], len(one.standings()["cafe"].attempts)) == ("sent", 2)


def test_one_person_decides_that_it_was_made_and_it_waits_for_a_statement(one: AtTheBank, signers: Signers) -> None:
    one.take(SAYINGS["settled"](one), SAYINGS["rejected"](one))
    assert decide(one, signers, "mia", Verdict.PAID) is True
    assert (one.states()["cafe"], codes(one)) == ("accepted", [])
    refused(BankCode.NOTHING_TO_CORRECT, one)


def test_what_one_person_decided_to_be_made_two_people_decide_not_to_be(one: AtTheBank, signers: Signers) -> None:
    one.take(SAYINGS["settled"](one), SAYINGS["rejected"](one))
    decide(one, signers, "mia", Verdict.PAID)
    assert decide(one, signers, "carl", Verdict.NOT_PAID) is False
    assert one.states()["cafe"] == "accepted"
    refused(BankCode.NOTHING_TO_CORRECT, one)
    assert decide(one, signers, "mia", Verdict.NOT_PAID) is True
    assert one.states()["cafe"] == "rejected"
    one.pay(corrected=True)
    assert (one.states()["cafe"], len(one.standings()["cafe"].attempts)) == ("sent", 2)
    assert [proof.what for proof in verify_settlement(one.books, one.programme, MONDAY) if not proof.holds] == []


def test_what_one_person_decided_to_be_made_and_a_statement_shows_stays_so(one: AtTheBank, signers: Signers) -> None:
    one.take(SAYINGS["settled"](one), SAYINGS["rejected"](one))
    decide(one, signers, "mia", Verdict.PAID)
    one.take(SAYINGS["behind a gap"](one))
    with pytest.raises(BankError) as refusal:
        decide(one, signers, "carl", Verdict.NOT_PAID)
    assert refusal.value.code is BankCode.ON_A_STATEMENT


@pytest.mark.parametrize(("verdict", "more"), [(Verdict.NOT_PAID, "credited"), (Verdict.NOT_PAID, "booked"), (Verdict.PAID, "cancelled")])
def test_a_decision_holds_until_the_bank_says_more_against_it(verdict: Verdict, more: str, one: AtTheBank, signers: Signers) -> None:
    one.take(SAYINGS["rejected"](one), SAYINGS["settled"](one))
    for person in ("mia", "carl") if verdict is Verdict.NOT_PAID else ("mia",):
        decide(one, signers, person, verdict)
    assert one.states()["cafe"] != "contradicted"
    one.take(SAYINGS[more](one))
    assert one.states()["cafe"] == "contradicted"
    refused(BankCode.CONTRADICTED, one)


def test_the_second_person_decides_on_what_the_first_has_seen(one: AtTheBank, signers: Signers) -> None:
    one.take(SAYINGS["rejected"](one), SAYINGS["settled"](one))
    decide(one, signers, "mia", Verdict.NOT_PAID)
    one.take(SAYINGS["credited"](one))
    assert decide(one, signers, "carl", Verdict.NOT_PAID) is False
    assert one.states()["cafe"] == "contradicted"
    said = to_decide(one.books, one.programme, one.standings()["cafe"].id, Verdict.NOT_PAID, "asked the bank", "dora", one.now)
    one.take(SAYINGS["accepted"](one))
    with pytest.raises(BankError) as refusal:
        keep(one.books, said, signers.keys["dora"].sign(said.signed()))
    assert refusal.value.code is BankCode.CONTRADICTS


def test_a_late_settled_of_the_first_attempt_stops_the_third(one: AtTheBank) -> None:
    """Rejected, sent again, and then the bank says that the first was made; the second is rejected too."""
    one.take(SAYINGS["rejected"](one))
    one.pay(corrected=True)
    second = one.standings()["cafe"].attempts[-1]
    one.take(one.status(status_line(one.standings()["cafe"].id, "ACSC"), file=one.standings()["cafe"].attempts[0].message_id))
    one.take(one.status(status_line(second.end_to_end_id, "RJCT", "AC04"), file=second.message_id))
    assert one.states()["cafe"] == "contradicted"
    refused(BankCode.CONTRADICTED, one)


def test_what_a_statement_shows_cannot_be_decided_away_and_what_goes_together_needs_no_decision(one: AtTheBank, signers: Signers) -> None:
    with pytest.raises(BankError) as refusal:
        decide(one, signers, "mia", Verdict.PAID)
    assert refusal.value.code is BankCode.NOT_CONTRADICTED
    one.take(SAYINGS["rejected"](one), SAYINGS["behind a gap"](one))
    with pytest.raises(BankError) as refusal:
        decide(one, signers, "mia", Verdict.NOT_PAID)
    assert refusal.value.code is BankCode.ON_A_STATEMENT
    with pytest.raises(BankError) as refusal:
        to_decide(one.books, one.programme, "P-none", Verdict.PAID, "so", "mia", one.now)
    assert refusal.value.code is BankCode.UNKNOWN_PAYMENT


def test_a_decision_has_a_reason_and_the_signature_of_its_person(one: AtTheBank, signers: Signers) -> None:
    one.take(SAYINGS["rejected"](one), SAYINGS["settled"](one))
    name = one.standings()["cafe"].id
    with pytest.raises(Refused) as missing:
        to_decide(one.books, one.programme, name, Verdict.PAID, " ", "mia", one.now)
    assert missing.value.code == "reason-missing"
    said = to_decide(one.books, one.programme, name, Verdict.PAID, "so", "mia", one.now)
    with pytest.raises(SettlementError) as forged:
        keep(one.books, said, signers.keys["carl"].sign(said.signed()))
    assert forged.value.code is SettlementCode.BAD_SIGNATURE


def test_the_database_itself_sends_nothing_again_of_which_the_bank_says_both(one: AtTheBank) -> None:
    one.take(SAYINGS["rejected"](one), SAYINGS["settled"](one))
    cafe = one.standings()["cafe"]
    with pytest.raises(psycopg.errors.RestrictViolation, match="both that it was made"), one.books.transaction():
        one.books.execute(
            "insert into payment_attempt values (%s, %s, %s, 2, %s, 'b', %s)",
            (f"{cafe.id}-2", one.run, cafe.id, cafe.attempts[0].message_id, MONDAY),
        )


def test_a_statement_with_a_card_number_counts_and_nothing_of_the_number_is_in_the_books(one: AtTheBank) -> None:
    """Payers write what they like; a statement that was refused for it would stop the chain."""
    paid = one.credit("grocer", text="card 4111 1111</Ustrd><Ustrd>1111 1111")
    content = one.statement(one.debit("fuelco"), one.debit("cafe"), paid)
    (taken,) = one.take(content)
    assert (taken.masked, taken.new) == (2, True)
    assert one.match().settled == [MONDAY]
    assert [taken.new for taken in one.take(content)] == [False]
    row = one.books.execute("select content, masked, original_sha256 from bank_message").fetchone()
    assert row is not None
    assert (row[1], row[2]) == (2, sha256(content).hexdigest())
    kept = bytes(row[0]).decode() + str(one.books.execute("select array_agg(e::text) from bank_entry e").fetchone())
    assert "4111" not in kept
    assert "**** **** **** 1111" in kept.replace("</Ustrd><Ustrd>", " ") and "card **** ****" in kept
