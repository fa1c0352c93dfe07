"""Entries of statements that are about no payment of a run that stands: two people say what became of each, once. Money that came in is a party's funds, was
given back at the bank, or is kept; a debit that nobody ordered (a charge of the bank) is borne by the operator, or gave such money back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import psycopg
from psycopg.rows import class_row

from schemas.money import to_text
from services.bank.errors import BankCode, BankError
from services.bank.references import creditor_reference
from services.risk.errors import RiskCode, RiskError
from services.risk.funds import ENTERED, plain_reference, reference_of, require_known
from services.settlement.deciding import BankDecision, Credit, with_reason

FIND: Final = """
select a.entry, a.amount, a.currency, a.bank_reference, r.id, r.iban, bank_heard(null, a.report) from entry_astray a join bank_report r on r.no = a.report
where a.bank_reference = %(id)s and a.credit = %(credit)s and (%(statement)s::text is null or r.id = %(statement)s)
"""
# The same of what came back of a payment less what the bank kept: and how much that is.
SHORT: Final = """
select s.entry, s.amount, s.currency, s.bank_reference, r.id, r.iban, bank_heard(null, s.report), s.charge
from entry_short s join bank_report r on r.no = s.report where s.bank_reference = %(id)s and (%(statement)s::text is null or r.id = %(statement)s)
"""
DECIDED: Final = """
select 1 from bank_entry e join bank_report r on r.no = e.report join bank_decided d on e.no in (d.entry, d.given_back)
where e.bank_reference = %(id)s and e.credit = %(credit)s and (%(statement)s::text is null or r.id = %(statement)s)
"""
# What was said of each entry, by whom; of one that is decided only what was decided, and what was and is undone.
ASSIGNED: Final = """
with word as (
  select d.*, last_undone(null, d.entry) > d.no ended from bank_decision d where d.entry is not null and d.verdict <> 'undone'
)
select e.bank_reference, r.id statement, r.iban account, e.booking_date, e.currency, e.amount amount_minor, e.counterparty, d.verdict, d.party, d.reference,
  g.bank_reference given_back, d.charge charge_minor, bool_or(d.decides) decided,
  array_agg(d.person order by d.no) people, array_agg(d.reason order by d.no) reasons, max(d.at) at,
  d.ended undone, coalesce((select array_agg(u.person order by u.no) from bank_decision u where u.undoes = max(d.no) filter (where d.decides)), '{}') undone_by
from word d join bank_entry e on e.no = d.entry join bank_report r on r.no = e.report left join bank_entry g on g.no = d.given_back
group by e.no, r.no, g.no, d.verdict, d.party, d.reference, d.charge, d.ended
having bool_or(d.decides) or (not d.ended and not exists (select from bank_decided other where other.entry = e.no))
order by e.no, min(d.no)
"""
# What stands behind the check digits of the creditor reference that an entry carries (null where that is one of the house's payments), and how often a
# decision about the entry was undone.
CARRIED: Final = """
select case when not exists (select from payment p where right(regexp_replace(upper(p.id), '[^A-Z0-9]', '', 'g'), 21) = e.reference) then e.reference end,
  (select count(*) from bank_decision u where u.entry = e.no and u.verdict = 'undone' and u.decides) from bank_entry e where e.no = %s
"""
# Funds of a party under a reference that an entry carries, with its check digits or without, which are not yet those of another entry.
BY_HAND: Final = """
select f.reference, f.currency, f.amount from funding f where f.party = %s and f.kind = 'paid in' and %s::text
    = right(regexp_replace(upper(regexp_replace(f.reference, '^RF[0-9]{2}', '')), '[^A-Z0-9]', '', 'g'), 21)
  and not exists (select from bank_decided d where d.party = f.party and d.reference = f.reference) order by f.no
"""


class Became(StrEnum):
    """What became of money that names no payment."""

    FUNDS = "funds"
    """A party had paid in beforehand: its funds."""
    GIVEN_BACK = "given back"
    """It went back to who had paid it; a debit of the account shows it."""
    KEPT = "kept"
    """The operator keeps it."""
    BORNE = "borne"
    """A debit that nobody ordered, or what the bank kept of a payment that came back: the operator bears it."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """What people said of one entry. `decided`: two have; else it waits for a second. `given_back`: the bank's reference of the debit. `charge_minor`: what the
    bank kept of a payment that came back.

    `undone_by`: who said that the decision was a mistake; `undone`: two have.
    """

    bank_reference: str
    statement: str
    account: str
    booking_date: date | None
    currency: str
    amount_minor: int
    counterparty: str
    verdict: str
    party: str | None
    reference: str | None
    given_back: str | None
    charge_minor: int | None
    decided: bool
    people: list[str]
    reasons: list[str]
    at: datetime
    undone: bool
    undone_by: list[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to say: the bank's reference of the credit (of the debit, where that is borne), what became of it; of funds party and reference, of
    what was given back the reference of the debit."""

    credit: str
    became: Became
    reason: str
    person: str
    statement: str | None = None
    party: str | None = None
    reference: str | None = None
    debit: str | None = None


