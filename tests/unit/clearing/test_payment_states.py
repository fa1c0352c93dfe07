"""Where payments stand: every pair of state and fact, any order of facts, and what money says beside them."""

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing.payment_states import (
    ATTEMPTS_MAX,
    SENT_AGAIN,
    TRANSITIONS,
    Fact,
    PaymentKind,
    PaymentState,
    TooManyAttempts,
    Verdict,
    advance,
    attempt_state,
    contradictory,
    end_to_end_id,
    fact_of_recall,
    fact_of_status,
    payment_state,
)
from schemas.bank_messages import PaymentStatus, RecallStatus

DIAGRAM = """
               noted          sent           accepted       said_paid      recall_asked   recall_refused rejected   recalled   booked     confirmed  returned
planned        noted          sent           accepted       accepted       recall_asked   recall_refused rejected   recalled   booked     confirmed  returned
noted          .              sent           accepted       accepted       recall_asked   recall_refused rejected   recalled   booked     confirmed  returned
sent           .              .              accepted       accepted       recall_asked   recall_refused rejected   recalled   booked     confirmed  returned
accepted       .              .              .              .              recall_asked   recall_refused rejected   recalled   booked     confirmed  returned
recall_asked   .              .              .              .              .              recall_refused rejected   recalled   booked     confirmed  returned
recall_refused .              .              .              .              .              .              rejected   recalled   booked     confirmed  returned
rejected       .              .              .              .              .              .              .          recalled   booked     confirmed  returned
recalled       .              .              .              .              .              .              .          .          booked     confirmed  returned
booked         .              .              .              .              .              .              .          .          .          confirmed  returned
confirmed      .              .              .              .              .              .              .          .          .          .          returned
returned       .              .              .              .              .              .              .          .          .          .          .
"""
"""Where each fact leads from each state; a dot where it changes nothing."""


def drawn() -> dict[tuple[PaymentState, Fact], PaymentState]:
    head, *rows = (line.split() for line in DIAGRAM.split("\n") if line)
    named = {state.value.replace(" ", "_"): state for state in PaymentState}
    return {(named[name], Fact(fact)): named[name if word == "." else word] for name, *words in rows for fact, word in zip(head, words, strict=True)}


def test_every_pair_of_state_and_fact_is_as_drawn() -> None:
    assert drawn() == TRANSITIONS
    assert {state for state, _ in TRANSITIONS} == set(PaymentState) - {PaymentState.PARTLY_CONFIRMED, PaymentState.CONTRADICTED}
    assert all(advance(state, fact) is after for (state, fact), after in drawn().items())


def test_facts_in_any_order_and_as_often_as_they_like_end_in_the_same_state() -> None:
    """Two facts from any state come to the same either way, and one twice to the same as once: so any number of them do, in any order."""
    for state in {state for state, _ in TRANSITIONS}:
        for one, other in product(Fact, Fact):
            assert advance(advance(state, one), other) is advance(advance(state, other), one)
            assert advance(advance(state, one), one) is advance(state, one)


@given(st.lists(st.sampled_from(Fact), max_size=12), st.randoms(use_true_random=False))
def test_a_shuffled_history_is_the_same_history(facts: list[Fact], chance: object) -> None:
    shuffled = list(facts) + facts[:3]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert attempt_state(shuffled) is attempt_state(facts)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ("", "planned"),
        ("noted", "noted"),
        ("noted sent accepted", "accepted"),
        ("sent rejected accepted", "rejected"),
        ("sent accepted booked confirmed", "confirmed"),
        ("rejected booked", "contradicted"),
        ("rejected said_paid", "contradicted"),
        ("noted sent accepted rejected said_paid recall_asked", "contradicted"),
        ("recalled said_paid", "contradicted"),
        ("recalled booked", "booked"),
        ("rejected said_paid booked", "contradicted"),
        ("rejected said_paid confirmed", "confirmed"),
        ("rejected said_paid confirmed returned", "returned"),
        ("rejected accepted", "rejected"),
        ("rejected confirmed", "confirmed"),
        ("accepted recall_asked recalled", "recalled"),
        ("accepted recall_asked recall_refused booked", "booked"),
        ("confirmed recall_asked recalled", "confirmed"),
        ("confirmed recalled returned", "returned"),
    ],
)
def test_what_facts_come_to(facts: str, state: str) -> None:
    for order in permutations(facts.split()):
        assert attempt_state(map(Fact, order)) is PaymentState(state)


@pytest.mark.parametrize(
    ("facts", "verdict", "state"),
    [
        ("rejected said_paid", "paid", "accepted"),
        ("rejected booked", "paid", "booked"),
        ("rejected said_paid", "not paid", "rejected"),
        ("recalled said_paid booked", "not paid", "recalled"),
        ("rejected said_paid confirmed", "not paid", "confirmed"),
        ("rejected confirmed returned", "paid", "returned"),
    ],
)
def test_what_people_decide_takes_one_side_away_and_nothing_that_statements_show(facts: str, verdict: str, state: str) -> None:
    for order in permutations(facts.split()):
        assert attempt_state(map(Fact, order), Verdict(verdict)) is PaymentState(state)


def test_what_the_bank_says_goes_together_unless_it_says_both() -> None:
    both = [{one, other} for one, other in product(Fact, Fact) if contradictory({one, other})]
    assert {frozenset(pair) for pair in both} == {
        frozenset({Fact.REJECTED, Fact.SAID_PAID}), frozenset({Fact.REJECTED, Fact.BOOKED}), frozenset({Fact.REJECTED, Fact.CONFIRMED}),
        frozenset({Fact.RECALLED, Fact.SAID_PAID}),
    }  # fmt: skip


