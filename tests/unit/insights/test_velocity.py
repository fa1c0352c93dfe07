"""Cards that are used more often than they can be are found, once; others are not."""

import random

import pytest

from schemas.ids import CardId, EventId, PartyId
from services.insights.reading import HOUR_S, Sent, identity_of
from services.insights.velocity import KEPT_S, USES_MAX, Cards, Found, Rules
from tests.unit.insights.records import DAY, NOON_S

RULES = Rules(purchases_max=3, purchases_within_s=600, stores_within_s=300)


def use(at_s: int, store: str = "1", party: str = "grocer", card: str = "hc-1", event_id: str | None = None) -> Sent:
    source, name = f"/partners/{party}", event_id or f"{at_s}-{store}"
    return Sent(identity_of(source, name), DAY, PartyId(party), source, EventId(name), "purchase.v1", NOON_S + at_s, CardId(card), store, 100, "EUR")


def found(*uses: Sent, rules: Rules = RULES) -> list[Found]:
    cards = Cards(rules)
    return [each for one in uses for each in cards.used(one)]


def test_a_burst_is_found_at_the_purchase_that_is_one_too_many() -> None:
    uses = [use(60 * no) for no in range(4)]
    assert found(*uses[:3]) == []
    (signal,) = [each.signal for each in found(*uses)]
    assert (signal.signal, signal.card, signal.purchases, signal.within_seconds) == ("burst", "hc-1", 4, 600)
    assert signal.event.id == uses[3].id
    assert signal.stores == ("grocer/1",)


def test_purchases_that_lie_apart_are_no_burst() -> None:
    assert found(*[use(200 * no) for no in range(20)]) == [], "three in each stretch of ten minutes"
    assert len(found(*[use(199 * no) for no in range(4)])) == 1


def test_bursts_of_different_cards_do_not_add_up() -> None:
    assert found(*[use(no, card=f"hc-{no}") for no in range(20)]) == []


def test_two_stores_of_one_partner_within_a_time_too_short_are_found() -> None:
    (signal,) = [each.signal for each in found(use(0, "1"), use(299, "2"))]
    assert (signal.signal, signal.purchases, signal.stores) == ("two-stores", 2, ("grocer/1", "grocer/2"))
    assert found(use(0, "1"), use(300, "2")) == []
    assert found(use(0, "1"), use(10, "1")) == []


def test_stores_of_different_partners_may_share_a_roof() -> None:
    assert found(use(0, "1"), use(10, "2", party="fuelco")) == []


def test_a_card_is_found_once_an_hour_for_each_rule() -> None:
    signals = found(*[use(10 * no, store=str(no % 2)) for no in range(30)], *[use(HOUR_S + 10 * no, store=str(no % 2)) for no in range(30)])
    assert sorted(each.id.split(":")[0] for each in signals) == ["burst", "burst", "two-stores", "two-stores"]
    assert len({each.id for each in signals}) == 4


def test_what_was_told_before_is_not_found_again() -> None:
    uses = [use(60 * no) for no in range(4)]
    (told,) = found(*uses)
    cards = Cards(RULES, known=[told.id])
    assert [each for one in uses for each in cards.used(one)] == []


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_records_does_not_matter(seed: int) -> None:
    rnd = random.Random(seed)
    uses = [use(rnd.randrange(6 * HOUR_S), store=rnd.choice("12"), card=f"hc-{rnd.randrange(3)}", event_id=str(no)) for no in range(60)]
    expected = {each.id for each in found(*uses)}
    assert expected
    for _ in range(5):
        rnd.shuffle(uses)
        assert {each.id for each in found(*uses)} == expected


def test_what_is_kept_of_a_card_is_limited() -> None:
    cards = Cards(RULES)
    for no in range(3 * USES_MAX):
        cards.used(use(no))
    assert len(cards.uses[CardId("hc-1")]) == USES_MAX
    cards.used(use(KEPT_S + 3 * USES_MAX))
    assert len(cards.uses[CardId("hc-1")]) == 1
    assert cards.used(use(0, "2")) == [], "too old to be compared"


def test_cards_and_findings_are_forgotten_with_their_days() -> None:
    cards = Cards(RULES)
    for no in range(4):
        cards.used(use(no))
    cards.drop_before(DAY)
    assert cards.uses
    cards.drop_before(DAY + 1)
    assert not cards.uses
    assert not cards._found
