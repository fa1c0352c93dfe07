"""What people decide about what the bank says: of a payment both that it was made and not, a statement out of place, money that names no payment.

Each word is signed with the person's own key; nothing that was said is changed. That a payment was not made takes two people, since it may be sent again after
it; that it was made, one, and two can say the contrary after that. A decision about a payment holds until the bank says more against it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from clearing.approval import Refused, Unsigned
from clearing.payment_states import PaymentState, Verdict
from schemas.ids import PartyId
from services.bank.errors import BankCode, BankError
from services.journal.headroom import FUNDS_IN_TURN
from services.risk.funds import require_cover
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import holds
from services.settlement.payment_states import Attempt, states_of
from services.settlement.people import newest_key

DOMAIN: Final = b"clh bank decision 1\n"
"""What is signed begins with it, so that no signature of something else passes for one of these."""
FIND = """
select a.run, a.payment, a.end_to_end_id, bank_heard(a.end_to_end_id, null) from payment_attempt a
where a.end_to_end_id = %(id)s or a.payment = %(id)s order by a.run desc, a.attempt
"""
SHOWN = "select 1 from entry_payment m join bank_report r on r.no = m.report where m.end_to_end_id = %s and m.amount > 0 and r.kind = 'statement'"
KEEP = """
insert into bank_decision (end_to_end_id, report, verdict, begins, known, entry, party, reference, given_back, charge, undoes, payee_iban, decides, reason,
  person, key, at, document, signature)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, false, %s, %s, %s, %s, %s, %s) returning decides
"""
# The funds that were paid out as a decision was undone by this word.
PAID_OUT = """
select party, currency from funding where kind = 'paid out' and by_whom = %(person)s and at = %(at)s
  and starts_with(reference, format('decision %%s undone: ', %(no)s::bigint))
"""


@dataclass(frozen=True, slots=True)
class Credit:
    """Of money that names no payment: its entry, its sum, and what became of it: funds of `party` under `reference`, or `given_back` by that other entry.

    `charge_minor`: of the entry with which a payment came back, or beside it, what the bank kept of the payment and the operator bears.
    """

    entry: int
    amount_minor: int
    currency: str
    party: str | None = None
    reference: str | None = None
    given_back: int | None = None
    charge_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Of a payment that came back: to whom it goes out anew, to which account, and how much it is."""

    payee: str
    payee_iban: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class BankDecision:
    """What a person signs. `known`: the newest message of the bank about it. It is about one of `end_to_end_id`, `report` (a statement) and `credit`."""

    programme: str
    end_to_end_id: str | None
    report: int | None
    verdict: str
    begins: int | None
    known: int
    reason: str
    person: str
    at: datetime
    credit: Credit | None = None
    undoes: int | None = None
    """Number of the decision that it undoes."""
    account: Account | None = None

    def document(self) -> str:
        """JSON with sorted keys and without spaces, the moment in UTC."""
        told: dict[str, Any] = {
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"), "begins": self.begins, "end_to_end_id": self.end_to_end_id, "known": self.known,
            "person": self.person, "programme": self.programme, "reason": self.reason, "report": self.report, "verdict": self.verdict,
        }  # fmt: skip
        if self.credit is not None:
            told |= asdict(self.credit)
            if self.credit.charge_minor is None:  # what was signed before there were any names none
                del told["charge_minor"]
        if self.undoes is not None:
            told["undoes"] = self.undoes
        if self.account is not None:
            told["account"] = asdict(self.account)
        return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    def signed(self) -> bytes:
        """The bytes that are signed."""
        return DOMAIN + self.document().encode()


