"""The workload that faults are tried on: it is what it says, and any order across partitions gives the same books."""

from __future__ import annotations

from collections import Counter

from schemas.events.answers import RejectionCode
from tests.faults.conftest import Undisturbed
from tests.faults.site import SMALL_BATCH, Site
from tests.faults.workload import DAYS, TRANSACTIONS, Sent


def test_the_workload_holds_something_of_everything(undisturbed: Undisturbed) -> None:
    books = undisturbed.books
    assert len(books.hashes) == len(set(books.hashes)) == len(DAYS)
    assert len(undisturbed.sent) > 2500
    outcomes = Counter(event[0] for event in books.events.values())
    assert outcomes["accepted"] > 2000
    codes = {event[1] for event in books.events.values()} | {code for code, _, _ in books.refused}
    assert codes >= {
        RejectionCode.MALFORMED, RejectionCode.UNKNOWN_TYPE, RejectionCode.WRONG_SOURCE, RejectionCode.UNKNOWN_PARTNER, RejectionCode.TOTALS_MISMATCH,
        RejectionCode.CURRENCY_NOT_ACCEPTED, RejectionCode.TIME_IN_FUTURE, RejectionCode.TOO_OLD, RejectionCode.ID_REUSED, RejectionCode.UNKNOWN_ORIGINAL,
        RejectionCode.RETURNED_TOO_MUCH, RejectionCode.INSUFFICIENT_POINTS, RejectionCode.BELOW_MINIMUM_REDEMPTION, RejectionCode.UNKNOWN_CARD,
        RejectionCode.CARD_BLOCKED, RejectionCode.MEMBER_CLOSED, RejectionCode.CLAIM_EXPIRED, RejectionCode.CARD_NUMBER_IN_CLEAR,
    }  # fmt: skip
    night = {row[1] for row in books.journal if row[-1]}
    assert night == {2, 8, 10}, "the nights release, expire and free holds"
    assert any(member[5] for member in books.members.values()), "somebody owes points"
    assert any(report["carried"] for report in books.reports)


def test_cards_of_a_member_lie_in_different_partitions(undisturbed: Undisturbed) -> None:
    places: dict[str, set[int]] = {}
    for sent in undisturbed.sent:
        if sent.topic == TRANSACTIONS and sent.key.startswith("m-"):
            places.setdefault(sent.key[:5], set()).add(sent.partition)
    assert sum(len(partitions) > 1 for partitions in places.values()) > 100


def test_small_batches_come_to_the_same_books(one: Site, undisturbed: Undisturbed) -> None:
    one.play(undisturbed.windows, batch_max=SMALL_BATCH)
    undisturbed.check(one)


def test_partitions_in_another_order_come_to_the_same_books(one: Site, undisturbed: Undisturbed) -> None:
    """One partition after the other, the last first: what is furthest from the order in which events were sent."""

    def backwards(window: tuple[Sent, ...]) -> list[Sent]:
        return sorted(window, key=lambda sent: (sent.topic, sent.partition), reverse=True)

    one.play([backwards(window) for window in undisturbed.windows], batch_max=SMALL_BATCH)
    undisturbed.check(one)
