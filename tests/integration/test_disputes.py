"""A disputed line is withheld until a second person decides; what was netted stays, and everything balances whatever is decided."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from clearing.approval import Refused, Unsigned
from clearing.disputes import DisputeCode, DisputeEvent, DisputeRefused, DisputeState
from clearing.entries import Code
from schemas.ids import PartyId
from services.cli.main import app
from services.disputes.life import Wanted, decide, disputes, lapse_due, move, open_dispute, to_decide, to_open
from services.disputes.verify import verify_disputes
from services.journal.corrections import book_correction
from services.runtime.local import Addresses
from services.settlement.errors import SettlementCode, SettlementError
from tests.coalition import Coalition, coalition, purchase
from tests.signers import MONDAY, TUESDAY, WEDNESDAY, Signers, shop

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
GROCER = PartyId("grocer")
ANN, BEN = (f"|--as|{name}|--key|{name}.pem|--passphrase-file|passphrase" for name in ("ann", "ben"))


@pytest.fixture
def people(addresses: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Signers]:
    """Monday is netted: the grocer owes for 54 points. Three people may sign."""
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)
    monkeypatch.chdir(tmp_path)
    with coalition(addresses, day=MONDAY) as made:
        shop(made)
        made.close(MONDAY)
        signers = Signers(made)
        signers.enrol("ann", "ben", "emil")
        yield signers


@pytest.fixture
def small(addresses: Addresses) -> Iterator[Signers]:
    """As `people`, but what is less than 1.00 is carried on: Monday pays nothing."""
    with coalition(addresses, ('minimum_settlement: {EUR: "0.00"}', 'minimum_settlement: {EUR: "1.00"}'), day=MONDAY) as made:
        shop(made)
        made.close(MONDAY)
        signers = Signers(made)
        signers.enrol("ann", "ben")
        yield signers


@pytest.fixture
def one(people: Signers) -> Coalition:
    return people.one


def issue(one: Coalition) -> int:
    """The line of the grocer's points."""
    with one.books() as connection:
        row = connection.execute("select line from obligation where day = %s and kind = 'issue' and debtor = 'grocer'", (MONDAY,)).fetchone()
    assert row is not None
    return int(row[0])


def opened(people: Signers, *, line: int | None = None, party: PartyId = GROCER, amount: int | None = None, now: datetime = NOW) -> int:
    with people.one.books() as connection:
        wanted = Wanted(MONDAY, issue(people.one) if line is None else line, party, "sold once", "ann", 30, amount)
        return people.dispute(connection, wanted, TODAY, now)


def settled(one: Coalition, day: date) -> None:
    """As if the bank had confirmed every payment of the window."""
    with one.books(owner=True) as owner:
        owner.execute("alter table settlement_window disable trigger user")
        owner.execute("update settlement_window set state = 'settled' where day = %s", (day,))
        owner.execute("alter table settlement_window enable trigger user")


def sound(one: Coalition) -> list[str]:
    """What the verifier finds of its disputes."""
    with one.books() as connection:
        return [f"{proof.what}: {proof.differs}" for proof in verify_disputes(connection, one.id) if not proof.holds]


def lines(one: Coalition, day: date) -> list[tuple[str, str, int]]:
    """Lines of disputes: who owes whom how much."""
    with one.books() as connection:
        return connection.execute("select debtor, creditor, amount from obligation where day = %s and kind = 'dispute' order by line", (day,)).fetchall()


def refused(code: DisputeCode, people: Signers, no: int, event: DisputeEvent, who: str, today: date = TODAY) -> None:
    with people.one.books() as connection, pytest.raises(DisputeRefused) as refusal:
        people.decide(connection, no, event, who, today, NOW)
    assert refusal.value.code is code


@pytest.mark.parametrize(("event", "state", "back"), [(DisputeEvent.UPHOLD, "upheld", []), (DisputeEvent.RELEASE, "released", [("grocer", "opco", 54)])])
def test_a_line_that_is_not_paid_is_withheld_and_then_taken_back_or_due_again(
    people: Signers, one: Coalition, event: DisputeEvent, state: str, back: list[Any]
) -> None:
    no = opened(people)
    one.close(TUESDAY)
    assert lines(one, TUESDAY) == [("opco", "grocer", 54)]
    refused(DisputeCode.SECOND_PERSON, people, no, event, "ann")
    with one.books() as connection:
        assert people.decide(connection, no, event, "ben", TODAY, NOW) == state
    one.close(WEDNESDAY)
    assert lines(one, WEDNESDAY) == back
    assert lines(one, MONDAY) == []
    refused(DisputeCode.DISPUTE_OVER, people, no, DisputeEvent.RELEASE, "emil")
    assert sound(one) == []