def to_decide(connection: psycopg.Connection, programme: str, payment: str, verdict: Verdict, reason: str, person: str, now: datetime) -> BankDecision:
    """What a person has to sign about a payment (its id, or the EndToEndId of an attempt) of which the bank says both; or, not paid, about one that
    somebody has decided to be made, or one in a file that was not handed over, which is put aside by it.

    Raises `BankError`: unknown-payment, not-contradicted, on-a-statement; `Refused`: reason-missing.
    """
    rows = connection.execute(FIND, {"id": payment}).fetchall()
    if not rows:
        raise BankError(BankCode.UNKNOWN_PAYMENT, f"no payment {payment} went to the bank: clh settlement status WINDOW names them")
    known = {name: heard for _, _, name, heard in rows}
    standing = next(one for one in states_of(connection, rows[0][0]) if one.id == rows[0][1])
    attempt = _to_decide([one for one in standing.attempts if one.end_to_end_id in known], verdict)
    if attempt is None:
        raise BankError(BankCode.NOT_CONTRADICTED, f"payment {payment} is {standing.state}: there is nothing to decide, what the bank says of it goes together")
    if verdict is Verdict.NOT_PAID and connection.execute(SHOWN, (attempt.end_to_end_id,)).fetchone() is not None:
        raise BankError(BankCode.ON_A_STATEMENT, f"a statement shows {attempt.end_to_end_id}: it was made; what comes back of it comes by a statement")
    name = attempt.end_to_end_id
    return BankDecision(programme, name, None, verdict.value, None, known[name], with_reason(reason), person, now)


def _to_decide(attempts: list[Attempt], verdict: Verdict) -> Attempt | None:
    """The one of which the bank says both. Not paid: also one that a single person has decided to be made, or the newest, which nobody could hand over, so that
    it is put aside with its file."""
    both = next((one for one in attempts if one.contradicted), None)
    if both is not None or verdict is Verdict.PAID:
        return both
    alone = next((one for one in attempts if one.verdict is Verdict.PAID), None)
    return alone or next((one for one in reversed(attempts) if one.state is PaymentState.NOTED and one.sent_at is None), None)


def keep(connection: psycopg.Connection, said: BankDecision, signature: bytes) -> bool:
    """Stores what a person signed; whether it holds from here on, or waits for a second person.

    Raises `SettlementError`: unknown-person, key-revoked, bad-signature; `BankError`: decided-already (by the same person), assigned-already (the funds or the
    debit are those of another credit), contradicts-earlier (the bank has said more since, the statement has got another place, the money is assigned);
    `RiskError`: funds-needed, where a word that undoes another pays out funds that debts or open room rest on.
    """
    key = newest_key(connection, said.person)
    if not key.in_force:
        raise SettlementError(SettlementCode.KEY_REVOKED, f"the key of {said.person} is revoked: {key.reason}")
    if not holds(key.public_key, said.signed(), signature):
        raise SettlementError(SettlementCode.BAD_SIGNATURE, f"the signature was not made with the key of {said.person}")
    money = (None,) * 5 if (of := said.credit) is None else (of.entry, of.party, of.reference, of.given_back, of.charge_minor)
    about = (said.end_to_end_id, said.report, said.verdict, said.begins, said.known, *money)
    values = (*about, said.undoes, said.account and said.account.payee_iban, said.reason, said.person, key.no, said.at, said.document(), signature)
    try:
        with connection.transaction():
            if of is not None:  # before the lock of signatures, which the row takes: a word that undoes another may pay out funds too
                connection.execute(FUNDS_IN_TURN)
            row = connection.execute(KEEP, values).fetchone()
            _require_cover(connection, said)
    except psycopg.errors.UniqueViolation as refused:
        if refused.diag.constraint_name != "bank_decision_once":
            raise BankError(BankCode.ASSIGNED, "it is assigned already, or its funds or debit are those of another credit: clh bank assigned") from None
        raise BankError(BankCode.NOTHING_NEW, f"{said.person} has said so already: a second person decides") from None
    except psycopg.errors.RestrictViolation as refused:
        raise BankError(BankCode.CONTRADICTS, f"it is not what was signed any more, look at it again: {refused.diag.message_primary}") from None
    assert row is not None
    return bool(row[0])


def _require_cover(connection: psycopg.Connection, said: BankDecision) -> None:
    """After the word is kept, in its transaction: where it paid out funds that the decision it undoes had entered, what is left still covers the party."""
    if said.undoes is None or said.credit is None:
        return
    gone = connection.execute(PAID_OUT, {"no": said.undoes, "person": said.person, "at": said.at}).fetchone()
    if gone is not None:
        require_cover(connection, PartyId(gone[0]), gone[1], 0, now=True)


def with_reason(reason: str) -> str:
    """The reason in one line. Raises `Refused`: reason-missing."""
    told = " ".join(reason.split())
    if not told:
        raise Refused(Unsigned.REASON_MISSING, "what is decided is decided with a reason")
    return told
