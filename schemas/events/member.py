"""Members: enrolment, cards, attributes, consent, closing, merging."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.events.envelope import Envelope
from schemas.events.fields import AttributeValue, Card, Data, Day, FreeText, Id, Member, Name

Attributes = Annotated[dict[Name, AttributeValue], Field(max_length=200)]
Given = Annotated[bool, Field(strict=True)]


class MemberEnrolled(Data):
    """Somebody became a member."""

    member: Member = Field(description="The new member.")
    cards: Annotated[list[Card], Field(max_length=100)] = Field(description="The member's cards.")
    kind: Name = Field(description="Kind of member, such as consumer.")
    enrolled_on: Day = Field(description="Day of enrolment.")
    attributes: Attributes | None = Field(None, description="What is known of the member.")
    consents: Annotated[dict[Name, Given] | list[Name], Field(max_length=100)] | None = Field(
        None, description="Consents: by name whether given, or a list of those given."
    )
    household: Name | None = Field(None, description="Household that the member belongs to.")

    def keys_read(self) -> int:
        nested = len(self.attributes or ()) + (len(self.consents) if isinstance(self.consents, dict) else 0)
        return len(self.__pydantic_fields_set__) + nested


class MemberEnrolledEvent(Envelope):
    """An enrolment in its envelope."""

    type: Literal["member-enrolled.v1"] = Field(description="Somebody became a member.")
    data: MemberEnrolled = Field(description="Who.")


class CardLinked(Data):
    """A card was given to a member."""

    member: Member = Field(description="The member.")
    card: Card = Field(description="The new card.")
    replaces: Card | None = Field(None, description="The card that it replaces.")


class CardLinkedEvent(Envelope):
    """A link in its envelope."""

    type: Literal["card-linked.v1"] = Field(description="A card was given to a member.")
    data: CardLinked = Field(description="Which card, to whom.")


class CardBlocked(Data):
    """A card is not to be used any more."""

    card: Card = Field(description="The card.")
    reason: FreeText = Field(description="Why.")


class CardBlockedEvent(Envelope):
    """A block in its envelope."""

    type: Literal["card-blocked.v1"] = Field(description="A card is not to be used any more.")
    data: CardBlocked = Field(description="Which card, and why.")


class MemberAttributes(Data):
    """Attributes of a member that are new or changed."""

    member: Member = Field(description="The member.")
    attributes: Attributes = Field(description="New or changed attributes.")

    def keys_read(self) -> int:
        return len(self.__pydantic_fields_set__) + len(self.attributes)


class MemberAttributesEvent(Envelope):
    """Attributes in their envelope."""

    type: Literal["member-attributes.v1"] = Field(description="Attributes of a member changed.")
    data: MemberAttributes = Field(description="Whose, and which.")


class ConsentChanged(Data):
    """A member gave or took back a consent."""

    member: Member = Field(description="The member.")
    consent: Name = Field(description="Name of the consent.")
    given: Given = Field(description="Whether it is given.")


class ConsentChangedEvent(Envelope):
    """A consent in its envelope."""

    type: Literal["consent-changed.v1"] = Field(description="A member gave or took back a consent.")
    data: ConsentChanged = Field(description="Whose, and which.")


class MemberClosed(Data):
    """A member left."""

    member: Member = Field(description="The member.")
    reason: FreeText = Field(description="Why.")
    erase: Given = Field(description="Whether personal data are to be erased.")


class MemberClosedEvent(Envelope):
    """A closing in its envelope."""

    type: Literal["member-closed.v1"] = Field(description="A member left.")
    data: MemberClosed = Field(description="Who, and why.")


class MembersMerged(Data):
    """Two members are one."""

    member: Member = Field(description="The member who goes up in the other.")
    into: Member = Field(description="The member who stays.")


class MembersMergedEvent(Envelope):
    """A merger in its envelope."""

    type: Literal["members-merged.v1"] = Field(description="Two members are one.")
    data: MembersMerged = Field(description="Who goes up in whom.")


class MembersUnmerged(Data):
    """A merger is undone."""

    original_id: Id = Field(description="Id of the merger.")


class MembersUnmergedEvent(Envelope):
    """The undoing of a merger in its envelope."""

    type: Literal["members-unmerged.v1"] = Field(description="A merger is undone.")
    data: MembersUnmerged = Field(description="Which merger.")
