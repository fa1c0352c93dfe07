"""The checks between pricing and approval, each named and shown with its figures. A run whose checks do not all hold goes no further."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from clearing.entries import Total, TotalKey, add_up
from clearing.headroom import Given
from clearing.netting import CarriedPositions, Netting, Positions
from schemas.ids import PartyId

NAMED_MAX: Final = 20
"""So many differences are named in a check's figures; how many there are is always said."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, whether it holds, and the figures to see it by: sums where it holds, and what differs where it does not."""

    name: str
    ok: bool
    figures: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class PartitionCount:
    """What a window received from one partition, and what became of it.

    `cut_offset` is the first offset of the next window, `next_offset` the one that is booked next. A held event counts as held in the window
    in which it was received, wherever its effects stand. `duplicates` are events that had come before.
    """

    topic: str
    partition: int
    cut_offset: int
    next_offset: int
    received: int
    accepted: int
    rejected: int
    held: int
    duplicates: int

    @property
    def is_complete(self) -> bool:
        """Booked to the cut, and every event has exactly one outcome."""
        return self.next_offset >= self.cut_offset and self.received == self.accepted + self.rejected + self.held + self.duplicates


def journal_balanced(debits: Mapping[str, int], credits_: Mapping[str, int]) -> Check:
    """All that was debited was credited: the sums of the window's journal by unit (points, currencies in minor units).

    The sums of each side are taken over the accounts that the rows' codes debit or credit; what stands in another account is under a name of its own.
    """
    units = sorted(debits.keys() | credits_.keys())
    off = {unit: debits.get(unit, 0) - credits_.get(unit, 0) for unit in units}
    figures = {unit: f"debited {debits.get(unit, 0)}, credited {credits_.get(unit, 0)}" for unit in units}
    return Check("journal_balanced", not any(off.values()), figures)


@dataclass(frozen=True, slots=True)
class Balances:
    """Points after a window: the sums of all members' balances, and of the lots and open holds that they are made of."""

    available: int
    pending: int
    held: int
    lots_available: int
    lots_pending: int
    open_holds: int


def balances_equal_lots(balances: Balances) -> Check:
    """What members have is what lies in their lots: available and pending points; what is held is what open holds have earmarked.

    Figures: both sums of each, in points.
    """
    compared = {
        "available": (balances.available, "lots", balances.lots_available),
        "pending": (balances.pending, "lots", balances.lots_pending),
        "held": (balances.held, "open holds", balances.open_holds),
    }
    figures = {name: f"members {of_members}, {source} {of_source}" for name, (of_members, source, of_source) in compared.items()}
    return Check("balances_equal_lots", all(of_members == of_source for of_members, _, of_source in compared.values()), figures)


def positions_sum_to_zero(positions: Positions) -> Check:
    """In each currency the positions of all parties add up to zero (rule 26). Figures: the sums, in minor units."""
    sums = {currency: sum(of_currency.values()) for currency, of_currency in sorted(positions.items())}
    return Check("positions_sum_to_zero", not any(sums.values()), sums)


def recomputed_equal(booked: Iterable[Total], recomputed: Iterable[Total]) -> Check:
    """The totals that booking wrote with each batch, and those added up from the journal's rows, are the same in every key.

    Figures: how many keys there are and differ, and of the first that differ quantity and number of events by either path.
    """
    first, second = _by_key(booked), _by_key(recomputed)
    keys = sorted(first.keys() | second.keys(), key=_text)
    nothing = (0, 0)
    differ = [key for key in keys if first.get(key, nothing) != second.get(key, nothing)]
    figures: dict[str, str | int] = {"keys": len(keys), "differ": len(differ)}
    for key in differ[:NAMED_MAX]:
        (quantity, events), (quantity_again, events_again) = first.get(key, nothing), second.get(key, nothing)
        figures[_text(key)] = f"booked {quantity} in {events} events, recomputed {quantity_again} in {events_again} events"
    return Check("recomputed_equal", not differ, figures)


def _by_key(totals: Iterable[Total]) -> dict[TotalKey, tuple[int, int]]:
    return {total.key: (total.quantity, total.events) for total in add_up(totals)}