def to_assign(connection: psycopg.Connection, programme: str, wanted: Wanted, now: datetime) -> BankDecision:
    """What a person has to sign. Funds are entered under the reference that is asked for, else the one that the payment carries, else one that names the
    credit; funds that were entered under the reference before are these. What is borne of an entry with which a payment came back is what is missing of the
    payment: it came back in full then, and goes out anew.

    Raises `BankError`: unknown-credit (none, or several: name the statement), assigned-already, other-sum (the debit); `RiskError`: unknown-party,
    unknown-currency, reference-used (for funds of another sum); `Refused`: reason-missing.
    """
    came_in = wanted.became is not Became.BORNE
    short = None if came_in else _short(connection, wanted)
    if short is not None:
        (entry, amount, currency, _, _, _, known, charge) = short
        credit = Credit(entry, amount, currency, charge_minor=charge)
        return BankDecision(programme, None, None, wanted.became.value, None, known, with_reason(wanted.reason), wanted.person, now, credit)
    entry, amount, currency, name, statement, account, known = _found(connection, wanted.credit, wanted.statement, credit=came_in)
    credit = Credit(entry, amount, currency)
    if wanted.became is Became.FUNDS:
        reference = _reference(connection, wanted, credit, f"{name}, statement {statement}")
        _require_funds(connection, wanted.party or "", reference, credit)
        credit = Credit(entry, amount, currency, wanted.party, reference)
    elif wanted.became is Became.GIVEN_BACK:
        debit, back, in_currency, _, _, of_account, _ = _found(connection, wanted.debit or "", None, credit=False)
        if (back, in_currency, of_account) != (amount, currency, account):
            figures = f"{to_text(back, in_currency)} {in_currency} of {of_account}, and {wanted.credit} {to_text(amount, currency)} {currency} of {account}"
            raise BankError(BankCode.OTHER_SUM, f"{wanted.debit} does not give back {wanted.credit}: it is {figures}")
        credit = Credit(entry, amount, currency, given_back=debit)
    return BankDecision(programme, None, None, wanted.became.value, None, known, with_reason(wanted.reason), wanted.person, now, credit)


def assigned(connection: psycopg.Connection) -> list[Assigned]:
    """What people have said of credits that name no payment, in the order of the statements."""
    return connection.cursor(row_factory=class_row(Assigned)).execute(ASSIGNED).fetchall()


def _reference(connection: psycopg.Connection, wanted: Wanted, credit: Credit, name: str) -> str:
    """Under which the money is a party's funds: the one that was asked for, or the creditor reference that the payment carries, or one that names the entry.

    Funds that two people have entered under what the payment carries are these: the same payment is not entered again under another name.
    """
    carried, undone = connection.execute(CARRIED, (credit.entry,)).fetchone() or (None, 0)
    reference = None if wanted.reference is None else reference_of(wanted.reference)
    if reference is not None and connection.execute(ENTERED, (wanted.party, "paid in", reference)).fetchone() is None:
        reference = plain_reference(reference)
    by_hand = connection.execute(BY_HAND, (wanted.party, carried)).fetchall()
    same = [of for of, currency, amount in by_hand if (currency, amount) == (credit.currency, credit.amount_minor)]
    told = f"{wanted.credit} carries the reference {carried}"
    if reference is None and by_hand and not same:
        of, currency, amount = by_hand[0]
        entered = f"{of} of {wanted.party} stands for {to_text(amount, currency)} {currency}"
        raise RiskError(RiskCode.REFERENCE_USED, f"{told}, and {entered}: if it is another payment, give it a --reference of its own")
    if reference is not None and same and reference not in same:
        words = f"under {same[0]} two people have entered this sum of {wanted.party}: name that as its --reference"
        raise RiskError(RiskCode.REFERENCE_USED, f"{told}, and {words}")
    if reference is not None or same:
        return reference or str(same[0])
    own = None if carried is None or undone else creditor_reference(carried)
    if own is not None and connection.execute(ENTERED, (wanted.party, "paid in", own)).fetchone() is None:
        return own
    return reference_of(name + (f" ({undone + 1})" if undone else ""))


def _require_funds(connection: psycopg.Connection, party: str, reference: str, credit: Credit) -> None:
    require_known(connection, party, credit.currency)
    before = connection.execute(ENTERED, (party, "paid in", reference)).fetchone()
    if before is not None and before != (credit.currency, credit.amount_minor):
        raise RiskError(RiskCode.REFERENCE_USED, f"{reference} of {party} stands for {to_text(before[1], before[0])} {before[0]}")


def _short(connection: psycopg.Connection, wanted: Wanted) -> tuple[Any, ...] | None:
    """The entry with which a payment came back, and what is missing of it; None where it is no such entry."""
    rows = connection.execute(SHORT, {"id": wanted.credit, "statement": wanted.statement}).fetchall()
    if len(rows) > 1:
        raise BankError(BankCode.UNKNOWN_CREDIT, f"several statements have {wanted.credit}: name the statement")
    return tuple(rows[0]) if rows else None


def _found(connection: psycopg.Connection, name: str, statement: str | None, *, credit: bool) -> tuple[Any, ...]:
    about = {"id": name, "credit": credit, "statement": statement}
    rows = connection.execute(FIND, about).fetchall()
    if len(rows) == 1:
        return tuple(rows[0])
    what = "credit" if credit else "debit"
    if not rows and connection.execute(DECIDED, about).fetchone() is not None:
        raise BankError(BankCode.ASSIGNED, f"two people have said what became of {what} {name}: clh bank assigned")
    several = (
        "several statements have one: name the statement" if rows else f"no statement that counts has such a {what} which is about no payment: clh bank match"
    )
    raise BankError(BankCode.UNKNOWN_CREDIT, f"{what} {name}: {several}")
