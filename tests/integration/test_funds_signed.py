"""Funds count once two people have signed them, each with a key of their own; what nobody signed is refused by the database, or found and named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from clearing.approval import Action, Refused, Unsigned
from clearing.two_people import FundsSaid
from schemas.ids import PartyId
from services.journal.headroom import funds_of
from services.risk.errors import RiskCode, RiskError
from services.risk.funds import Entry, entries
from services.risk.signed_funds import confirm, propose, to_confirm, to_propose
from services.risk.verify_funds import require_funds
from services.runtime.local import Addresses
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.verify import verify_settlement
from tests.coalition import coalition
from tests.signers import MONDAY, Signers, netted, shop

NOW = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
GROCER = PartyId("grocer")
IN, OUT = Entry(GROCER, "EUR", 700, "paid in", "RF1"), Entry(GROCER, "EUR", 300, "paid out", "P1")
REFUSED = psycopg.errors.RestrictViolation
FUNDING = "insert into funding (party, currency, amount, kind, reference, by_whom, at) values ('grocer', 'EUR', %s, %s, %s, 'mia', now())"
SIGN = """
insert into funding_signature (party, currency, amount, kind, reference, action, proposal, person, key, at, document, signature)
select 'grocer', 'EUR', %(amount)s, 'paid in', 'RF9', %(action)s, %(proposal)s, k.person, k.no, now(), %(document)s, %(signature)s
from person_key k where k.person = %(person)s returning no
"""


@pytest.fixture(scope="module")
def signers(addresses: Addresses) -> Iterator[Signers]:
    with coalition(addresses, day=MONDAY) as one:
        shop(one)
        with netted(one, MONDAY) as people:
            yield people


@pytest.fixture
def books(signers: Signers) -> Iterator[psycopg.Connection]:
    """As the application may use them, in a transaction that is rolled back."""
    with signers.one.books() as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def owner(signers: Signers) -> Iterator[psycopg.Connection]:
    """With all rights; what is done is rolled back."""
    with signers.one.books(owner=True) as connection, connection.transaction(force_rollback=True):
        yield connection


def say(signers: Signers, books: psycopg.Connection, entry: Entry = IN, who: str = "mia") -> FundsSaid:
    said = to_propose(books, signers.one.id, entry, who, NOW)
    propose(books, said, signers.keys[who].sign(said.signed()))
    return said


def agree(signers: Signers, books: psycopg.Connection, entry: Entry = IN, who: str = "carl") -> int:
    said = to_confirm(books, signers.one.id, entry, who, NOW)
    return confirm(books, said, signers.keys[who].sign(said.signed()))


def ends(books: psycopg.Connection) -> None:
    """What is asked when the transaction ends is asked now."""
    books.execute("set constraints all immediate")


def failing(books: psycopg.Connection, signers: Signers) -> list[str]:
    return [proof.what for proof in verify_settlement(books, signers.one.id, MONDAY) if not proof.holds]


def test_funds_count_from_the_second_signature_on(signers: Signers, books: psycopg.Connection) -> None:
    say(signers, books)
    assert funds_of(books) == {}
    assert [(row["state"], row["by_whom"], row["balance_minor"]) for row in entries(books, "grocer")] == [("proposed", "mia", None)]
    assert agree(signers, books) == 700
    assert funds_of(books) == {(GROCER, "EUR"): 700}
    assert [(row["state"], row["by_whom"], row["balance_minor"]) for row in entries(books, "grocer")] == [("counts", "mia, carl", 700)]
    say(signers, books, OUT, "carl")
    assert funds_of(books) == {(GROCER, "EUR"): 700}
    assert agree(signers, books, OUT, "mia") == 400
    ends(books)
    assert failing(books, signers) == []
    assert "2 entries of funds are signed by two people" in {proof.what for proof in verify_settlement(books, signers.one.id, MONDAY)}


def test_who_proposed_does_not_confirm_nor_anybody_what_was_not_proposed(signers: Signers, books: psycopg.Connection) -> None:
    def no(code: RiskCode, entry: Entry, who: str = "carl") -> None:
        with pytest.raises(RiskError) as refusal:
            agree(signers, books, entry, who)
        assert refusal.value.code is code

    no(RiskCode.NOT_PROPOSED, IN)
    say(signers, books)
    no(RiskCode.SECOND_PERSON, IN, "mia")
    no(RiskCode.FUNDS_DIFFER, replace(IN, amount_minor=7000))
    no(RiskCode.NOT_PROPOSED, replace(IN, reference="RF2"))
    agreed = to_confirm(books, signers.one.id, IN, "carl", NOW)
    say(signers, books, who="dora")
    with pytest.raises(RiskError) as refusal:
        confirm(books, agreed, signers.keys["carl"].sign(agreed.signed()))
    assert refusal.value.code is RiskCode.FUNDS_DIFFER
    with pytest.raises(SettlementError) as wrong:
        confirm(books, to_confirm(books, signers.one.id, IN, "carl", NOW), bytes(64))
    assert wrong.value.code is SettlementCode.BAD_SIGNATURE
    assert funds_of(books) == {}


def test_what_a_revoked_key_has_proposed_is_proposed_anew_and_what_it_signed_before_holds(signers: Signers, owner: psycopg.Connection) -> None:
    revoke = "insert into key_revocation (key, at, reason, after_signature) select no, now(), 'lost', 0 from person_key where person = 'emil'"
    signers.fund(owner, IN, NOW, "emil", "carl")
    say(signers, owner, replace(IN, reference="RF2"), "emil")
    owner.execute(revoke)
    assert failing(owner, signers) == []
    with pytest.raises(Refused) as refusal:
        agree(signers, owner, replace(IN, reference="RF2"))
    assert refusal.value.code is Unsigned.MAKER_REVOKED


@pytest.mark.parametrize(
    ("amount", "kind", "reference"), [(700, "paid in", "RF1"), (-300, "paid out", "P1"), (-300, "used", "default of 2026-03-02, run 1, EUR")]
)
def test_the_application_enters_no_funds_without_the_signatures_of_two(signers: Signers, amount: int, kind: str, reference: str) -> None:
    with signers.one.books() as books:
        with pytest.raises(REFUSED, match="two people have not signed"):
            books.execute(FUNDING, (amount, kind, reference))
        assert books.execute("select count(*) from funding").fetchone() == (0,)
    with signers.one.books() as books, books.transaction(force_rollback=True):
        say(signers, books, IN if kind == "paid in" else replace(IN, reference="RF0"))
        books.execute(FUNDING, (amount, kind, reference))
        with pytest.raises(REFUSED, match="two people have not signed"):
            ends(books)


def test_the_database_asks_who_signs_what(signers: Signers, books: psycopg.Connection) -> None:
    def sign(person: str, amount: int = 700, proposal: int | None = None, *, kept: int | None = None) -> int:
        action = "propose" if proposal is None else "decide"
        told = {"action": action, "person": person, "party": "grocer", "currency": "EUR", "kind": "paid in", "reference": "RF9", "amount_minor": amount}
        values = {"amount": kept or amount, "action": action, "proposal": proposal, "person": person, "document": psycopg.types.json.Jsonb(told)}
        with books.transaction():
            made = books.execute(
                SIGN.replace("%(document)s", "(%(document)s)::jsonb::text"), values | {"signature": signers.keys[person].sign(str(told).encode())}
            )
            (no,) = made.fetchone() or (0,)
            return int(no)

    with pytest.raises(REFUSED, match="about something else"):
        sign("mia", kept=7000)
    first = sign("mia")
    with pytest.raises(REFUSED, match="a second person decides"):
        sign("mia", proposal=first)
    with pytest.raises(REFUSED, match="proposes something else"):
        sign("carl", 7000, proposal=first)
    second = sign("dora", 800)
    with pytest.raises(REFUSED, match="proposes something else"):
        sign("carl", proposal=first)
    sign("carl", 800, proposal=second)
    with pytest.raises(psycopg.errors.UniqueViolation):
        sign("emil", 800, proposal=second)


FORGED = {
    "EUR paid in, as two people have signed": "delete from funding_signature",
    "of what the books hold": "update funding_signature set at = at + interval '1 second' where action = 'propose'",
    "with the person's key": "update funding_signature set signature = decode(repeat('00', 64), 'hex') where action = 'decide'",
    "while the key was in force": "insert into key_revocation (key, at, reason, after_signature, after_funding) "
    "select key, now(), 'x', 0, 0 from funding_signature where action = 'propose'",
    "who did not propose it": "update person_key set public_key = (select public_key from person_key where person = 'mia') where person = 'carl'",
    "of the sum that was proposed": "update funding_signature set amount = 70 where action = 'propose'",
    "and entered": "delete from funding",
}
"""What somebody with all rights over the database does, and what does not hold then."""


@pytest.mark.parametrize("what", FORGED)
def test_whoever_goes_past_all_rules_is_found_and_named_and_nobody_approves(what: str, signers: Signers, owner: psycopg.Connection) -> None:
    signers.fund(owner, IN, NOW)
    ends(owner)
    assert failing(owner, signers) == []
    require_funds(owner, signers.one.id, ["grocer"])
    owner.execute("alter table person_key drop constraint person_key_public_key_key")
    owner.execute("set local session_replication_role = replica")
    assert owner.execute(FORGED[what]).rowcount > 0
    found = failing(owner, signers)
    assert any(name.endswith(what) for name in found), found
    with pytest.raises(SettlementError, match="funds are not what people have signed"):
        require_funds(owner, signers.one.id, ["grocer"])
    require_funds(owner, signers.one.id, ["fuelco"])
    with pytest.raises(SettlementError, match="checks of window 2026-03-02 do not hold") as refusal:
        signers.say(Action.SUBMIT, "dora", connection=owner)
    assert refusal.value.code is SettlementCode.CHECK_FAILED


def test_rows_that_fit_each_other_and_that_nobody_signed_are_found(signers: Signers, books: psycopg.Connection) -> None:
    """All that the database can ask is right; only the keys of the people are missing."""
    say(signers, books)
    said = to_confirm(books, signers.one.id, IN, "carl", NOW)
    books.execute(
        "insert into funding_signature (party, currency, amount, kind, reference, action, proposal, person, key, at, document, signature) "
        "select party, currency, amount, kind, reference, 'decide', s.no, k.person, k.no, %s, %s, %s "
        "from funding_signature s, person_key k where k.person = 'carl'",
        (NOW, said.document(), bytes(64)),
    )
    books.execute(FUNDING, (700, "paid in", "RF1"))
    ends(books)
    assert funds_of(books) == {(GROCER, "EUR"): 700}
    assert [name for name in failing(books, signers) if name.endswith("with the person's key")] != []


def test_nothing_is_paid_out_of_funds_that_nobody_signed(signers: Signers, books: psycopg.Connection) -> None:
    """Rows that the database takes, with signatures that are none; the pay-out itself is honest."""
    proposal = None
    for action, person in (("propose", "mia"), ("decide", "carl")):
        told = {"action": action, "person": person, "party": "grocer", "currency": "EUR", "kind": "paid in", "reference": "RF9", "amount_minor": 900}
        values = {"amount": 900, "action": action, "proposal": proposal, "person": person, "document": json.dumps(told), "signature": person.encode().ljust(64)}
        (proposal,) = books.execute(SIGN, values).fetchone() or (None,)
    books.execute(FUNDING, (900, "paid in", "RF9"))
    ends(books)
    with pytest.raises(SettlementError, match="funds are not what people have signed") as refusal:
        to_propose(books, signers.one.id, OUT, "mia", NOW)
    assert refusal.value.code is SettlementCode.BAD_SIGNATURE


def test_who_confirms_a_pay_out_asks_for_the_signatures_again(signers: Signers, owner: psycopg.Connection) -> None:
    signers.fund(owner, IN, NOW)
    say(signers, owner, OUT)
    agreed = to_confirm(owner, signers.one.id, OUT, "carl", NOW)
    owner.execute("set local session_replication_role = replica")
    owner.execute("update funding_signature set signature = decode(repeat('00', 64), 'hex') where action = 'decide'")
    with pytest.raises(SettlementError, match="funds are not what people have signed"):
        to_confirm(owner, signers.one.id, OUT, "carl", NOW)
    with pytest.raises(SettlementError, match="funds are not what people have signed"):
        confirm(owner, agreed, signers.keys["carl"].sign(agreed.signed()))


def test_the_owner_of_the_books_can_answer_for_funds(signers: Signers, owner: psycopg.Connection) -> None:
    owner.execute(FUNDING, (700, "paid in", "RF1"))
    assert failing(owner, signers) == [
        "funds of grocer under RF1: 7.00 EUR paid in, as two people have signed", "1 entries of funds are signed by two people",
    ]  # fmt: skip
    owner.execute("insert into by_name select 'funded', no from funding")
    ends(owner)
    assert failing(owner, signers) == []
