"""A batch, event by event: what is judged on arrival, what is held, what waits, and what becomes known (rules 1 and 2)."""

from datetime import timedelta

import pytest

from clearing.booking import Booking, card_of, lapse
from clearing.events import Facts, Hold, Outcome, Pending, Received, Refused
from clearing.originals import original_key
from clearing.plan import Plan
from schemas.events.answers import RejectionCode
from schemas.ids import EventId, PartyId, RecordId
from tests.short import BERLIN, MONDAY, Json, adjust, back, capture, enrol, hold, moment, of_member, purchase, read, redeem, release, reverse
from tests.unit.clearing.baskets import day
from tests.unit.clearing.till import BASE, Till, answer, coalition, mechanic

TUESDAY = day("2026-03-03")


def received(event: Json, **told: object) -> Received:
    read_ = read(event)
    told = {"received_at": moment(at="23:59:59"), "sender": PartyId(event["source"].split("/")[2]), **told}
    return Received(RecordId(1), event=read_, **told)  # type: ignore[arg-type]


def booking(*, facts: Facts | None = None, final: bool = False, **terms: object) -> Booking:
    return Booking(Plan(coalition(BASE, **terms)), MONDAY, facts or Facts(), final=final)  # type: ignore[arg-type]


# --- on arrival --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "refused", "detail"),
    [
        (purchase("e1", 100, partner="stranger"), "unknown-partner /source", "the programme has no party stranger"),
        (purchase("e1", 100, total=99), "totals-mismatch /data/total_minor", "the lines, or the tenders, do not add up to the total"),
        (purchase("e1", 100, tenders={"cash": 99}), "totals-mismatch /data/total_minor", "the lines, or the tenders, do not add up to the total"),
        (back("e1", "e0", {1: 5}, total=6), "totals-mismatch /data/total_minor", "the lines, or the tenders, do not add up to the total"),
        (purchase("e1", 100, currency="USD"), "currency-not-accepted /data/currency", "the programme settles in CZK, EUR"),
        (purchase("e1", 100, day=TUESDAY, at="00:05"), "time-in-future /time", "the time lies more than 5 minutes after 2026-03-02T23:59:59+01:00"),
        (
            purchase("e1", 100, day=day("2025-12-31")),
            "too-old /time",
            "the event date 2025-12-31 lies before 2026-01-01, the oldest accepted in the window 2026-03-02",
        ),
    ],
)
def test_what_is_wrong_with_an_event_is_seen_on_arrival(event: Json, refused: str, detail: str) -> None:
    till = Till(BASE)
    decision = till.one(event)
    assert (answer(decision), decision.detail) == (refused, detail)
    assert decision.member is None
    assert decision.balance is None


def test_of_several_reasons_the_first_in_the_order_party_totals_currency_time_counts() -> None:
    till = Till(BASE)
    worst = {"partner": "stranger", "total": 1, "currency": "USD", "day": day("2020-01-01")}
    codes = []
    for name, good in (("partner", "grocer"), ("total", 100), ("currency", "EUR"), ("day", MONDAY)):
        codes.append(answer(till.one(purchase(f"e-{name}", 100, **worst))).split()[0])  # type: ignore[arg-type]
        worst[name] = good
    assert codes == ["unknown-partner", "totals-mismatch", "currency-not-accepted", "too-old"]


def test_an_event_may_lie_five_minutes_after_its_receipt_and_no_more() -> None:
    till = Till(BASE)
    assert till.send(purchase("e1", 100, day=TUESDAY, at="00:04:59")) == ["accepted: base points 1 grocer"]
    assert till.send(purchase("e2", 100, day=TUESDAY, at="00:05:00")) == ["time-in-future /time"]


def test_an_event_may_be_as_old_as_the_programme_accepts_and_no_older() -> None:
    till = Till(BASE, accepts_events_up_to_days=59)
    assert till.send(purchase("e1", 100, day=day("2026-01-02")), purchase("e2", 100, day=day("2026-01-01"))) == [
        "accepted: base points 1 grocer",
        "too-old /time",
    ]


def test_the_event_date_is_the_day_in_the_programmes_time_zone() -> None:
    event = purchase("e1", 100)
    event["time"] = "2026-03-01T23:30:00+00:00"  # half past midnight on Monday in Berlin
    decision = Till(BASE).one(event)
    assert decision.day == MONDAY
    assert decision.local.tzinfo == BERLIN
    assert decision.local.isoformat() == "2026-03-02T00:30:00+01:00"


