"""What a scenario expects: any part of its report; only what is named is compared.

``model_dump(exclude_unset=True, by_alias=True)`` gives back just the keys that were named.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from schemas.document import Day, Document, Flag

_FIGURE = r"-?[0-9]{1,20}(?:\.[0-9]{1,40})?"
_WHOLE = r"-?[0-9]{1,20}(?:\.0{1,40})?"
_SHAPES = {pattern: re.compile(pattern, re.ASCII) for pattern in (_FIGURE, _WHOLE)}


def _read_number(value: object, shape: str, reason: str) -> Decimal:
    """A number, or one as text; one with a fraction that came as a number is exact as far as it was written with no more than 15 digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = Decimal(str(value))
    text = format(value, "f") if isinstance(value, Decimal) else value
    if isinstance(text, str) and _SHAPES[shape].fullmatch(text):
        return Decimal(text)
    raise ValueError(reason)


def _read_figure(value: object) -> Decimal:
    return _read_number(value, _FIGURE, 'must be a number, or decimal text such as "-0.54"')


def _read_whole(value: object) -> int:
    return int(_read_number(value, _WHOLE, "must be a whole number"))


Figure = Annotated[
    Decimal,
    BeforeValidator(_read_figure),
    PlainSerializer(lambda figure: format(figure, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": f"^{_FIGURE}$"}, {"type": "number"}]}),
]
"""A sum or price as decimal text or as a number, with a minus where it is negative; compared as a number."""
Whole = Annotated[int, BeforeValidator(_read_whole), WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^{_WHOLE}$"}]})]
"""A whole number, also as text; compared as a number."""
ByParty = dict[str, Figure]
ByWindow = dict[Day, dict[str, ByParty]]


class ExpectedBalance(Document):
    """A member's points after the last window."""

    available: Whole | None = Field(None, description="Points that can be spent, less what is owed.")
    pending: Whole | None = Field(None, description="Points that cannot be spent yet.")
    unfunded: Whole | None = Field(None, description="Points over their sponsor's limit, which wait to be funded; left out where there are none.")


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
    visits: dict[str, Whole] | None = Field(None, description="Visits left on passes that have not ended, by mechanic.")


class Expectation(Document):
    """Parts of the report; `passed` and `differences` are compared with what the other parts come to."""

    scenario: str | None = Field(None, description="Name of the scenario.")
    passed: Flag | None = Field(None, description="Whether all else that is expected holds.")
    differences: tuple[str, ...] | None = Field(None, description="Differences of all else that is expected, in any order.")
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
