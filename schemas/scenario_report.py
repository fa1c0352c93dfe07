"""The report of a scenario run (scenario.md). Money is decimal text with the currency's number of places."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from schemas.document import Day, Document
from schemas.events.answers import EffectKind, RejectionCode

MoneyText = Annotated[str, Field(pattern=r"^-?[0-9]+(?:\.[0-9]+)?$")]
"""Decimal text with the currency's places, such as "-0.54"."""
ByWindow = dict[Day, dict[str, dict[str, MoneyText]]]

LineKind = Literal[
    "issue",
    "issue_reversal",
    "redemption",
    "redemption_reversal",
    "fee",
    "vat",
    "unused_points",
    "discount_funding",
    "discount_funding_reversal",
    "cash_back",
    "cash_back_reversal",
    "round_up_match",
    "round_up_match_reversal",
    "reward",
    "reward_reversal",
    "privilege",
    "privilege_reversal",
    "pass",
    "pass_reversal",
    "alliance",
    "adjustment",
    "dispute",
    "default_loss",
]
"""Kinds of obligation."""


class _Sparse(Document):
    """Fields that are None are left out of the JSON, but for those that the contract shows as null."""

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        shown: dict[str, Any] = handler(self)
        required = {name for name, field in type(self).model_fields.items() if field.is_required()}
        return {name: value for name, value in shown.items() if value is not None or name in required}


class ReportBalance(_Sparse):
    """A member's points after the last window."""

    available: int = Field(description="Points that can be spent, less what is owed; may be negative.")
    pending: int = Field(description="Points that cannot be spent yet.")
    unfunded: int | None = Field(None, description="Points over their sponsor's limit, which wait to be funded; left out where there are none.")


class ReportEffect(_Sparse):
    """What one mechanic brought for one sponsor."""

    mechanic: str | None = Field(description="Id of the mechanic; null for redemptions.")
    kind: EffectKind = Field(description="What it brought.")
    points: int | None = Field(None, description="Points, negative when taken.")
    amount: MoneyText | None = Field(None, description="Amount, negative when taken back.")
    count: int | None = Field(None, description="Stamps, entries.")
    tier: str | None = Field(None, description="Tier.")
    gift: str | None = Field(None, description="Gift.")
    sponsor: str | None = Field(description="Who pays for it; null where nothing is owed.")


class ReportEvent(_Sparse):
    """What became of an accepted or held event."""

    outcome: Literal["accepted", "held"] = Field(description="accepted or held.")
    window: Day | None = Field(None, description="Window in which it took effect; left out while it is held.")
    effects: tuple[ReportEffect, ...] = Field((), description="What it brought, in the order of the file.")


class ReportObligation(Document):
    """A line of who owes whom."""

    window: Day = Field(description="Window.")
    kind: LineKind = Field(description="Kind of line.")
    debtor: str = Field(description="Who owes.")
    creditor: str = Field(description="To whom.")
    detail: str | None = Field(description="Kind of fee, else null.")
    currency: str = Field(description="Currency.")
    quantity: int | None = Field(description="Quantity; null for sums and percentages.")
    unit_price: MoneyText | None = Field(description="Exact price of a unit; null for sums and percentages.")
    amount: MoneyText = Field(description="Amount.")
    events: int | None = Field(description="Events behind the line; null where it has none.")
    contract: Day | None = Field(description="First day of the contract version; null for sums.")


class ReportPayment(Document):
    """A payment."""

    window: Day = Field(description="Window.")
    currency: str = Field(description="Currency.")
    payer: str = Field(alias="from", description="Who pays.")
    payee: str = Field(alias="to", description="To whom.")
    amount: MoneyText = Field(description="Amount.")


class ReportMember(_Sparse):
    """What a member has beside points; zeros are left out."""

    tier: str | None = Field(None, description="Tier.")
    stamps: dict[str, int] | None = Field(None, description="Stamps on the card now, by mechanic.")
    cash_back: dict[str, MoneyText] | None = Field(None, description="Cash-back so far, by mechanic.")
    saved: dict[str, MoneyText] | None = Field(None, description="Savings so far, by mechanic.")
    visits: dict[str, int] | None = Field(None, description="Visits left on passes that have not ended, by mechanic.")


class ScenarioReport(Document):
    """What a scenario brought about, and how it differs from what was expected."""

    scenario: str = Field(description="Name of the scenario.")
    passed: bool = Field(description="Whether all that was expected holds.")
    differences: tuple[str, ...] = Field(description="Each difference in a line.")
    balances: dict[str, ReportBalance] = Field(description="By member, after the last window.")
    events: dict[str, ReportEvent] = Field(description="By id, those accepted or held.")
    rejected: dict[str, RejectionCode] = Field(description="Code by event id.")
    obligations: tuple[ReportObligation, ...] = Field(description="Sorted by window, kind, detail, debtor, creditor, currency, unit price, contract.")
    positions: ByWindow = Field(description="By window, currency and party; the window's own obligations.")
    payments: tuple[ReportPayment, ...] = Field(description="Sorted by window, currency, payer, payee.")
    carried: ByWindow = Field(description="By window, currency and party, what is carried forward after it.")
    members: dict[str, ReportMember] = Field(description="Those with anything to show beside points.")
    checks: dict[str, bool] = Field(description="By name, whether it holds in every window.")

    def document(self) -> dict[str, Any]:
        """The report as plain values, in the order of its fields."""
        return self.model_dump(mode="json", by_alias=True)

    def as_json(self) -> str:
        """The report as one line of JSON."""
        return json.dumps(self.document(), ensure_ascii=False)
