"""What a batch writes: transfers of the journal, changes of lots, and the totals that the night adds up as its first path."""

from collections.abc import Iterable
from datetime import date

import msgspec

from clearing.entries import Code, Total
from clearing.headroom import Headroom
from clearing.member import LotKey
from schemas.ids import MechanicId, MemberNo, PartyId, RecordId

Key = tuple[Code, PartyId, date | None, PartyId | None, date | None, str]
"""Pricing key: code, sponsor and its contract, counterparty and its contract, unit."""


class Movement:
    """What a row moves, apart from how much, for whom and by which entry. A mechanic's is made once and stands behind very many rows.

    `held`: the points come from a hold, or (RETURN_SPENT) the member owes them. Never changed once it is made.
    """

    __slots__ = ("code", "contract", "counter_contract", "counterparty", "held", "key", "lot", "mechanic", "sponsor", "unit")

    def __init__(
        self,
        code: Code,
        unit: str,
        sponsor: PartyId,
        contract: date | None,
        *,
        counterparty: PartyId | None = None,
        counter_contract: date | None = None,
        mechanic: MechanicId | None = None,
        lot: LotKey | None = None,
        held: bool = False,
    ) -> None:
        self.code = code
        self.unit = unit
        self.sponsor = sponsor
        self.contract = contract
        self.counterparty = counterparty
        self.counter_contract = counter_contract
        self.mechanic = mechanic
        self.lot = lot
        self.held = held
        self.key: Key = (code, sponsor, contract, counterparty, counter_contract, unit)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Movement) and (self.key, self.mechanic, self.lot, self.held) == (other.key, other.mechanic, other.lot, other.held)

    def __hash__(self) -> int:
        return hash((self.key, self.mechanic, self.lot, self.held))


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """One row of the journal: a positive amount of a unit, moved by an entry for a member under a contract version.

    `first` marks the first row of its entry under its pricing key, so that events can be counted without sorting them. The night's own entries
    have numbers below zero and count as no event.
    """

    entry: RecordId
    line: int
    amount: int
    member: MemberNo | None
    what: Movement
    first: bool


class Postings:
    """Collects what the events of one batch bring about, in order."""

    def __init__(self, headroom: Headroom | None = None) -> None:
        """`headroom`: what sponsors with a limit may still give; None where nobody has one."""
        self.headroom = headroom
        self.transfers: list[Transfer] = []
        self.lots: dict[tuple[MemberNo, LotKey], list[int]] = {}
        """Change of points and of expired points, by member and lot."""
        self._totals: dict[Key, list[int]] = {}
        self._entry = RecordId(0)
        self._line = 0
        self._seen: frozenset[Key] = frozenset()

    def begin(self, entry: RecordId, *, line: int = 0, seen: frozenset[Key] = frozenset()) -> None:
        """What follows belongs to this entry, which may have rows under the keys `seen` already, numbered below `line`."""
        self._entry = entry
        self._line = line
        self._seen = seen

    @property
    def entry(self) -> RecordId:
        """What is being booked."""
        return self._entry

    def count(self, code: Code, amount: int, unit: str, sponsor: PartyId, contract: date | None) -> None:
        """Adds to a total that has no row in the journal of its own (accepted purchases)."""
        self._add((code, sponsor, contract, None, None, unit), amount)

    def _add(self, key: Key, amount: int) -> bool:
        total = self._totals.get(key)
        if total is None:
            counts = self._entry > 0 and key not in self._seen
            self._totals[key] = [amount, int(counts), self._entry]
            return counts
        total[0] += amount
        if total[2] == self._entry or key in self._seen:
            return False
        total[2] = self._entry
        total[1] += self._entry > 0
        return self._entry > 0

    def post(self, what: Movement, amount: int, member: MemberNo | None) -> None:
        """Appends one transfer; `amount` is above zero."""
        assert amount > 0, "a transfer moves something"
        self.transfers.append(Transfer(self._entry, self._line, amount, member, what, self._add(what.key, amount)))
        self._line += 1

    def change_lot(self, member: MemberNo, key: LotKey, points: int, expired: int = 0) -> None:
        """Changes a lot by so many points (and expired points)."""
        change = self.lots.get((member, key))
        if change is None:
            self.lots[member, key] = [points, expired]
        else:
            change[0] += points
            change[1] += expired

    @property
    def totals(self) -> Iterable[Total]:
        """The batch's totals by pricing key."""
        for (code, sponsor, contract, counterparty, counter_contract, unit), (quantity, events, _) in self._totals.items():
            yield Total(code, sponsor, contract, counterparty, counter_contract, unit, quantity, events)
