"""The life of a point: given, pending or available, spent, put back, taken back, owed and repaid (rules 7, 9, 10, 12, 14, 15)."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from clearing.entries import POINTS, Code
from clearing.member import Debt, Lot, LotKey, Member, funded, is_unfunded, unfunded
from clearing.postings import Movement, Postings
from schemas.ids import MechanicId, PartyId


def accrual(mechanic: MechanicId, lot: LotKey) -> Movement:
    """Points that a mechanic gives into a lot."""
    return Movement(Code.ACCRUAL, POINTS, lot.sponsor, lot.contract, mechanic=mechanic, lot=lot)


class Taken(NamedTuple):
    """Where points were missing that were taken back: those that had expired, by lot, and those that were spent (rule 14)."""

    expired: dict[LotKey, int]
    spent: int


class Purse:
    """The points of one member while one entry is booked: every movement changes lots, balance and journal together."""

    __slots__ = ("member", "postings")

    def __init__(self, postings: Postings, member: Member) -> None:
        self.postings = postings
        self.member = member

    def _lot(self, key: LotKey, points: int, expired: int = 0) -> None:
        member = self.member
        member.changed = True
        self.postings.change_lot(member.no, key, points, expired)
        lots = member.lots
        if lots is not None:
            lot = lots.get(key)
            if lot is None:
                lots[key] = Lot(points, expired)
            else:
                lot.points += points
                lot.expired += expired
        if key.release_on is None:
            member.available += points
        else:
            member.pending += points
            if is_unfunded(key):
                member.unfunded += points

    def _post(self, code: Code, points: int, key: LotKey, counterparty: PartyId | None = None, counter_contract: date | None = None,
              mechanic: MechanicId | None = None, held: bool = False) -> None:  # fmt: skip
        what = Movement(
            code, POINTS, key.sponsor, key.contract,
            counterparty=counterparty, counter_contract=counter_contract, mechanic=mechanic, lot=key, held=held,
        )  # fmt: skip
        self.postings.post(what, points, self.member.no)

    def earn(self, what: Movement, points: int) -> None:
        """Rule 7: new points that are available first repay what the member owes; the rest stays in the lot. Those over a limit of their sponsor wait."""
        lot = what.lot
        assert lot is not None, "points are given into a lot"
        headroom = self.postings.headroom
        if headroom is not None:
            with_room = headroom.take(lot, points, self.postings.entry)
            if with_room < points:
                self._wait(what, points - with_room)
                points = with_room
            if not points:
                return
        self._give(what, lot, points)

    def _wait(self, what: Movement, points: int) -> None:
        """Points over their sponsor's limit wait in a lot of their own; they repay nothing."""
        assert what.lot is not None, "points are given into a lot"
        key = unfunded(what.lot)
        self._post(Code.UNFUNDED, points, key, mechanic=what.mechanic)
        self._lot(key, points)

    def fund(self, key: LotKey, points: int, mechanic: MechanicId | None) -> None:
        """Unfunded points of a lot are given now: into the lot that they would have gone into, where they repay like new ones (rule 7)."""
        self._post(Code.UNFUNDED_REVERSAL, points, key, mechanic=mechanic)
        self._lot(key, -points)
        lot = funded(key)
        self._give(Movement(Code.ACCRUAL, POINTS, lot.sponsor, lot.contract, mechanic=mechanic, lot=lot), lot, points)

    def expire_unfunded(self, key: LotKey, points: int) -> None:
        """Unfunded points whose day has come expire like others (rule 8), and nothing comes back for them."""
        self._post(Code.UNFUNDED_REVERSAL, points, key)
        self._lot(key, -points, points)

    def _give(self, what: Movement, lot: LotKey, points: int) -> None:
        self.postings.post(what, points, self.member.no)
        self._lot(lot, points)
        if self.member.debts and lot.release_on is None:
            self.repay_from(lot, points)

    def repay_from(self, key: LotKey, most: int) -> int:
        """Repays debts, oldest first, with at most so many points of one available lot; returns how many were used (rule 15)."""
        used = 0
        debts = self.member.debts
        while debts and used < most:
            debt = debts[0]
            points = min(debt.points, most - used)
            self._post(Code.REPAYMENT, points, key, counterparty=debt.bearer)
            self._lot(key, -points)
            debt.points -= points
            used += points
            if debt.points == 0:
                debts.pop(0)
        return used

    def repay_from_lots(self, day: date) -> None:
        """Repays what is owed from all lots that can be spent on the day, in the order of rule 10."""
        if self.member.debts:
            for key, lot in self.member.in_spending_order(day):
                if not self.member.debts:
                    break
                self.repay_from(key, lot.points)

    def can_spend(self, day: date) -> int:
        """Points that a redemption of that event date may take: unexpired lots less what is owed; what is held is in no lot (rule 10)."""
        return sum(lot.points for _, lot in self.member.in_spending_order(day)) - self.member.owed

    def _drain(self, points: int, day: date) -> list[tuple[LotKey, int]]:
        taken = []
        for key, lot in self.member.in_spending_order(day):
            part = min(points, lot.points)
            taken.append((key, part))
            points -= part
            if points == 0:
                break
        assert points == 0, "the caller has checked what can be spent"
        return taken

    def redeem(self, points: int, day: date, partner: PartyId, contract: date | None) -> list[tuple[LotKey, int]]:
        """Spends points at a partner, whose contract version on the day sets the price (rules 10, 17); returns the lots they came from."""
        taken = self._drain(points, day)
        for key, part in taken:
            self._post(Code.REDEMPTION, part, key, partner, contract)
            self._lot(key, -part)
        self.member.active_on(day)
        return taken

    def hold(self, points: int, day: date) -> list[tuple[LotKey, int]]:
        """Earmarks points at a till; returns the lots they came from."""
        taken = self._drain(points, day)
        for key, part in taken:
            self._post(Code.HOLD, part, key)
            self._lot(key, -part)
            self.member.held += part
        return taken

    def capture(self, lots: Sequence[tuple[LotKey, int]], day: date, partner: PartyId, contract: date | None) -> None:
        """Spends held points at a partner."""
        for key, part in lots:
            self._post(Code.REDEMPTION, part, key, partner, contract, held=True)
            self.member.held -= part
        self.member.changed = True
        self.member.active_on(day)

    def free(self, lots: Sequence[tuple[LotKey, int]]) -> None:
        """Puts held points back into their lots, where they repay what the member owes."""
        for key, part in lots:
            self._put_down(key, part)
            self.repay_from(key, part)

    def free_at_night(self, lots: Sequence[tuple[LotKey, int]]) -> None:
        """The same of all holds that ran out: every one is freed first, then they repay in the order of rule 10 (fine print)."""
        freed: dict[LotKey, int] = {}
        for key, part in lots:
            self._put_down(key, part)
            freed[key] = freed.get(key, 0) + part
        if self.member.debts:
            for key, _ in self.member.in_spending_order(None):
                self.repay_from(key, freed.get(key, 0))

    def _put_down(self, key: LotKey, points: int) -> None:
        self._post(Code.HOLD_RELEASE, points, key)
        self._lot(key, points)
        self.member.held -= points

    def put_back(self, lots: Sequence[tuple[LotKey, int]], partner: PartyId, contract: date | None) -> None:
        """Rule 12: spent points go back into their lots and repay what is owed there, even if their day has passed."""
        for key, part in lots:
            self._post(Code.REDEMPTION_REVERSAL, part, key, partner, contract)
            self._lot(key, part)
        for key, part in lots:
            self.repay_from(key, part)

    def take_back(self, points: int, given: LotKey, mechanic: MechanicId | None, bearer: PartyId, *, owed: bool) -> int:
        """Rule 14, as `take_apart`; returns the points taken back, expired ones not counted."""
        return points - sum(self.take_apart(points, given, mechanic, bearer, owed=owed).expired.values())

    def take_apart(self, points: int, given: LotKey, mechanic: MechanicId | None, bearer: PartyId, *, owed: bool) -> Taken:
        """Rule 14: takes points back from the lot they went into (rule 7), pending before available, whichever mechanic gave them.

        Unfunded ones go first, for which nobody pays, then by the day of their release. What is missing there and has expired is forgotten; what is
        missing and was spent falls on `bearer`, and the member owes it where `owed`.
        """
        lots = self.member.lots
        assert lots is not None, "the batch has read this member's lots"
        available = given._replace(release_on=None)
        pending = [key for key in lots if key.release_on is not None and key._replace(release_on=None) == available]
        keys = (*sorted(pending, key=lambda key: (not is_unfunded(key), key.release_on or date.max)), available)
        missing = points
        for key in keys:
            lot = lots.get(key)
            part = min(missing, lot.points) if lot else 0
            if part > 0:
                self._post(Code.UNFUNDED_REVERSAL if is_unfunded(key) else Code.RETURN_UNSPENT, part, key, mechanic=mechanic)
                self._lot(key, -part)
                missing -= part
        expired: dict[LotKey, int] = {}
        for key in keys:
            lot = lots.get(key)
            part = min(missing, lot.expired) if lot else 0
            if part > 0:
                self._lot(key, 0, -part)
                missing -= part
                expired[key] = part
        if missing > 0:
            self._post(Code.RETURN_SPENT, missing, available, bearer, mechanic=mechanic, held=owed)
            if owed:
                self._owe(bearer, missing)
        return Taken(expired, missing)

    def put_expired(self, points: int, key: LotKey) -> None:
        """Points whose taking back is undone and that had expired before: they are expired again. The journal has no row for it, as for the taking."""
        self._lot(key, 0, points)

    def give_to_bearer(self, points: int, given: LotKey, mechanic: MechanicId, bearer: PartyId) -> None:
        """Spent points whose taking back is undone: who bore them in the member's place gets their price back."""
        self._post(Code.RETURN_SPENT_REVERSAL, points, given._replace(release_on=None), bearer, mechanic=mechanic)

    def _owe(self, bearer: PartyId, points: int) -> None:
        self.member.changed = True
        debts = self.member.debts
        if debts and debts[-1].bearer == bearer:
            debts[-1].points += points
        else:
            debts.append(Debt(bearer, points))