def _text(key: TotalKey) -> str:
    return " ".join("-" if part is None else str(part) for part in (key.code.name, *key[1:]))


def every_event_once(partitions: Sequence[PartitionCount]) -> Check:
    """Every partition is booked to its cut, and every event received is accepted, rejected, held or a duplicate, and only one of them.

    Figures: the sums over all partitions, and the first partitions that are not complete.
    """
    incomplete = [count for count in partitions if not count.is_complete]
    figures: dict[str, str | int] = {
        "partitions": len(partitions),
        "incomplete": len(incomplete),
        "received": sum(count.received for count in partitions),
        "accepted": sum(count.accepted for count in partitions),
        "rejected": sum(count.rejected for count in partitions),
        "held": sum(count.held for count in partitions),
        "duplicates": sum(count.duplicates for count in partitions),
    }
    for count in incomplete[:NAMED_MAX]:
        outcomes = count.accepted + count.rejected + count.held + count.duplicates
        figures[f"{count.topic}/{count.partition}"] = (
            f"booked to {count.next_offset}, cut at {count.cut_offset}; received {count.received}, outcomes {outcomes}"
        )
    return Check("every_event_once", not incomplete, figures)


def limits_respected(given: Sequence[Given]) -> Check:
    """No party gave points beyond its limit: what they cost by the journal is not more than the room that was opened for them, and that is what its debt left.

    A debt beyond the limit that points do not bring (fees, discounts, points given before the limit was lowered) does not fail it: then there is no room.
    Figures, by party, in minor units: debt and limit, what was given at once and in the night, each with its room, and the points that wait.
    """
    figures = {
        f"{one.party} {one.currency}": (
            f"owes {one.owed_minor} of at most {one.most_minor}, given {_up(one.at_once)} of {one.room}, in the night {_up(one.at_night)} of "
            f"{max(0, one.room_at_night)}"
        )
        for one in given
    }
    waiting = {f"{one.party} points unfunded": one.unfunded for one in given}
    return Check("limits_respected", all(one.within for one in given), {**figures, **waiting})


def _up(exact: Fraction) -> int:
    """Whole minor units, rounded up."""
    return -int(-exact // 1)


def payments_cover_positions(
    positions: Positions, netting: Netting, carried_in: CarriedPositions, operator: PartyId, settled: Mapping[tuple[str, PartyId, PartyId], int] | None = None
) -> Check:
    """For each party and currency: what is paid and what is carried on = its position and what was carried in.

    `settled`: what earlier runs of the window have paid, by currency, payer and payee. What is carried lies between a party and the operator, so the
    operator carries the opposite. Figures: how many accounts were compared, and the first that are off, in minor units.
    """
    expected: dict[tuple[str, PartyId], int] = {}
    covered: dict[tuple[str, PartyId], int] = {}
    for currency, of_currency in positions.items():
        for party, amount_minor in of_currency.items():
            _add(expected, currency, party, amount_minor)
    for (currency, party), waiting in carried_in.items():
        _add(expected, currency, party, waiting.amount_minor)
        _add(expected, currency, operator, -waiting.amount_minor)
    for payment in netting.payments:
        _add(covered, payment.currency, payment.payer, -payment.amount_minor)
        _add(covered, payment.currency, payment.payee, payment.amount_minor)
    for (currency, payer, payee), amount_minor in (settled or {}).items():
        _add(covered, currency, payer, -amount_minor)
        _add(covered, currency, payee, amount_minor)
    for (currency, party), waiting in netting.carried.items():
        _add(covered, currency, party, waiting.amount_minor)
        _add(covered, currency, operator, -waiting.amount_minor)
    accounts = sorted(expected.keys() | covered.keys())
    off = [account for account in accounts if expected.get(account, 0) != covered.get(account, 0)]
    figures: dict[str, str | int] = {"accounts": len(accounts), "off": len(off)}
    for account in off[:NAMED_MAX]:
        figures[" ".join(account)] = f"due {expected.get(account, 0)}, paid and carried {covered.get(account, 0)}"
    return Check("payments_cover_positions", not off, figures)


def _add(sums: dict[tuple[str, PartyId], int], currency: str, party: PartyId, amount_minor: int) -> None:
    sums[currency, party] = sums.get((currency, party), 0) + amount_minor