def test_a_line_that_was_paid_is_taken_back_only_when_it_is_upheld(people: Signers, one: Coalition) -> None:
    settled(one, MONDAY)
    no = opened(people, amount=20)
    with one.books() as connection:
        (found,) = disputes(connection, no)
        assert (found["state"], found["withheld"], found["amount_minor"]) == ("open", False, 20)
        people.decide(connection, no, DisputeEvent.UPHOLD, "ben", TODAY, NOW)
    one.close(TUESDAY)
    assert lines(one, TUESDAY) == [("opco", "grocer", 20)]
    assert sound(one) == []


def carried(one: Coalition, day: date) -> int | None:
    """What a window carried on of the grocer, in minor units: below zero it owes; None: nothing."""
    with one.books() as connection:
        row = connection.execute("select amount from carried where day = %s and party = 'grocer'", (day,)).fetchone()
    return None if row is None else int(row[0])


@pytest.mark.parametrize(("event", "then"), [(DisputeEvent.UPHOLD, -6), (DisputeEvent.RELEASE, -60)])
def test_a_line_that_was_carried_on_is_withheld_though_its_window_is_settled_and_given_back_once(small: Signers, event: DisputeEvent, then: int) -> None:
    one = small.one
    assert carried(one, MONDAY) == -60
    settled(one, MONDAY)
    no = opened(small)
    with one.books() as connection:
        assert [(found["state"], found["withheld"]) for found in disputes(connection, no)] == [("held", True)]
    one.close(TUESDAY)
    assert (lines(one, TUESDAY), carried(one, TUESDAY)) == ([("opco", "grocer", 54)], -6)
    with one.books() as connection:
        small.decide(connection, no, event, "ben", TODAY, NOW)
    one.close(WEDNESDAY)
    assert carried(one, WEDNESDAY) == then
    assert sound(one) == []


def test_a_line_that_was_carried_on_is_paid_with_the_window_that_pays_the_position(small: Signers) -> None:
    one = small.one
    settled(one, MONDAY)
    one.publish(purchase("p-large", "card-1", 100_000))
    one.close(TUESDAY)
    assert carried(one, TUESDAY) is None
    with one.books() as connection:
        wanted = Wanted(MONDAY, issue(one), GROCER, "sold once", "ann", 30)
        assert to_open(connection, one.id, wanted, NOW, TODAY).disputed.withheld
        settled(one, TUESDAY)
        assert not to_open(connection, one.id, wanted, NOW, TODAY).disputed.withheld
    no = opened(small)
    with one.books() as connection:
        small.decide(connection, no, DisputeEvent.UPHOLD, "ben", TODAY, NOW)
    one.close(WEDNESDAY)
    assert (lines(one, WEDNESDAY), carried(one, WEDNESDAY)) == ([("opco", "grocer", 54)], 54)
    assert sound(one) == []


def test_what_the_operator_owes_is_paid_when_its_creditors_position_is(small: Signers) -> None:
    one = small.one
    with one.books() as connection:
        book_correction(connection, Code.ADJUSTMENT, PartyId("opco"), GROCER, "EUR", 400, reference="x", reason="x", by="ann")
        one.close(TUESDAY)
        settled(one, TUESDAY)
        assert carried(one, TUESDAY) is None
        row = connection.execute("select line from obligation where day = %s and debtor = 'opco' and amount = 400", (TUESDAY,)).fetchone()
        assert row is not None
        wanted = Wanted(TUESDAY, int(row[0]), PartyId("opco"), "no", "ann", 30)
        assert not to_open(connection, one.id, wanted, NOW, TODAY).disputed.withheld
    with one.books(owner=True) as owner:
        owner.execute("insert into carried (day, currency, party, amount, since) values (%s, 'EUR', 'grocer', 346, %s)", (TUESDAY, TUESDAY))
        assert to_open(owner, one.id, wanted, NOW, TODAY).disputed.withheld