def test_only_what_is_certainly_not_with_the_payee_is_sent_again() -> None:
    assert {PaymentState("rejected"), PaymentState("recalled"), PaymentState("returned")} == SENT_AGAIN


@pytest.mark.parametrize(
    ("kind", "confirmed", "came_back", "announced", "attempts", "state"),
    [
        ("outgoing", 0, False, 0, (), "planned"),
        ("outgoing", 0, False, 0, ("rejected", "sent"), "sent"),
        ("outgoing", 0, False, 0, ("contradicted", "sent"), "contradicted"),
        ("outgoing", 0, False, 0, ("contradicted", "rejected"), "contradicted"),
        ("outgoing", 0, False, 0, ("accepted", "rejected"), "accepted"),
        ("outgoing", 0, False, 0, ("booked", "rejected"), "booked"),
        ("outgoing", 100, False, 0, ("contradicted", "confirmed"), "confirmed"),
        ("outgoing", 100, False, 0, ("confirmed",), "confirmed"),
        ("outgoing", 100, True, 0, ("returned", "confirmed"), "confirmed"),
        ("outgoing", 200, False, 0, ("confirmed", "confirmed"), "confirmed"),
        ("outgoing", 99, False, 0, ("confirmed",), "partly confirmed"),
        ("outgoing", 0, True, 0, ("returned",), "returned"),
        ("incoming", 0, False, 0, (), "planned"),
        ("incoming", 0, False, 40, (), "booked"),
        ("incoming", 1, False, 0, (), "partly confirmed"),
        ("incoming", 100, True, 0, (), "confirmed"),
        ("incoming", 101, False, 0, (), "confirmed"),
        ("incoming", 0, True, 0, (), "returned"),
        ("incoming", -1, True, 100, (), "returned"),
        ("direct", 0, False, 0, (), "planned"),
    ],
)
def test_money_on_statements_says_more_than_any_message(
    kind: str, confirmed: int, came_back: bool, announced: int, attempts: tuple[str, ...], state: str
) -> None:
    stands = payment_state(
        PaymentKind(kind), 100, confirmed_minor=confirmed, came_back=came_back, announced_minor=announced, attempts=[PaymentState(one) for one in attempts]
    )
    assert stands is PaymentState(state)


def test_every_attempt_has_an_id_of_its_own_that_a_bank_takes() -> None:
    payment = "20260302-EUR-AAAAAAAAAAAAAAAAAAAA"
    ids = [end_to_end_id(payment, no) for no in range(1, ATTEMPTS_MAX + 1)]
    assert ids[:3] == [payment, f"{payment}-2", f"{payment}-3"]
    assert ids[-1] == f"{payment}-Z"
    assert len(set(ids)) == ATTEMPTS_MAX
    assert max(map(len, ids)) == 35
    with pytest.raises(TooManyAttempts, match="was tried 35 times: settle it by hand") as refusal:
        end_to_end_id(payment, ATTEMPTS_MAX + 1)
    assert refusal.value.payment == payment


SAYS = {
    "RCVD": Fact.SENT, "ACTC": Fact.SENT, "PDNG": Fact.SENT, "PART": Fact.SENT, "ACCP": Fact.ACCEPTED, "ACFC": Fact.ACCEPTED, "ACWC": Fact.ACCEPTED,
    "ACSP": Fact.ACCEPTED, "ACSC": Fact.ACCEPTED, "ACCC": Fact.ACCEPTED, "CANC": Fact.RECALLED, "RJCT": Fact.REJECTED,
}  # fmt: skip


@pytest.mark.parametrize("status", PaymentStatus)
def test_a_status_of_the_bank_is_at_most_an_acceptance_and_a_rejection_is_one(status: PaymentStatus) -> None:
    assert fact_of_status(status, "") is fact_of_status(status, "AC04") is SAYS[status.value]


@pytest.mark.parametrize("reason", ["DUPL", "AM05", "DU01", "DU02", "DU03", "DU04", "DU05"])
def test_what_the_bank_refuses_as_a_duplicate_it_has_had_before(reason: str) -> None:
    assert fact_of_status(PaymentStatus.REJECTED, reason) is Fact.SENT
    assert fact_of_status(PaymentStatus.CANCELLED, reason) is Fact.RECALLED
    assert fact_of_status(PaymentStatus.PROFILE_ACCEPTED, reason) is Fact.ACCEPTED


def test_an_answer_to_a_recall_cancels_refuses_or_says_nothing_yet() -> None:
    assert {status.value: fact_of_recall(status) for status in RecallStatus} == {"ACCR": Fact.RECALLED, "RJCR": Fact.RECALL_REFUSED, "PDCR": None}


def test_of_earlier_attempts_that_may_still_have_been_made_the_furthest_counts() -> None:
    def state(*attempts: PaymentState, announced: int = 0, kind: PaymentKind = PaymentKind.OUTGOING) -> PaymentState:
        return payment_state(kind, 100, confirmed_minor=0, came_back=False, announced_minor=announced, attempts=attempts)

    assert state(PaymentState.SENT, PaymentState.BOOKED, PaymentState.REJECTED) is PaymentState.BOOKED
    assert state(PaymentState.BOOKED, PaymentState.SENT, PaymentState.REJECTED) is PaymentState.BOOKED
    assert state(PaymentState.BOOKED, PaymentState.SENT) is PaymentState.SENT
    assert state(PaymentState.RETURNED, PaymentState.REJECTED) is PaymentState.REJECTED
    assert state(announced=1, kind=PaymentKind.INCOMING) is PaymentState.BOOKED
