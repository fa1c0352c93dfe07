"""The programme file as the night reads it: who operates, under which model, and which contract version of whom says what (rule 1)."""

from datetime import date
from decimal import Decimal

from clearing.errors import ClearingError
from schemas.contracts import Contract, OperatorModel, PointPrice
from schemas.ids import PartyId
from schemas.programme import ProgrammeFile


class MissingTermsError(ClearingError):
    """Something was booked under a contract version, or at a price, that the programme file does not have."""

    def __init__(self, party: PartyId | None, valid_from: date | None, missing: str) -> None:
        super().__init__(f"{missing} of {party} from {valid_from} is not in the programme file")
        self.party = party
        self.valid_from = valid_from
        self.missing = missing


class Terms:
    """What one programme file says about money."""

    def __init__(self, file: ProgrammeFile) -> None:
        self.operator: PartyId = file.programme.operator.party
        self.model: OperatorModel = file.programme.operator.model
        self._by_version: dict[tuple[PartyId, date], Contract] = {}
        self._by_party: dict[PartyId, list[Contract]] = {}
        for contract in sorted(file.contracts, key=lambda contract: contract.valid_from, reverse=True):
            self._by_version[contract.party, contract.valid_from] = contract
            self._by_party.setdefault(contract.party, []).append(contract)

    def version(self, party: PartyId | None, valid_from: date | None) -> Contract:
        """The version of `party` that begins on `valid_from`, in force or ended. Raises MissingTermsError where there is none."""
        if party is not None and valid_from is not None:
            contract = self._by_version.get((party, valid_from))
            if contract is not None:
                return contract
        raise MissingTermsError(party, valid_from, "the contract version")

    def in_force(self, party: PartyId, day: date) -> Contract | None:
        """Of that party the version with the latest `from` on or before `day`, if its `to` has not passed (rule 1)."""
        for contract in self._by_party.get(party, ()):
            if contract.valid_from <= day:
                return contract if contract.valid_to is None or day <= contract.valid_to else None
        return None

    def last_day(self, party: PartyId) -> date | None:
        """The last day of a party's last contract version; None where that has no end, or the party has no contract at all."""
        versions = self._by_party.get(party)
        return versions[0].valid_to if versions else None

    def all_in_force(self, day: date) -> list[Contract]:
        """Of every party the version in force on `day`, by party."""
        return [contract for party in sorted(self._by_party) if (contract := self.in_force(party, day)) is not None]

    def due_at_issue(self, contract: Contract) -> Decimal:
        """Share of the issue price that is due at issue: 1 in the independent model, 0 in the anchor model, named in the hybrid."""
        return contract.share_due_at_issue(self.model)


def issue_price(contract: Contract) -> PointPrice:
    """What the sponsor pays for a point. Raises MissingTermsError where the version names no such price."""
    if contract.issue is None:
        raise MissingTermsError(contract.party, contract.valid_from, "the issue price")
    return contract.issue


def redeem_price(contract: Contract) -> PointPrice:
    """What the redeeming partner gets for a point. Raises MissingTermsError where the version names no such price."""
    if contract.redeem is None:
        raise MissingTermsError(contract.party, contract.valid_from, "the redeem price")
    return contract.redeem
