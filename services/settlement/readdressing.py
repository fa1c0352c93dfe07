"""A payment that came back since the payee's account is closed goes out anew, to the account that the programme names now: once two people have signed that
account with the payment. The attempts before it stay what they were, and their money has to be back before another one goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import psycopg

from clearing.payment_states import ATTEMPTS_MAX, SENT_AGAIN, PaymentKind
from services.bank.errors import BankCode, BankError
from services.bank.references import checked_iban
from services.journal.programmes import load
from services.settlement.deciding import Account, BankDecision, with_reason
from services.settlement.payment_states import Attempt, Standing, states_of
from services.settlement.payments import payments_of

ACCOUNT: Final = "account"
FIND: Final = """
select a.run, a.payment, w.state, w.day from payment_attempt a join run r on r.no = a.run join settlement_window w on w.day = r.day
where a.end_to_end_id = %(id)s or a.payment = %(id)s order by a.run desc limit 1
"""
KNOWN: Final = "select bank_heard(%s, null)"
SIGNED: Final = """
select d.end_to_end_id, d.payee_iban from bank_decided d join payment_attempt a on a.end_to_end_id = d.end_to_end_id
where a.run = %s and d.verdict = 'account' order by d.no
"""


def signed_accounts(connection: psycopg.Connection, run: int) -> dict[str, str]:
    """By the EndToEndId of an attempt that came back: the account to which two people have signed that its payment goes out anew."""
    return dict(connection.execute(SIGNED, (run,)).fetchall())


def account_after(attempts: Sequence[Attempt], approved: str | None, signed: Mapping[str, str]) -> str | None:
    """The payee's account for the attempt after these: the last that was signed, or the one that was approved with the run (None: not known)."""
    account = approved
    for one in attempts:
        account = signed.get(one.end_to_end_id, account)
    return account


def changed_accounts(connection: psycopg.Connection, run: int) -> dict[str, tuple[str, str]]:
    """Of each outgoing payment of a run that came back and whose payee has another account in the programme in force: the one that was approved or signed, and
    the one that the programme names (empty: none)."""
    kept, signed = {one.id: one.payee_iban for one in payments_of(connection, run)}, signed_accounts(connection, run)
    named = {str(party.id): "" if party.account is None else party.account.iban for party in load(connection).parties}
    found = {}
    for one in states_of(connection, run):
        before = account_after(one.attempts, kept[one.id], signed)
        if one.kind is PaymentKind.OUTGOING and one.state in SENT_AGAIN and before is not None and before != named.get(one.payee, ""):
            found[one.id] = (before, named.get(one.payee, ""))
    return found


def to_readdress(connection: psycopg.Connection, programme: str, payment: str, named: str, reason: str, person: str, now: datetime) -> BankDecision:
    """What a person has to sign so that a payment (its id, or an EndToEndId) goes out anew to the account that the programme in force names for its payee.

    `named`: the account as the person knows it from the payee, with spaces or without; nobody signs one that the programme alone has brought. Raises
    `BankError`: unknown-payment, nothing-to-correct (its money is not back, or its window is not instructed), too-many-attempts, no-account, bad-iban,
    account-differs, account-as-approved; `Refused`: reason-missing.
    """
    found = connection.execute(FIND, {"id": payment}).fetchone()
    if found is None:
        raise BankError(BankCode.UNKNOWN_PAYMENT, f"no payment {payment} went to the bank: clh settlement status WINDOW names them")
    run, name, state, day = found
    one = next(standing for standing in states_of(connection, run) if standing.id == name)
    if state != "instructed" or one.kind is not PaymentKind.OUTGOING or one.state not in SENT_AGAIN:
        raise BankError(BankCode.NOTHING_TO_CORRECT, f"payment {name} is {one.state}, and window {day} {state}: an account is signed for one that came back")
    require_attempts_left(one)
    party = next(each for each in load(connection).parties if each.id == one.payee)
    if party.account is None:
        raise BankError(BankCode.NO_ACCOUNT, f"{party.id} has no account in the programme file: parties, account, iban")
    iban = checked_iban(party.account.iban, party.id)
    if "".join(named.split()).upper() != iban:
        raise BankError(BankCode.OTHER_ACCOUNT, f"the programme in force names another account for {party.id} than was typed: ask who has changed it")
    approved = next(each.payee_iban for each in payments_of(connection, run) if each.id == name)
    if account_after(one.attempts, approved, signed_accounts(connection, run)) in (iban, None):
        raise BankError(BankCode.SAME_ACCOUNT, f"payment {name} goes to {iban} as it is: clh settlement pay {day} --corrected")
    last = one.attempts[-1].end_to_end_id
    known = (connection.execute(KNOWN, (last,)).fetchone() or (0,))[0]
    account = Account(one.payee, iban, one.amount_minor, one.currency)
    return BankDecision(programme, last, None, ACCOUNT, None, known, with_reason(reason), person, now, account=account)


def require_attempts_left(one: Standing) -> None:
    """That a payment can go out anew. Raises `BankError`: too-many-attempts, with what to do instead."""
    if len(one.attempts) >= ATTEMPTS_MAX:
        out = f"make it by hand at the bank, with the EndToEndId {one.attempts[-1].end_to_end_id}: the statement that shows it confirms it"
        raise BankError(BankCode.TOO_MANY_ATTEMPTS, f"payment {one.id} was tried {ATTEMPTS_MAX} times, and has no further id: {out}")
