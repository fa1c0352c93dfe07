"""Identifiers as types of their own, so that a member cannot stand where a card belongs.

Text ids are the ones that people and partners write; numbers are the surrogate keys of the books.
"""

from typing import NewType

PartyId = NewType("PartyId", str)
MemberId = NewType("MemberId", str)
CardId = NewType("CardId", str)
EventId = NewType("EventId", str)
MechanicId = NewType("MechanicId", str)
ProgrammeId = NewType("ProgrammeId", str)

PartyNo = NewType("PartyNo", int)
MemberNo = NewType("MemberNo", int)
ContractNo = NewType("ContractNo", int)
MechanicNo = NewType("MechanicNo", int)

RecordId = NewType("RecordId", int)
"""Where an event lies: ``(topic_no << 56) | (partition << 40) | offset``, with ``topic_no`` from 1."""

PURCHASE_PARTNER = PartyId("purchase_partner")
"""The word that stands in ``funding`` for the sender of the purchase; no party may bear it as its id."""
