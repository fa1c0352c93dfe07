"""A party that has not paid at its deadline defaults: its funds, then the loss by rule, in a further run that pays only the differences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from clearing.approval import Action, Refused, Unsigned
from clearing.entries import Code
from clearing.night import run_night
from schemas.ids import PartyId
from services.cli.main import app
from services.journal.corrections import book_correction
from services.journal.migrate import connect
from services.journal.programmes import load
from services.journal.verify import verified
from services.report.verify import verify_report
from services.risk.default import declare, to_declare
from services.risk.errors import RiskCode, RiskError
from services.risk.funds import Entry
from services.runtime.local import Addresses
from services.seal.export import export
from services.seal.keys import FileSigner, generate
from services.seal.sealing import seal_due
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.runs import newest_run
from services.settlement.verify import verify_settlement
from tests.bills import vouch
from tests.coalition import Coalition, coalition
from tests.paying import ACCOUNTS, AtTheBank, approved, spend
from tests.seals import auditor, both
from tests.signers import MONDAY, TUESDAY, Signers, netted, shop

LATE, IN_TIME = date(2026, 3, 20), date(2026, 3, 6)
NOW = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
GROCER, FUELCO = PartyId("grocer"), PartyId("fuelco")


@pytest.fixture(autouse=True)
def surroundings(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", addresses.postgres_uri)
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", addresses.kafka_bootstrap)


@pytest.fixture
def signers(addresses: Addresses) -> Iterator[Signers]:
    with approved(addresses) as people:
        yield people


@contextmanager
def instructed(signers: Signers, folder: Path, *, paid: int = 0, settle: bool = True) -> Iterator[AtTheBank]:
    """Monday's payments went out and are confirmed; the grocer has paid a part, or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    with signers.one.books() as books:
        one = AtTheBank(books, signers.one.id, folder)
        one.pay()
        moved = [one.debit("fuelco"), one.debit("cafe")] if settle else [one.debit("fuelco")]
        one.take(one.statement(*moved, *([one.credit("grocer", paid)] if paid else [])))
        one.match()
        yield one


def refused(code: RiskCode, signers: Signers, one: AtTheBank, *parties: str, today: date = LATE) -> None:
    with pytest.raises(RiskError) as refusal:
        signers.default(one.books, parties, today, NOW)
    assert refusal.value.code is code


def lines(one: AtTheBank, day: date = MONDAY) -> list[tuple[str, str, str, int]]:
    kinds = ["default_loss", "adjustment"]
    return one.books.execute(
        "select kind, debtor, creditor, amount from obligation where day = %s and kind = any(%s) order by kind, debtor", (day, kinds)
    ).fetchall()


def again(signers: Signers) -> None:
    night = signers.one.house.night(signers.one.id, lambda _night, _day: None)
    with night.connection:
        run_night(MONDAY, night.plan.file, night)


def holds(signers: Signers, day: date) -> None:
    with signers.one.books() as books:
        assert [proof for proof in [*verify_settlement(books, signers.one.id, day), *verify_report(books, day)] if not proof.holds] == []


def test_funds_are_used_first_and_the_operator_bears_the_rest_without_paying_anybody_again(signers: Signers, tmp_path: Path) -> None:
    signers.one.close(TUESDAY)
    with instructed(signers, tmp_path, paid=1000) as one:
        owes = one.standings()["grocer"].missing_minor
        signers.fund(one.books, Entry(GROCER, "EUR", 700, "paid in", "RF1"), NOW)
        made = signers.default(one.books, ["grocer"], LATE, NOW)
        assert [(line.code.name, line.bearer, line.amount_minor) for line in made.borne] == [("ADJUSTMENT", "opco", 700), ("DEFAULT_LOSS", "opco", owes - 700)]
        assert one.window() == "defaulted"
        again(signers)
        assert lines(one) == [("adjustment", "opco", "grocer", 700), ("default_loss", "opco", "grocer", owes - 700)]
        run = newest_run(one.books, MONDAY)
        assert (one.window(), run.replaces, run.report.payments) == ("netted", made.run, ())
        assert one.books.execute("select sum(amount)::bigint from funding").fetchone() == (0,)
        assert lines(one, TUESDAY) == []
        signers.approve()
        assert one.pay().state == "settled"
    sealed_and_verified(signers.one, tmp_path, "grocer")
    for day in (MONDAY, TUESDAY):
        holds(signers, day)


