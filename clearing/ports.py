"""What the policy needs from outside. Each port has one contract suite, run on the fake in memory and on PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from clearing.checks import Balances, Check, PartitionCount
from clearing.default_loss import Settled
from clearing.entries import Total
from clearing.headroom import Given
from clearing.lines import Obligation
from clearing.netting import Carried, Netting
from clearing.window import State
from schemas.ids import PartyId


class NightBooks(Protocol):
    """The books, as the night run sees them. Every method that writes is one transaction, and does nothing when it is called again."""

    def state(self, day: date) -> State:
        """Where the window stands."""

    def cut_off(self, day: date) -> None:
        """Records the end of every partition and opens the next window, in one transaction: open → draining."""

    def drain(self, day: date) -> None:
        """Returns when every partition is booked to its cut."""

    def book_waiting(self, day: date) -> None:
        """Books or rejects what waited for its original."""

    def give_shared(self, day: date) -> None:
        """Decides what limits and budgets of the whole programme leave of the window's purchases, in order of receipt."""

    def fund_points(self, day: date) -> None:
        """Gives points that waited for room under a limit, in order of receipt, as far as there is some now, and opens the room of the next window."""

    def given_under_limits(self, day: date) -> Sequence[Given]:
        """What parties with a limit gave in the window, by the journal, and the room that they had; none where nobody has a limit."""

    def free_holds(self, day: date) -> None:
        """Frees holds that ran out by the end of the window."""

    def release_pending(self, day: date) -> None:
        """Makes pending points available whose day has come (rule 9); they repay what their members owe."""

    def lapse_held(self, day: date) -> None:
        """Rejects held events that nobody claimed in time."""

    def expire_lots(self, day: date) -> None:
        """Expires lots whose expiry day has come (rule 8)."""

    def close(self, day: date) -> None:
        """draining → closed: the night's own bookings are committed, processors go on behind the cut."""

    def booked_totals(self, day: date) -> Sequence[Total]:
        """First path: the totals that booking wrote with each batch, added up."""

    def journal_totals(self, day: date) -> Sequence[Total]:
        """Second path: the rows of the journal, and the accepted purchases, added up."""

    def sums_by_unit(self, day: date) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """What the window's journal debited and credited, by unit. A row whose account does not follow from its code counts under another name."""

    def balances(self, day: date) -> Balances:
        """Members' balances, lots and open holds as they were when the window was closed."""

    def partition_counts(self, day: date) -> Sequence[PartitionCount]:
        """What each partition brought, and what became of it."""

    def fees_before(self, day: date) -> Mapping[tuple[PartyId, str], int]:
        """Fees of the month's earlier windows, by party and currency, in minor units; without the monthly minimum."""

    def carried_in(self, day: date) -> Mapping[tuple[str, PartyId], Carried]:
        """What the window before carried forward."""

    def settled_before(self, day: date) -> Settled | None:
        """What earlier runs of the window, which went to the bank, have settled; None where none did."""

    def count_events(self, day: date, lines: Sequence[Obligation]) -> Sequence[Obligation]:
        """The same lines with the number of distinct events behind each, where several totals were merged into one."""

    def keep(self, day: date, obligations: Sequence[Obligation], netting: Netting, checks: Sequence[Check]) -> None:
        """Stores the run and its report: closed → netted."""


class Refusal(Exception):  # what the night says when it goes no further
    """A check does not hold: nothing is netted, and the window stays closed until somebody has looked."""

    def __init__(self, day: date, failed: Sequence[Check]) -> None:
        super().__init__(f"window {day}: " + "; ".join(f"{check.name}: {dict(check.figures)}" for check in failed))
        self.day = day
        self.failed = tuple(failed)
