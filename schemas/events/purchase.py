"""``purchase.v1``: what was bought, and how it was paid."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from schemas.events.envelope import Envelope
from schemas.events.fields import LINES_MAX, AmountMinor, Card, Currency, Data, LineNumber, MechanicName, Name, Problem, Quantity, repeated_line

ONE = Decimal(1)


class NamedDiscount(Data):
    """A discount that the seller gave on a line, and the mechanic that it belongs to."""

    mechanic: MechanicName = Field(description="Id of the mechanic.")
    amount_minor: AmountMinor = Field(description="What was taken off, in minor units.")


class PurchaseLine(Data):
    """One line of the receipt."""

    line: LineNumber = Field(description="Number of the line, unique in the purchase.")
    sku: Name | None = Field(None, description="Article.")
    category: Name | None = Field(None, description="Category, from wide to narrow: grocery/soft-drinks.")
    quantity: Quantity = Field(ONE, description="Units, as decimal text above zero.")
    amount_minor: AmountMinor = Field(description="What was paid for the line, after discounts, in minor units.")
    discounts: list[NamedDiscount] | None = Field(None, max_length=100, description="Discounts given at the till.")


class Tender(Data):
    """A part of the payment."""

    kind: Literal["cash", "payment_card", "gift_card", "points", "pass", "trade_in", "other"] = Field(description="How it was paid.")
    card_token: Card | None = Field(None, description="Token of the payment card, never its number.")
    amount_minor: AmountMinor = Field(description="What was paid this way, in minor units.")


class Purchase(Data):
    """A sale to a member."""

    store: Name = Field(description="Store.")
    terminal: Name | None = Field(None, description="Till.")
    receipt: Name = Field(description="Receipt.")
    card: Card = Field(description="The member's card.")
    channel: Name | None = Field(None, description="Channel, such as store or web.")
    currency: Currency = Field(description="Currency of all amounts.")
    total_minor: AmountMinor = Field(description="What was paid; lines add up to it, and so do tenders.")
    lines: Annotated[list[PurchaseLine], Field(min_length=1, max_length=LINES_MAX)] = Field(description="Lines of the receipt.")
    tenders: list[Tender] | None = Field(None, max_length=100, description="How it was paid; may be left out.")

    def keys_read(self) -> int:
        keys = len(self.__pydantic_fields_set__)
        for line in self.lines:
            keys += len(line.__pydantic_fields_set__)
            if line.discounts:
                for discount in line.discounts:
                    keys += len(discount.__pydantic_fields_set__)
        if self.tenders:
            for tender in self.tenders:
                keys += len(tender.__pydantic_fields_set__)
        return keys

    def problem(self) -> Problem | None:
        last = -1
        for line in self.lines:
            if line.line <= last:
                return repeated_line(line.line for line in self.lines)
            last = line.line
        return None


class PurchaseEvent(Envelope):
    """A purchase in its envelope."""

    type: Literal["purchase.v1"] = Field(description="A sale to a member.")
    data: Purchase = Field(description="What was bought.")