def test_a_window_with_points_over_a_limit_is_sound_explained_and_verified_from_its_export(addresses: Addresses, tmp_path: Path) -> None:
    with coalition(addresses, ('net_debit_cap: "100000.00"', 'net_debit_cap: "0.30"'), day=MONDAY) as one:
        shop(one)
        one.book()
        with one.books() as books:
            told = books.execute("select answer from entry where id = 'p1'").fetchone()
        assert told is not None
        assert json.loads(told[0])["balance"] == {"available": 6, "pending": 0, "unfunded": 48}
        assert [effect["points"] for effect in json.loads(told[0])["effects"]] == [54]
        one.close(MONDAY)
        with one.books() as books:  # 0.08 are owed for 6 points and the purchase: for the other 22 cents there are 20 points at 0.010595
            assert books.execute("select points from unfunded").fetchall() == [(28,)]
        for words in (["ledger", "verify"], ["explain", "event", "p1"], ["explain", "member", "m-1"], ["accounts", "liability"], ["report", "verify"]):
            found = CliRunner().invoke(app, [*words, "--programme", one.id])
            assert found.exit_code == 0, (words, found.output)
        sealed_and_verified(one, tmp_path, "grocer")


def sealed_and_verified(one: Coalition, folder: Path, party: str) -> None:
    """Both verifiers accept the party's export of Monday."""
    generate(folder / "key.pem", folder / "keys.txt", "first")
    signer = FileSigner(folder / "key.pem")
    with connect(one.house.postgres_uri, one.schema, autocommit=True) as connection:
        seal_due(connection, signer)
        export(connection, MONDAY, PartyId(party), signer, folder / "party.tar")
    verdict, problems = both(folder / "party.tar", folder / "keys.txt", auditor())
    assert (verdict.problems, problems) == ([], [])


def test_two_people_say_who_has_not_paid_and_exactly_that_is_booked(signers: Signers, tmp_path: Path) -> None:
    with instructed(signers, tmp_path, paid=1000) as one:
        books = one.books

        def no(code: RiskCode, who: str = "carl") -> None:
            with pytest.raises(RiskError) as refusal:
                signers.declare_default(books, ["grocer"], LATE, NOW, who)
            assert refusal.value.code is code

        no(RiskCode.NOT_PROPOSED)
        with pytest.raises(psycopg.errors.RestrictViolation, match="two people have not signed"):
            books.execute("update settlement_window set state = 'defaulted' where day = %s", (MONDAY,))
        signers.propose_default(books, ["grocer"], LATE, NOW)
        no(RiskCode.SECOND_PERSON, "mia")
        signers.fund(books, Entry(GROCER, "EUR", 700, "paid in", "RF1"), NOW)
        no(RiskCode.DEFAULT_CHANGED)
        signers.propose_default(books, ["grocer"], LATE, NOW, "emil")
        signers.revoke("emil")
        with pytest.raises(Refused) as revoked:
            signers.declare_default(books, ["grocer"], LATE, NOW)
        assert revoked.value.code is Unsigned.MAKER_REVOKED
        signers.propose_default(books, ["grocer"], LATE, NOW)
        said = to_declare(books, load(books), MONDAY, [GROCER], "carl", NOW, LATE)
        for changed, key, error in (
            (said, "dora", SettlementCode.BAD_SIGNATURE),
            (replace(said, borne=said.borne[:1]), "carl", RiskCode.DEFAULT_CHANGED),
            (replace(said, proposal=None), "carl", RiskCode.DEFAULT_CHANGED),
        ):
            with pytest.raises((RiskError, SettlementError)) as refusal:
                declare(books, load(books), LATE, changed, signers.keys[key].sign(changed.signed()))
            assert str(refusal.value.code) == error  # type: ignore[attr-defined]  # both have one
        assert one.window() == "instructed"
        assert lines(one) == []
        declare(books, load(books), LATE, said, signers.keys["carl"].sign(said.signed()))
        assert one.window() == "defaulted"
        again(signers)
        holds(signers, MONDAY)
        forged(signers)


COPY = """
insert into decision_signature (run, action, person, key, at, document, signature)
select run, action, person, key, at, document, decode(repeat('01', 64), 'hex') from decision_signature order by no desc limit 1
"""


def test_nobody_declares_what_a_row_proposes_that_nobody_signed(signers: Signers, tmp_path: Path) -> None:
    with instructed(signers, tmp_path, paid=1000) as one:
        with one.books.transaction():
            signers.propose_default(one.books, ["grocer"], LATE, NOW)
            one.books.execute(COPY)
        with pytest.raises(SettlementError, match="with the person's key") as refusal:
            signers.declare_default(one.books, ["grocer"], LATE, NOW)
        assert refusal.value.code is SettlementCode.BAD_SIGNATURE
        assert one.window() == "instructed"
        signers.propose_default(one.books, ["grocer"], LATE, NOW, "emil")
        signers.declare_default(one.books, ["grocer"], LATE, NOW)
        assert one.window() == "defaulted"


