"""A batch, purely: received events and facts in, decisions and postings out. Reads like rules 1 to 15.

Nothing here knows of Kafka, PostgreSQL or the clock: what an event brings follows from the programme, the facts that
were read under lock, the window it belongs to, and the order in which it came.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from clearing.by_name import cancelled_sale
from clearing.card_transactions import book_card_transaction, spend_of
from clearing.choices import book_choice
from clearing.events import Card, Decision, EventKey, Facts, Given, Held, Original, OriginalUnknown, Outcome, Pending, Received, Refused, Sale
from clearing.member import Member
from clearing.membership import book_membership
from clearing.originals import BY_NAME, CARD_TRANSACTION, NAMES_ORIGINAL, PASS_VISIT, names_original, original_key, originals_first
from clearing.passes import book_pass, book_visit
from clearing.plan import Plan
from clearing.postings import Postings
from clearing.privileges import book_privilege
from clearing.purchases import book_purchase, count_purchase
from clearing.returns import book_return, sale_of
from clearing.spending import book_capture, book_hold, book_redemption, book_release, book_reversal, spending_of
from schemas.events.answers import RejectionCode
from schemas.events.totals import totals_match
from schemas.ids import CardId

AHEAD = timedelta(minutes=5)
"""How far an event's time may lie after its receipt."""

HAS_TOTAL = frozenset({"purchase.v1", "return.v1"})
SPENDING = frozenset({"redemption.v1", "redemption-hold.v1"})
SHOWN = SPENDING | {PASS_VISIT}
"""What a blocked card is not good for, nor the card of a member who has left."""
NEEDS_LOTS = SPENDING | NAMES_ORIGINAL
BOOKED = NEEDS_LOTS | BY_NAME | {"purchase.v1", "activity.v1", "stamp-choice.v1", CARD_TRANSACTION}
"""What a member's card is shown with. Merging members is read, and not booked yet."""
MEMBERSHIP = frozenset({"member-enrolled.v1", "card-linked.v1", "card-blocked.v1", "member-attributes.v1", "consent-changed.v1", "member-closed.v1"})


def card_of(received: Received) -> CardId:
    """The card that an event shows: its `card` or the token of a payment card, or else its subject."""
    data = received.event.data
    card: CardId = getattr(data, "card", None) or getattr(data, "card_token", None) or received.event.subject
    return card


@dataclass(slots=True)
class Booked:
    """What a batch brought about."""

    postings: Postings = field(default_factory=Postings)
    decisions: list[Decision] = field(default_factory=list)
    """In order of booking; a held event that became known has one more."""
    claimed: list[Received] = field(default_factory=list)
    """Held events that are decided now."""


