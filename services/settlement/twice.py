"""Payments of which the bank has more than one attempt: it took one that people had put aside, or that it had refused, and another has gone out meanwhile;
of the same run, or of the one that took its place after a default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from clearing.payment_states import SENT_AGAIN, PaymentKind, PaymentState
from services.settlement.payment_states import Attempt, Standing, states_of
from services.settlement.sending import OUR_OWN

# Runs that stand of windows that are paid, with a payment that went to the bank more than once, or after one that had not counted as paid at a default.
AGAIN: Final = """
with paid as (
  select a.run from payment_attempt a where a.attempt > 1
  union select newest.no from payment_baseline b join run old on old.no = b.run join run newest on newest.day = old.day
)
select distinct r.no, w.state from paid join run r on r.no = paid.run join settlement_window w on w.day = r.day
where r.no = coalesce(%(run)s, r.no) and w.state in ('instructed', 'settled')
  and r.no = (select max(newest.no) from run newest where newest.day = r.day) order by r.no
"""
# What the operator was to pay by runs of the same window that defaulted, and had not counted as paid then: the run that stands pays it anew.
PAID_ANEW: Final = """
select p.run, array_agg(p.id) from run own join run old on old.day = own.day and old.no < own.no join payment_baseline b on b.run = old.no
join payment p on p.run = b.run and p.id = b.payment where own.no = %s and p.kind = 'outgoing' and b.confirmed < p.amount group by p.run order by p.run
"""
_ORDER: Final = tuple(PaymentState)


@dataclass(frozen=True, slots=True)
class Twice:
    """A payment and its attempts that the bank has, in their order; `recall`: the one to ask back, the one with which the bank is least far; None where one has
    been asked back already, or none can be."""

    payment: Standing
    alive: tuple[Attempt, ...]
    recall: Attempt | None
    earlier: tuple[Standing, ...] = ()
    """The same payment in runs that defaulted, where the bank has an attempt of those."""

    @property
    def words(self) -> str:
        """For people: which they are, and what to do."""
        named = " and ".join(f"{one.end_to_end_id} ({one.state}, in file {one.message_id})" for one in self.alive)
        asked = [one.end_to_end_id for one in self.alive if _asked_back(one)]
        todo = f"{', '.join(asked)} was asked back: wait for the bank's answer" if asked else "what is too much is an adjustment once the window is settled"
        if self.recall is not None:
            of = next(one for one in (self.payment, *self.earlier) if self.recall in one.attempts)
            no = of.attempts.index(self.recall) + 1
            todo = f"ask the bank for one of them: clh settlement recall {of.id} --attempt {no} --reason DUPL"
        return f"the bank has it {len(self.alive)} times, {named}; {todo}"


def twice(standings: Sequence[Standing], *, settled: bool, earlier: Sequence[Standing] = ()) -> list[Twice]:
    """Those of one run. `settled`: its window is; then what statements show of all attempts has been put right, and is over. `earlier`: payments of runs that
    defaulted, which this run pays anew."""
    before = [(one, alive) for one in earlier if (alive := _all_alive(one, _spoken(earlier)))]
    spoken = _spoken(standings)
    found = []
    for one in standings:
        same = [(old, alive) for old, alive in before if one.kind is PaymentKind.OUTGOING and (old.payee, old.currency) == (one.payee, one.currency)]
        alive = (*(each for _, of_old in same for each in of_old), *_all_alive(one, spoken))
        if len(alive) > 1 and not (settled and all(each.state is PaymentState.CONFIRMED for each in alive)):
            found.append(Twice(one, alive, _to_recall(alive), tuple(old for old, _ in same)))
    return found


def all_twice(connection: psycopg.Connection, run: int | None = None) -> Iterator[Twice]:
    """Those of all runs that stand, or of one."""
    for no, state in connection.execute(AGAIN, {"run": run}).fetchall():
        yield from twice(states_of(connection, no), settled=state == "settled", earlier=_paid_anew(connection, no))


def _paid_anew(connection: psycopg.Connection, run: int) -> list[Standing]:
    return [one for old, names in connection.execute(PAID_ANEW, (run,)).fetchall() for one in states_of(connection, old) if one.id in names]


def _spoken(standings: Sequence[Standing]) -> set[str]:
    """Files of which the bank has spoken."""
    return {attempt.message_id for one in standings for attempt in one.attempts if attempt.state not in OUR_OWN}


def _all_alive(one: Standing, spoken: set[str]) -> tuple[Attempt, ...]:
    return tuple(each for each in one.attempts if _alive(each, spoken))


def _alive(one: Attempt, spoken: set[str]) -> bool:
    """Handed over, in a file of which the bank has spoken, or asked back from it, and not refused. Of what is contradicted people decide first."""
    with_the_bank = one.sent_at is not None or one.message_id in spoken or one.recalled_at is not None
    return with_the_bank and one.state not in SENT_AGAIN and one.state is not PaymentState.CONTRADICTED


def _to_recall(alive: Sequence[Attempt]) -> Attempt | None:
    if any(_asked_back(one) for one in alive):
        return None
    left = [one for one in reversed(alive) if one.recalled_at is None]
    return min(left, key=lambda one: _ORDER.index(one.state), default=None)


def _asked_back(one: Attempt) -> bool:
    return one.recalled_at is not None and one.state is not PaymentState.RECALL_REFUSED