FORGED = {
    "two people signed who was in default": "delete from decision_signature where action = 'decide'",
    "with the person's key": "update decision_signature set signature = decode(repeat('00', 64), 'hex') where action = 'decide'",
    "while the key was in force": "insert into key_revocation (key, at, reason, after_signature) "
    "select key, now(), 'x', 0 from decision_signature where action = 'decide'",
    "of what the books hold": "update correction set amount = amount + 1 where code = 35",
    "who did not propose it": "update person_key set public_key = (select public_key from person_key where person = 'mia') where person = 'carl'",
}


def forged(signers: Signers) -> None:
    """Whoever goes past all rules is found by the verifier: somebody with all rights over the database, for whom no trigger and no key holds."""
    with signers.one.books(owner=True) as owner:
        owner.execute("alter table person_key drop constraint person_key_public_key_key")
        owner.execute("set session_replication_role = replica")
        for what, statement in FORGED.items():
            with owner.transaction(force_rollback=True):
                assert owner.execute(statement).rowcount > 0
                found = [proof.what for proof in verify_settlement(owner, signers.one.id, MONDAY) if not proof.holds]
            assert any(name.endswith(what) for name in found), (what, found)


def test_what_is_not_late_not_unpaid_or_still_under_way_is_no_default(signers: Signers, tmp_path: Path) -> None:
    with signers.one.books() as books:
        refused(RiskCode.NOT_INSTRUCTED, signers, AtTheBank(books, signers.one.id, tmp_path), "grocer")
    with instructed(signers, tmp_path, settle=False) as one:
        refused(RiskCode.NOT_UNPAID, signers, one, "fuelco")
        refused(RiskCode.OTHERS_UNPAID, signers, one)
        refused(RiskCode.PAYMENTS_UNDER_WAY, signers, one, "grocer")
        one.take(one.statement(one.debit("cafe")))
        one.match()
        refused(RiskCode.BEFORE_DEADLINE, signers, one, "grocer", today=IN_TIME)
        assert one.window() == "instructed"
        with signers.one.books(owner=True) as owner:
            owner.execute("alter table programme disable trigger append_only")
            owner.execute("update programme set body = jsonb_set(body, '{programme,default}', 'null')")
        refused(RiskCode.NO_DEFAULT_RULE, signers, one, "grocer")


@pytest.mark.parametrize("told", ["statement", "notification"])
def test_a_party_whose_money_the_bank_has_announced_is_not_in_default_until_its_statement_counts(signers: Signers, tmp_path: Path, told: str) -> None:
    with instructed(signers, tmp_path, paid=1000) as one:
        credit = one.credit("grocer", 500)
        one.take(one.notification(one.credit("grocer", 1000), credit) if told == "notification" else one.statement(credit))
        refused(RiskCode.PAYMENTS_UNDER_WAY, signers, one, "grocer")
        assert one.window() == "instructed"
        if told == "notification":
            one.take(one.statement(credit))
        one.match()
        signers.default(one.books, ["grocer"], LATE, NOW)
        assert one.window() == "defaulted"


ALONE = {
    "the one who proposed": "update decision_signature set (key, person) = (select key, person from decision_signature where action = 'propose') "
    "where action = 'decide'",
    "somebody, of nothing": "update decision_signature set proposal = null where action = 'decide'",
    "somebody, of another run": "update decision_signature set run = run + 1 where action = 'propose'",
    "somebody, of what was not borne": "update decision_signature set document = (document::jsonb || '{\"borne\": []}')::text where action = 'decide'",
}
"""Who has decided a default, by rows that nobody signed."""


def test_what_a_default_books_without_two_people_is_found_by_the_ledgers_verifier_and_nobody_approves(signers: Signers, tmp_path: Path) -> None:
    with instructed(signers, tmp_path) as one:
        signers.default(one.books, ["grocer"], LATE, NOW)
        again(signers)
    with signers.one.books(owner=True) as owner:
        owner.execute("set session_replication_role = replica")
        for forged in ALONE.values():
            with owner.transaction(force_rollback=True):
                assert "corrections" not in {each.what for each in verified(owner) if each.differing}
                assert owner.execute(forged).rowcount == 1
                assert "corrections" in {each.what for each in verified(owner) if each.differing}, forged
        with owner.transaction(force_rollback=True):
            owner.execute("update decision_signature set signature = decode(repeat('00', 64), 'hex') where action = 'decide'")
            with pytest.raises(SettlementError, match="with the person's key") as refusal:
                signers.say(Action.SUBMIT, "mia", connection=owner)
            assert refusal.value.code is SettlementCode.CHECK_FAILED


