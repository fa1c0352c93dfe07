"""``stamp-choice.v1``: a member takes the gift of a full row of a stamp card, or saves on for that of a later row."""

from typing import Literal

from pydantic import Field

from schemas.events.envelope import Envelope
from schemas.events.fields import Card, Data, MechanicName


class StampChoice(Data):
    """What a member wants of a stamp card, from now on."""

    card: Card = Field(description="The member's card.")
    mechanic: MechanicName = Field(description="Id of the stamp_card.")
    choice: Literal["gift", "save"] = Field(
        description="save: full rows of this card bring no gift before its last one; gift: that of the latest full row saved, handed out by the sender."
    )


class StampChoiceEvent(Envelope):
    """A choice in its envelope."""

    type: Literal["stamp-choice.v1"] = Field(description="A gift is taken, or saved on for a later one.")
    data: StampChoice = Field(description="What is chosen.")
