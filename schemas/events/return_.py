"""``return.v1`` and ``price-adjustment.v1``: goods or money that come back."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.events.envelope import Envelope
from schemas.events.fields import LINES_MAX, AmountMinor, Currency, Data, Id, LineNumber, Name, Problem, Quantity, Source, repeated_line


class ReturnLine(Data):
    """What comes back of one line of the original purchase."""

    line: LineNumber = Field(description="Number of the line in the original purchase.")
    quantity: Quantity | None = Field(None, description="Units that come back, as decimal text; left out: only the amount counts.")
    amount_minor: AmountMinor = Field(description="What is paid back, in minor units.")


class Return(Data):
    """Goods that come back."""

    original_id: Id = Field(description="Id of the purchase.")
    original_source: Source | None = Field(None, description="Source of the purchase, where it is another.")
    store: Name = Field(description="Store.")
    receipt: Name = Field(description="Receipt of the return.")
    currency: Currency = Field(description="Currency of all amounts.")
    total_minor: AmountMinor = Field(description="What is paid back; the lines add up to it.")
    lines: Annotated[list[ReturnLine], Field(min_length=1, max_length=LINES_MAX)] = Field(description="Lines that come back.")

    def keys_read(self) -> int:
        return len(self.__pydantic_fields_set__) + sum(len(line.__pydantic_fields_set__) for line in self.lines)

    def problem(self) -> Problem | None:
        return repeated_line(line.line for line in self.lines)


class ReturnEvent(Envelope):
    """A return in its envelope; the subject may be another card of the same member."""

    type: Literal["return.v1"] = Field(description="Goods that come back.")
    data: Return = Field(description="What comes back.")


class AdjustedLine(Data):
    """Money paid back on a line."""

    line: LineNumber = Field(description="Number of the line in the original purchase.")
    amount_minor: AmountMinor = Field(description="What is paid back, in minor units.")


class PriceAdjustment(Data):
    """Money paid back, the goods kept."""

    original_id: Id = Field(description="Id of the purchase.")
    currency: Currency = Field(description="Currency of all amounts.")
    lines: Annotated[list[AdjustedLine], Field(min_length=1, max_length=LINES_MAX)] = Field(description="Lines on which money is paid back.")

    def keys_read(self) -> int:
        return len(self.__pydantic_fields_set__) + sum(len(line.__pydantic_fields_set__) for line in self.lines)

    def problem(self) -> Problem | None:
        return repeated_line(line.line for line in self.lines)


class PriceAdjustmentEvent(Envelope):
    """A price adjustment in its envelope."""

    type: Literal["price-adjustment.v1"] = Field(description="Money paid back, the goods kept.")
    data: PriceAdjustment = Field(description="What is paid back.")
