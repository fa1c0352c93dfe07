"""A partner's exit (product.md A3): what is still open of it, and what everybody has to do, in order, until nothing is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from clearing.risk import Points, exit_cost
from schemas.ids import PartyId
from schemas.money import to_text


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window that is not settled. `net_minor`: the party's position in it; `due_minor`: what is paid for it, with what was carried; above zero: to it."""

    day: date
    state: str
    currency: str
    net_minor: int
    due_minor: int


@dataclass(frozen=True, slots=True)
class Account:
    """All that is open of a party in one currency, in minor units. `carried_minor`: above zero, it is owed to it, since the window `since`."""

    currency: str
    owes_minor: int
    carried_minor: int
    since: date | None
    funds_minor: int
    cash_back_minor: int
    """Cash-back that it pays, which members have earned and were not paid."""
    points: Points
    expected_minor: int | None
    """What its points will cost by the programme's history; None where that is too short."""
    minimum_minor: int | Fraction = 0
    """What is less than this waits (`minimum_settlement`)."""

    @property
    def waits_for(self) -> str:
        """Why something is carried on: it is less than what is settled, or its settlement day has not come."""
        if not self.carried_minor:
            return ""
        least = abs(self.carried_minor) < self.minimum_minor
        return f"{self.currency} is below minimum_settlement: paid after maximum_carry_days" if least else f"{self.currency} waits for its settlement day"

    @property
    def returns_minor(self) -> int:
        """What of its funds goes back to it, once all it owes is taken from them."""
        return max(0, self.funds_minor - max(0, self.owes_minor))

    @property
    def cost_minor(self) -> int:
        """What its exit costs the others at most."""
        return exit_cost(self.points, self.owes_minor, self.funds_minor)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that somebody has to do or to wait for. `code` stays the same for ever; `done`: nothing is left of it."""

    code: str
    who: str
    done: bool
    says: str
    command: str


@dataclass(frozen=True, slots=True)
class Defaulted:
    """What the party had not paid of a window by its deadline, in minor units."""

    day: date
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """A party that leaves with the last day `at`. `last_day`: as its contract has it now; `returns_on`: a version of it begins after `at`."""

    party: PartyId
    at: date
    last_day: date | None
    has_contract: bool
    returns_on: date | None
    bearer: str
    """Who bears what its points cost when they are spent."""
    points: int
    held_points: int
    unfunded: int
    windows: Sequence[OpenWindow]
    accounts: Sequence[Account]
    disputes: Sequence[int]
    open_holds: int
    held_events: int
    mechanics: Sequence[str]
    defaults: Sequence[Defaulted] = ()

    @property
    def over(self) -> bool:
        """Whether nothing is open any more."""
        return all(step.done for step in self.steps)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The checklist, in the order in which it is worked off."""
        party, at = self.party, self.at
        ended = not self.has_contract or (self.last_day is not None and self.last_day <= at and self.returns_on is None)
        short = [one for one in self.accounts if one.owes_minor > max(0, one.funds_minor)]
        outstanding = self.points + self.unfunded
        carried = [one for one in self.accounts if one.carried_minor]
        amounts = " and ".join(f"{to_text(abs(one.carried_minor), one.currency)} {one.currency}" for one in carried)
        beside = f", and {amounts} is carried on to the next" if carried else ""
        again = f"; the version from {self.returns_on} brings it back: take it out" if self.returns_on is not None else ""
        return (
            Step("contract", "operator", ended, f"end its contract with to: {at}{again}", "clh programme apply"),
            Step("mechanics", "operator, partners", not self.mechanics, _of("mechanics that it funds: end them, or let others pay", self.mechanics),
                 "clh programme diff"),
            Step("holds", "tills", not self.open_holds, f"{self.open_holds:,} holds of its tills: capture, release, or let them run out", ""),
            Step("held", "members", not self.held_events, f"{self.held_events:,} events of it wait for their cards, until their claim days are over", ""),
            Step("disputes", "parties", not self.disputes, _of("disputes with it: decide them", [str(no) for no in self.disputes]), "clh dispute list"),
            Step("cover", party, not short, _of("it owes more than its funds: pay, or pay in", [one.currency for one in short]), "clh funding add"),
            Step("windows", f"operator, {party}", not self.windows and not carried,
                 f"{len({one.day for one in self.windows}):,} windows with it are not settled{beside}", "clh settlement status"),
            Step("carried", "operator", not carried, _of("what is carried on has to be paid", [one.waits_for for one in carried]), "clh programme diff"),
            Step("cash_back", party, not any(one.cash_back_minor for one in self.accounts), "members have earned cash-back of it that was not paid", ""),
            Step("points", f"members, {self.bearer}", not outstanding, f"{outstanding:,} of its points are spent or expire", "clh accounts liability"),
            Step("funds", "operator", not any(one.funds_minor for one in self.accounts), "its funds go back, once nothing is owed", "clh funding pay-out"),
        )  # fmt: skip


def _of(says: str, which: Sequence[str]) -> str:
    return f"{says}: {', '.join(which)}" if which else says
