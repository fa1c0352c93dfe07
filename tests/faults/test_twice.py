"""Every event is sent twice."""

from __future__ import annotations

import random

import pytest

from tests.faults.books import assert_same, assert_whole, books_of
from tests.faults.conftest import Undisturbed
from tests.faults.site import SMALL_BATCH, Site
from tests.faults.workload import DAYS, Sent


def at_once(window: tuple[Sent, ...]) -> list[Sent]:
    """Each event and its repetition, one behind the other."""
    return [sent for each in window for sent in (each, each)]


def behind(window: tuple[Sent, ...]) -> list[Sent]:
    """The window, and then the window again."""
    return [*window, *window]


def later(window: tuple[Sent, ...]) -> list[Sent]:
    """Each event a second time somewhere behind the first."""
    rnd = random.Random(7)
    placed = [(no + after, sent) for no, sent in enumerate(window) for after in (0.0, rnd.random() * len(window))]
    return [sent for _, sent in sorted(placed, key=lambda item: item[0])]


@pytest.mark.parametrize("order", [at_once, behind, later])
def test_every_event_twice_changes_nothing(one: Site, undisturbed: Undisturbed, order) -> None:  # type: ignore[no-untyped-def]
    """What claims no id (it cannot be read, or nobody proved to be its sender) counts each time: its identity is where it lies."""
    identified = [tuple(sent for sent in window if _has_an_identity(sent)) for window in undisturbed.windows]
    windows = [[*order(window), *rest] for window, rest in zip(identified, _the_rest(undisturbed), strict=True)]
    one.play(windows, batch_max=SMALL_BATCH)
    assert_whole(one, [sent for window in windows for sent in window], windows=len(DAYS))
    assert_same(books_of(one), undisturbed.books)


def _has_an_identity(sent: Sent) -> bool:
    return not sent.key.startswith("wrong")


def _the_rest(undisturbed: Undisturbed) -> list[list[Sent]]:
    return [[sent for sent in window if not _has_an_identity(sent)] for window in undisturbed.windows]
