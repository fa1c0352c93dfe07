"""Members: enrolment, cards linked, replaced and blocked, attributes, consent, leaving."""

import pytest

from clearing.events import Card, Decision, Facts, Outcome, Received
from clearing.membership import book_membership
from schemas.ids import PartyId, RecordId
from tests.short import enrol, hold, of_member, purchase, read, redeem, release
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, Till


def card(till: Till, name: str) -> tuple[str | None, bool]:
    """Whose a card is, and whether it is blocked."""
    found: Card = till.books.facts.cards[name]  # type: ignore[index]
    owner = till.books.facts.members[found.member] if found.member is not None else None
    return (owner.id if owner else None), found.blocked


def test_whoever_enrols_has_a_number_cards_and_what_was_told() -> None:
    till = Till(BASE)
    told = enrol("n1", "m2", "c2", "c3", kind="business", attributes={"region": "north"}, consents={"news": True, "ads": False}, household="h7")
    assert till.send(told) == ["accepted"]
    member = till.member("m2")
    assert (member.no, member.kind, member.available, member.lots) == (2, "business", 0, {})
    assert member.attributes == {"region": "north", "enrolled_on": "2026-03-02", "consents": {"news": True, "ads": False}, "household": "h7"}
    assert till.books.facts.members[member.no] is member
    assert member.changed
    assert (card(till, "c2"), card(till, "c3")) == (("m2", False), ("m2", False))
    assert till.books.facts.cards["c2"].changed  # type: ignore[index]


def test_who_enrols_or_links_a_card_is_answered_with_the_balance() -> None:
    till = Till(BASE)
    assert till.one(enrol("n1", "m2", "c2")).balance == (0, 0)
    till.send(purchase("e1", 500, card="c2"))
    member = till.member("m2")
    member.changed = False
    linked = till.one(of_member("card-linked", "n2", "m2", card="c3"))
    assert (linked.member, linked.balance, member.changed) == (member, (5, 0), True)
    assert till.books.facts.cards["c3"].card == "c3"  # type: ignore[index]


def test_a_list_of_consents_is_of_those_given() -> None:
    till = Till(BASE)
    till.send(enrol("n1", "m2", "c2", consents=["news", "ads"]))
    assert till.member("m2").attributes["consents"] == {"news": True, "ads": True}


def test_an_enrolment_that_tells_little_keeps_little() -> None:
    till = Till(BASE)
    till.send(enrol("n1", "m2"))
    assert till.member("m2").attributes == {"enrolled_on": "2026-03-02"}


def test_enrolling_again_adds_cards_and_changes_what_is_told() -> None:
    till = Till(BASE)
    till.send(enrol("n1", "m2", "c2", attributes={"region": "north", "size": 5}, household="h7"))
    assert till.send(enrol("n2", "m2", "c2", "c3", kind="business", attributes={"region": "south"})) == ["accepted"]
    member = till.member("m2")
    assert (member.no, member.kind) == (2, "business")
    assert member.attributes == {"region": "south", "size": 5, "enrolled_on": "2026-03-02", "household": "h7"}
    assert card(till, "c3") == ("m2", False)


def test_a_card_of_somebody_else_is_not_enrolled_nor_are_the_others_beside_it() -> None:
    till = Till(BASE)
    decision = till.one(enrol("n1", "m2", "c2", "c1"))
    assert (decision.code, decision.pointer, decision.detail) == ("original-of-other-card", "/data/cards/1", "the card belongs to another member")
    assert "m2" not in till.books.facts.by_id
    till.send(enrol("n2", "m3", "c3"))
    assert till.send(enrol("n3", "m3", "c1")) == ["original-of-other-card /data/cards/0"]
    assert card(till, "c2") == (None, False)


def test_who_has_left_does_not_come_back_under_the_same_id() -> None:
    till = Till(BASE)
    till.send(of_member("member-closed", "n1", "m1", reason="asked", erase=False))
    decision = till.one(enrol("n2", "m1", "c5"))
    assert (decision.code, decision.pointer, decision.detail) == ("member-closed", "/data/member", "the member has left")
    linked = till.one(of_member("card-linked", "n3", "m1", card="c6"))
    assert (linked.code, linked.pointer, linked.detail) == ("member-closed", "/data/member", "the member has left")


def test_a_linked_card_is_the_members() -> None:
    till = Till(BASE)
    assert till.send(of_member("card-linked", "n1", "m1", card="c2"), purchase("e1", 500, card="c2")) == ["accepted", "accepted: base points 5 grocer"]
    assert card(till, "c2") == ("m1", False)
    assert till.member().changed


def test_a_replaced_card_is_blocked_and_the_history_stays() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 10_000))
    assert till.send(of_member("card-linked", "n1", "m1", card="c2", replaces="c1")) == ["accepted"]
    assert (card(till, "c1"), card(till, "c2")) == (("m1", True), ("m1", False))
    assert till.books.facts.cards["c1"].changed  # type: ignore[index]
    assert till.send(redeem("x1", 10), redeem("x2", 10, card="c2")) == ["card-blocked /data/card", "accepted: - points -10 grocer"]