class Booking:
    """Books the events of one batch into one window, one after the other."""

    def __init__(self, plan: Plan, window: date, facts: Facts, *, wanted: frozenset[EventKey] = frozenset(), final: bool = False) -> None:
        """`wanted`: originals that events of this batch name. `final`: the window is cut, nothing waits any longer."""
        self.plan = plan
        self.window = window
        self.facts = facts
        self.wanted = wanted
        self.final = final
        self.oldest = window - timedelta(days=plan.programme.accepts_events_up_to_days)
        self.booked = Booked(Postings(facts.headroom))

    def book_all(self, events: Iterable[Received]) -> Booked:
        """Books events in the order given."""
        for received in events:
            self.book(received)
        return self.booked

    def book(self, received: Received) -> Decision:
        """Decides one event: accepted, held, waiting or rejected; what became known by it is booked right after it."""
        time = received.event.time
        local = time.astimezone(self.plan.zone)
        decision = Decision(received, Outcome.ACCEPTED, local.date(), local)
        self.booked.postings.begin(received.record)
        if self.facts.headroom is not None:
            self.facts.headroom.at_once = received.arrived and received.event.type != CARD_TRANSACTION  # of which the night decides
        known: list[CardId] = []
        try:
            if received.arrived:
                self._admit(received, time, decision.day)
            if received.event.type == "purchase.v1":
                self._purchase(received, decision)
            else:
                known = self._apply(received, decision)
        except Refused as refusal:
            decision.outcome = Outcome.REJECTED
            decision.code, decision.detail, decision.pointer = refusal.code, refusal.detail, refusal.pointer
        except Held as held:
            decision.outcome, decision.card = Outcome.HELD, held.card
            self.facts.held.setdefault(held.card, []).append(received)
        except OriginalUnknown:
            decision.outcome = Outcome.WAITING
            if self.final:
                decision.outcome, decision.code = Outcome.REJECTED, RejectionCode.UNKNOWN_ORIGINAL
                decision.detail, decision.pointer = "no event with this source and id has come", "/data/original_id"
        member = decision.member
        if member is not None:
            decision.balance, decision.unfunded = member.balance, member.unfunded
        self.booked.decisions.append(decision)
        if decision.outcome is not Outcome.ACCEPTED and received.key in self.wanted:
            self.facts.originals[received.key] = Pending(received.record, decision.outcome, decision.card)
        if known:
            self._claim(known)
        return decision

    def _admit(self, received: Received, time: datetime, day: date) -> None:
        """What is judged on arrival, in this order: party, totals, currency, time."""
        event = received.event
        if received.sender not in self.plan.parties:
            raise Refused(RejectionCode.UNKNOWN_PARTNER, f"the programme has no party {received.sender}", "/source")
        data = event.data
        if event.type in HAS_TOTAL and not totals_match(data):
            raise Refused(RejectionCode.TOTALS_MISMATCH, "the lines, or the tenders, do not add up to the total", "/data/total_minor")
        currency = getattr(data, "currency", None)
        if currency is not None and currency not in self.plan.currencies:
            raise Refused(RejectionCode.CURRENCY_NOT_ACCEPTED, f"the programme settles in {', '.join(sorted(self.plan.currencies))}", "/data/currency")
        if time > received.received_at and time > received.received_at + AHEAD:
            raise Refused(RejectionCode.TIME_IN_FUTURE, f"the time lies more than 5 minutes after {received.received_at.isoformat()}", "/time")
        if day < self.oldest:
            raise Refused(RejectionCode.TOO_OLD, f"the event date {day} lies before {self.oldest}, the oldest accepted in the window {self.window}", "/time")

    def _purchase(self, received: Received, decision: Decision) -> None:
        member = decision.member = self._member(received, spends=False)
        if member.closed:  # who has left earns nothing; the purchase counts for its sender
            count_purchase(self.booked.postings, received.sender, self.plan.rules(received.sender, decision.day).contract, decision)
        elif self.wanted and received.key in self.wanted:
            given: list[Given] = []
            book_purchase(self.plan, self.booked.postings, received, member, decision, given)
            self.facts.originals[received.key] = Sale(received.record, received, member.no, decision.applied, given, {}, undecided=decision.deferred)
        else:
            book_purchase(self.plan, self.booked.postings, received, member, decision, None)

    def _apply(self, received: Received, decision: Decision) -> list[CardId]:
        """Books an event that is no purchase by its type; returns cards whose owner has become known."""
        kind = received.event.type
        if kind in MEMBERSHIP:
            return book_membership(received, self.facts, decision)
        if kind not in BOOKED:  # before its card is looked for: an event that can never be booked is not held
            raise Refused(RejectionCode.UNKNOWN_TYPE, f"{kind} is not booked by this version", "/type")
        member = self._member(received, spends=kind in SPENDING)
        decision.member = member
        original = self.facts.originals.get(original_key(received)) if kind in NAMES_ORIGINAL else None
        made: Original | None = None
        plan, postings = self.plan, self.booked.postings
        match kind:
            case "return.v1" | "price-adjustment.v1":
                book_return(plan, postings, received, original, member, decision)
            case "redemption.v1":
                made = book_redemption(plan, postings, received, member, decision)
            case "redemption-hold.v1":
                made = book_hold(plan, postings, received, member, decision.day)
                self.facts.originals[received.key] = made
            case "redemption-capture.v1":
                made = book_capture(plan, postings, received, original, member, decision)
            case "redemption-release.v1":
                book_release(postings, received, original, member)
            case "redemption-reversal.v1":
                book_reversal(postings, received, original, member, decision)
            case "card-transaction.v1":
                made = book_card_transaction(plan, postings, received, self.facts.originals, member, decision)
            case "privilege-rendered.v1":
                made = book_privilege(plan, postings, received, self.facts.originals, member, decision)
            case "pass-sold.v1":
                made = book_pass(plan, received, self.facts.originals, member, decision)
            case "pass-visit.v1":
                made = book_visit(plan, postings, received, self.facts.originals, member, decision)
            case "stamp-choice.v1":
                book_choice(plan, postings, received, member, decision)
            case "activity.v1":
                pass
            case _:
                raise AssertionError(f"{kind} stands in BOOKED")
        if made is not None and received.key in self.wanted:
            self.facts.originals[received.key] = made
        return []

    def _member(self, received: Received, *, spends: bool) -> Member:
        """The member who owns the card shown; an unknown card holds its events, but for those that spend."""
        shown = card_of(received)
        card = self.facts.cards.get(shown)
        if card is None or card.member is None:
            if received.event.type in ("return.v1", "price-adjustment.v1"):
                sale_of(received, self.facts.originals.get(original_key(received)))
            elif received.event.type == "redemption-reversal.v1":
                spending_of(received, self.facts.originals.get(original_key(received)))
            elif received.event.type in BY_NAME and names_original(received):
                cancelled_sale(received, self.facts.originals, None)
            elif received.event.type == CARD_TRANSACTION and received.event.data.kind != "clearing":
                spend_of(received, self.facts.originals)
            if spends:
                raise Refused(RejectionCode.UNKNOWN_CARD, "the card belongs to nobody", "/subject")
            raise Held(shown)
        member = self.facts.members[card.member]
        if spends or (received.event.type in SHOWN and not names_original(received)):
            self._may_show(card, member)
        return member

    def _may_show(self, card: Card, member: Member) -> None:
        if card.blocked:
            raise Refused(RejectionCode.CARD_BLOCKED, "the card is blocked", "/data/card")
        if member.closed:
            raise Refused(RejectionCode.MEMBER_CLOSED, "the member has left", "/data/card")

    def _claim(self, cards: Iterable[CardId]) -> None:
        """Books what was held for cards whose owner is known now, in the order in which it came, whatever the card (rule 2).

        A return that came before its purchase, and was held with it, is booked after all that came in order.
        """
        known = sorted((held for card in cards for held in self.facts.held.pop(card, [])), key=lambda one: (one.received_at, one.record))
        for held in originals_first(known):
            held.arrived = False
            self.booked.claimed.append(held)
            age = self.window - held.event.time.astimezone(self.plan.zone).date()
            if age.days > self.plan.programme.claim_days:
                self.booked.decisions.append(lapse(held, self.plan))
                if held.key in self.wanted:  # a return that was held with it has no original now
                    self.facts.originals[held.key] = Pending(held.record, Outcome.REJECTED, None)
            else:
                self.book(held)


def lapse(held: Received, plan: Plan) -> Decision:
    """The rejection of a held event whose card nobody enrolled in time."""
    local = held.event.time.astimezone(plan.zone)
    day = local.date()
    detail = f"nobody enrolled the card within {plan.programme.claim_days} days of {day}"
    return Decision(held, Outcome.REJECTED, day, local, code=RejectionCode.CLAIM_EXPIRED, detail=detail, pointer="/subject")
