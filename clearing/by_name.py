"""Events that name their mechanic: services rendered, passes sold, visits on them. Each is valued as a purchase of one unit without a price.

Their cancellations take back all that they brought, as a return of the whole would (rule 13).
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from clearing.basket import Basket, BasketLine, Remaining, remaining_basket
from clearing.events import Decision, EventKey, Held, Original, OriginalUnknown, Outcome, Pending, Received, Refused, Sale
from clearing.mechanics.visit_pass import PassKey
from clearing.member import Member
from clearing.originals import BY_NAME, PASS_VISIT, PRIVILEGE, original_key
from clearing.plan import Plan, Rule
from schemas.events.answers import RejectionCode
from schemas.ids import PartyId


def gone() -> dict[int, Remaining]:
    """What is left of such an event when it has been cancelled."""
    return {1: Remaining(0, Decimal(0))}


def basket_left(plan: Plan, received: Received, local: datetime, left: Mapping[int, Remaining]) -> Basket:
    """What is left of a purchase, or of an event that names its mechanic, as mechanics see it. `local` is its time in the programme's time zone."""
    if received.event.type in BY_NAME:
        return unit_basket(plan, received, local, left)
    return remaining_basket(received.event.data, received.sender, local, dict(left))


def unit_basket(plan: Plan, received: Received, local: datetime, left: Mapping[int, Remaining]) -> Basket:
    """One unit of a service, or a visit without an article, in the programme's first currency; no line at all where it has been cancelled."""
    data = received.event.data
    rest = left[1]
    lines = [] if rest.gone else [BasketLine(1, getattr(data, "service", None), None, rest, 0, 0, ())]
    return Basket(received.sender, plan.programme.currencies[0], local, data.store, getattr(data, "channel", None), lines, 0)


def rules_of(plan: Plan, sale: Sale, day: date) -> tuple[Rule, ...]:
    """The rules under which a booked event was valued on its event date: those of the seller, or the one that it names.

    A visit is one of its pass: under the version of the day on which that was sold, with its seller in the place of `purchase_partner`.
    """
    received, data = sale.received, sale.received.event.data
    match received.event.type:
        case kind if kind not in BY_NAME:
            return plan.rules(received.sender, day).all
        case kind if kind == PRIVILEGE:
            rule = plan.named(data.mechanic, received.sender, day)
        case kind if kind == PASS_VISIT and sale.on_pass:
            key = PassKey.read(sale.on_pass)
            rule = plan.named(data.mechanic, key.seller, key.sold)
        case _:
            rule = None
    return () if rule is None else (rule,)


def cancelled_sale(received: Received, originals: Mapping[EventKey, Original], member: Member | None) -> Sale:
    """The event that a cancellation names, which is of the same type, the same member's, and not cancelled yet.

    Without a member, only whether there is such an event. Raises `OriginalUnknown`, `Held`, `Refused`.
    """
    original = originals.get(original_key(received))
    if original is None:
        raise OriginalUnknown
    if isinstance(original, Pending) and original.outcome is Outcome.HELD and original.card is not None:
        raise Held(original.card)
    if not isinstance(original, Sale) or original.received.event.type != received.event.type:
        detail = f"no accepted {received.event.type} has the id {received.event.data.original_id}"
        raise Refused(RejectionCode.UNKNOWN_ORIGINAL, detail, "/data/original_id")
    if member is not None and original.member != member.no:
        raise Refused(RejectionCode.ORIGINAL_OF_OTHER_CARD, "it belongs to another member", "/data/card")
    if member is not None and original.left:
        raise Refused(RejectionCode.RETURNED_TOO_MUCH, "it was cancelled before", "/data/original_id")
    return original


def ask_contract(plan: Plan, party: PartyId, decision: Decision, role: str) -> None:
    """Who is owed something, or sells a pass, needs a contract of any kind on the event date, which is noted as its sender's."""
    contract = plan.contract(party, decision.day)
    if contract is None:
        raise Refused(RejectionCode.NO_CONTRACT, f"{party}, {role}, has no contract on {decision.day}", "/source")
    decision.contract = contract.valid_from


def ask_stays(member: Member) -> None:
    """Who has left gets no service and no pass: the sender has to know, since it would not be paid."""
    if member.closed:
        raise Refused(RejectionCode.MEMBER_CLOSED, "the member has left", "/data/card")
