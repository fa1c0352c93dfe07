"""Live figures of the demo's last day, read back from the stream beside the books, and waited for until they have seen all of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo

from schemas.events.insights import PartnerFigures
from schemas.ids import PartyId, ProgrammeId
from services.insights.board import Board

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class LiveDay:
    """What one partner's events of one day brought about, as it was counted live."""

    party: PartyId
    purchases: int
    turnover_minor: int
    returns: int
    points: int
    redemptions: int
    points_redeemed: int
    held: int
    rejected: Mapping[str, int]
    """By code."""


def live_day(bootstrap: str, programme: ProgrammeId, day: date, zone: tzinfo, purchases: Mapping[str, int], look: Callable[[], None]) -> list[LiveDay]:
    """The figures of all partners of a day in a time zone; `purchases`: how many each has to have. `look` is called while it waits.

    Returns none when that takes longer than `PATIENCE_S`: half a day's figures would only mislead. Raises KafkaException.
    """
    board = Board(bootstrap, programme)
    try:
        following, deadline = board.following(), time.monotonic() + PATIENCE_S
        while True:
            found = sorted((_of_day(event.data, day, zone) for event in board.latest.values()), key=lambda figures: figures.party)
            counted = {figures.party: figures.purchases for figures in found}
            if all(counted.get(PartyId(party), 0) == count for party, count in purchases.items()):
                return [figures for figures in found if figures.purchases or figures.rejected]
            if time.monotonic() > deadline:
                return []
            look()
            next(following)
    finally:
        board.close()


def _of_day(figures: PartnerFigures, day: date, zone: tzinfo) -> LiveDay:
    hours = [hour for hour in figures.hours if hour.hour.astimezone(zone).date() == day]
    rejected = Counter[str]()
    for hour in hours:
        rejected.update({code.value: count for code, count in hour.rejections.items()})
    return LiveDay(
        figures.party,
        sum(hour.purchases for hour in hours),
        sum(turnover.amount_minor for hour in hours for turnover in hour.turnover),
        sum(hour.returns for hour in hours),
        sum(hour.points for hour in hours),
        sum(hour.redemptions for hour in hours),
        sum(hour.points_redeemed for hour in hours),
        sum(hour.held for hour in hours),
        rejected,
    )
