"""`clh settlement verify` recomputes what people decided about the bank's words: whoever goes past all rules is found, and named."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from clearing.payment_states import Verdict
from services.report.verify import Proof
from services.runtime.local import Addresses
from services.settlement.deciding import keep, to_decide
from services.settlement.verify import verify_settlement
from services.settlement.withdrawing import to_withdraw
from tests.bank_messages import status_line
from tests.paying import AtTheBank, approved
from tests.signers import MONDAY, Signers

ONE_KEY = "update person_key set public_key = (select public_key from person_key where person = 'mia') where person = 'carl'"
REVOKED = "insert into key_revocation (key, at, reason, after_signature, after_bank_decision)"
FORGED = {
    "a payment's signature is another": ("update bank_decision set signature = decode(repeat('00', 64), 'hex') where verdict = 'not paid'", "person's key"),
    "a withdrawal's signature is another": ("update bank_decision set signature = decode(repeat('00', 64), 'hex') where report is not null", "person's key"),
    "the verdict was another": ("update bank_decision set verdict = 'paid' where verdict = 'not paid'", "of what the books hold"),
    "it was about another statement": ("update bank_decision set report = 2 where report is not null", "of what the books hold"),
    "it was about another payment": (
        "update bank_decision d set end_to_end_id = (select end_to_end_id from payment_attempt where end_to_end_id <> d.end_to_end_id) where report is null",
        "of what the books hold",
    ),
    "the bank had said less": ("update bank_decision set known = known - 1", "of what the books hold"),
    "the reason was another": ("update bank_decision set reason = 'so'", "of what the books hold"),
    "somebody else had signed it": (
        "update bank_decision set person = 'dora', key = (select no from person_key where person = 'dora') where decides",
        "of what the books hold",
    ),
    "the words are changed with the row": (
        "update bank_decision set reason = 'so', document = (document::jsonb || '{\"reason\": \"so\"}')::text where not decides",
        "person's key",
    ),
    "the key was revoked before": (
        f"{REVOKED} select distinct key, now(), 'x', 0, 0 from bank_decision where decides",  # noqa: S608
        "while the key was in force",
    ),
    "the first had lost the key in between": (
        f"{REVOKED} select key, now(), 'x', 0, max(no) from bank_decision where not decides group by key limit 1",  # noqa: S608
        "after another person had said the same",
    ),
    "the first word is gone": ("delete from bank_decision where not decides", "after another person had said the same"),
    "one person alone": ("with first as (delete from bank_decision where decides) update bank_decision set decides = true", "another person had said the same"),
    "two names have one key": (ONE_KEY, "after another person had said the same"),
}
"""What somebody with all rights over the database does, and what does not hold then."""


@pytest.fixture(scope="module")
def signers(addresses: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signers]:
    """Two people have decided that the payment to the cafe was not made, and withdrawn a statement."""
    with approved(addresses) as people:
        with people.one.books() as books:
            one = AtTheBank(books, people.one.id, tmp_path_factory.mktemp("out"))
            one.pay()
            name = one.standings()["cafe"].id
            one.take(one.status(status_line(name, "RJCT", "AC04")), one.status(status_line(name, "ACSC")))
            one.take(one.statement(name="S-2020", sequence=1, opening=7))
            one.match()
            for person in ("mia", "carl"):
                for said in (
                    to_decide(books, one.programme, name, Verdict.NOT_PAID, "asked the bank", person, one.now),
                    to_withdraw(books, one.programme, "S-2020", "of another year", person, one.now),
                ):
                    keep(books, said, people.keys[person].sign(said.signed()))
        yield people


def failing(connection: psycopg.Connection, signers: Signers) -> list[Proof]:
    return [proof for proof in verify_settlement(connection, signers.one.id, MONDAY) if not proof.holds]


def test_what_two_people_decided_holds_and_stays_so_after_a_key_is_revoked(signers: Signers) -> None:
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        assert failing(owner, signers) == []
        owner.execute("insert into key_revocation (key, at, reason, after_signature) select no, now(), 'lost', 0 from person_key where person = 'carl'")
        assert failing(owner, signers) == []


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_decision_is_found_and_named(what: str, signers: Signers) -> None:
    statement, expected = FORGED[what]
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        owner.execute("alter table person_key drop constraint person_key_public_key_key")
        owner.execute("set session_replication_role = replica")
        assert owner.execute(statement).rowcount > 0
        found = [proof.what for proof in failing(owner, signers)]
    assert any(name.startswith("decision ") and name.endswith(expected) for name in found), found


def test_a_decision_that_nobody_signed_is_found_though_it_looks_like_the_others(signers: Signers) -> None:
    """Rows that were inserted whole, for two people, with words that fit them."""
    columns = "end_to_end_id, report, verdict, begins, known, decides, reason, person, key, at, document, signature"
    with signers.one.books(owner=True) as owner, owner.transaction(force_rollback=True):
        owner.execute("set session_replication_role = replica")
        owner.execute(
            f"insert into bank_decision ({columns}) select end_to_end_id, report, verdict, begins, known + 1, decides, reason, person, key, at, "  # noqa: S608
            "(document::jsonb || jsonb_build_object('known', known + 1))::text, signature from bank_decision order by no"
        )
        found = {proof.what for proof in failing(owner, signers)}
    assert sum("with the person's key" in name for name in found) == 4, found