def test_events_without_an_amount_are_asked_for_no_currency_and_no_totals() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 10_000))
    assert till.send(redeem("x1", 10), adjust("a1", "e1", {1: 5000})) == ["accepted: - points -10 grocer", "accepted: base points -50 grocer"]


# --- cards -------------------------------------------------------------------------------------------------------------------------------


def test_the_card_shown_is_the_events_card_or_its_subject() -> None:
    assert card_of(received(purchase("e1", 100, card="c7"))) == "c7"
    assert card_of(received(back("r1", "e1", {1: 5}, card="c8"))) == "c8"
    other = purchase("e1", 100, card="c7")
    other["subject"] = "c9"
    assert card_of(received(other)) == "c7"


def test_with_an_unknown_card_only_what_spends_is_refused() -> None:
    till = Till(BASE)
    till.send(purchase("e0", 2000), redeem("x0", 10))
    assert till.send(
        purchase("e1", 100, card="c9"),
        redeem("x1", 10, card="c9"),
        hold("h1", 10, card="c9"),
        capture("x2", "h1", 10, card="c9"),
        release("x3", "h1", card="c9"),
        reverse("v1", "x0", 10, card="c9"),
        reverse("v2", "x9", 10, card="c9"),
        reverse("v3", "e0", 10, card="c9", partner="grocer"),
    ) == ["held", *["unknown-card /subject"] * 2, *["held"] * 3, "waiting", "unknown-original /data/original_id"]
    (_, held), *_ = till.books.decisions[RecordId((1 << 56) + 2)]
    assert (held.card, held.outcome, held.member, held.balance) == ("c9", Outcome.HELD, None, None)
    assert till.one(redeem("x4", 10, card="c9")).detail == "the card belongs to nobody"
    assert len(till.journal()) == 2  # what e0 and x0 brought


def test_captures_releases_and_reversals_are_booked_when_their_card_becomes_known() -> None:
    till = Till(BASE)
    till.send(purchase("e0", 5000), redeem("x0", 10), hold("h1", 10, until=moment(TUESDAY, "12:00")), hold("h2", 10, until=moment(TUESDAY, "12:00")))
    assert till.send(capture("x1", "h1", 8, card="c9"), release("x2", "h2", card="c9"), reverse("v1", "x0", 10, card="c9")) == ["held"] * 3
    assert till.balance() == (20, 0)
    till.night()
    assert till.send(of_member("card-linked", "n1", "m1", card="c9", day=TUESDAY)) == [
        "accepted",
        "accepted: - points -8 grocer",
        "accepted",
        "accepted: - points 10 grocer",
    ]
    assert (till.balance(), till.member().held) == ((42, 0), 0)


def test_a_capture_that_is_held_until_its_hold_has_run_out_has_no_original() -> None:
    till = Till(BASE)
    till.send(purchase("e0", 5000), hold("h1", 10, until=moment(at="12:00")))
    assert till.send(capture("x1", "h1", 8, at="11:30", card="c9")) == ["held"]
    till.night()
    linked = till.send(of_member("card-linked", "n1", "m1", card="c9", day=TUESDAY))
    assert linked == ["accepted", "unknown-original /data/original_id"]
    assert till.balance() == (50, 0)


def test_a_card_that_is_named_but_owned_by_nobody_is_as_unknown_as_one_never_heard_of() -> None:
    till = Till(BASE)
    till.send(of_member("card-blocked", "n1", "m1", card="c9", reason="lost"))  # refused, but the card's row is there now
    assert till.send(purchase("e1", 100, card="c9")) == ["held"]


def test_held_events_are_booked_when_their_card_becomes_known_in_the_order_in_which_they_came() -> None:
    till = Till({**BASE, "limit": {"points": 15, "per": "ever"}})
    till.send(purchase("e1", 1000, card="c9", at="12:00"), purchase("e2", 1000, card="c9", at="09:00"), purchase("e3", 500, card="c8"))
    till.night()
    assert till.send(enrol("n1", "m9", "c9", day=TUESDAY), purchase("e4", 100, card="c9", day=TUESDAY)) == [
        "accepted",
        "accepted: base points 10 grocer",
        "accepted: base points 5 grocer",
        "accepted",
    ]
    assert till.lots("m9") == ["15 grocer"]
    assert till.send(of_member("card-linked", "n2", "m9", card="c8", day=TUESDAY)) == ["accepted", "accepted"]
    assert till.books.facts.held == {}


