"""The settlement report: the canonical content of one clearing run, which people approve by its hash.

It holds content, no clock times and no run ids: an undisturbed and a disturbed run have the same bytes. It names
the hash of the run before it, since carried positions come from there. All amounts are whole minor units.
"""

from typing import Annotated

from pydantic import Field

from schemas.canonical import canonical_json, sha256_hex
from schemas.document import Currency, Day, Document, ExactPrice, PartyRef, ProgrammeRef
from schemas.events.answers import RejectionCode
from schemas.scenario_report import LineKind, ScenarioReport

__all__ = [
    "BilateralAmount",
    "BorneLoss",
    "CarriedPosition",
    "CheckResult",
    "DefaultedRun",
    "LineKind",
    "PaymentLine",
    "PointsFigures",
    "PointsOfSponsor",
    "Position",
    "RejectionCount",
    "ReportCurrency",
    "ReportLine",
    "ScenarioReport",
    "SenderCounts",
    "SettlementReport",
    "UnpaidAmount",
    "canonical_json",
    "sha256_hex",
]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Tally = Annotated[int, Field(strict=True, ge=0)]
AmountAbove = Annotated[int, Field(strict=True, gt=0)]
Signed = Annotated[int, Field(strict=True)]


class ReportCurrency(Document):
    """A currency of the run."""

    code: Currency = Field(description="ISO 4217 code.")
    places: Tally = Field(description="Decimal places: how many digits of minor units stand behind the point.")


class Position(Document):
    """What a party gets less what it owes in the window."""

    currency: Currency = Field(description="Currency.")
    party: PartyRef = Field(description="Party.")
    receives_minor: Tally = Field(description="Sum of the lines in which it is creditor.")
    owes_minor: Tally = Field(description="Sum of the lines in which it is debtor.")
    net_minor: Signed = Field(description="receives_minor - owes_minor; positive is paid to it.")


class ReportLine(Document):
    """An obligation: quantity times unit price, rounded once, half-even."""

    kind: LineKind = Field(description="Kind of line.")
    detail: str | None = Field(description="Kind of fee, else null.")
    debtor: PartyRef = Field(description="Who owes.")
    creditor: PartyRef = Field(description="To whom.")
    currency: Currency = Field(description="Currency.")
    contract: Day | None = Field(description="First day of the contract version; null for sums.")
    quantity: Signed | None = Field(description="Quantity; null for sums and percentages.")
    unit_price: ExactPrice | None = Field(description="Exact price of a unit; null for sums and percentages.")
    amount_minor: Tally = Field(description="Amount in minor units; zero where a line rounds to nothing.")
    events: Tally | None = Field(description="Events behind the line; null where it has none.")


class BilateralAmount(Document):
    """What one party owes another in the window, all lines together."""

    currency: Currency = Field(description="Currency.")
    debtor: PartyRef = Field(description="Who owes.")
    creditor: PartyRef = Field(description="To whom.")
    amount_minor: Tally = Field(description="Amount in minor units.")


class PaymentLine(Document):
    """A payment."""

    currency: Currency = Field(description="Currency.")
    payer: PartyRef = Field(alias="from", description="Who pays.")
    payee: PartyRef = Field(alias="to", description="To whom.")
    amount_minor: AmountAbove = Field(description="Amount in minor units.")


class UnpaidAmount(Document):
    """What a party had not paid at its deadline."""

    currency: Currency = Field(description="Currency.")
    party: PartyRef = Field(description="Who had not paid.")
    amount_minor: AmountAbove = Field(description="What was missing, in minor units.")
    funds_minor: Tally = Field(description="What of it the party's own funds covered.")


class BorneLoss(Document):
    """A share of what a defaulter's funds did not cover."""

    currency: Currency = Field(description="Currency.")
    bearer: PartyRef = Field(description="Who bears it.")
    defaulter: PartyRef = Field(description="Who had not paid.")
    amount_minor: AmountAbove = Field(description="Amount in minor units.")


class DefaultedRun(Document):
    """An earlier run of the window that was with the bank when a party defaulted: what it had settled stays, and this run pays the differences."""

    sha256: Sha256 = Field(description="Hash of its report.")
    paid: tuple[PaymentLine, ...] = Field(description="What counted as paid under it at the default, by currency, payer, payee.")
    unpaid: tuple[UnpaidAmount, ...] = Field(description="What was missing, by currency and party.")
    borne: tuple[BorneLoss, ...] = Field(description="Who bears what funds did not cover, by currency, defaulter and bearer.")


