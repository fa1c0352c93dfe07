"""Which statement of an account counts next. Pure.

Statements are the book of record only as an unbroken chain: each has the next number and opens with what the one before it closed with. They count in the
order of the chain, whenever they come, so what they bring about does not depend on the order in which they arrive.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from clearing.payment_breaks import PaymentBreak


@dataclass(frozen=True, slots=True)
class Numbered:
    """A statement of one account and currency. `no`: in the books; `year`: of its last day; balances signed, in minor units.

    `first`: somebody has said that the house's records of this account begin with it.
    """

    no: int
    year: int
    sequence: int
    opening_minor: int
    closing_minor: int
    first: bool = False


@dataclass(frozen=True, slots=True)
class Halt:
    """The chain stops: why, and before which statement. `expected`: the number that is missing, or the balance it should have opened with."""

    code: PaymentBreak
    statement: Numbered
    expected: int


def follows(last: Numbered, one: Numbered) -> bool:
    """Whether a statement has the next number after `last`: one more, or 1 in the year after."""
    return one.sequence == last.sequence + 1 and one.year in (last.year, last.year + 1) if one.sequence > 1 else one.year == last.year + 1


def next_to_count(last: Numbered | None, waiting: Sequence[Numbered]) -> Numbered | Halt | None:
    """The statement that counts next, why there is none, or None where none waits. `last`: the last one that counts; None: none does yet.

    The first of an account has the number 1, or is said to be the first.
    """
    if not waiting:
        return None
    in_order = sorted(waiting, key=lambda one: (one.year, one.sequence, one.no))
    if last is None:
        begins = [one for one in in_order if one.first or one.sequence == 1]
        return begins[0] if begins else Halt(PaymentBreak.STATEMENT_GAP, in_order[0], 1)
    numbered = [one for one in in_order if follows(last, one)]
    fitting = [one for one in numbered if one.opening_minor == last.closing_minor]
    if fitting:
        return fitting[0]
    if numbered:
        return Halt(PaymentBreak.BALANCE, numbered[0], last.closing_minor)
    return Halt(PaymentBreak.STATEMENT_GAP, in_order[0], last.sequence + 1)