def test_a_card_that_is_not_the_members_can_neither_be_linked_nor_replaced() -> None:
    till = Till(BASE)
    till.send(enrol("n1", "m2", "c2"))
    taken = till.one(of_member("card-linked", "n2", "m1", card="c2"))
    assert (taken.code, taken.pointer, taken.detail) == ("original-of-other-card", "/data/card", "the card belongs to another member")
    other = till.one(of_member("card-linked", "n3", "m1", card="c3", replaces="c2"))
    assert (other.code, other.pointer, other.detail) == ("original-of-other-card", "/data/replaces", "the replaced card belongs to somebody else")
    assert till.send(of_member("card-linked", "n4", "m1", card="c3", replaces="c9")) == ["original-of-other-card /data/replaces"]
    assert card(till, "c2") == ("m2", False)


def test_linking_a_card_again_changes_nothing() -> None:
    till = Till(BASE)
    assert till.send(of_member("card-linked", "n1", "m1", card="c1")) == ["accepted"]
    assert card(till, "c1") == ("m1", False)


def test_who_is_not_enrolled_gets_no_card() -> None:
    decision = Till(BASE).one(of_member("card-linked", "n1", "m9", card="c9"))
    assert (decision.code, decision.pointer, decision.detail) == ("unknown-card", "/data/member", "nobody is enrolled under this member id")


def test_a_blocked_card_earns_and_does_not_spend() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 10_000))
    assert till.send(of_member("card-blocked", "n1", "m1", card="c1", reason="lost")) == ["accepted"]
    assert card(till, "c1") == ("m1", True)
    assert till.send(purchase("e2", 500), redeem("x1", 10), hold("h1", 10)) == [
        "accepted: base points 5 grocer",
        "card-blocked /data/card",
        "card-blocked /data/card",
    ]
    assert till.one(redeem("x2", 10)).detail == "the card is blocked"


def test_a_hold_made_before_the_card_was_blocked_can_be_released() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 10_000), hold("h1", 60), of_member("card-blocked", "n1", "m1", card="c1", reason="lost", at="11:05"))
    assert till.send(release("x1", "h1")) == ["accepted"]


def test_a_card_of_nobody_is_not_blocked() -> None:
    till = Till(BASE)
    decision = till.one(of_member("card-blocked", "n1", "m1", card="c9", reason="lost"))
    assert (decision.code, decision.pointer, decision.detail) == ("unknown-card", "/data/card", "the card belongs to nobody")


def test_attributes_are_added_to_those_there_are() -> None:
    till = Till(BASE)
    till.send(of_member("member-attributes", "n1", "m1", attributes={"tier": "gold", "size": 5}))
    till.send(of_member("member-attributes", "n2", "m1", attributes={"tier": "silver"}))
    assert till.member().attributes == {"tier": "silver", "size": 5}
    assert till.member().changed
    assert till.send(of_member("member-attributes", "n3", "m9", attributes={})) == ["unknown-card /data/member"]


def test_a_consent_is_given_and_taken_back_by_name() -> None:
    till = Till(BASE)
    till.send(of_member("consent-changed", "n1", "m1", consent="news", given=True), of_member("consent-changed", "n2", "m1", consent="ads", given=True))
    till.send(of_member("consent-changed", "n3", "m1", consent="news", given=False))
    assert till.member().attributes == {"consents": {"news": False, "ads": True}}
    assert till.send(of_member("consent-changed", "n4", "m9", consent="news", given=True)) == ["unknown-card /data/member"]


def test_who_has_left_neither_earns_nor_spends_and_the_purchase_counts_for_its_sender() -> None:
    till = Till(BASE)
    till.member().attributes["tier"] = "gold"
    till.send(purchase("e1", 10_000), of_member("member-closed", "n1", "m1", reason="asked", erase=False))
    assert till.member().closed
    assert till.member().attributes == {"tier": "gold"}
    assert till.send(purchase("e2", 500), redeem("x1", 10)) == ["accepted", "member-closed /data/card"]
    assert till.one(redeem("x2", 10)).detail == "the member has left"
    assert till.balance() == (100, 0)
    bought = [total for total in till.books.booked_totals(till.day) if total.unit == "purchases"]
    assert [(total.sponsor, total.quantity, total.contract) for total in bought] == [("grocer", 2, day("2026-01-01"))]


def test_leaving_may_erase_what_is_known_of_a_member_and_leaves_the_books_intact() -> None:
    till = Till(BASE)
    till.member().attributes["region"] = "north"
    till.send(purchase("e1", 10_000), of_member("member-closed", "n1", "m1", reason="asked", erase=True))
    assert till.member().attributes == {}
    assert till.balance() == (100, 0)
    assert till.send(of_member("member-closed", "n2", "m9", reason="asked", erase=True)) == ["unknown-card /data/member"]


def test_a_blocked_card_of_a_member_who_left_is_blocked_first() -> None:
    till = Till(BASE)
    till.send(of_member("card-blocked", "n1", "m1", card="c1", reason="lost"), of_member("member-closed", "n2", "m1", reason="asked", erase=False))
    assert till.send(redeem("x1", 10)) == ["card-blocked /data/card"]


def test_only_member_events_are_booked_as_such() -> None:
    event = read(purchase("e1", 100))
    received = Received(RecordId(1), event.time, event, PartyId("grocer"))
    with pytest.raises(AssertionError, match=r"^purchase\.v1 is no member event$"):
        book_membership(received, Facts(), Decision(received, Outcome.ACCEPTED, event.time.date(), event.time))
