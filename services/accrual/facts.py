"""Which facts a batch is booked on: cards, members, lots, originals and held events, all locked and read before booking begins."""

from collections.abc import Sequence

from clearing.booking import MEMBERSHIP, NEEDS_LOTS, SHOWN, card_of
from clearing.events import EventKey, Facts, Outcome, Pending, Received
from clearing.originals import names_original, original_key
from schemas.ids import CardId, MemberId, MemberNo
from services.journal.reading import Reader


class FactReader:
    """Reads the facts of batches, inside their transactions."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def read(self, received: Sequence[Received]) -> tuple[Facts, frozenset[EventKey]]:
        """Locks and reads all that the batch is booked on."""
        facts = Facts()
        shown: set[CardId] = set()
        claimed: set[CardId] = set()
        named: set[MemberId] = set()
        enrolments = 0
        for event in received:
            if event.event.type in MEMBERSHIP:
                cards, member = _of_membership(event)
                claimed |= cards
                named |= member
                enrolments += event.event.type == "member-enrolled.v1"
            else:
                shown.add(card_of(event))
        read = self.reader
        read.cards(shown, claimed, facts)
        if claimed:
            read.held(claimed, facts)
            late = {card_of(event) for events in facts.held.values() for event in events} - facts.cards.keys()
            read.cards(late, (), facts)
        numbers = {card.member for card in facts.cards.values() if card.member is not None}
        by_name = set(read.member_numbers(named)) if named else set()
        read.members(numbers | by_name, facts)
        if enrolments:
            facts.numbers = iter(read.fresh_numbers(enrolments))
        waiting = [event for events in facts.held.values() for event in events]
        spenders = [event for event in received if event.event.type in NEEDS_LOTS or names_original(event)]
        owners = {facts.cards[card].member for card in {card_of(event) for event in (*spenders, *waiting)} if card in facts.cards}
        with_lots = {MemberNo(no) for no in owners if no is not None} | by_name
        if with_lots:
            read.lots(with_lots, facts)
        shown_to_spend = {card_of(event) for event in received if event.event.type in SHOWN} - {c for c, card in facts.cards.items() if card.member is None}
        if shown_to_spend:
            read.blocked(shown_to_spend, facts)
        wanted = frozenset(original_key(event) for event in (*spenders, *waiting) if names_original(event))
        if wanted:
            self._originals(wanted, facts)
        return facts, wanted

    def _originals(self, wanted: frozenset[EventKey], facts: Facts) -> None:
        self.reader.originals(wanted, facts)
        held = {o.card for o in facts.originals.values() if isinstance(o, Pending) and o.outcome is Outcome.HELD and o.card is not None}
        unlocked = held - facts.cards.keys()
        if unlocked:
            self.reader.cards(unlocked, (), facts)
            self.reader.originals(wanted, facts)


def _of_membership(event: Received) -> tuple[set[CardId], set[MemberId]]:
    """Cards and members that a member event names."""
    data = event.event.data
    cards = set(getattr(data, "cards", ()))
    cards |= {card for card in (getattr(data, "card", None), getattr(data, "replaces", None)) if card is not None}
    member = getattr(data, "member", None)
    return cards, {member} if member is not None else set()
