"""Stamp choices: a member takes the gift of a row of a stamp card that is full, or saves on for that of a later row."""

from datetime import date

from clearing.events import Decision, Received, Refused
from clearing.mechanics.stamp_card import StampCard
from clearing.member import Member
from clearing.plan import Plan, Rule
from clearing.postings import Postings
from clearing.purchases import hand_out
from schemas.events.answers import RejectionCode

REASON = "stamp choice"


def book_choice(plan: Plan, postings: Postings, received: Received, member: Member, decision: Decision) -> None:
    """Books a choice under the card's version of the event date; one whose stamps the night decides is made there, at its place.

    Raises `Refused`: `malformed` for a card that the sender does not stamp on the event date, `no-contract` for a gift that it may not be paid for.
    """
    if member.closed:  # who has left collects nothing
        return
    rule = stamp_card_of(plan, received, decision.day)
    if rule is None:
        detail = f"{received.sender} stamps no card {received.event.data.mechanic} on {decision.day}"
        raise Refused(RejectionCode.MALFORMED, detail, "/data/mechanic")
    if received.event.data.choice == "gift" and plan.contract(received.sender, decision.day) is None:
        raise Refused(RejectionCode.NO_CONTRACT, f"{received.sender}, who hands the gift out, has no contract on {decision.day}", "/source")
    if rule.late:
        decision.deferred = True
    else:
        make_choice(plan, postings, rule, received, member, decision)


def stamp_card_of(plan: Plan, received: Received, day: date) -> Rule | None:
    """The stamp card that a choice names, as the sender stamps it on the event date."""
    return next(
        (rule for rule in plan.rules(received.sender, day).all if rule.mechanic.id == received.event.data.mechanic and rule.entry.kind == "stamp_card"), None
    )


def make_choice(plan: Plan, postings: Postings, rule: Rule, received: Received, member: Member, decision: Decision) -> None:
    """Enters a choice on the member's card; what it brings is handed out by its sender."""
    assert isinstance(rule.mechanic, StampCard), "another kind has no card"
    gifts = rule.mechanic.choose(member.memory.setdefault(rule.mechanic.id, {}), received.event.data.choice, decision.day)
    member.changed = True
    hand_out(plan, postings, rule, gifts, received.sender, member, decision, REASON)