def test_what_nobody_decides_in_time_lapses_and_is_due_again_once(people: Signers, one: Coalition) -> None:
    no = opened(people)
    late = TODAY + timedelta(days=31)
    refused(DisputeCode.DEADLINE_PASSED, people, no, DisputeEvent.UPHOLD, "ben", late)
    with one.books() as connection:
        then = NOW + timedelta(days=31)
        assert lapse_due(connection, then, TODAY + timedelta(days=30)) == []
        assert lapse_due(connection, then, late) == [no]
        assert lapse_due(connection, then, late) == []
    one.close(TUESDAY)
    assert sorted(lines(one, TUESDAY)) == [("grocer", "opco", 54), ("opco", "grocer", 54)]
    assert sound(one) == []


def test_a_line_is_under_one_dispute_and_its_debtors_alone(people: Signers, one: Coalition) -> None:
    no = opened(people)
    line = issue(one)
    for number, party, code in (
        (line, GROCER, DisputeCode.DISPUTED_ALREADY),
        (line + 1, PartyId("bakery"), DisputeCode.NOT_THE_DEBTOR),
        (999, GROCER, DisputeCode.NO_LINE),
    ):
        with pytest.raises(DisputeRefused) as refusal:
            opened(people, line=number, party=party)
        assert refusal.value.code is code
    with one.books() as connection:
        people.decide(connection, no, DisputeEvent.RELEASE, "ben", TODAY, NOW)
    assert opened(people, now=NOW + timedelta(seconds=1)) == no + 1


def test_the_database_itself_asks_for_a_second_person_and_for_the_state_that_is(people: Signers, one: Coalition) -> None:
    no = opened(people)
    turn = "insert into dispute_turn (dispute, no, at, who, from_state, to_state, note) values (%s, %s, now(), %s, %s, %s, 'x')"
    with one.books() as connection:
        for who, before, after in (("ann", "held", "upheld"), ("ben", "open", "upheld")):
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(turn, (no, 9, who, before, after))
        with pytest.raises(psycopg.errors.RestrictViolation, match="has not signed"):
            connection.execute(turn, (no, 9, "ben", "held", "released"))
        people.decide(connection, no, DisputeEvent.RELEASE, "ben", TODAY, NOW)
        with pytest.raises(psycopg.errors.RestrictViolation, match="already"):
            connection.execute(turn, (no, 10, "emil", "released", "upheld"))


def run(words: str, one: Coalition) -> Result:
    return CliRunner().invoke(app, ["dispute", *words.split("|"), "--programme", one.id])


def test_commands_open_show_and_decide_and_say_why_they_refuse(people: Signers, one: Coalition) -> None:
    people.pem("ann", "ben")
    Path("slip.txt").write_text("sold once\n", encoding="utf-8")
    (line,) = [row["line"] for row in json.loads(run("lines|2026-03-02|--party|grocer|-o|json", one).stdout) if row["kind"] == "issue"]
    made = run(f"open|2026-03-02|{line}|--party|grocer|--reason|sold once|--evidence|slip.txt|--amount|0.50{ANN}|-o|json", one)
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["state"] == "evidence"
    assert run("add-evidence|1|slip.txt|--note|again|--as|ann", one).output.startswith("Dispute 1 has evidence and waits for the decision: 0.50 EUR")
    for words, code in (
        (f"uphold|1|--note|yes{ANN}", "second-person"),
        (f"uphold|1|--note|yes{ANN.replace('--as|ann', '--as|Ann')}", "second-person"),
        (f"uphold|1|--note|yes{ANN.replace('--as|ann', '--as|ben')}", "wrong-key"),
        (f"uphold|1|--note|yes{BEN.replace('--as|ben', '--as|eve')}", "unknown-person"),
        ("uphold|1|--note|yes|--as|ben", "not-signed"),
        (f"uphold|9|--note|yes{BEN}", "no-dispute"),
        (f"uphold|1|--note| {BEN}", "reason-missing"),
        ("add-evidence|1|gone.txt|--note|x", "evidence-unreadable"),
        (f"open|2026-03-02|{line}|--party|grocer|--reason|again", "not-signed"),
        (f"open|2026-03-02|{line}|--party|grocer|--reason|again{ANN}", "disputed-already"),
        (f"open|2026-03-02|{line + 1}|--party|grocer|--reason|x|--amount|999{ANN}", "amount-too-large"),
    ):
        said = run(words, one)
        assert (said.exit_code, f"[{code}]" in said.output) == (1, True), (words, said.output)
    told = json.loads(run("show|1|--to|kept|-o|json", one).stdout)
    assert [turn["to_state"] for turn in told["turns"]] == ["open", "held", "evidence", "evidence"]
    assert Path("kept/dispute-1-3").read_text(encoding="utf-8") == "sold once\n"
    assert "Dispute 1 is upheld: 0.50 EUR" in run(f"uphold|1|--note|yes{BEN}", one).output
    assert json.loads(run("list|-o|json", one).stdout) == []
    assert "upheld" in run("list|--all", one).output
    assert run("lapse", one).output == "No dispute is past its deadline: none has lapsed.\n"
    verified = json.loads(run("verify|1|-o|json", one).stdout)
    assert (verified["broken"], len(verified["proofs"]) > 8) == (0, True)
    assert (run("verify", one).exit_code, "[no-dispute]" in run("verify|9", one).output) == (0, True)


