"""What two people sign about a dispute, a default, and funds. Pure: facts are handed in, what was signed too.

A dispute: who opens it signs what is disputed; another person signs what becomes of it, and names by its hash what was opened. A default: one proposes who has
not paid and who bears it, another decides exactly that. Funds: one proposes what was paid in, or is paid out, another decides exactly that. Each signs with a
key of their own; the documents bind every figure that is booked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from clearing.decisions import Says
from clearing.default_loss import Borne, Unpaid
from clearing.disputes import DisputeState
from clearing.seal import canonical

DISPUTE: Final = b"clh dispute signature v1\n"
DEFAULT: Final = b"clh default signature v1\n"
FUNDS: Final = b"clh funding signature v1\n"
"""What stands before what is signed, so that no signature made for anything else can be taken for one of these."""


@dataclass(frozen=True, slots=True)
class Disputed:
    """What is disputed: a line as it was when the dispute was opened, and how much of it, in minor units of its currency."""

    programme: str
    window: date
    run: int
    line: int
    kind: str
    detail: str | None
    debtor: str
    creditor: str
    currency: str
    line_minor: int
    amount_minor: int
    withheld: bool
    decide_by: date
    reason: str

    def told(self) -> dict[str, Any]:
        """By name, as it stands in both documents."""
        return {
            "programme": self.programme, "window": self.window.isoformat(), "run": self.run, "line": self.line, "kind": self.kind, "detail": self.detail,
            "debtor": self.debtor, "creditor": self.creditor, "currency": self.currency, "line_minor": self.line_minor, "amount_minor": self.amount_minor,
            "withheld": self.withheld, "decide_by": self.decide_by.isoformat(), "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opening:
    """What a person signs who opens a dispute."""

    disputed: Disputed
    person: str
    at: datetime

    def document(self) -> str:
        """JSON with sorted keys and without spaces, the moment in UTC."""
        return _document(self.disputed.told() | {"action": Says.PROPOSE.value, "person": self.person}, self.at)

    def signed(self) -> bytes:
        """The bytes that are signed."""
        return dispute_bytes(self.document())


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a second person signs who decides a dispute. `opening`: the hash of what was signed when it was opened; None where nobody signed that."""

    dispute: int
    disputed: Disputed
    outcome: DisputeState
    note: str
    person: str
    at: datetime
    opening: str | None

    def document(self) -> str:
        """JSON with sorted keys and without spaces, the moment in UTC."""
        said = {"action": Says.DECIDE.value, "dispute": self.dispute, "outcome": self.outcome.value, "note": self.note, "person": self.person}
        return _document(self.disputed.told() | said | {"opening": self.opening}, self.at)

    def signed(self) -> bytes:
        """The bytes that are signed."""
        return dispute_bytes(self.document())


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a person signs who proposes or decides a default: of which run and report, who has not paid how much, and who bears it.

    `proposal`: of a decision, the hash of the document that it agrees to.
    """

    programme: str
    window: date
    run: int
    report_sha256: str
    says: Says
    unpaid: tuple[Unpaid, ...]
    borne: tuple[Borne, ...]
    person: str
    at: datetime
    proposal: str | None = None

    def document(self) -> str:
        """JSON with sorted keys and without spaces, the moment in UTC."""
        told = {
            "programme": self.programme, "window": self.window.isoformat(), "run": self.run, "report_sha256": self.report_sha256, "action": self.says.value,
            "unpaid": unpaid_as_told(self.unpaid), "borne": borne_as_told(self.borne),
            "person": self.person, "proposal": self.proposal,
        }  # fmt: skip
        return _document(told, self.at)

    def signed(self) -> bytes:
        """The bytes that are signed."""
        return default_bytes(self.document())


@dataclass(frozen=True, slots=True)
class FundsSaid:
    """What a person signs who proposes or decides that funds are paid in or out: `amount_minor` above zero, in minor units of `currency`.

    `proposal`: of a decision, the hash of the document that it agrees to.
    """

    programme: str
    party: str
    currency: str
    amount_minor: int
    kind: str
    reference: str
    says: Says
    person: str
    at: datetime
    proposal: str | None = None

    def document(self) -> str:
        """JSON with sorted keys and without spaces, the moment in UTC."""
        told = {
            "programme": self.programme, "party": self.party, "currency": self.currency, "amount_minor": self.amount_minor, "kind": self.kind,
            "reference": self.reference, "action": self.says.value, "person": self.person, "proposal": self.proposal,
        }  # fmt: skip
        return _document(told, self.at)

    def signed(self) -> bytes:
        """The bytes that are signed."""
        return funds_bytes(self.document())


def unpaid_as_told(unpaid: Iterable[Unpaid]) -> list[list[str | int]]:
    """Who has not paid how much, and what of it their own funds cover, as it stands in the document."""
    return sorted([one.party, one.currency, one.amount_minor, one.used_minor] for one in unpaid)


def borne_as_told(borne: Iterable[Borne]) -> list[list[str | int]]:
    """Who bears what for whom, as it stands in the document."""
    return sorted([one.code.name.lower(), one.bearer, one.defaulter, one.currency, one.amount_minor] for one in borne)


def dispute_bytes(document: str) -> bytes:
    """The bytes that are signed of a document about a dispute."""
    return DISPUTE + document.encode()


def default_bytes(document: str) -> bytes:
    """The bytes that are signed of a document about a default."""
    return DEFAULT + document.encode()


def funds_bytes(document: str) -> bytes:
    """The bytes that are signed of a document about funds."""
    return FUNDS + document.encode()


def _document(told: dict[str, Any], at: datetime) -> str:
    return canonical(told | {"at": at.astimezone(UTC).isoformat(timespec="microseconds")}).decode()