def test_funds_in_two_currencies_are_used_in_the_same_default(addresses: Addresses, tmp_path: Path) -> None:
    two = (("currencies: [EUR]", "currencies: [EUR, CHF]"), ('minimum_settlement: {EUR: "0.00"}', 'minimum_settlement: {EUR: "0.00", CHF: "0.00"}'))
    with coalition(addresses, *ACCOUNTS, *two, day=MONDAY) as one:
        spend(one)
        with one.books() as books:
            book_correction(books, Code.ADJUSTMENT, GROCER, PartyId("opco"), "CHF", 900, reference="a bill", reason="a bill", by="mia")
        vouch(one)
        with netted(one, MONDAY) as signers:
            signers.approve()
            with instructed(signers, tmp_path) as at_bank:
                for currency, minor in (("EUR", 700), ("CHF", 300)):
                    signers.fund(at_bank.books, Entry(GROCER, currency, minor, "paid in", f"RF {currency}"), NOW)
                made = signers.default(at_bank.books, ["grocer"], LATE, NOW)
                used = at_bank.books.execute("select currency, amount from funding where kind = 'used' order by currency").fetchall()
    assert used == [("CHF", -300), ("EUR", -700)]
    assert {line.currency: line.amount_minor for line in made.borne if line.code is Code.DEFAULT_LOSS}["CHF"] == 600


def test_funds_that_debts_need_are_not_paid_out(addresses: Addresses) -> None:
    """Of the grocer, capped at 40.00, and of the fuel company, which has no limit; what is open already counts, and what is settled is free."""
    cap = ('net_debit_cap: "100000.00"', 'net_debit_cap: "40.00"')
    with coalition(addresses, cap, day=MONDAY) as one, one.books() as books:
        signers = Signers(one)
        signers.enrol("mia", "carl")
        with one.books(owner=True) as owner:
            owner.execute("update headroom set room = 0")  # what rests on open room: tests/integration/test_funds_and_room.py
        for party, owes in ((GROCER, 5000), (FUELCO, 800)):
            signers.fund(books, Entry(party, "EUR", 2000, "paid in", "RF1"), NOW)
            book_correction(books, Code.ADJUSTMENT, party, PartyId("cafe"), "EUR", owes, reference=f"of {party}", reason="a bill", by="mia")
        for party, free in ((GROCER, 1000), (FUELCO, 1200)):
            with pytest.raises(RiskError) as refusal:
                signers.fund(books, Entry(party, "EUR", free + 1, "paid out", "P1"), NOW)
            assert refusal.value.code is RiskCode.FUNDS_NEEDED
            assert signers.fund(books, Entry(party, "EUR", free, "paid out", "P1"), NOW) == 2000 - free
            with pytest.raises(RiskError) as refusal:
                signers.fund(books, Entry(party, "EUR", free, "paid out", "P1"), NOW)
            assert refusal.value.code is RiskCode.FUNDS_ENTERED, "the same again is no second payment"


def test_funds_have_a_reference_are_entered_once_and_are_never_overdrawn(signers: Signers) -> None:
    with signers.one.books() as books:
        assert signers.fund(books, Entry(GROCER, "EUR", 700, "paid in", "RF1"), NOW) == 700
        assert signers.fund(books, Entry(GROCER, "EUR", 300, "paid out", "P1"), NOW) == 400
        for entry, code in (
            (Entry(GROCER, "EUR", 700, "paid in", "RF1"), RiskCode.FUNDS_ENTERED),
            (Entry(GROCER, "EUR", 701, "paid in", "RF1"), RiskCode.REFERENCE_USED),
            (Entry(GROCER, "EUR", 1, "paid in", " "), RiskCode.REFERENCE_MISSING),
            (Entry(GROCER, "EUR", 0, "paid in", "x"), RiskCode.BAD_AMOUNT),
            (Entry(GROCER, "XXX", 1, "paid in", "x"), RiskCode.UNKNOWN_CURRENCY),
            (Entry(PartyId("nobody"), "EUR", 1, "paid in", "x"), RiskCode.UNKNOWN_PARTY),
            (Entry(GROCER, "EUR", 401, "paid out", "x"), RiskCode.FUNDS_TOO_SMALL),
        ):
            with pytest.raises(RiskError) as refusal:
                signers.fund(books, entry, NOW)
            assert refusal.value.code is code
