"""Where each payment of a run stands, worked out from all that is in the books about it: files, what the bank has said, statements that count.

Nothing here is stored: the same messages give the same answer, in whatever order they came (the policy: `clearing/payment_states.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

import psycopg

from clearing.payment_states import SETTLED_ON_THE_ACCOUNT, Fact, PaymentKind, PaymentState, Verdict, attempt_state, contradictory, payment_state
from services.bank.references import creditor_reference

# Each payment with what statements that count show of it, and what the bank has announced: notifications, or statements that may not count yet.
PAYMENTS = """
select p.id, coalesce(p.kind, 'direct'), p.currency, p.payer, p.payee, p.amount, p.value_date,
  coalesce(c.confirmed, 0), coalesce(c.came_back, false), coalesce(c.statements, '{}'),
  coalesce((select max(told) from (select sum(m.amount) told from entry_payment m join bank_report r on r.no = m.report
            where m.run = p.run and m.payment = p.id and not exists (select from statement_withdrawn w where w.report = r.no)
            group by r.kind) by_kind), 0)::bigint
from payment p left join payment_confirmed c on c.run = p.run and c.payment = p.id where p.run = %s order by p.id
"""
# Each attempt with what is known of it: handed over, what status reports and answers to recalls say, what is booked.
ATTEMPTS = """
select a.payment, a.attempt, a.end_to_end_id, a.message_id, f.file_no, a.value_date, f.noted_at,
  (select min(h.at) from handed_over h where h.message_id = a.message_id),
  (select c.noted_at from recall c where c.end_to_end_id = a.end_to_end_id), said.facts, said.reason,
  booked.any_debit, booked.counted_debit, booked.came_back, booked.came_back_on, said.made, payment_verdict(a.end_to_end_id),
  file_put_aside(a.message_id)
from payment_attempt a join payment_file f on f.message_id = a.message_id
cross join lateral (
  select coalesce(array_agg(distinct s.fact) filter (where s.fact is not null), '{}') facts, coalesce(bool_or(s.status = any(%(made)s)), false) made,
    string_agg(distinct nullif(btrim(s.reason_code || ' ' || s.reason_text), ''), '; ') filter (where s.fact in ('rejected', 'return_announced')) reason
  from bank_status s where s.end_to_end_id = a.end_to_end_id and (s.original_message_id = a.message_id or s.fact <> 'rejected')
) said
cross join lateral (
  select coalesce(bool_or(m.amount > 0), false) any_debit, coalesce(bool_or(m.amount > 0 and c.no is not null), false) counted_debit,
    coalesce(sum(m.amount) filter (where c.no is not null), 0) <= 0 and coalesce(bool_or(m.amount < 0 and c.no is not null), false) came_back,
    max(e.booking_date) filter (where m.amount < 0 and c.no is not null) came_back_on
  from entry_payment m join bank_entry e on e.no = m.entry left join statement_counts c on c.report = m.report where m.end_to_end_id = a.end_to_end_id
) booked
where a.run = %(run)s order by a.payment, a.attempt
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a payment was put into a file, under an EndToEndId of its own. `reason`: why the bank rejected it or gives it back."""

    end_to_end_id: str
    message_id: str
    file_no: int
    value_date: date
    state: PaymentState
    noted_at: datetime
    sent_at: datetime | None
    recalled_at: datetime | None
    reason: str | None
    contradicted: bool = False
    """The bank says both that it was made and that it was not, and nobody has decided."""
    verdict: Verdict | None = None
    """What people have decided about it, as long as the bank has said nothing more against it."""
    came_back_on: date | None = None
    """The booking date under which a statement that counts shows that it came back."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one payment stands. `confirmed_minor`: what statements that count show, net of what came back; `announced_minor`: what
    notifications, or statements whether they count or not, show.

    `statements`: ids of those that show it. `value_date`: of its newest attempt, or as approved.
    """

    id: str
    kind: PaymentKind
    currency: str
    payer: str
    payee: str
    amount_minor: int
    value_date: date
    state: PaymentState
    confirmed_minor: int
    announced_minor: int
    statements: tuple[str, ...]
    attempts: tuple[Attempt, ...]

    @property
    def reference(self) -> str:
        """The creditor reference that the money comes with (ISO 11649)."""
        return creditor_reference(self.id)

    @property
    def missing_minor(self) -> int:
        """What statements do not show yet; nothing of a payment that the house's account never sees."""
        return 0 if self.kind is PaymentKind.DIRECT else max(0, self.amount_minor - self.confirmed_minor)

    @property
    def excess_minor(self) -> int:
        """What statements show beyond the amount."""
        return max(0, self.confirmed_minor - self.amount_minor)

    @property
    def reason(self) -> str | None:
        """Why the newest attempt was rejected, or comes back."""
        return self.attempts[-1].reason if self.attempts else None


def states_of(connection: psycopg.Connection, run: int) -> list[Standing]:
    """Where each payment of a run stands, by id; none before the run is approved."""
    attempts = {payment: tuple(map(_attempt, rows)) for payment, rows in _grouped(connection, run)}
    found = []
    for name, kind, currency, payer, payee, amount, due, confirmed, came_back, statements, announced in connection.execute(PAYMENTS, (run,)):
        own = attempts.get(name, ())
        state = payment_state(
            PaymentKind(kind), amount, confirmed_minor=confirmed, came_back=came_back, announced_minor=announced, attempts=[one.state for one in own]
        )
        latest = own[-1].value_date if own else due
        found.append(Standing(name, PaymentKind(kind), currency, payer, payee, amount, latest, state, confirmed, announced, tuple(statements), own))
    return found


def _grouped(connection: psycopg.Connection, run: int) -> Iterator[tuple[str, Iterator[Any]]]:
    yield from groupby(connection.execute(ATTEMPTS, {"run": run, "made": [status.value for status in SETTLED_ON_THE_ACCOUNT]}), key=lambda row: row[0])


def _attempt(row: Any) -> Attempt:
    (
        _,
        _,
        end_to_end_id,
        message_id,
        file_no,
        due,
        noted_at,
        sent_at,
        recalled_at,
        said,
        reason,
        any_debit,
        counted_debit,
        back,
        back_on,
        made,
        decided,
        aside,
    ) = row
    facts = {Fact.NOTED, *(Fact(fact) for fact in said if fact != "return_announced")}
    # What was put aside went nowhere: as if it had been cancelled before it was made.
    known = ((Fact.SENT, sent_at), (Fact.RECALL_ASKED, recalled_at), (Fact.BOOKED, any_debit), (Fact.CONFIRMED, counted_debit), (Fact.RETURNED, back))
    facts |= {fact for fact, so in (*known, (Fact.SAID_PAID, made), (Fact.RECALLED, aside)) if so}
    verdict = None if decided is None else Verdict(decided)
    state, contradicted = attempt_state(facts, verdict), verdict is None and contradictory(facts)
    return Attempt(end_to_end_id, message_id, file_no, due, state, noted_at, sent_at, recalled_at, reason, contradicted, verdict, back_on)