def test_what_was_held_is_booked_under_the_rules_of_its_own_date_and_answered_late() -> None:
    till = Till({**BASE, "to": MONDAY}, mechanic("points_on_spend", "base", points=5, per=BASE["per"]) | {"from": TUESDAY})
    till.send(purchase("e1", 1000, card="c9"))
    till.night()
    assert till.send(enrol("n1", "m9", "c9", day=TUESDAY)) == ["accepted", "accepted: base points 10 grocer"]
    first, second = till.books.decisions[RecordId(1 << 56)]
    assert (first[0], first[1].outcome, second[0], second[1].outcome) == (MONDAY, "held", TUESDAY, "accepted")
    assert not second[1].received.arrived


def test_the_age_of_a_held_event_was_judged_when_it_came() -> None:
    till = Till(BASE, accepts_events_up_to_days=1, claim_days=30)
    till.send(purchase("e1", 1000, card="c9", day=day("2026-03-01")))
    till.night(day("2026-03-10"))
    assert till.send(enrol("n1", "m9", "c9", day=day("2026-03-11"))) == ["accepted", "accepted: base points 10 grocer"]


def test_an_event_older_than_the_claim_days_lapses_even_when_its_card_becomes_known_in_the_same_window() -> None:
    till = Till(BASE, claim_days=3)
    till.send(purchase("e1", 1000, card="c9", day=day("2026-02-27")), purchase("e2", 1000, card="c9", day=day("2026-02-26")))
    assert till.send(enrol("n1", "m9", "c9")) == ["accepted", "accepted: base points 10 grocer", "claim-expired /subject"]
    assert till.balance("m9") == (10, 0)


def test_unclaimed_events_lapse_in_the_night_after_the_claim_days() -> None:
    till = Till(BASE, claim_days=2)
    till.send(purchase("e1", 1000, card="c9"))
    till.night(TUESDAY)
    assert [len(events) for events in till.books.facts.held.values()] == [1]
    till.night()  # 4 March
    assert till.books.facts.held == {}
    of_day, decision = till.books.decisions[RecordId(1 << 56)][-1]
    assert (of_day, decision.code, decision.pointer) == (day("2026-03-04"), "claim-expired", "/subject")
    assert till.send(enrol("n1", "m9", "c9", day=day("2026-03-05"))) == ["accepted"]


def test_a_lapsed_event_says_why() -> None:
    decision = lapse(received(purchase("e1", 100)), Plan(coalition(BASE, claim_days=7)))
    assert (decision.outcome, decision.code, decision.detail) == (
        Outcome.REJECTED,
        RejectionCode.CLAIM_EXPIRED,
        "nobody enrolled the card within 7 days of 2026-03-02",
    )
    assert (decision.day, decision.local, decision.pointer) == (MONDAY, moment(), "/subject")


# --- originals ---------------------------------------------------------------------------------------------------------------------------


def test_an_original_is_known_by_its_source_and_id() -> None:
    assert original_key(received(back("r1", "e1", {1: 5}))) == ("/partners/grocer", "e1")
    assert original_key(received(back("r1", "e1", {1: 5}, original_source="/partners/fuelco"))) == ("/partners/fuelco", "e1")
    assert original_key(received(reverse("v1", "x1", 5))) == ("/partners/fuelco", "x1")


def test_a_return_that_comes_before_its_purchase_waits_and_is_booked_in_the_night() -> None:
    till = Till(BASE)
    assert till.send(back("r1", "e1", {1: 500}), purchase("e1", 1000)) == ["waiting", "accepted: base points 10 grocer"]
    assert till.balance() == (10, 0)
    till.night()
    assert till.balance() == (5, 0)
    decisions = [decision for _, decision in till.books.decisions[RecordId(1 << 56)]]
    assert [decision.outcome for decision in decisions] == ["waiting", "accepted"]


def test_what_waited_in_vain_is_refused_in_the_night() -> None:
    till = Till(BASE)
    till.send(back("r1", "e1", {1: 500}))
    till.night()
    decision = till.books.decisions[RecordId(1 << 56)][-1][1]
    assert (answer(decision), decision.detail) == ("unknown-original /data/original_id", "no event with this source and id has come")


