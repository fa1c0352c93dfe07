"""What each code of a rejection means, for those who read docs/reference/events.md."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.events.answers import RejectionCode as Code
from services.docs.text import table

MEANINGS: Mapping[Code, str] = {
    Code.MALFORMED: "The record is no JSON, no envelope, or does not fit the schema of its type; the pointer names the place.",
    Code.UNKNOWN_TYPE: "The house does not book this type, or not this version of it.",
    Code.WRONG_SOURCE: "The sender speaks for somebody else, or its signature is missing or wrong; the id stays free.",
    Code.UNKNOWN_PARTNER: "The programme has no such party.",
    Code.INACTIVE_PARTNER: "The party does not take part on the event date.",
    Code.NO_CONTRACT: "The seller of what brings something, or who would have to pay for points or to take them, has no contract for it on the event date.",
    Code.TOTALS_MISMATCH: "Lines or tenders do not add up to the total.",
    Code.CURRENCY_NOT_ACCEPTED: "The programme does not have the currency.",
    Code.TIME_IN_FUTURE: "The event's time lies more than five minutes after its receipt by the broker.",
    Code.TOO_OLD: "The event date lies further back than the programme accepts.",
    Code.ID_REUSED: "The sender has used the id for other content before.",
    Code.UNKNOWN_ORIGINAL: "The event that this one refers to did not come by the end of the window, or is of another kind.",
    Code.RETURNED_TOO_MUCH: "Over all returns together more would come back than was bought or spent.",
    Code.ORIGINAL_OF_OTHER_CARD: "The card, or the event that this one refers to, belongs to another member.",
    Code.INSUFFICIENT_POINTS: "The member has fewer points to spend.",
    Code.BELOW_MINIMUM_REDEMPTION: "The programme does not let so few points be spent at once.",
    Code.UNKNOWN_CARD: "A redemption or hold with a card that is nobody's, or an event about a card or member unknown. Others with such a card are held.",
    Code.CARD_BLOCKED: "The card may not spend any more.",
    Code.MEMBER_CLOSED: "The member has left.",
    Code.CLAIM_EXPIRED: "The event was held, and nobody enrolled its card in time.",
    Code.CARD_NUMBER_IN_CLEAR: "A field holds what passes for the number of a payment card; the answer repeats no part of it.",
}


def codes() -> str:
    """The table of codes."""
    return table(("code", "when", "try again"), ((f"`{code}`", MEANINGS[code], "yes" if code.retryable else "") for code in Code))
