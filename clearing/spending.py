"""Spending: redemptions, holds at the till and their capture or release, and reversals (rules 10 to 12)."""

from collections.abc import Iterable, Sequence
from datetime import date

from clearing.events import Decision, Effect, Hold, Original, OriginalUnknown, Received, Refused, Spending
from clearing.member import LotKey, Member
from clearing.plan import Plan
from clearing.points import Purse
from clearing.postings import Postings
from schemas.events.answers import RejectionCode
from schemas.ids import PartyId

Lots = list[tuple[LotKey, int]]


def book_redemption(plan: Plan, postings: Postings, received: Received, member: Member, decision: Decision) -> Spending:
    """Spends points at the sender (rules 10, 11)."""
    purse = Purse(postings, member)
    contract = _may_spend(plan, purse, received, decision.day)
    decision.contract = contract
    lots = purse.redeem(received.event.data.points, decision.day, received.sender, contract)
    decision.effects += _by_sponsor(lots, -1, "redemption")
    return Spending(received.record, member.no, received.sender, contract, lots)


def book_hold(plan: Plan, postings: Postings, received: Received, member: Member, day: date) -> Hold:
    """Earmarks points as for a redemption; they are spent when the hold is captured."""
    purse = Purse(postings, member)
    _may_spend(plan, purse, received, day)
    lots = purse.hold(received.event.data.points, day)
    return Hold(received.record, member.no, received.event.data.expires_at, lots, changed=True)


def _may_spend(plan: Plan, purse: Purse, received: Received, day: date) -> date | None:
    """Rule 11, in its order; returns the redeeming partner's contract version on the day."""
    points = received.event.data.points
    contract = plan.redeeming_contract(received.sender, day)
    if contract is None:
        raise Refused(RejectionCode.NO_CONTRACT, f"{received.sender} has no contract on {day} under which it takes points", "/source")
    least = plan.programme.minimum_redemption
    if points < least:
        raise Refused(RejectionCode.BELOW_MINIMUM_REDEMPTION, f"{points} points are less than the {least} that can be spent at once", "/data/points")
    spendable = purse.can_spend(day)
    if points > spendable:
        raise Refused(RejectionCode.INSUFFICIENT_POINTS, f"{points} points are more than the {max(0, spendable)} that can be spent", "/data/points")
    return contract


def book_capture(plan: Plan, postings: Postings, received: Received, hold: Original | None, member: Member, decision: Decision) -> Spending:
    """Spends what was held, at most all of it, priced on the capture's own date; the rest is freed."""
    points, day = received.event.data.points, decision.day
    hold = _open_hold(hold, received, member)
    held = sum(part for _, part in hold.lots)
    if points > held:
        raise Refused(RejectionCode.INSUFFICIENT_POINTS, f"{points} points are more than the {held} that are held", "/data/points")
    contract = plan.redeeming_contract(received.sender, day)
    if contract is None:
        raise Refused(RejectionCode.NO_CONTRACT, f"{received.sender} has no contract on {day} under which it takes points", "/source")
    decision.contract = contract
    taken, rest = _first(hold.lots, points)
    purse = Purse(postings, member)
    purse.capture(taken, day, received.sender, contract)
    purse.free(rest)
    _close(hold)
    decision.effects += _by_sponsor(taken, -1, "redemption")
    return Spending(received.record, member.no, received.sender, contract, taken)


def book_release(postings: Postings, received: Received, hold: Original | None, member: Member) -> None:
    """Frees a hold that the till releases in time."""
    hold = _open_hold(hold, received, member)
    Purse(postings, member).free(hold.lots)
    _close(hold)


def free_holds(postings: Postings, holds: Sequence[Hold], member: Member) -> None:
    """Puts back what is left of all holds of a member that ran out (night run)."""
    Purse(postings, member).free_at_night([part for hold in holds for part in hold.lots])
    for hold in holds:
        _close(hold)


def _close(hold: Hold) -> None:
    hold.lots = []
    hold.open = False
    hold.changed = True


def _open_hold(original: Original | None, received: Received, member: Member) -> Hold:
    """The hold that a capture or release names. Either counts in time by its own `time`; what has run out is freed in the night (fine print)."""
    if not isinstance(original, Hold) or not original.open:
        raise Refused(RejectionCode.UNKNOWN_ORIGINAL, f"no open hold has the id {received.event.data.original_id}", "/data/original_id")
    if original.member != member.no:
        raise Refused(RejectionCode.ORIGINAL_OF_OTHER_CARD, "the hold belongs to another member", "/subject")
    if received.event.time > original.expires_at:
        raise Refused(RejectionCode.INSUFFICIENT_POINTS, f"the hold ran out at {original.expires_at.isoformat()}", "/time")
    return original


def book_reversal(postings: Postings, received: Received, original: Original | None, member: Member, decision: Decision) -> None:
    """Rule 12: puts points of a redemption back into the lots that they came from, last spent first."""
    original = spending_of(received, original)
    if original.member != member.no:
        raise Refused(RejectionCode.ORIGINAL_OF_OTHER_CARD, "the redemption belongs to another member", "/subject")
    points = received.event.data.points
    spent = sum(part for _, part in original.lots)
    if points > spent:
        raise Refused(RejectionCode.RETURNED_TOO_MUCH, f"{points} points are more than the {spent} that are left of the redemption", "/data/points")
    back, rest = _first(original.lots[::-1], points)
    original.lots = rest[::-1]
    original.changed = True
    Purse(postings, member).put_back(back, original.partner, original.contract)
    decision.effects += _by_sponsor(back, 1, "redemption reversal")


def spending_of(received: Received, original: Original | None) -> Spending:
    """The redemption or capture that a reversal names."""
    if original is None:
        raise OriginalUnknown
    if not isinstance(original, Spending):
        raise Refused(RejectionCode.UNKNOWN_ORIGINAL, f"no accepted redemption has the id {received.event.data.original_id}", "/data/original_id")
    return original


def _first(lots: Lots, points: int) -> tuple[Lots, Lots]:
    """The first so many points of some lots, and the rest."""
    taken: Lots = []
    rest: Lots = []
    for key, part in lots:
        now = min(points, part)
        points -= now
        if now:
            taken.append((key, now))
        if part > now:
            rest.append((key, part - now))
    return taken, rest


def _by_sponsor(lots: Iterable[tuple[LotKey, int]], sign: int, reason: str) -> list[Effect]:
    sums: dict[PartyId, int] = {}
    for key, part in lots:
        sums[key.sponsor] = sums.get(key.sponsor, 0) + part
    return [Effect(None, "points", sign * points, sponsor, reason) for sponsor, points in sums.items()]
