"""Parties of a programme and their contracts: roles, prices, fees, tax, limits.

A contract version of a party is known by its first day, ``from``; the event date picks the version (rule 1).
"""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.document import Currency, Day, Document, PartyRef, Percent, Price, Share, Sum, Word

OperatorModel = Literal["independent", "anchor", "hybrid"]


class Account(Document):
    """The bank account that a party pays from and is paid to."""

    iban: str = Field(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$", description="International bank account number, without spaces.")


class Party(Document):
    """Somebody who owes or is owed: the operator, a merchant, a bank."""

    id: PartyRef = Field(description="Id of the party, unique in the house.")
    kind: Literal["operator", "merchant", "bank"] = Field(description="What the party is in the programme.")
    name: Word = Field(description="Name as it stands on statements.")
    category: Word | None = Field(None, description="Trade of the party, such as grocery.")
    regions: tuple[Word, ...] = Field((), description="Countries or regions in which the party sells.")
    account: Account | None = Field(None, description="Bank account for payments.")


class PointPrice(Document):
    """Price of one point."""

    price: Price = Field(description="Exact price of one point, as decimal text.")
    currency: Currency = Field(description="Currency of the price.")


class _AmountFee(Document):
    amount: Price = Field(description="Amount of the fee, as decimal text.")
    currency: Currency = Field(description="Currency of the fee.")


class PerTransactionFee(_AmountFee):
    """For each accepted purchase that the party sent (rule 21)."""

    kind: Literal["per_transaction"] = Field(description="A fee for each accepted purchase.")


class PercentOfIssueFee(Document):
    """Of the exact sum of the party's issue lines less their reversals (rule 21)."""

    kind: Literal["percent_of_issue"] = Field(description="A fee in percent of what the party pays for points.")
    percent: Percent = Field(description="Per hundred, as decimal text.")


class PercentOfRedemptionFee(Document):
    """Of the exact sum of the party's redemption lines less their reversals, as redeeming partner (rule 21)."""

    kind: Literal["percent_of_redemption"] = Field(description="A fee in percent of what the party gets for points.")
    percent: Percent = Field(description="Per hundred, as decimal text.")


class MonthlyFee(_AmountFee):
    """Once a month, in the window of the month's last day (rule 21)."""

    kind: Literal["monthly"] = Field(description="A fee for each month.")


class MonthlyMinimumFee(_AmountFee):
    """What the party's other fees of the month fall short of (rule 21)."""

    kind: Literal["monthly_minimum"] = Field(description="The least that a month's fees come to.")


Fee = Annotated[
    PerTransactionFee | PercentOfIssueFee | PercentOfRedemptionFee | MonthlyFee | MonthlyMinimumFee,
    Field(discriminator="kind"),
]


class Vat(Document):
    """Tax on the rounded lines it applies to (rule 22)."""

    percent: Percent = Field(description="Per hundred, as decimal text.")
    applies_to: tuple[Literal["fees", "issue", "redemption"], ...] = Field(
        min_length=1, description="The lines that bear the tax: any of fees, issue, redemption."
    )


class DebitLimit(Document):
    """How far a party may be in debt before its points are no longer funded."""

    net_debit_cap: Sum | None = Field(None, description="Largest net debt over windows not yet settled; left out: none beyond what is prefunded.")
    prefunded: Sum = Field(Decimal(0), description="Money paid in beforehand.")
    currency: Currency = Field(description="Currency of the limit.")


class Contract(Document):
    """One version of a party's contract, from its first day to its last."""

    party: PartyRef = Field(description="The party whose contract it is.")
    valid_from: Day = Field(alias="from", description="First day, in the programme's time zone; names the version.")
    valid_to: Day | None = Field(None, alias="to", description="Last day; left out while the version goes on.")
    roles: tuple[Literal["issuer", "redeemer"], ...] = Field(description="What the party may do: issuer, redeemer.")
    issue: PointPrice | None = Field(None, description="What the sponsor pays for a point.")
    redeem: PointPrice | None = Field(None, description="What the redeeming partner gets for a point.")
    due_at_issue: Share | None = Field(
        None,
        description="Share of the issue price due at issue: 1 in the independent model, 0 in the anchor model "
        "(both may be left out), named in the hybrid model.",
    )
    fees: tuple[Fee, ...] = Field((), description="What the party pays the operator (rule 21).")
    vat: Vat | None = Field(None, description="Tax on the party's lines (rule 22).")
    unused_points_share: Share = Field(Decimal(0), description="Share of the issue price that comes back when the party's points expire (rule 20).")
    limit: DebitLimit | None = Field(None, description="Limit of the party's debt: points over it wait until they are funded.")
    settlement: Literal["daily", "weekly", "monthly"] = Field(
        "daily", description="When the party's position is paid: daily, in Sunday's window, on the month's last day."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("the last day (to) lies before the first (from)")
        if "issuer" in self.roles and self.issue is None:
            raise ValueError("an issuer needs an issue price (issue)")
        if len(set(self.roles)) < len(self.roles):
            raise ValueError("a role is named twice")
        kinds = [fee.kind for fee in self.fees]
        if len(set(kinds)) < len(kinds):
            raise ValueError("a kind of fee is named twice")
        return self

    def share_due_at_issue(self, model: OperatorModel) -> Decimal:
        """Share of the issue price that is due at issue, filled in where the model leaves no choice."""
        if self.due_at_issue is not None:
            return self.due_at_issue
        return Decimal(1) if model == "independent" else Decimal(0)