FORGED = {
    "who opened it has signed that": "delete from decision_signature where action = 'propose'",
    "who decided it has signed that": "delete from decision_signature where action = 'decide'",
    "with the person's key": "update decision_signature set signature = decode(repeat('00', 64), 'hex') where action = 'decide'",
    "while the key was in force": "insert into key_revocation (key, at, reason, after_signature) "
    "select key, now(), 'x', 0 from decision_signature where no = 1",
    "of what the books hold": "update dispute set amount = amount - 1",
    "who did not propose it": "update person_key set public_key = (select public_key from person_key where person = 'ann') where person = 'ben'",
    "its turns are booked, once, and nothing else is": "update correction set amount = amount + 1 where code = 34 and reference like '%release'",
    "every entry of a dispute belongs to one": "insert into correction (code, reference, day, debtor, creditor, currency, amount, reason, by_whom) "
    "select code, 'dispute 99 uphold', day, debtor, creditor, currency, amount, reason, by_whom from correction limit 1",
}


def test_whoever_goes_past_all_rules_is_found_by_the_verifier(people: Signers, one: Coalition) -> None:
    """Somebody with all rights over the database, for whom no trigger and no key holds."""
    no = opened(people)
    with one.books() as connection:
        people.decide(connection, no, DisputeEvent.RELEASE, "ben", TODAY, NOW)
    assert sound(one) == []
    with one.books(owner=True) as owner:
        owner.execute("alter table person_key drop constraint person_key_public_key_key")
        owner.execute("set session_replication_role = replica")
        for what, statement in FORGED.items():
            with owner.transaction(force_rollback=True):
                assert owner.execute(statement).rowcount > 0
                found = [proof.what for proof in verify_disputes(owner, one.id) if not proof.holds]
            assert any(name.endswith(what) for name in found), (what, found)


LAPSED = "insert into dispute_turn (dispute, no, at, who, from_state, to_state, note) select no, 3, %s, %s, 'held', 'lapsed', 'x' from dispute where no = %s"


def test_a_dispute_that_is_said_to_have_lapsed_before_its_deadline_is_refused_and_found(people: Signers, one: Coalition) -> None:
    no = opened(people)
    late = NOW + timedelta(days=31)
    for at, who in ((NOW, "deadline"), (late, "ann"), (datetime.now(UTC) + timedelta(days=3), "deadline")):
        with one.books() as connection, pytest.raises(psycopg.errors.RestrictViolation, match="lapses by its deadline"):
            connection.execute(LAPSED, (at, who, no))
        with one.books(owner=True) as owner, owner.transaction(force_rollback=True):
            owner.execute("set session_replication_role = replica")
            owner.execute(LAPSED, (at, who, no))
            assert "it lapsed by its deadline, and not before" in {proof.what for proof in verify_disputes(owner, one.id) if not proof.holds}
    with one.books() as connection:
        lapse_due(connection, late, late.date())
    assert sound(one) == []


def test_nobody_upholds_what_was_opened_with_a_signature_that_is_nobodys(people: Signers, one: Coalition) -> None:
    no = opened(people)
    with one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        owner.execute("set session_replication_role = replica")
        owner.execute("update decision_signature set signature = decode(repeat('01', 64), 'hex')")
        owner.execute("set session_replication_role = origin")
        with pytest.raises(SettlementError, match="with the person's key") as forged:
            people.decide(owner, no, DisputeEvent.UPHOLD, "ben", TODAY, NOW)
        assert forged.value.code is SettlementCode.BAD_SIGNATURE
        assert people.decide(owner, no, DisputeEvent.RELEASE, "ben", TODAY, NOW) == "released"


