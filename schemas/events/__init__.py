"""Events: the models of every type in the catalogue, and which type has which model."""

from schemas.events.activity import ActivityEvent
from schemas.events.card_transaction import CardTransactionEvent
from schemas.events.envelope import Envelope
from schemas.events.member import (
    CardBlockedEvent,
    CardLinkedEvent,
    ConsentChangedEvent,
    MemberAttributesEvent,
    MemberClosedEvent,
    MemberEnrolledEvent,
    MembersMergedEvent,
    MembersUnmergedEvent,
)
from schemas.events.purchase import PurchaseEvent
from schemas.events.quick import QuickPurchaseEvent
from schemas.events.redemption import (
    RedemptionCaptureEvent,
    RedemptionEvent,
    RedemptionHoldEvent,
    RedemptionReleaseEvent,
    RedemptionReversalEvent,
)
from schemas.events.return_ import PriceAdjustmentEvent, ReturnEvent
from schemas.events.services import PassSoldEvent, PassVisitEvent, PrivilegeRenderedEvent
from schemas.events.stamp_choice import StampChoiceEvent

ModelEvent = (
    PurchaseEvent
    | ReturnEvent
    | PriceAdjustmentEvent
    | RedemptionEvent
    | RedemptionReversalEvent
    | RedemptionHoldEvent
    | RedemptionCaptureEvent
    | RedemptionReleaseEvent
    | ActivityEvent
    | StampChoiceEvent
    | PassSoldEvent
    | PassVisitEvent
    | PrivilegeRenderedEvent
    | CardTransactionEvent
    | MemberEnrolledEvent
    | CardLinkedEvent
    | CardBlockedEvent
    | MemberAttributesEvent
    | ConsentChangedEvent
    | MemberClosedEvent
    | MembersMergedEvent
    | MembersUnmergedEvent
)
"""The models of all events that the house understands, each with its envelope."""

Event = ModelEvent | QuickPurchaseEvent
"""An event as it was read: a purchase may have been read the quick way, with the same attributes."""

EVENT_TYPES: dict[str, type[ModelEvent]] = {
    "purchase.v1": PurchaseEvent,
    "return.v1": ReturnEvent,
    "price-adjustment.v1": PriceAdjustmentEvent,
    "redemption.v1": RedemptionEvent,
    "redemption-reversal.v1": RedemptionReversalEvent,
    "redemption-hold.v1": RedemptionHoldEvent,
    "redemption-capture.v1": RedemptionCaptureEvent,
    "redemption-release.v1": RedemptionReleaseEvent,
    "activity.v1": ActivityEvent,
    "stamp-choice.v1": StampChoiceEvent,
    "pass-sold.v1": PassSoldEvent,
    "pass-visit.v1": PassVisitEvent,
    "privilege-rendered.v1": PrivilegeRenderedEvent,
    "card-transaction.v1": CardTransactionEvent,
    "member-enrolled.v1": MemberEnrolledEvent,
    "card-linked.v1": CardLinkedEvent,
    "card-blocked.v1": CardBlockedEvent,
    "member-attributes.v1": MemberAttributesEvent,
    "consent-changed.v1": ConsentChangedEvent,
    "member-closed.v1": MemberClosedEvent,
    "members-merged.v1": MembersMergedEvent,
    "members-unmerged.v1": MembersUnmergedEvent,
}
"""Every type in the catalogue that partners, banks and the operator send, with the model of the whole event."""

RESERVED_TYPES = frozenset(
    {
        "membership-fee.v1",
        "offer-activated.v1",
        "gift-card-sold.v1",
        "points-transferred.v1",
        "bid.v1",
        "claim.v1",
    }
)
"""Types whose data are defined with their mechanic; until then they are answered ``unknown-type``."""

__all__ = ["EVENT_TYPES", "RESERVED_TYPES", "Envelope", "Event", "ModelEvent"]
