"""Accounts of the journal and which two of them a transfer moves value between.

An account is a number. Members: member number × 4 + 0 available, 1 pending, 2 held, 3 owed; so every member has four.
Parties and units: below zero, by party number, role and unit. The view of names is `name_of`.
"""

from clearing.entries import Code
from schemas.ids import MemberNo, PartyId
from services.journal.names import Names

AVAILABLE, PENDING, HELD, OWED = range(4)
ISSUED, REDEEMED, BORNE, UNUSED, FUNDED, CLAIMED, STAMPED = range(1, 8)
"""Roles of a party's accounts: points issued, redeemed at it, borne by it, expired; amounts it funds, amounts it claims; stamps."""
ROLE_NAMES = ("", "issued", "redeemed", "borne", "unused", "funded", "claimed", "stamped")
MEMBER_NAMES = ("available", "pending", "held", "owed")

_ROLES = 16
_UNITS = 256


def member_account(member: MemberNo, part: int) -> int:
    """Number of one of a member's four accounts of points."""
    return member * 4 + part


def party_account(party: int, role: int, unit: int) -> int:
    """Number of a party's account in one role and unit."""
    return -((party * _ROLES + role) * _UNITS + unit)


class Accounts:
    """The two sides of every kind of transfer."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._party: dict[tuple[PartyId, int, str], int] = {}

    def _of(self, party: PartyId | None, role: int, unit: str) -> int:
        assert party is not None, "this code names a counterparty"
        key = (party, role, unit)
        number = self._party.get(key)
        if number is None:
            no = self.names.party[party]
            assert no is not None
            number = self._party[key] = party_account(no, role, self.names.unit[unit])
        return number

    def of(self, code: Code, member: MemberNo | None, sponsor: PartyId, counterparty: PartyId | None, unit: str, pending: bool, held: bool) -> tuple[int, int]:
        """Debited and credited account of a transfer, as the codes define them."""
        assert member is not None
        lot = member * 4 + (PENDING if pending else AVAILABLE)
        if code == Code.ACCRUAL:
            return self._of(sponsor, ISSUED, unit), lot
        match code:
            case Code.RELEASE:
                return member * 4 + PENDING, member * 4 + AVAILABLE
            case Code.REDEMPTION:
                return (member * 4 + HELD if held else lot), self._of(counterparty, REDEEMED, unit)
            case Code.REPAYMENT:
                return lot, member * 4 + OWED
            case Code.RETURN_UNSPENT:
                return lot, self._of(sponsor, ISSUED, unit)
            case Code.RETURN_SPENT:
                return (member * 4 + OWED if held else self._of(counterparty, BORNE, unit)), self._of(sponsor, ISSUED, unit)
            case Code.REDEMPTION_REVERSAL:
                return self._of(counterparty, REDEEMED, unit), lot
            case Code.EXPIRY:
                return lot, self._of(sponsor, UNUSED, unit)
            case Code.HOLD:
                return lot, member * 4 + HELD
            case Code.HOLD_RELEASE:
                return member * 4 + HELD, lot
            case Code.STAMP:
                return self._of(sponsor, STAMPED, unit), member * 4 + HELD
            case Code.STAMP_REVERSAL:
                return member * 4 + HELD, self._of(sponsor, STAMPED, unit)
            case Code.DISCOUNT | Code.REWARD | Code.CASH_BACK | Code.ROUND_UP_MATCH | Code.PRIVILEGE | Code.PASS:
                return self._of(sponsor, FUNDED, unit), self._of(counterparty, CLAIMED, unit)
            case Code.PURCHASE:
                raise AssertionError("purchases are counted, not posted")
            case _:
                return self._of(counterparty, CLAIMED, unit), self._of(sponsor, FUNDED, unit)
