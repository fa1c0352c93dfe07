"""The programme file: programme, parties, contracts, mechanics."""

import zoneinfo
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from schemas.contracts import Contract, OperatorModel, Party
from schemas.document import ClockTime, Count, Currency, Days, Document, PartyRef, ProgrammeRef, Sum, Word
from schemas.expiry import Expiry
from schemas.mechanics import Mechanic
from schemas.programme_checks import problems

__all__ = [
    "BankCalendar",
    "Contract",
    "DefaultRules",
    "Entry",
    "Expiry",
    "Mechanic",
    "Operator",
    "OperatorModel",
    "Party",
    "Points",
    "Programme",
    "ProgrammeFile",
]


def _known_timezone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone of the IANA database, such as Europe/Berlin") from None
    return name


class Operator(Document):
    """Who runs the programme, and how points are paid for."""

    party: PartyRef = Field(description="The operator's party.")
    model: OperatorModel = Field(
        description="independent: sponsors pay the operator at issue; anchor: sponsors pay redeeming partners when points are spent; hybrid: a share of each."
    )


class Points(Document):
    """The programme's point."""

    code: str = Field(pattern=r"^[A-Z0-9]{2,8}$", description="Short code of the point.")
    name: Word = Field(description="Name of the point.")
    decimals: Annotated[int, Field(strict=True, ge=0, le=0)] = Field(0, description="Always 0: points are whole.")


class Entry(Document):
    """How one becomes a member."""

    kind: Literal["open", "fee", "questionnaire", "invitation", "purchases"] = Field("open", description="What entry takes; all but open have no effect yet.")


class BankCalendar(Document):
    """On which days payments are made."""

    holidays: tuple[Word, ...] = Field((), description="Countries whose bank holidays count, by their two letters of ISO 3166.")
    value_date_days: Days = Field(0, description="Bank days from the window to the payment; 0: the first bank day from the window's day on.")


class DefaultRules(Document):
    """What happens when a party does not pay."""

    deadline_days: Days = Field(description="Bank days after the value date until which a party can pay.")
    loss: Literal["operator", "shared"] = Field(
        description="Who bears what its own funds do not cover: the operator, or the others in proportion to what it owes each."
    )


class Programme(Document):
    """The terms of a programme."""

    id: ProgrammeRef = Field(description="Id of the programme; its topics begin with it.")
    name: Word = Field(description="Name of the programme.")
    operator: Operator = Field(description="Who runs it, and how points are paid for.")
    timezone: Annotated[str, AfterValidator(_known_timezone)] = Field(description="Time zone of all its days.")
    cutoff: ClockTime = Field(description="Local time at which a window ends: the first such time at or after noon.")
    currencies: tuple[Currency, ...] = Field(min_length=1, description="Currencies it accepts; sums without a currency are in the first.")
    points: Points = Field(description="The programme's point.")
    entry: Entry = Field(Entry(), description="How one becomes a member.")
    accepts_events_up_to_days: Days = Field(60, description="Events older than so many days are refused (rule 2).")
    claim_days: Days = Field(30, description="How long an event of an unknown card is held.")
    expiry: Expiry = Field(description="When points expire (rule 8).")
    pending_days: Days = Field(0, description="Days after the event date until points can be spent (rule 9).")
    minimum_redemption: Count = Field(0, description="The fewest points that can be spent at once (rule 11).")
    spent_points_on_return: Literal["negative_balance", "partner", "operator"] = Field(
        description="Who bears points that were spent and whose purchase comes back (rule 14)."
    )
    netting: Literal["multilateral", "bilateral", "gross"] = Field(description="How positions are paid (rule 27).")
    minimum_settlement: dict[Currency, Sum] = Field({}, description="Positions smaller than this are carried forward (rule 28), by currency, decimal text.")
    maximum_carry_days: Days | None = Field(None, description="A position carried for so many days is paid, however small; left out: without end.")
    bank_calendar: BankCalendar = Field(BankCalendar(), description="On which days payments are made.")
    default: DefaultRules | None = Field(None, description="What happens when a party does not pay.")
    dispute_days: Days = Field(30, description="Days in which a dispute of a line is decided; what is not decided by then lapses, and the line stands.")

    def minimum_settlement_of(self, currency: str) -> Decimal:
        """The smallest position of a currency that is paid, zero where none is named."""
        return self.minimum_settlement.get(currency, Decimal(0))


class ProgrammeFile(Document):
    """A whole programme file."""

    programme: Programme = Field(description="The terms of the programme.")
    parties: tuple[Party, ...] = Field(min_length=1, description="All who owe or are owed.")
    contracts: tuple[Contract, ...] = Field((), description="Contract versions of the parties.")
    mechanics: tuple[Mechanic, ...] = Field((), description="What events bring, in the order in which it is applied.")

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        found = [
            InitErrorDetails(type=PydanticCustomError("programme", "{reason}", {"reason": reason}), loc=place, input=None) for place, reason in problems(self)
        ]
        if found:
            raise ValidationError.from_exception_data("ProgrammeFile", found)
        return self
