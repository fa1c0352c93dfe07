"""The CloudEvents 1.0 envelope that every event comes in."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.events.fields import Card, Id, Source, Timestamp


class Envelope(BaseModel):
    """What all events have; ``(source, id)`` identifies an event for ever."""

    model_config = ConfigDict(extra="forbid")

    specversion: Literal["1.0"] = Field(description="Version of CloudEvents.")
    id: Id = Field(description="The sender's id of the event.")
    source: Source = Field(description="Who sends it: /partners/<party>, /banks/<party> or /operator/<party>.")
    type: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] = Field(description="What happened, with the version of its data.")
    time: Timestamp = Field(description="When it happened, RFC 3339 with offset; picks the contract and the rules.")
    subject: Card = Field(description="The member identifier shown: card, token, account, or member; the record's key.")
    datacontenttype: Literal["application/json"] | None = Field(None, description="May be left out.")


class OpenEnvelope(Envelope):
    """An envelope whose type is not known yet: its data is not looked at."""

    data: Any = Field(description="Data of the event.")
