"""Payments of which the bank has more than one attempt: it took one that people had put aside, or that it had refused, and another has gone out meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from clearing.payment_states import SENT_AGAIN, PaymentState
from services.settlement.payment_states import Attempt, Standing, states_of
from services.settlement.sending import OUR_OWN

# Runs that stand of windows that are paid, with a payment that went to the bank more than once.
AGAIN: Final = """
select distinct r.no, w.state from payment_attempt a join run r on r.no = a.run join settlement_window w on w.day = r.day
where a.attempt > 1 and r.no = coalesce(%(run)s, r.no) and w.state in ('instructed', 'settled')
  and r.no = (select max(newest.no) from run newest where newest.day = r.day) order by r.no
"""
_ORDER: Final = tuple(PaymentState)


@dataclass(frozen=True, slots=True)
class Twice:
    """A payment and its attempts that the bank has, in their order; `recall`: the one to ask back, the one with which the bank is least far; None where one has
    been asked back already, or none can be."""

    payment: Standing
    alive: tuple[Attempt, ...]
    recall: Attempt | None

    @property
    def words(self) -> str:
        """For people: which they are, and what to do."""
        named = " and ".join(f"{one.end_to_end_id} ({one.state}, in file {one.message_id})" for one in self.alive)
        asked = [one.end_to_end_id for one in self.alive if _asked_back(one)]
        todo = f"{', '.join(asked)} was asked back: wait for the bank's answer" if asked else "what is too much is an adjustment once the window is settled"
        if self.recall is not None:
            no = self.payment.attempts.index(self.recall) + 1
            todo = f"ask the bank for one of them: clh settlement recall {self.payment.id} --attempt {no} --reason DUPL"
        return f"the bank has it {len(self.alive)} times, {named}; {todo}"


def twice(standings: Sequence[Standing], *, settled: bool) -> list[Twice]:
    """Those of one run. `settled`: its window is; then what statements show of all attempts has been put right, and is over."""
    spoken = {attempt.message_id for one in standings for attempt in one.attempts if attempt.state not in OUR_OWN}
    found = []
    for one in standings:
        alive = tuple(each for each in one.attempts if _alive(each, spoken))
        if len(alive) > 1 and not (settled and all(each.state is PaymentState.CONFIRMED for each in alive)):
            found.append(Twice(one, alive, _to_recall(alive)))
    return found


def all_twice(connection: psycopg.Connection, run: int | None = None) -> Iterator[Twice]:
    """Those of all runs that stand, or of one."""
    for no, state in connection.execute(AGAIN, {"run": run}).fetchall():
        yield from twice(states_of(connection, no), settled=state == "settled")


def _alive(one: Attempt, spoken: set[str]) -> bool:
    """Handed over, or in a file of which the bank has spoken, and not refused. Of what is contradicted people decide first."""
    with_the_bank = one.sent_at is not None or one.message_id in spoken
    return with_the_bank and one.state not in SENT_AGAIN and one.state is not PaymentState.CONTRADICTED


def _to_recall(alive: Sequence[Attempt]) -> Attempt | None:
    if any(_asked_back(one) for one in alive):
        return None
    left = [one for one in reversed(alive) if one.recalled_at is None]
    return min(left, key=lambda one: _ORDER.index(one.state), default=None)


def _asked_back(one: Attempt) -> bool:
    return one.recalled_at is not None and one.state is not PaymentState.RECALL_REFUSED
