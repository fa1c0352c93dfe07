"""When points expire (rule 8)."""

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.document import Document, Months, MonthsOrNone


class RollingExpiry(Document):
    """The last day of the month that lies ``months`` after the month of the event date."""

    kind: Literal["rolling"] = Field(description="Points expire some months after they were earned.")
    months: MonthsOrNone = Field(description="Months from the month of the event date; 0: the end of that month.")


class FixedExpiry(Document):
    """The first such day after the event date."""

    kind: Literal["fixed"] = Field(description="Points expire on a day of the year.")
    month: int = Field(strict=True, ge=1, le=12, description="Month of the day, 1 to 12.")
    day: int = Field(strict=True, ge=1, le=31, description="Day of the month.")

    @model_validator(mode="after")
    def _is_a_day(self) -> Self:
        try:
            dt.date(2024, self.month, self.day)
        except ValueError:
            raise ValueError("the month has no such day") from None
        return self


class InactivityExpiry(Document):
    """The last day of the month ``months`` after the member's last earning or spending."""

    kind: Literal["inactivity"] = Field(description="Points expire when the member has done nothing for some months.")
    months: Months = Field(description="Months without earning or spending.")


class NeverExpiry(Document):
    """Points do not expire."""

    kind: Literal["never"] = Field(description="Points do not expire.")


Expiry = Annotated[RollingExpiry | FixedExpiry | InactivityExpiry | NeverExpiry, Field(discriminator="kind")]