def test_in_the_final_booking_nothing_waits() -> None:
    till = Till(BASE)
    event = received(back("r1", "e1", {1: 500}))
    final = Booking(till.books.plan, MONDAY, till.books.facts, final=True)
    assert final.book(event).outcome is Outcome.REJECTED
    assert Booking(till.books.plan, MONDAY, till.books.facts).book(event).outcome is Outcome.WAITING


def test_a_return_of_a_held_purchase_is_held_with_it() -> None:
    till = Till(BASE)
    assert till.send(purchase("e1", 1000, card="c9"), back("r1", "e1", {1: 500}, card="c9")) == ["held", "held"]
    till.send(of_member("card-linked", "n1", "m1", card="c9"))
    assert till.balance() == (5, 0)


def test_a_return_that_came_before_its_held_purchase_is_booked_after_it_when_the_card_becomes_known() -> None:
    till = Till(BASE)
    assert till.send(back("r1", "e1", {1: 400}, card="c9"), purchase("e1", 1000, card="c9"), purchase("e2", 100, card="c9")) == ["waiting", "held", "held"]
    till.night()  # the return is held with its purchase now
    assert till.send(of_member("card-linked", "n1", "m1", card="c9", day=TUESDAY)) == [
        "accepted",
        "accepted: base points 10 grocer",
        "accepted: base points 1 grocer",
        "accepted: base points -4 grocer",
    ]
    assert till.books.facts.held == {}


def test_what_was_held_for_several_cards_is_booked_in_the_order_in_which_it_came() -> None:
    till = Till({**BASE, "limit": {"points": 15, "per": "ever"}})
    till.send(purchase("e1", 1000, card="c8"), purchase("e2", 1000, card="c9"), purchase("e3", 1000, card="c8"))
    assert till.send(enrol("n1", "m9", "c9", "c8")) == ["accepted", "accepted: base points 10 grocer", "accepted: base points 5 grocer", "accepted"]


def test_a_return_of_a_held_purchase_that_lapses_has_no_original() -> None:
    till = Till(BASE, claim_days=0)
    till.send(purchase("e1", 1000, card="c9", day=day("2026-03-01")), back("r1", "e1", {1: 400}, card="c9"))
    assert till.send(enrol("n1", "m9", "c9")) == ["accepted", "claim-expired /subject", "unknown-original /data/original_id"]
    gone = till.books.facts.originals["/partners/grocer", EventId("e1")]
    assert isinstance(gone, Pending)
    assert (gone.record, gone.outcome, gone.card) == (next(iter(till.books.decisions)), Outcome.REJECTED, None)


def test_a_held_return_of_what_was_bought_with_another_card_is_booked_in_the_order_in_which_it_came() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000), back("r1", "e1", {1: 400}, card="c9"), purchase("e2", 500, card="c9"))
    linked = till.send(of_member("card-linked", "n1", "m1", card="c9"))
    assert linked == ["accepted", "accepted: base points -4 grocer", "accepted: base points 5 grocer"]


def test_a_return_with_a_known_card_of_a_held_purchase_waits_for_the_purchases_card() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000, card="c9"))
    decision = till.one(back("r1", "e1", {1: 500}, card="c1"))
    assert (decision.outcome, decision.card) == (Outcome.HELD, "c9")
    assert till.send(of_member("card-linked", "n1", "m1", card="c9")) == ["accepted", "accepted: base points 10 grocer", "accepted: base points -5 grocer"]


def test_a_return_with_an_unknown_card_of_a_purchase_that_has_not_come_waits() -> None:
    assert Till(BASE).send(back("r1", "e1", {1: 500}, card="c9"), adjust("a1", "e1", {1: 100}, card="c9")) == ["waiting", "waiting"]


def test_a_return_with_an_unknown_card_of_a_booked_purchase_is_held() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000))
    assert till.send(back("r1", "e1", {1: 500}, card="c9"), adjust("a1", "e1", {1: 100}, card="c9")) == ["held", "held"]
    assert till.send(of_member("card-linked", "n1", "m1", card="c9"))[1:] == ["accepted: base points -5 grocer", "accepted: base points -1 grocer"]


def test_a_return_with_an_unknown_card_in_the_wrong_currency_is_refused_at_once() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000))
    assert till.send(back("r1", "e1", {1: 500}, card="c9", currency="CZK")) == ["currency-not-accepted /data/currency"]


