"""Accounts of the journal and which two of them a transfer moves value between.

An account is a number. Members: member number × 4 + 0 available, 1 pending, 2 held, 3 owed; so every member has four.
Parties and units: below zero, by party number, role and unit. The view of names is `name_of`.
"""

from clearing.entries import Code
from clearing.postings import Movement
from schemas.ids import MemberNo, PartyId
from services.journal.names import Names

AVAILABLE, PENDING, HELD, OWED = range(4)
ISSUED, REDEEMED, BORNE, UNUSED, FUNDED, CLAIMED, STAMPED, ROUNDED = range(1, 9)
"""Roles of a party's accounts: points issued, redeemed at it, borne by it, expired; amounts it funds, amounts it claims; stamps; amounts rounded up."""
ROLE_NAMES = ("", "issued", "redeemed", "borne", "unused", "funded", "claimed", "stamped", "rounded up")
MEMBER_NAMES = ("available", "pending", "held", "owed")

_ROLES = 16
_UNITS = 256


def member_account(member: MemberNo, part: int) -> int:
    """Number of one of a member's four accounts of points."""
    return member * 4 + part


def party_account(party: int, role: int, unit: int) -> int:
    """Number of a party's account in one role and unit."""
    return -((party * _ROLES + role) * _UNITS + unit)


Side = tuple[int, int]
"""One side of a transfer: its account is the member's number times the first, plus the second (a party's has nothing to do with the member)."""


class Accounts:
    """The two sides of every kind of transfer."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def _of(self, party: PartyId | None, role: int, unit: str) -> int:
        assert party is not None, "this code names a counterparty"
        no = self.names.party[party]
        assert no is not None
        return party_account(no, role, self.names.unit[unit])

    def sides(self, what: Movement) -> tuple[Side, Side]:
        """Debited and credited side of what a transfer moves, as the codes define them."""

        def sponsor(role: int) -> Side:
            return 0, self._of(what.sponsor, role, what.unit)

        def counterparty(role: int) -> Side:
            return 0, self._of(what.counterparty, role, what.unit)

        match what.code:
            case (
                Code.DISCOUNT
                | Code.REWARD
                | Code.CASH_BACK
                | Code.ROUND_UP_MATCH
                | Code.PRIVILEGE
                | Code.PASS
                | Code.ADJUSTMENT
                | Code.DISPUTE
                | Code.DEFAULT_LOSS
            ):
                return sponsor(FUNDED), counterparty(CLAIMED)
            case Code.STAMP:
                return sponsor(STAMPED), (4, HELD)
            case Code.STAMP_REVERSAL:
                return (4, HELD), sponsor(STAMPED)
            case Code.ROUND_UP:
                return sponsor(ROUNDED), (4, HELD)
            case Code.PURCHASE:
                raise AssertionError("purchases are counted, not posted")
            case code if code <= Code.UNFUNDED_REVERSAL:
                return self._of_points(what)
            case _:
                return counterparty(CLAIMED), sponsor(FUNDED)

    def _of_points(self, what: Movement) -> tuple[Side, Side]:
        lot = (4, PENDING if what.lot is not None and what.lot.release_on is not None else AVAILABLE)
        issued: Side = (0, self._of(what.sponsor, ISSUED, what.unit))
        match what.code:
            case Code.ACCRUAL | Code.UNFUNDED:
                return issued, lot
            case Code.RELEASE:
                return (4, PENDING), (4, AVAILABLE)
            case Code.REDEMPTION:
                return ((4, HELD) if what.held else lot), (0, self._of(what.counterparty, REDEEMED, what.unit))
            case Code.REPAYMENT:
                return lot, (4, OWED)
            case Code.RETURN_UNSPENT | Code.UNFUNDED_REVERSAL:
                return lot, issued
            case Code.RETURN_SPENT:
                return ((4, OWED) if what.held else (0, self._of(what.counterparty, BORNE, what.unit))), issued
            case Code.REDEMPTION_REVERSAL:
                return (0, self._of(what.counterparty, REDEEMED, what.unit)), lot
            case Code.EXPIRY:
                return lot, (0, self._of(what.sponsor, UNUSED, what.unit))
            case Code.HOLD:
                return lot, (4, HELD)
            case Code.HOLD_RELEASE:
                return (4, HELD), lot
            case Code.RETURN_SPENT_REVERSAL:
                return issued, (0, self._of(what.counterparty, BORNE, what.unit))
            case _:
                raise AssertionError(f"{what.code} moves no points")
