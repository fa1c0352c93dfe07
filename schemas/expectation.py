"""What a scenario expects: any part of its report; only what is named is compared.

``model_dump(exclude_unset=True, by_alias=True)`` gives back just the keys that were named.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from schemas.document import Day, Document, Flag

_FIGURE = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,12})?", re.ASCII)


def _read_figure(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and _FIGURE.fullmatch(value):
        return Decimal(value)
    raise ValueError('must be decimal text in quotes, such as "-0.54"')


Figure = Annotated[
    Decimal,
    BeforeValidator(_read_figure),
    PlainSerializer(lambda figure: format(figure, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]{1,20}(\.[0-9]{1,12})?$"}),
]
"""A sum or price as decimal text, with a minus where it is negative; compared as a number."""
Whole = Annotated[int, Field(strict=True)]
ByParty = dict[str, Figure]
ByWindow = dict[Day, dict[str, ByParty]]


class ExpectedBalance(Document):
    """A member's points after the last window."""

    available: Whole | None = Field(None, description="Points that can be spent, less what is owed.")
    pending: Whole | None = Field(None, description="Points that cannot be spent yet.")


class ExpectedEffect(Document):
    """What an event brought."""

    mechanic: str | None = Field(None, description="Id of the mechanic; null for redemptions.")
    kind: str | None = Field(None, description="What it brought.")
    points: Whole | None = Field(None, description="Points.")
    amount: Figure | None = Field(None, description="Amount, decimal text.")
    count: Whole | None = Field(None, description="Stamps, entries.")
    tier: str | None = Field(None, description="Tier.")
    gift: str | None = Field(None, description="Gift.")
    sponsor: str | None = Field(None, description="Who pays for it.")


class ExpectedEvent(Document):
    """What became of an event."""

    outcome: Literal["accepted", "held"] | None = Field(None, description="accepted or held.")
    window: Day | None = Field(None, description="Window in which it took effect.")
    effects: tuple[ExpectedEffect, ...] | None = Field(None, description="What it brought, in any order.")


class ExpectedObligation(Document):
    """A line of who owes whom."""

    window: Day | None = Field(None, description="Window.")
    kind: str | None = Field(None, description="Kind of line.")
    debtor: str | None = Field(None, description="Who owes.")
    creditor: str | None = Field(None, description="To whom.")
    detail: str | None = Field(None, description="Kind of fee, else null.")
    currency: str | None = Field(None, description="Currency.")
    quantity: Whole | None = Field(None, description="Quantity; null for sums and percentages.")
    unit_price: Figure | None = Field(None, description="Exact price of a unit; null for sums and percentages.")
    amount: Figure | None = Field(None, description="Amount, decimal text.")
    events: Whole | None = Field(None, description="Events behind the line.")
    contract: Day | None = Field(None, description="First day of the contract version; null for sums.")


class ExpectedPayment(Document):
    """A payment."""

    window: Day | None = Field(None, description="Window.")
    currency: str | None = Field(None, description="Currency.")
    payer: str | None = Field(None, alias="from", description="Who pays.")
    payee: str | None = Field(None, alias="to", description="To whom.")
    amount: Figure | None = Field(None, description="Amount, decimal text.")


class ExpectedMember(Document):
    """What a member has beside points."""

    tier: str | None = Field(None, description="Tier.")
    stamps: dict[str, Whole] | None = Field(None, description="Stamps on the card now, by mechanic.")
    cash_back: dict[str, Figure] | None = Field(None, description="Cash-back so far, by mechanic.")
    saved: dict[str, Figure] | None = Field(None, description="Savings so far, by mechanic.")


class Expectation(Document):
    """Parts of the report."""

    balances: dict[str, ExpectedBalance] | None = Field(None, description="By member.")
    events: dict[str, ExpectedEvent] | None = Field(None, description="By event id.")
    rejected: dict[str, str] | None = Field(None, description="Code by event id; all of them.")
    obligations: tuple[ExpectedObligation, ...] | None = Field(None, description="All of them, in any order.")
    positions: ByWindow | None = Field(None, description="By window, currency and party.")
    payments: tuple[ExpectedPayment, ...] | None = Field(None, description="All of them, in any order.")
    carried: ByWindow | None = Field(None, description="By window, currency and party; all of them.")
    members: dict[str, ExpectedMember] | None = Field(None, description="By member.")
    checks: dict[str, Flag] | None = Field(None, description="By name.")

    def named(self) -> dict[str, Any]:
        """Just the parts and keys that were named, as plain values: days and figures as text."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