def test_originals_are_kept_only_where_somebody_names_them() -> None:
    plan, facts = Plan(coalition(BASE)), Till(BASE).books.facts
    event = received(purchase("e1", 1000))
    Booking(plan, MONDAY, facts).book(event)
    assert facts.originals == {}
    refused = received(purchase("e2", 1000, currency="USD"))
    Booking(plan, MONDAY, facts).book(refused)
    assert facts.originals == {}
    wanting = Booking(plan, MONDAY, facts, wanted=frozenset({event.key, refused.key}))
    wanting.book(event)
    wanting.book(refused)
    assert set(facts.originals) == {event.key, refused.key}
    assert facts.originals[refused.key] == Pending(RecordId(1), Outcome.REJECTED, None)
    plain = Booking(plan, MONDAY, facts)
    plain.book(received(redeem("x1", 1)))
    assert set(facts.originals) == {event.key, refused.key}


def test_a_hold_is_kept_whether_or_not_somebody_names_it() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000))
    event = received(hold("h1", 5))
    Booking(till.books.plan, MONDAY, till.books.facts).book(event)
    kept = till.books.facts.originals[event.key]
    assert isinstance(kept, Hold)
    assert (kept.open, kept.changed, kept.record) == (True, True, event.record)


# --- the batch ---------------------------------------------------------------------------------------------------------------------------


def test_a_refused_event_books_nothing_and_the_batch_goes_on() -> None:
    till = Till(BASE)
    assert till.send(purchase("e1", 100, currency="USD"), purchase("e2", 100), redeem("x1", 7), redeem("x2", 1)) == [
        "currency-not-accepted /data/currency",
        "accepted: base points 1 grocer",
        "insufficient-points /data/points",
        "accepted: - points -1 grocer",
    ]
    assert till.journal() == ["accrual 1 grocer by base", "redemption 1 grocer>fuelco"]


def test_every_decision_of_a_member_says_its_balance_after_the_event() -> None:
    till = Till(BASE, pending_days=0)
    assert till.one(purchase("e1", 1000)).balance == (10, 0)
    assert till.one(redeem("x1", 4)).balance == (6, 0)
    assert till.one(redeem("x2", 40)).balance == (6, 0)


def test_entries_of_the_journal_are_the_records_of_their_events() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 100), purchase("e2", 100))
    assert [row.entry for row in till.rows()] == [1 << 56, (1 << 56) + 1]


def test_an_activity_is_accepted_and_brings_nothing_yet() -> None:
    till = Till(BASE)
    event = purchase("e1", 100)
    event |= {"type": "activity.v1", "data": {"card": "c1", "activity": "review"}}
    assert till.send(event) == ["accepted"]
    assert till.journal() == []


@pytest.mark.parametrize("subject", ["c1", "m1", "nobody"])
def test_a_type_that_is_read_but_not_booked_is_refused_as_unknown_and_never_held(subject: str) -> None:
    event = of_member("members-merged", "n1", subject, into="m2")
    decision = Till(BASE).one(event)
    assert (decision.code, decision.pointer, decision.detail) == ("unknown-type", "/type", "members-merged.v1 is not booked by this version")


def test_a_refusal_reads_as_code_and_detail() -> None:
    refusal = Refused(RejectionCode.TOO_OLD, "by far")
    assert (str(refusal), refusal.pointer) == ("too-old: by far", "")


def test_the_batch_gives_back_its_decisions_in_order_with_what_became_known_after_its_cause() -> None:
    till = Till(BASE)
    till.send(purchase("e1", 1000, card="c9"))
    one = booking(facts=till.books.facts)
    booked = one.book_all([received(enrol("n1", "m9", "c9")), received(purchase("e2", 100))])
    assert [decision.received.event.id for decision in booked.decisions] == ["n1", "e1", "e2"]
    assert [event.event.id for event in booked.claimed] == ["e1"]
    assert [row.amount for row in booked.postings.transfers] == [10, 1]
    assert one.oldest == MONDAY - timedelta(days=60)


def test_how_old_a_held_event_is_goes_by_the_programmes_time_zone() -> None:
    till = Till(BASE, claim_days=1, day=day("2026-03-03"))
    till.send(purchase("e1", 1000, card="c9", at="00:30"), purchase("e2", 1000, card="c9", day=day("2026-03-01"), at="23:30"))  # e1: 1 March 23:30 in UTC
    assert till.send(enrol("n1", "m9", "c9", day=day("2026-03-03"))) == ["accepted", "accepted: base points 10 grocer", "claim-expired /subject"]
    assert lapse(received(purchase("e3", 100, at="00:30")), till.books.plan).day == MONDAY