class CarriedPosition(Document):
    """A position that is carried forward to the next window."""

    currency: Currency = Field(description="Currency.")
    party: PartyRef = Field(description="Party.")
    amount_minor: Signed = Field(description="Position with what was carried to it; positive is owed to the party.")
    since: Day = Field(description="First window after which it was carried, without a break since.")


class CheckResult(Document):
    """Whether a check holds, and the figures it compared."""

    name: str = Field(min_length=1, description="Name of the check.")
    ok: bool = Field(description="Whether it holds.")
    figures: dict[str, str | Signed] = Field(description="What was compared.")


class SenderCounts(Document):
    """What became of the events of one sender; what was sent twice is counted once."""

    source: str = Field(description="Source; empty where it could not be read or is not proven.")
    accepted: Tally = Field(description="Accepted.")
    rejected: Tally = Field(description="Rejected.")
    held: Tally = Field(description="Held, in the window in which they were received.")


class RejectionCount(Document):
    """How many events of a sender were refused for one reason."""

    source: str = Field(description="Source; empty where it could not be read or is not proven.")
    code: RejectionCode = Field(description="Why.")
    events: AmountAbove = Field(description="How many.")


class PointsOfSponsor(Document):
    """Points of one sponsor in the window, and what is outstanding after it."""

    sponsor: PartyRef = Field(description="Sponsor.")
    issued: Tally = Field(description="Given.")
    redeemed: Signed = Field(description="Spent, less redemptions taken back.")
    expired: Tally = Field(description="Expired.")
    returned: Tally = Field(description="Taken back by returns, whoever bore them.")
    outstanding: Signed = Field(description="Available and pending after the window, less what members owe.")


class PointsFigures(Document):
    """Points of the window, all sponsors together and each."""

    issued: Tally = Field(description="Given.")
    redeemed: Signed = Field(description="Spent, less redemptions taken back.")
    expired: Tally = Field(description="Expired.")
    returned: Tally = Field(description="Taken back by returns, whoever bore them.")
    outstanding: Signed = Field(description="Available and pending after the window, less what members owe.")
    by_sponsor: tuple[PointsOfSponsor, ...] = Field(description="By sponsor.")


class SettlementReport(Document):
    """One run of the clearing for one window."""

    format: Annotated[int, Field(strict=True, ge=1, le=1)] = Field(1, description="Version of this format.")
    programme: ProgrammeRef = Field(description="Programme.")
    window: Day = Field(description="Business day of the window.")
    previous_sha256: Sha256 | None = Field(description="Hash of the run before it; null for the first.")
    operator: PartyRef = Field(description="The operator's party.")
    netting: str = Field(description="multilateral, bilateral or gross.")
    currencies: tuple[ReportCurrency, ...] = Field(description="Currencies of the programme.")
    positions: tuple[Position, ...] = Field(description="By currency and party; parties without lines are left out.")
    obligations: tuple[ReportLine, ...] = Field(description="Sorted by kind, detail, debtor, creditor, currency, unit price, contract.")
    matrix: tuple[BilateralAmount, ...] = Field(description="By currency, debtor and creditor.")
    payments: tuple[PaymentLine, ...] = Field(description="By currency, payer, payee.")
    carried: tuple[CarriedPosition, ...] = Field(description="By currency and party.")
    checks: tuple[CheckResult, ...] = Field(description="In the order in which they are made.")
    senders: tuple[SenderCounts, ...] = Field(description="By source.")
    rejections: tuple[RejectionCount, ...] = Field(description="By source and code.")
    points: PointsFigures = Field(description="Points of the window.")
    after_default: tuple[DefaultedRun, ...] = Field(
        (), description="Earlier runs of the window that defaulted, oldest first; not there without a default.", exclude_if=lambda runs: not runs
    )

    def paid_before(self) -> list[PaymentLine]:
        """What earlier runs of the window had paid when they defaulted: paid for the window beside `payments`."""
        return [line for run in self.after_default for line in run.paid]

    def canonical(self) -> bytes:
        """The bytes whose hash is approved."""
        return canonical_json(self)

    def sha256(self) -> str:
        """Hash of the canonical bytes."""
        return sha256_hex(self.canonical())