def test_what_was_signed_is_what_is_opened_and_decided_or_nothing_is(people: Signers, one: Coalition) -> None:
    with one.books() as connection:
        wanted = Wanted(MONDAY, issue(one), GROCER, "sold once", "ann", 30)
        said = to_open(connection, one.id, wanted, NOW, TODAY)
        other = replace(wanted, amount_minor=20)
        with pytest.raises(DisputeRefused) as refusal:
            open_dispute(connection, one.id, other, TODAY, (said, people.keys["ann"].sign(said.signed())))
        assert refusal.value.code is DisputeCode.DISPUTE_CHANGED
        with pytest.raises(SettlementError) as forged:
            open_dispute(connection, one.id, wanted, TODAY, (said, people.keys["ben"].sign(said.signed())))
        assert forged.value.code is SettlementCode.BAD_SIGNATURE
        assert connection.execute("select count(*) from dispute").fetchone() == (0,)
        no = people.dispute(connection, wanted, TODAY, NOW)
        ruling = to_decide(connection, one.id, no, DisputeEvent.RELEASE, "ben", "because", NOW, TODAY)
        signature = people.keys["ben"].sign(ruling.signed())
        for changed, error in (
            (replace(ruling, outcome=DisputeState.UPHELD), SettlementCode.BAD_SIGNATURE),
            (replace(ruling, disputed=replace(ruling.disputed, amount_minor=1)), DisputeCode.DISPUTE_CHANGED),
        ):
            with pytest.raises((DisputeRefused, SettlementError)) as refused_so:
                decide(connection, one.id, no, "ben", TODAY, (changed, signature))
            assert str(refused_so.value.code) == error  # type: ignore[attr-defined]  # both have one
        with pytest.raises(DisputeRefused) as unsigned:
            move(connection, no, DisputeEvent.RELEASE, "ben", "because", NOW, TODAY)
        assert unsigned.value.code is DisputeCode.NOT_SIGNED
        assert decide(connection, one.id, no, "ben", TODAY, (ruling, signature)) == "released"


def test_the_database_takes_no_signature_about_something_else_and_none_of_the_same_person(people: Signers, one: Coalition) -> None:
    no = opened(people)
    sign = """
    insert into decision_signature (dispute, action, proposal, person, key, at, document, signature)
    select %(no)s, 'decide', 1, %(who)s, k.no, now(), %(document)s, decode(repeat('00', 64), 'hex') from person_key k where k.person = %(who)s
    """
    with one.books() as connection:
        said = json.loads(to_decide(connection, one.id, no, DisputeEvent.UPHOLD, "ben", "because", NOW, TODAY).document())
        for who, change in (("ann", {"person": "ann"}), ("ben", {"line": 99}), ("ben", {"amount_minor": 1}), ("ben", {"dispute": 2}), ("emil", {})):
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(sign, {"no": no, "who": who, "document": json.dumps(said | change)})
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("insert into by_name values ('opened', 1)")
    people.revoke("ann")
    with one.books() as connection:
        with pytest.raises(Refused) as revoked:
            people.decide(connection, no, DisputeEvent.UPHOLD, "ben", TODAY, NOW)
        assert revoked.value.code is Unsigned.MAKER_REVOKED
        with pytest.raises(psycopg.errors.RestrictViolation, match="revoked"):
            connection.execute(sign, {"no": no, "who": "ben", "document": json.dumps(said)})
        assert people.decide(connection, no, DisputeEvent.RELEASE, "ben", TODAY, NOW) == "released"
    assert sound(one) == []


def test_what_a_dispute_withholds_is_not_disputed_by_one_person(people: Signers) -> None:
    """The line of the hold lies in the next window; its debtor would have it back at once."""
    no = opened(people)
    people.one.close(TUESDAY)
    with people.one.books() as connection:
        (line, debtor) = connection.execute("select line, debtor from obligation where day = %s and kind = 'dispute'", (TUESDAY,)).fetchone() or (0, "")
        wanted = Wanted(TUESDAY, line, PartyId(debtor), "it is owed", "ben", 30)
        with pytest.raises(DisputeRefused) as refusal:
            people.dispute(connection, wanted, TODAY, NOW)
        assert refusal.value.code is DisputeCode.OF_A_DISPUTE
    people.one.close(WEDNESDAY)
    with people.one.books() as connection:
        assert connection.execute("select count(*) from obligation where day = %s and kind = 'dispute'", (WEDNESDAY,)).fetchone() == (0,)
        assert [(row["no"], row["state"]) for row in disputes(connection)] == [(no, "held")]
